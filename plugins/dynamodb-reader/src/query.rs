//! The index of pending records, page by page (API reference, Query).
//!
//! The index is updated some time after the table, so that what it says is a hint. Where it is sorted by time, it is asked for what lies
//! before the cutoff, and then for what lies beyond the calendar: times in another unit than was said, which no cutoff would ever reach.
//! Where it is not, it is asked for everything; what lies between is left out here, at the same price: a filter acts behind the reading.

use std::collections::BTreeMap;
use std::rc::Rc;

use meterhost_sdk::Error;
use meterhost_sdk::aws::{self, ServiceError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::attribute::Literal;
use crate::expression::{self, Placeholders};
use crate::names::{Names, PENDING};
use crate::service::{self, Failed};
use crate::unit::MOMENTS;

/// A query under way.
pub(crate) struct Query {
    names: Rc<Names>,
    /// In milliseconds, UTC.
    cutoff: i64,
    part: Option<Part>,
    /// The key behind which the next page begins; nothing at the beginning of a part.
    start: Option<String>,
    /// Whether DynamoDB has answered.
    answered: bool,
    on: String,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Before,
    Beyond,
    /// Everything, of an index that is not sorted by time.
    All,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'b> {
    table_name: &'b str,
    index_name: &'b str,
    key_condition_expression: &'b str,
    projection_expression: &'b str,
    expression_attribute_names: BTreeMap<String, &'b str>,
    expression_attribute_values: BTreeMap<String, &'b Literal<'b>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclusive_start_key: Option<&'b RawValue>,
}

/// What a page holds.
#[derive(Deserialize)]
pub(crate) struct Answer<'a> {
    #[serde(borrow, default, rename = "Items")]
    pub(crate) items: Vec<&'a RawValue>,
    #[serde(borrow, default, rename = "LastEvaluatedKey")]
    last: Option<&'a RawValue>,
}

impl Query {
    /// Of what is pending and lies before `end` (milliseconds, UTC).
    pub(crate) fn new(names: Rc<Names>, end: i64) -> Self {
        let on = format!("table {}, index {}", names.table, names.index);
        let cutoff = end.clamp(MOMENTS.start, MOMENTS.end);
        Query { names, cutoff, part: Some(Part::Before), start: None, answered: false, on }
    }

    /// The text of the next page; nothing at the end.
    pub(crate) fn next(&mut self) -> Result<Option<String>, Error> {
        let mut first = None;
        while let Some(part) = self.part {
            let error = match service::call("Query", &self.on, &self.body(part)?) {
                Ok(answer) => {
                    self.answered = true;
                    return Ok(Some(answer));
                }
                Err(Failed::Over(error)) => return Err(error),
                Err(Failed::Service(error)) => error,
            };
            if !is_about_the_index(&error) {
                return Err(service::refused("Query", &self.on, error));
            }
            if self.answered || part != Part::Before {
                return Err(self.no_such_index(first.unwrap_or(error)));
            }
            // Perhaps it is not sorted by time, which it need not be.
            self.part = Some(Part::All);
            first = Some(error);
        }
        Ok(None)
    }

    fn no_such_index(&self, error: ServiceError) -> Error {
        let what = aws::message(&aws::Error::Service(error));
        let (on, index, time) = (&self.on, &self.names.index, self.names.of(self.names.time));
        Error::Unavailable(format!(
            "dynamodb:Query on {on}: {what}; `index` is \"{index}\", which has to be an index of the table with the hash key {PENDING}, the \
             range key {time} or none, and a projection of all that is read"
        ))
    }

    /// Takes an answer apart, and goes on behind it.
    pub(crate) fn read<'a>(&mut self, answer: &'a str) -> Result<Answer<'a>, Error> {
        let answer: Answer<'a> =
            serde_json::from_str(answer).map_err(|error| service::unreadable("Query", &self.on, &error))?;
        self.start = answer.last.map(|last| last.get().to_owned());
        if self.start.is_none() {
            self.part = self.part.filter(|part| *part == Part::Before).map(|_| Part::Beyond);
        }
        Ok(answer)
    }

    fn body(&self, part: Part) -> Result<String, Error> {
        let names = &self.names;
        let mut places = Placeholders::default();
        let mut key = format!("{} = {}", places.name(PENDING), places.value(Literal::text("true")));
        let range = match part {
            Part::Before => Some(("<", self.cutoff)),
            Part::Beyond => Some((">=", MOMENTS.end)),
            Part::All => None,
        };
        if let Some((comparison, millis)) = range {
            let (time, bound) = (places.name(names.of(names.time)), Literal::number(&names.unit.number(millis)));
            key.push_str(&format!(" AND {time} {comparison} {}", places.value(bound)));
        }
        let projection: Vec<String> = names.wanted.iter().map(|name| places.name(name)).collect();
        let start = self.start.as_deref().map(serde_json::from_str).transpose();
        expression::text(&Body {
            table_name: &names.table,
            index_name: &names.index,
            key_condition_expression: &key,
            projection_expression: &projection.join(", "),
            expression_attribute_names: places.names(),
            expression_attribute_values: places.values(),
            exclusive_start_key: start.map_err(|error| service::unreadable("Query", &self.on, &error))?,
        })
    }
}

/// Whether it is the index that is not as it was asked for. The service says so in either way.
fn is_about_the_index(error: &ServiceError) -> bool {
    match error.code.as_str() {
        "ValidationException" => true,
        "ResourceNotFoundException" => error.message.contains("index"),
        _ => false,
    }
}
