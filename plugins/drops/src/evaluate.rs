//! A template's cells for a batch of charges.
//!
//! Where one dictionary column takes part, the template is filled in once for each of its values; where several do, or what differs with
//! each charge, once a charge.

use meterhost_sdk::{ChargeBatch, TextColumn};

use crate::cells::{ABSENT, Cells, Places};
use crate::template::{Name, Part, Spelling, Template};
use crate::texts::Texts;
use crate::{number, time};

/// A part of a template and what it stands for in this batch.
enum Piece<'a> {
    Literal(&'a str),
    /// Alternatives, none of them blank in every row.
    Value(Vec<Cells<'a>>),
}

impl Template {
    /// What each charge of the batch says.
    pub fn cells<'a>(&'a self, batch: &'a ChargeBatch, spelling: Spelling) -> Cells<'a> {
        let mut pieces: Vec<Piece<'a>> = self.parts.iter().map(|part| piece(part, batch)).collect();
        // One column as it is.
        if let ([Piece::Value(alternatives)], Spelling::AsTheyAre) = (pieces.as_mut_slice(), spelling)
            && alternatives.len() == 1
            && let Some(only) = alternatives.pop()
        {
            return only;
        }
        filled(&pieces, batch.len(), spelling)
    }
}

impl Template {
    /// What it names that no charge of the batch has, in a person's words: why cells are empty that should not be. Nothing if each
    /// placeholder is something to one of them.
    pub fn absence(&self, batch: &ChargeBatch) -> Option<String> {
        let mut values = self.parts.iter().filter_map(|part| match part {
            Part::Value(names) => Some(names.as_slice()),
            Part::Literal(_) => None,
        });
        let names = values.find(|names| names.iter().all(|name| known(name, batch).is_blank()))?;
        let told = names.iter().filter_map(|name| match name {
            Name::Tag(name) => Some(format!("a tag {}", name.escape_debug())),
            // What a record says comes with a charge's tags; attributes come from its customer's line, or an aggregator's own.
            Name::Attribute(name) if batch.tag(name).is_some() => {
                let name = name.escape_debug();
                Some(format!("an attribute {name} (but there is a tag of this name: {{tag.{name}}})"))
            }
            Name::Attribute(name) => Some(format!("an attribute {}", name.escape_debug())),
            _ => None,
        });
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| format!("no charge here has {}", told.join(" or ")))
    }
}

fn piece<'a>(part: &'a Part, batch: &'a ChargeBatch) -> Piece<'a> {
    match part {
        Part::Literal(text) => Piece::Literal(text),
        Part::Value(names) => {
            Piece::Value(names.iter().map(|name| known(name, batch)).filter(|cells| !cells.is_blank()).collect())
        }
    }
}

/// What is known of each charge under this name.
fn known<'a>(name: &Name, batch: &'a ChargeBatch) -> Cells<'a> {
    let named = |column: Option<TextColumn<'a>>| column.map_or_else(|| Cells::same(""), Cells::from);
    match name {
        Name::Product => Cells::from(batch.products()),
        Name::Customer => Cells::from(batch.customers()),
        Name::Dimension => Cells::from(batch.dimensions()),
        Name::Tag(name) => named(batch.tag(name)),
        Name::Attribute(name) => named(batch.attribute(name)),
        Name::Start => instants(batch.starts(), |time| time),
        Name::End => instants(batch.ends(), |time| time),
        Name::Quantity => {
            let quantities = batch.quantities();
            let mut texts = Texts::with_capacity(batch.len(), batch.len() * 12);
            (0..batch.len()).for_each(|row| texts.push_with(|all| number::push(all, quantities.get(row))));
            Cells::each(texts)
        }
        Name::Id => {
            let mut texts = Texts::with_capacity(batch.len(), batch.len() * 32);
            (0..batch.len()).for_each(|row| texts.push_with(|all| push_id(all, batch.id(row))));
            Cells::each(texts)
        }
    }
}

/// Times as cells. Charges come in the order of their windows, so that each is written about once.
pub fn instants<'a>(times: &[i64], of: impl Fn(i64) -> i64) -> Cells<'a> {
    let mut texts = Texts::default();
    let mut last = None;
    let mut places = Vec::with_capacity(times.len());
    for time in times.iter().map(|time| of(*time)) {
        if last != Some(time) {
            texts.push_with(|all| time::push_iso(all, time));
            last = Some(time);
        }
        places.push((texts.len() - 1) as u32);
    }
    if texts.len() == 1 { Cells { texts, places: Places::Same } } else { Cells::by(texts, places) }
}

fn push_id(out: &mut String, id: u128) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |byte: u8| DIGITS.get(usize::from(byte)).copied().unwrap_or_default();
    for byte in id.to_be_bytes() {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
    }
}

fn filled<'a>(pieces: &[Piece<'a>], rows: usize, spelling: Spelling) -> Cells<'a> {
    let all = pieces.iter().filter_map(|piece| match piece {
        Piece::Literal(_) => None,
        Piece::Value(cells) => Some(cells),
    });
    let mut varying = all.flatten().filter(|cells| !cells.is_same());
    let (first, second) = (varying.next(), varying.next());
    let mut texts = Texts::default();
    match (first, second) {
        (None, _) => {
            texts.push_with(|out| fill(pieces, spelling, out, |cells| cells.get(0)));
            Cells { texts, places: Places::Same }
        }
        (Some(Cells { texts: values, places: Places::By(indices) }), None) => {
            // The last stands for a charge that has none of the values.
            for value in 0..=values.len() {
                let of = |cells: &'_ Cells<'a>| if cells.is_same() { 0 } else { value };
                texts.push_with(|out| fill(pieces, spelling, out, |cells| cells.texts.get(of(cells))));
            }
            if texts.get(values.len()).is_empty() {
                return Cells::by(texts, indices.clone());
            }
            let none = values.len() as u32;
            let places: Vec<u32> = indices.iter().map(|index| if *index == ABSENT { none } else { *index }).collect();
            Cells::by(texts, places)
        }
        _ => {
            for row in 0..rows {
                texts.push_with(|out| fill(pieces, spelling, out, |cells| cells.get(row)));
            }
            Cells::each(texts)
        }
    }
}

/// Appends a cell; nothing if one of its placeholders has nothing.
fn fill<'c, 'a>(pieces: &'c [Piece<'a>], spelling: Spelling, out: &mut String, at: impl Fn(&'c Cells<'a>) -> &'c str) {
    let start = out.len();
    for piece in pieces {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Value(alternatives) => match alternatives.iter().map(&at).find(|value| !value.is_empty()) {
                Some(value) => spell(value, spelling, out),
                None => return out.truncate(start),
            },
        }
    }
}

fn spell(value: &str, spelling: Spelling, out: &mut String) {
    if spelling == Spelling::AsTheyAre {
        return out.push_str(value);
    }
    for letter in value.chars() {
        match letter {
            ':' => out.push_str("%3A"),
            '/' => out.push_str("%2F"),
            '%' => out.push_str("%25"),
            letter => out.push(letter),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use meterhost_sdk::testing::{Charged, charges};

    use super::*;

    fn batch() -> ChargeBatch {
        let one = Charged {
            start: 0,
            end: time::HOUR,
            id: 10,
            customer: "a",
            dimension: "cpu",
            quantity: "1.50",
            ..Charged::default()
        };
        charges(&[
            Charged { tags: &[("t", "x:y/z%")], attributes: &[("cost", "3")], ..one },
            Charged { customer: "b", product: "p", tags: &[("t", "")], ..one },
            Charged { start: time::HOUR, end: 2 * time::HOUR, id: 1 << 127, ..one },
        ])
    }

    #[test]
    fn cells_are_filled_in_for_each_charge() {
        let batch = batch();
        for (text, cells) in [
            ("k", ["k", "k", "k"]),
            ("", ["", "", ""]),
            ("{customer}", ["a", "b", "a"]),
            ("{product}", ["", "p", ""]),
            ("<{product}>", ["", "<p>", ""]),
            ("{product|dimension}/{dimension}", ["cpu/cpu", "p/cpu", "cpu/cpu"]),
            ("{tag.t}", ["x:y/z%", "", ""]),
            ("{tag.t|customer}", ["x:y/z%", "b", "a"]),
            ("{tag.none}", ["", "", ""]),
            ("{tag.none|attribute.none}", ["", "", ""]),
            ("{tag.none|attribute.cost|dimension}", ["3", "cpu", "cpu"]),
            ("{dimension} of {customer}", ["cpu of a", "cpu of b", "cpu of a"]),
            ("{customer}-{tag.t}", ["a-x:y/z%", "", ""]),
            ("{quantity}", ["1.5", "1.5", "1.5"]),
            ("{start}", ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T01:00:00Z"]),
            ("{end}", ["1970-01-01T01:00:00Z", "1970-01-01T01:00:00Z", "1970-01-01T02:00:00Z"]),
            (
                "{id}",
                [
                    "0000000000000000000000000000000a",
                    "0000000000000000000000000000000a",
                    "80000000000000000000000000000000",
                ],
            ),
        ] {
            let template = Template::parse("c", text).unwrap();
            let found = template.cells(&batch, Spelling::AsTheyAre);
            assert_eq!([found.get(0), found.get(1), found.get(2)], cells, "{text}");
        }
    }

    #[test]
    fn what_no_charge_has_is_named() {
        let absence = |text| Template::parse("c", text).unwrap().absence(&batch());
        for (text, said) in [
            ("{tag.none}", Some("no charge here has a tag none")),
            ("<{tag.none|attribute.none|tag.no}>", Some("a tag none or an attribute none or a tag no")),
            (
                "{customer} {attribute.t}",
                Some("no charge here has an attribute t (but there is a tag of this name: {tag.t})"),
            ),
            // One of them has it.
            ("{tag.t}{attribute.cost}{product}", None),
            ("{tag.none|customer}", None),
            ("none", None),
        ] {
            let found = absence(text);
            assert_eq!(found.is_some(), said.is_some(), "{text}: {found:?}");
            assert!(found.unwrap_or_default().contains(said.unwrap_or_default()), "{text}");
        }
    }

    #[test]
    fn separators_of_values_give_way_and_those_of_the_template_stay() {
        let template = Template::parse("c", "aws:{tag.t|customer}").unwrap();
        let batch = batch();
        let cells = template.cells(&batch, Spelling::WithoutSeparators);
        assert_eq!([cells.get(0), cells.get(1)], ["aws:x%3Ay%2Fz%25", "aws:b"]);
    }

    #[test]
    fn a_value_is_judged_once_and_found_in_each_of_its_rows() {
        let (batch, template) = (batch(), Template::parse("c", "{customer}").unwrap());
        let cells = template.cells(&batch, Spelling::AsTheyAre);
        let mut asked = 0;
        let judged = cells.judged(3, |text| {
            asked += 1;
            (text == "a").then_some("odd")
        });
        assert_eq!((judged, asked), (vec![(0, "odd"), (2, "odd")], 2));
    }
}
