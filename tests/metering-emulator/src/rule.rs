//! Which request a fault waits for, and how often it strikes.
//!
//! As JSON a rule is one flat object: `{"at": 3, "kind": "drop", "when": "after_commit"}` strikes the third request,
//! `{"times": 2, "kind": "throttle"}` the next two that no other rule strikes. `times` is a number (1 by default) or
//! `"forever"`.
//!
//! Counted is what would have been served: a request that is malformed, unsigned, out of its time or over a limit is
//! refused as ever, has no number and uses no fault up. A connection that ends before the body is read has a number too.

use std::collections::VecDeque;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fault::{Fault, When};

/// Which requests meet a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one of this number, counted from 1.
    At(usize),
    /// The next so many that no earlier rule strikes.
    Next(u32),
    /// All that no earlier rule strikes.
    All,
}

/// A fault with the requests that meet it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Rule {
    /// Which.
    pub which: Which,
    /// What.
    pub fault: Fault,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Forever,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Times {
    Number(u32),
    Word(Word),
}

impl Rule {
    /// At the request of this number, counted from 1.
    pub fn at(number: usize, fault: Fault) -> Self {
        Self { which: Which::At(number), fault }
    }

    /// So many times.
    pub fn times(times: u32, fault: Fault) -> Self {
        Self { which: Which::Next(times), fault }
    }

    /// Every time.
    pub fn forever(fault: Fault) -> Self {
        Self { which: Which::All, fault }
    }
}

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self::times(1, fault)
    }
}

impl TryFrom<Map<String, Value>> for Rule {
    type Error = String;

    fn try_from(mut object: Map<String, Value>) -> Result<Self, String> {
        let which = match (object.remove("at"), object.remove("times")) {
            (Some(_), Some(_)) => return Err("at and times: a rule has one of them".into()),
            (None, None) => Which::Next(1),
            (Some(at), None) => match at.as_u64().and_then(|at| usize::try_from(at).ok()) {
                Some(number @ 1..) => Which::At(number),
                _ => return Err("at: not a number from 1".into()),
            },
            (None, Some(times)) => match serde_json::from_value(times) {
                Ok(Times::Number(times)) => Which::Next(times),
                Ok(Times::Word(Word::Forever)) => Which::All,
                Err(_) => return Err("times: neither a number nor \"forever\"".into()),
            },
        };
        let keys: Vec<String> = object.keys().cloned().collect();
        let fault: Fault = serde_json::from_value(Value::Object(object)).map_err(|error| error.to_string())?;
        // serde lets unknown keys pass beside a variant without fields.
        let written = serde_json::to_value(&fault).map_err(|error| error.to_string())?;
        match keys.iter().find(|key| written.get(key.as_str()).is_none()) {
            Some(key) => Err(format!("unknown field `{key}`")),
            None => Ok(Self { which, fault }),
        }
    }
}

impl FromStr for Rule {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// The faults still to come, and the number of the last request that met one or passed.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: VecDeque<Rule>,
    served: usize,
}

impl Faults {
    pub(crate) fn push(&mut self, rule: Rule) {
        self.rules.push_back(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The fault of the next request, if a rule has one. The request is counted.
    pub(crate) fn take(&mut self) -> Option<Fault> {
        let fault = self.place().and_then(|place| self.use_up(place));
        self.served += 1;
        fault
    }

    /// Whether the next request is not even read. If so it is counted.
    pub(crate) fn take_unread(&mut self) -> bool {
        let unread = Fault::Drop { when: When::BeforeReading };
        let strikes = self.place().filter(|place| self.rules.get(*place).is_some_and(|rule| rule.fault == unread));
        if let Some(place) = strikes {
            self.use_up(place);
            self.served += 1;
        }
        strikes.is_some()
    }

    /// Counts a request that meets a fault by chance and is not even read.
    pub(crate) fn count_unread(&mut self) {
        self.served += 1;
    }

    /// How many requests were counted.
    pub(crate) fn served(&self) -> usize {
        self.served
    }

    /// Whether a rule has a fault for the next request.
    pub(crate) fn strikes(&self) -> bool {
        self.place().is_some()
    }

    /// Where the rule for the next request stands: one of its number before the others.
    fn place(&self) -> Option<usize> {
        let number = Which::At(self.served + 1);
        let is_next = |rule: &Rule| matches!(rule.which, Which::Next(1..) | Which::All);
        let numbered = self.rules.iter().position(|rule| rule.which == number);
        numbered.or_else(|| self.rules.iter().position(is_next))
    }

    fn use_up(&mut self, place: usize) -> Option<Fault> {
        let rule = self.rules.get_mut(place)?;
        let fault = rule.fault.clone();
        match &mut rule.which {
            Which::Next(left @ 2..) => *left -= 1,
            Which::All => {}
            Which::Next(_) | Which::At(_) => drop(self.rules.remove(place)),
        }
        Some(fault)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_from_one_flat_object() {
        let read = |text: &str| text.parse::<Rule>().unwrap();
        assert_eq!(read(r#"{"at":3,"kind":"drop","when":"after_commit"}"#), Fault::drop_after_commit().at(3));
        assert_eq!(
            read(r#"{"times":"forever","kind":"error","commit":true}"#),
            Fault::internal_after_commit().forever()
        );
        assert_eq!(read(r#"{"kind":"unprocessed","positions":[1]}"#), Fault::unprocessed([1]).into());
        assert_eq!(read(r#"{"kind":"throttle","times":2}"#), Fault::Throttle.times(2));
    }

    #[test]
    fn a_misspelt_rule_is_refused() {
        for bad in [
            r#"{"kind":"throttle","comit":true}"#,
            r#"{"kind":"error","comit":true}"#,
            r#"{"kind":"drop"}"#,
            r#"{"kind":"dropped"}"#,
            r#"{"kind":"pass","at":0}"#,
            r#"{"kind":"pass","at":1,"times":1}"#,
            r#"{"kind":"pass","times":"twice"}"#,
            r#"{"status":503}"#,
            "[]",
        ] {
            assert!(bad.parse::<Rule>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_numbered_fault_comes_at_its_request_and_the_others_in_order() {
        let mut faults = Faults::default();
        faults.push(Fault::Throttle.times(2));
        faults.push(Fault::internal_after_commit().at(2));
        faults.push(Fault::drop_before_commit().at(5));
        let taken: Vec<_> = (0..6).map(|_| faults.take()).collect();
        let expected = [
            Some(Fault::Throttle),
            Some(Fault::internal_after_commit()),
            Some(Fault::Throttle),
            None,
            Some(Fault::drop_before_commit()),
            None,
        ];
        assert_eq!(taken, expected);
    }

    #[test]
    fn a_request_that_is_not_read_has_a_number() {
        let mut faults = Faults::default();
        faults.push(Fault::drop_before_reading().at(2));
        assert!(!faults.take_unread());
        assert_eq!(faults.take(), None);
        assert!(faults.take_unread() && !faults.take_unread());
        faults.push(Fault::Throttle.at(3));
        assert_eq!(faults.take(), Some(Fault::Throttle));
    }
}
