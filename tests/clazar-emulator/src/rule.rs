//! Where a fault waits and how often it strikes.
//!
//! As JSON a rule is one flat object: `{"on": "submit", "times": 2, "kind": "status", "status": 503, "commit": true}`.
//! `on` is `authenticate`, `submit` (the default) or `list`; `times` is a number (1 by default) or `"forever"`.
//!
//! Only a request that the service would have served meets a fault: one that is malformed, unauthorized or over a limit is
//! refused as ever and uses none up.

use std::collections::VecDeque;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fault::Fault;

/// Where a fault waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `POST /authenticate/`
    Authenticate,
    /// `POST` to the metering path.
    #[default]
    Submit,
    /// `GET` of the metering path.
    List,
}

/// How many requests meet the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Times {
    /// So many.
    Exactly(u32),
    /// Every one; rules queued later for the same endpoint are never reached.
    Forever(Forever),
}

/// The word `"forever"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Forever {
    /// The only one.
    Forever,
}

/// A fault with its endpoint and its number.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Rule {
    /// Where.
    pub on: Endpoint,
    /// How often.
    pub times: Times,
    /// What.
    pub fault: Fault,
}

impl Rule {
    /// The same, so many times.
    pub fn times(self, times: u32) -> Self {
        Self { times: Times::Exactly(times), ..self }
    }

    /// The same, every time.
    pub fn forever(self) -> Self {
        Self { times: Times::Forever(Forever::Forever), ..self }
    }
}

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self { on: Endpoint::Submit, times: Times::Exactly(1), fault }
    }
}

impl TryFrom<Map<String, Value>> for Rule {
    type Error = String;

    fn try_from(mut object: Map<String, Value>) -> Result<Self, String> {
        let on = object.remove("on").map_or(Ok(Endpoint::Submit), serde_json::from_value);
        let times = object.remove("times").map_or(Ok(Times::Exactly(1)), serde_json::from_value);
        let keys: Vec<String> = object.keys().cloned().collect();
        let fault: Fault = serde_json::from_value(Value::Object(object)).map_err(|error| error.to_string())?;
        // serde lets unknown keys pass beside a variant without fields.
        let written = serde_json::to_value(&fault).map_err(|error| error.to_string())?;
        if let Some(key) = keys.iter().find(|key| written.get(key.as_str()).is_none()) {
            return Err(format!("unknown field `{key}`"));
        }
        Ok(Self {
            on: on.map_err(|error| format!("on: {error}"))?,
            times: times.map_err(|_| "times: neither a number nor \"forever\"".to_owned())?,
            fault,
        })
    }
}

impl FromStr for Rule {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// The faults still to come, in order.
#[derive(Debug, Default)]
pub(crate) struct Faults(VecDeque<Rule>);

impl Faults {
    pub(crate) fn push(&mut self, rule: Rule) {
        self.0.push_back(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The next fault for this endpoint; one that is spent leaves the queue.
    pub(crate) fn take(&mut self, endpoint: Endpoint) -> Fault {
        self.0.retain(|rule| rule.times != Times::Exactly(0));
        let Some(rule) = self.0.iter_mut().find(|rule| rule.on == endpoint) else {
            return Fault::Pass;
        };
        if let Times::Exactly(left) = &mut rule.times {
            *left = left.saturating_sub(1);
        }
        rule.fault.clone()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_from_one_flat_object() {
        let rule: Rule = r#"{"on":"list","times":"forever","kind":"drop","commit":true}"#.parse().unwrap();
        assert_eq!(rule, Fault::drop_after_commit().on(Endpoint::List).forever());
        let rule: Rule = r#"{"kind":"scripted","status":200,"body":{"results":[]}}"#.parse().unwrap();
        assert_eq!(rule, Fault::scripted(200, serde_json::json!({"results": []})).into());
        let rule: Rule = r#"{"kind":"reordered","times":2}"#.parse().unwrap();
        assert_eq!(rule, Fault::Reordered.times(2));
    }

    #[test]
    fn a_misspelt_rule_is_refused() {
        for bad in [
            r#"{"kind":"reordered","comit":true}"#,
            r#"{"kind":"drop","comit":true}"#,
            r#"{"kind":"dropped"}"#,
            r#"{"kind":"pass","on":"everything"}"#,
            r#"{"kind":"pass","times":"twice"}"#,
            r#"{"kind":"pass","times":-1}"#,
            r#"{"status":503}"#,
            "[]",
        ] {
            assert!(bad.parse::<Rule>().is_err(), "{bad}");
        }
    }

    #[test]
    fn faults_are_taken_in_order_and_by_endpoint() {
        let mut faults = Faults::default();
        faults.push(Fault::Reordered.times(2));
        faults.push(Fault::ExpiredToken.on(Endpoint::List));
        faults.push(Fault::before_commit(503).forever());
        assert_eq!(faults.take(Endpoint::List), Fault::ExpiredToken);
        assert_eq!(faults.take(Endpoint::List), Fault::Pass);
        let taken: Vec<Fault> = (0..5).map(|_| faults.take(Endpoint::Submit)).collect();
        let status = Fault::before_commit(503);
        assert_eq!(taken, [Fault::Reordered, Fault::Reordered, status.clone(), status.clone(), status]);
    }
}
