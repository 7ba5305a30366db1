//! What an action is done on: a table, one of its indexes, a product.

use std::fmt;

use super::endpoint::partition;

/// What an action is granted or asked for on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Resource {
    /// A table; granted, with all its indexes.
    Table(Table),
    Index(Table, String),
    /// A product code, or the ARN of a licence.
    Product(String),
    /// Whatever a service without resources of its own is asked for. It is only granted.
    Any,
}

/// A table as the request names it: by its name, in the account and region of whoever asks, or by its ARN. One is not the other, even
/// where both mean the same table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    Named(String),
    /// The whole ARN.
    Arn(String),
}

/// Why a text names no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoTable {
    #[error("a name has 3 to 255 letters, digits, `_`, `-` or `.`")]
    Name,
    #[error("an ARN is written as `arn:aws:dynamodb:eu-west-1:123456789012:table/NAME`")]
    Arn,
    #[error("the region {region} is in the partition `{partition}`")]
    Partition { region: String, partition: &'static str },
}

impl Table {
    /// Reads what a request names a table by.
    pub(super) fn read(text: &str) -> Result<Table, NoTable> {
        match text.starts_with("arn:") {
            true => match resource_of_arn(text)? {
                Resource::Table(table) => Ok(table),
                _ => Err(NoTable::Arn),
            },
            false => is_name(text).then(|| Table::Named(text.to_owned())).ok_or(NoTable::Name),
        }
    }

    /// The region of its ARN.
    pub(super) fn region(&self) -> Option<&str> {
        match self {
            Table::Named(_) => None,
            Table::Arn(arn) => arn.split(':').nth(3),
        }
    }

    fn text(&self) -> &str {
        match self {
            Table::Named(text) | Table::Arn(text) => text,
        }
    }
}

impl Resource {
    /// Reads what a grant names in DynamoDB: `Table`, `Table/index/Name`, or either as an ARN.
    pub(super) fn of_dynamodb(text: &str) -> Result<Resource, NoTable> {
        if text.starts_with("arn:") {
            return resource_of_arn(text);
        }
        match text.split_once("/index/") {
            None => Ok(Resource::Table(Table::read(text)?)),
            Some((table, index)) if is_name(index) => Ok(Resource::Index(Table::read(table)?, index.to_owned())),
            Some(_) => Err(NoTable::Name),
        }
    }

    /// Whether a grant on this is one on that.
    pub(super) fn holds(&self, asked: &Resource) -> bool {
        match (self, asked) {
            (Resource::Any, _) => true,
            (Resource::Table(granted), Resource::Index(table, _)) => granted == table,
            (granted, asked) => granted == asked,
        }
    }

    /// As a grant writes it.
    pub(crate) fn written(&self) -> String {
        match self {
            Resource::Table(table) => table.text().to_owned(),
            Resource::Index(table, index) => format!("{}/index/{index}", table.text()),
            Resource::Product(product) => product.clone(),
            Resource::Any => "*".to_owned(),
        }
    }
}

/// Follows "on", or "for".
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Table(table) => write!(f, "the table {}", table.text()),
            Resource::Index(table, index) => write!(f, "the index {index} of the table {}", table.text()),
            Resource::Product(product) if product.starts_with("arn:") => write!(f, "the licence {product}"),
            Resource::Product(product) => write!(f, "the product {product}"),
            Resource::Any => f.write_str("every product"),
        }
    }
}

/// Whether a text can be the name of a table or an index (CreateTable, DynamoDB API reference).
pub(super) fn is_name(text: &str) -> bool {
    (3..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// Whether a text can be a product code or the ARN of a licence (BatchMeterUsage, Marketplace Metering API reference).
pub(super) fn is_product(text: &str) -> bool {
    (1..=1300).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-/=:_.@+,".contains(&byte))
}

fn resource_of_arn(arn: &str) -> Result<Resource, NoTable> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", of, "dynamodb", region, account, resource] = parts.as_slice() else { return Err(NoTable::Arn) };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let Some(rest) = resource.strip_prefix("table/").filter(|_| is_account) else { return Err(NoTable::Arn) };
    let (table, index) = match rest.split_once("/index/") {
        Some((table, index)) => (table, Some(index)),
        None => (rest, None),
    };
    if !is_name(table) || !index.is_none_or(is_name) || !crate::broker::account::is_region(region) {
        return Err(NoTable::Arn);
    }
    let partition = partition(region).name;
    if *of != partition {
        return Err(NoTable::Partition { region: (*region).to_owned(), partition });
    }
    Ok(match index {
        None => Resource::Table(Table::Arn(arn.to_owned())),
        Some(index) => {
            let table = arn.strip_suffix(&format!("/index/{index}")).unwrap_or(arn);
            Resource::Index(Table::Arn(table.to_owned()), index.to_owned())
        }
    })
}
