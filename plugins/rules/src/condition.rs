//! Conditions on attributes: `where = { status = { less_than = "400" } }`.

use std::cmp::Ordering;
use std::fmt::{Display, Formatter};

use meterhost_sdk::Decimal;

use crate::config;

/// Whether a record fits. In the order of strength: what surely does not fit one condition does not fit them all, whatever the
/// others say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    No,
    /// A number is asked for and the attribute is none.
    Unclear,
    Yes,
}

/// What one attribute has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) attribute: String,
    /// All must hold.
    tests: Vec<Test>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Among(Vec<Value>),
    NotAmong(Vec<Value>),
    Number(Bound, Decimal),
    Present(bool),
}

/// On which side of a number an attribute lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    LessThan,
    AtMost,
    AtLeast,
    MoreThan,
}

/// Equal to an attribute if both are numbers and those are equal, or if the texts are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Value {
    text: String,
    number: Option<Decimal>,
}

impl Condition {
    /// The error completes "dimensions.x.where.y: it ...".
    pub(crate) fn new(attribute: &str, written: config::Condition) -> Result<Self, &'static str> {
        let mut tests = Vec::new();
        match written {
            config::Condition::Among(values) if values.0.is_empty() => return Err("lists no value"),
            config::Condition::Among(values) => tests.push(Test::Among(Value::all(values))),
            config::Condition::Compares(comparison) => {
                let config::Comparison { not, less_than, at_most, at_least, more_than, present } = *comparison;
                tests.extend((!not.0.is_empty()).then(|| Test::NotAmong(Value::all(not))));
                tests.extend(at_least.map(|number| Test::Number(Bound::AtLeast, number)));
                tests.extend(more_than.map(|number| Test::Number(Bound::MoreThan, number)));
                tests.extend(at_most.map(|number| Test::Number(Bound::AtMost, number)));
                tests.extend(less_than.map(|number| Test::Number(Bound::LessThan, number)));
                if present == Some(false) && !tests.is_empty() {
                    return Err("asks for an attribute that is not present, and compares it");
                }
                tests.extend(present.map(Test::Present));
            }
        }
        match tests.is_empty() {
            true => Err("says nothing"),
            false => Ok(Condition { attribute: attribute.to_owned(), tests }),
        }
    }

    /// Whether the attribute, or its absence, fits.
    pub(crate) fn judge(&self, attribute: Option<&str>) -> Verdict {
        let number = attribute.and_then(|text| Decimal::parse(text).ok());
        let verdicts = self.tests.iter().map(|test| test.judge(attribute, number));
        verdicts.min().unwrap_or(Verdict::Yes)
    }

    /// Whether a record can have an attribute that leaves it unclear.
    pub(crate) fn needs_number(&self) -> bool {
        self.tests.iter().any(|test| matches!(test, Test::Number(..)))
    }
}

impl Test {
    fn judge(&self, attribute: Option<&str>, number: Option<Decimal>) -> Verdict {
        let Some(text) = attribute else {
            return if matches!(self, Test::Present(false)) { Verdict::Yes } else { Verdict::No };
        };
        let holds = match self {
            Test::Among(values) => values.iter().any(|value| value.is(text, number)),
            Test::NotAmong(values) => !values.iter().any(|value| value.is(text, number)),
            Test::Present(present) => *present,
            Test::Number(bound, than) => {
                let Some(number) = number else { return Verdict::Unclear };
                bound.holds(number.cmp(than))
            }
        };
        if holds { Verdict::Yes } else { Verdict::No }
    }
}

impl Bound {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Bound::LessThan => order.is_lt(),
            Bound::AtMost => order.is_le(),
            Bound::AtLeast => order.is_ge(),
            Bound::MoreThan => order.is_gt(),
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Bound::LessThan => "<",
            Bound::AtMost => "<=",
            Bound::AtLeast => ">=",
            Bound::MoreThan => ">",
        }
    }
}

impl Value {
    fn all(texts: config::OneOrMore) -> Vec<Self> {
        let values = texts.0.into_iter().map(|text| Value { number: Decimal::parse(&text).ok(), text });
        values.collect()
    }

    fn is(&self, text: &str, number: Option<Decimal>) -> bool {
        self.text == text || self.number.zip(number).is_some_and(|(this, other)| this == other)
    }
}

/// As a report shows it: `status >= 200 and status < 400`.
impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let attribute = &self.attribute;
        for (position, test) in self.tests.iter().enumerate() {
            if position > 0 {
                f.write_str(" and ")?;
            }
            match test {
                Test::Among(values) => list(f, attribute, "=", "in", values)?,
                Test::NotAmong(values) => list(f, attribute, "!=", "not in", values)?,
                Test::Present(true) => write!(f, "{attribute} is present")?,
                Test::Present(false) => write!(f, "{attribute} is absent")?,
                Test::Number(bound, than) => write!(f, "{attribute} {} {than}", bound.sign())?,
            }
        }
        Ok(())
    }
}

fn list(f: &mut Formatter<'_>, attribute: &str, one: &str, several: &str, values: &[Value]) -> std::fmt::Result {
    if let [value] = values {
        return write!(f, "{attribute} {one} {value}");
    }
    write!(f, "{attribute} {several} (")?;
    for (position, value) in values.iter().enumerate() {
        write!(f, "{}{value}", if position > 0 { ", " } else { "" })?;
    }
    f.write_str(")")
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self.number {
            Some(_) => f.write_str(&self.text),
            None => write!(f, "{:?}", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn condition(written: &str) -> Condition {
        Condition::new("status", serde_json::from_str(written).unwrap()).unwrap()
    }

    #[test]
    fn conditions_hold_for_what_they_say_and_read_well() {
        use Verdict::{No, Unclear, Yes};
        type Case<'a> = (&'a str, &'a str, &'a [(Option<&'a str>, Verdict)]);
        let cases: [Case<'_>; 9] = [
            (
                r#""ok""#,
                "status = \"ok\"",
                &[(Some("ok"), Yes), (Some("OK"), No), (Some("ok "), No), (Some(""), No), (None, No)],
            ),
            (
                r#"200"#,
                "status = 200",
                &[(Some("200"), Yes), (Some("200.0"), Yes), (Some("0200"), No), (Some("201"), No), (None, No)],
            ),
            (r#"true"#, "status = \"true\"", &[(Some("true"), Yes), (Some("false"), No)]),
            (
                r#"["200", "ok"]"#,
                "status in (200, \"ok\")",
                &[(Some("200"), Yes), (Some("ok"), Yes), (Some("no"), No), (None, No)],
            ),
            (r#"{"not": "ok"}"#, "status != \"ok\"", &[(Some("ok"), No), (Some("no"), Yes), (None, No)]),
            (
                r#"{"not": ["1", "2"]}"#,
                "status not in (1, 2)",
                &[(Some("2.0"), No), (Some("3"), Yes), (Some("x"), Yes), (None, No)],
            ),
            (
                r#"{"at_least": "200", "less_than": "400"}"#,
                "status >= 200 and status < 400",
                &[
                    (Some("200"), Yes),
                    (Some("399.99"), Yes),
                    (Some("400"), No),
                    (Some("4e2"), No),
                    (Some("-1"), No),
                    (Some("many"), Unclear),
                    (Some(""), Unclear),
                    (None, No),
                ],
            ),
            (
                r#"{"more_than": "1", "at_most": 2, "not": "x"}"#,
                "status != \"x\" and status > 1 and status <= 2",
                &[(Some("1"), No), (Some("1.01"), Yes), (Some("2"), Yes), (Some("x"), No), (Some("y"), Unclear)],
            ),
            (r#"{"present": false}"#, "status is absent", &[(Some("x"), No), (Some(""), No), (None, Yes)]),
        ];
        for (written, shown, attributes) in cases {
            let condition = condition(written);
            assert_eq!(condition.to_string(), shown);
            for &(attribute, verdict) in attributes {
                assert_eq!(condition.judge(attribute), verdict, "{shown}, {attribute:?}");
            }
        }
        assert_eq!(condition(r#"{"present": true}"#).judge(Some("")), Yes);
    }
}
