//! The table of customers of a sink: a CSV file that says whom the sink bills for the usage of each customer.
//!
//! | column | meaning |
//! |---|---|
//! | `customer` | as in the usage; each stands once |
//! | `id` | whom the sink bills: the customer of the charge. Several rows may have the same |
//! | `product` | if there is the column, the product of the charge; an empty cell means none. Without it the product of the usage stays |
//! | any other | an attribute that the sink is handed with the charge; an empty cell means none |
//!
//! UTF-8, with or without a byte order mark, separated by commas, quoted as in RFC 4180. Blank lines are passed over.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};
use sha2::{Digest as _, Sha256};

use super::digest::hex;
use super::errors::ConfigErrors;
use super::source_text::SourceText;
use super::wording::{all_of, nearest, quoted};

/// A table of customers, as it was when the pipeline file was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customers {
    /// The file as messages name it.
    pub file: String,
    /// SHA-256 of its bytes, in hex.
    pub digest: String,
    rows: HashMap<String, Payer>,
}

/// Whom a sink bills for a customer's usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    /// The customer of the charge.
    pub id: String,
    /// The product of the charge, empty for none; nothing if the table leaves that to the usage.
    pub product: Option<String>,
    /// Handed to the sink with the charge, in the order of the columns.
    pub attributes: Vec<(String, String)>,
}

impl Customers {
    /// The file's name, without its folder.
    pub fn file_name(&self) -> &str {
        Path::new(&self.file).file_name().and_then(OsStr::to_str).unwrap_or(&self.file)
    }

    /// Whom the sink bills for the usage of a customer; nothing if the table does not say.
    pub fn payer(&self, customer: &str) -> Option<&Payer> {
        self.rows.get(customer)
    }
}

/// More faults than this are not told one by one: they have one cause.
const MOST_FAULTS: usize = 20;

/// Reads a table. What is wrong in it is reported at its own line and column.
///
/// # Errors
/// The file cannot be read, in words for a person.
pub(super) fn customers(path: &Path, errors: &mut ConfigErrors) -> Result<Option<Customers>, String> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| match path.is_dir() {
        true => "it is a folder".to_owned(),
        false => error.to_string(),
    })?;
    let digest = hex(&Sha256::digest(&bytes));
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let source = SourceText::new(&file, &String::from_utf8_lossy(error.as_bytes()));
            let help = "save it as UTF-8; spreadsheets call that \"CSV UTF-8\"".to_owned();
            errors.merge(ConfigErrors::at(&source, at..at, "this byte is not UTF-8", Some(help)));
            return Ok(None);
        }
    };
    let mut faults = Faults { source: SourceText::new(&file, &text), found: None, count: 0 };
    let rows = rows(&text, &mut faults);
    match faults.found {
        Some(found) => {
            errors.merge(found);
            Ok(None)
        }
        None => Ok(Some(Customers { file, digest, rows: rows.unwrap_or_default() })),
    }
}

/// What is wrong with a table so far.
struct Faults {
    source: SourceText,
    found: Option<ConfigErrors>,
    count: usize,
}

impl Faults {
    /// `at` is the byte at which it stands.
    fn add(&mut self, at: usize, message: String, help: Option<&str>) {
        self.count += 1;
        if self.count > MOST_FAULTS {
            return;
        }
        let found = ConfigErrors::at(&self.source, at..at, message, help.map(str::to_owned));
        match &mut self.found {
            Some(all) => all.merge(found),
            None => self.found = Some(found),
        }
    }
}

/// The columns of a table, by their positions.
struct Columns {
    customer: usize,
    id: usize,
    product: Option<usize>,
    attributes: Vec<(usize, String)>,
}

const SEPARATOR: &str = "columns are separated by commas, and the first line names them: customer,id";

fn rows(text: &str, faults: &mut Faults) -> Option<HashMap<String, Payer>> {
    let marked = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
    let body = text.get(marked..)?;
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::None).from_reader(body.as_bytes());
    let mut record = StringRecord::new();
    let mut table: Option<Table> = None;
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                faults.add(0, format!("it cannot be read as CSV: {error}"), Some(SEPARATOR));
                return None;
            }
        }
        let place = Row::of(text, marked, &record);
        match &mut table {
            Some(table) => table.row(&record, &place, faults),
            None => {
                let columns = header(&record, &place, faults)?;
                table = Some(Table { columns, width: record.len(), rows: HashMap::new(), firsts: HashMap::new() });
            }
        }
    }
    if table.is_none() {
        faults.add(0, "the table is empty".to_owned(), Some(SEPARATOR));
    }
    let rows = table?.rows.into_iter().map(|(customer, (_, payer))| (customer, payer));
    Some(rows.collect())
}

/// What was read of a table.
struct Table {
    columns: Columns,
    /// Fields in a row.
    width: usize,
    /// By customer, with the byte at which the row begins.
    rows: HashMap<String, (usize, Payer)>,
    /// The first customer of each product and id.
    firsts: HashMap<(Option<String>, String), String>,
}

impl Table {
    fn row(&mut self, record: &StringRecord, place: &Row<'_>, faults: &mut Faults) {
        if record.len() != self.width {
            let message = format!("this row has {} fields, and the header has {}", record.len(), self.width);
            faults.add(place.start, message, Some("a field that holds a comma or a quote is quoted"));
            return;
        }
        let before = faults.count;
        let mut cell = |column: usize, name: &str, must: bool| {
            let value = record.get(column).unwrap_or_default();
            check_cell(value, name, must, || place.field(column), faults);
            value.to_owned()
        };
        let customer = cell(self.columns.customer, "customer", true);
        let id = cell(self.columns.id, "id", true);
        let product = self.columns.product.map(|column| cell(column, "product", false));
        let attributes =
            self.columns.attributes.iter().map(|(column, name)| (name.clone(), cell(*column, name, false)));
        let attributes = attributes.filter(|(_, value)| !value.is_empty()).collect();
        if faults.count > before {
            return;
        }
        if let Some((first, _)) = self.rows.get(&customer) {
            let (line, _) = faults.source.position(&(*first..*first));
            let message = format!("the customer {} stands in line {line} already", quoted(&customer));
            let at = place.field(self.columns.customer);
            faults.add(at, message, Some("whom to bill for it would be a guess"));
            return;
        }
        let payer = Payer { id, product, attributes };
        let first = self.firsts.entry((payer.product.clone(), payer.id.clone())).or_insert_with(|| customer.clone());
        let differs = self.rows.get(first).and_then(|(_, other)| differing(&payer, other));
        if let Some(name) = differs {
            let [first, customer, id, shown] = [&*first, &customer, &payer.id, name].map(|text| quoted(text));
            let column =
                self.columns.attributes.iter().find(|(_, column)| column == name).map_or(0, |(column, _)| *column);
            let message = format!("{first} and {customer} are billed as one, {id}, and differ in {shown}");
            faults.add(place.field(column), message, Some("one charge has one value: write the same in both rows"));
            return;
        }
        self.rows.insert(customer, (place.start, payer));
    }
}

/// The first attribute in which two rows differ.
fn differing<'a>(left: &'a Payer, right: &'a Payer) -> Option<&'a String> {
    let only = |these: &'a Payer, those: &'a Payer| {
        these.attributes.iter().find(|pair| !those.attributes.contains(pair)).map(|(name, _)| name)
    };
    only(left, right).or_else(|| only(right, left))
}

/// Reads the header. A column is an attribute unless it is one of the three; so that a misspelt `product` is not one, it may not be
/// near to it while that is missing.
fn header(record: &StringRecord, place: &Row<'_>, faults: &mut Faults) -> Option<Columns> {
    let before = faults.count;
    let names: Vec<&str> = record.iter().collect();
    let position = |wanted: &str| names.iter().position(|name| *name == wanted);
    for (column, name) in names.iter().enumerate() {
        let at = place.field(column);
        if name.is_empty() {
            faults.add(at, format!("column {} has no name", column + 1), Some(SEPARATOR));
        } else if name.trim() != *name || name.contains(char::is_control) {
            let message = format!("the column {} has white space around it, or a control character", quoted(name));
            faults.add(at, message, None);
        } else if position(name).is_some_and(|first| first < column) {
            faults.add(at, format!("the column {} stands twice", quoted(name)), None);
        } else if let Some(near) = nearest(name, ["customer", "id", "product"])
            && near != *name
            && position(near).is_none()
        {
            let help =
                format!("did you mean `{near}`? Any other name is an attribute, and needs to differ from it by more");
            faults.add(at, format!("unknown column {}", quoted(name)), Some(&help));
        }
    }
    for wanted in ["customer", "id"] {
        if position(wanted).is_none() && faults.count == before {
            let found: Vec<String> = names.iter().map(|name| quoted(name)).collect();
            let message = format!("there is no column `{wanted}`; the columns are {}", all_of(&found));
            faults.add(place.start, message, Some(SEPARATOR));
        }
    }
    if faults.count > before {
        return None;
    }
    let attributes = names.iter().enumerate().filter(|(_, name)| !["customer", "id", "product"].contains(name));
    Some(Columns {
        customer: position("customer")?,
        id: position("id")?,
        product: position("product"),
        attributes: attributes.map(|(column, name)| (column, (*name).to_owned())).collect(),
    })
}

/// A cell is one line of text: a quote that is not closed would swallow the rows behind it.
fn check_cell(value: &str, name: &str, must: bool, at: impl Fn() -> usize, faults: &mut Faults) {
    if value.is_empty() && must {
        faults.add(at(), format!("`{name}` is empty"), Some("delete the row, or fill it in"));
    } else if value.contains(char::is_control) {
        faults.add(
            at(),
            format!("`{name}` holds a control character or a line break"),
            Some("see where a quote is open"),
        );
    } else if value.trim() != value && ["customer", "id", "product"].contains(&name) {
        faults.add(at(), format!("`{name}` has white space around it: {value:?}"), Some("take it away"));
    }
}

/// Where a row stands in its text.
struct Row<'a> {
    text: &'a str,
    /// The byte at which it begins.
    start: usize,
}

impl<'a> Row<'a> {
    fn of(text: &'a str, marked: usize, record: &StringRecord) -> Self {
        let begun = record.position().map_or(0, csv::Position::byte);
        let begun = usize::try_from(begun).unwrap_or_default() + marked;
        // The reader says where it began to look; blank lines may stand there.
        let blank = text.get(begun..).unwrap_or_default().bytes().take_while(|byte| b"\r\n".contains(byte)).count();
        Row { text, start: begun + blank }
    }

    /// The byte at which a field begins.
    fn field(&self, column: usize) -> usize {
        let mut at = self.start;
        let mut rest = self.text.get(self.start..).unwrap_or_default().bytes().peekable();
        for _ in 0..column {
            if rest.peek() == Some(&b'"') {
                // What is doubled inside closes and opens it again.
                at += 1 + rest.by_ref().skip(1).position(|byte| byte == b'"').map_or(0, |length| length + 1);
                while rest.peek() == Some(&b'"') {
                    at += 1 + rest.by_ref().skip(1).position(|byte| byte == b'"').map_or(0, |length| length + 1);
                }
            }
            at += rest.by_ref().position(|byte| byte == b',').map_or(0, |length| length + 1);
        }
        at
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// The table, or what is wrong with it.
    fn read(bytes: &[u8]) -> Result<Customers, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("customers.csv");
        std::fs::write(&path, bytes).unwrap();
        let mut errors = ConfigErrors::none(&SourceText::new("pipeline.toml", ""));
        let read = customers(&path, &mut errors).unwrap();
        let said = errors.to_string().replace(&folder.path().display().to_string(), "");
        errors.or(read).map_err(|_| said)
    }

    fn fault(text: &str) -> String {
        read(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_row_says_whom_to_bill_and_what_to_hand_over() {
        let table =
            read("\u{feff}customer,id,plan,product\r\nu1,c1,gold,db\r\n\r\n\"u,2\",\"c \"\"2\"\"\",,\r\n".as_bytes());
        let table = table.unwrap();
        let gold = vec![("plan".to_owned(), "gold".to_owned())];
        assert_eq!(
            table.payer("u1"),
            Some(&Payer { id: "c1".to_owned(), product: Some("db".to_owned()), attributes: gold })
        );
        let second = Payer { id: "c \"2\"".to_owned(), product: Some(String::new()), attributes: Vec::new() };
        assert_eq!(table.payer("u,2"), Some(&second));
        assert_eq!(table.payer("u3"), None);
        assert_eq!(table.digest.len(), 64);
    }

    #[test]
    fn without_the_column_the_product_is_the_usages() {
        assert_eq!(read(b"id,customer\nc1,u1\n").unwrap().payer("u1").unwrap().product, None);
    }

    #[test]
    fn what_is_wrong_is_shown_at_its_line_and_column() {
        for (text, expected) in [
            ("", "/customers.csv:1:1: the table is empty"),
            (
                "customer;id\nu1;c1\n",
                "/customers.csv:1:1: there is no column `customer`; the columns are `customer;id`",
            ),
            ("customer,name\n", "/customers.csv:1:1: there is no column `id`"),
            ("Customer,id\n", "/customers.csv:1:1: unknown column `Customer`; did you mean `customer`?"),
            ("customer,id,prodct\n", "/customers.csv:1:13: unknown column `prodct`; did you mean `product`?"),
            ("customer,id,id\n", "/customers.csv:1:13: the column `id` stands twice"),
            ("customer,id,\n", "/customers.csv:1:13: column 3 has no name"),
            ("customer, id\n", "/customers.csv:1:10: the column ` id` has white space around it"),
            ("customer,id\nu1,c1\n\nu1,c2\n", "/customers.csv:4:1: the customer `u1` stands in line 2 already"),
            ("customer,id\n\"u,\"\"1\",\n", "/customers.csv:2:9: `id` is empty"),
            ("customer,id\n,c1\n", "/customers.csv:2:1: `customer` is empty"),
            ("customer,id\nü,c1,x\n", "/customers.csv:2:1: this row has 3 fields, and the header has 2"),
            ("customer,id\nü\n", "/customers.csv:2:1: this row has 1 fields, and the header has 2"),
            ("customer,id\nü,\"c1\nu2,c2\n", "/customers.csv:2:3: `id` holds a control character or a line break"),
            ("customer,id\nü, c1\n", "/customers.csv:2:3: `id` has white space around it: \" c1\""),
            (
                "id,customer,plan\nc,u1,gold\nc,u2,\n",
                "/customers.csv:3:6: `u1` and `u2` are billed as one, `c`, and differ in `plan`",
            ),
        ] {
            let found = fault(text);
            assert!(found.starts_with(expected), "{text:?}\n{found}");
        }
        let found = read(b"customer,id\nu1,caf\xe9\n").unwrap_err();
        assert!(found.starts_with("/customers.csv:2:7: this byte is not UTF-8"), "{found}");
    }

    #[test]
    fn all_faults_are_told_in_the_order_of_their_lines() {
        let found = fault("customer,id\nu1,\n,c2\n");
        let lines: Vec<&str> = found.lines().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(lines, ["/customers.csv:2:4", "/customers.csv:3:1"]);
        assert_eq!(fault(&format!("customer,id\n{}", ",c\n".repeat(500))).lines().count(), MOST_FAULTS);
    }
}
