//! Expressions and what their placeholders stand for. All names go through placeholders: `dimension` may be a reserved word some day, and a
//! name may hold any letter (DynamoDB developer guide, "Expression attribute names").

use std::collections::BTreeMap;

use meterhost_sdk::Error;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::attribute::Literal;

/// The placeholders of one request.
#[derive(Debug, Default)]
pub(crate) struct Placeholders<'a> {
    names: Vec<String>,
    values: Vec<Literal<'a>>,
}

impl<'a> Placeholders<'a> {
    /// What stands for an attribute, the same each time.
    pub(crate) fn name(&mut self, name: &str) -> String {
        let position = self.names.iter().position(|other| other == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        format!("#n{position}")
    }

    /// What stands for a value.
    pub(crate) fn value(&mut self, value: Literal<'a>) -> String {
        self.values.push(value);
        format!(":v{}", self.values.len() - 1)
    }

    /// `ExpressionAttributeNames`.
    pub(crate) fn names(&self) -> BTreeMap<String, &str> {
        (0..).zip(&self.names).map(|(position, name)| (format!("#n{position}"), name.as_str())).collect()
    }

    /// `ExpressionAttributeValues`.
    pub(crate) fn values(&self) -> BTreeMap<String, &Literal<'a>> {
        (0..).zip(&self.values).map(|(position, value)| (format!(":v{position}"), value)).collect()
    }
}

/// A conditional update of one item, as it is sent: the same text by itself and in a transaction.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    /// Table and key: no transaction holds two updates of one item.
    pub(crate) target: String,
    pub(crate) body: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'b, 'a> {
    table_name: &'b str,
    key: &'b Map<String, Value>,
    update_expression: &'b str,
    condition_expression: &'b str,
    expression_attribute_names: BTreeMap<String, &'b str>,
    expression_attribute_values: BTreeMap<String, &'b Literal<'a>>,
    return_values_on_condition_check_failure: &'static str,
}

impl Update {
    pub(crate) fn new(
        table: &str,
        key: &Map<String, Value>,
        (update, condition): (&str, &str),
        placeholders: &Placeholders<'_>,
    ) -> Result<Self, Error> {
        let body = Body {
            table_name: table,
            key,
            update_expression: update,
            condition_expression: condition,
            expression_attribute_names: placeholders.names(),
            expression_attribute_values: placeholders.values(),
            // What is there instead says why a condition failed, without asking again.
            return_values_on_condition_check_failure: "ALL_OLD",
        };
        Ok(Update { target: format!("{table} {}", text(key)?), body: text(&body)? })
    }
}

/// A request's text.
pub(crate) fn text(body: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(body).map_err(|error| Error::Other(format!("a request cannot be written: {error}")))
}
