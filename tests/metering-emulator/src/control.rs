//! What can be changed and looked up while the program runs, for those who do not hold it in their hand: unsigned, JSON.
//!
//! | request | what it does |
//! |---|---|
//! | `POST /_emulator/clock` | sets the clock: `"real"`, `{"fixed": TIME}`, `{"running": TIME}` |
//! | `POST /_emulator/customers` | `{"customer": "123456789012", "subscribed": false}` |
//! | `POST /_emulator/faults` | queues a rule, or each of a list |
//! | `DELETE /_emulator/faults` | forgets all rules and chances |
//! | `GET /_emulator/books` | the billed records, oldest first |
//! | `GET /_emulator/audit` | whether money is wrong |

use emulator_http::{Answer, Received};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit;
use crate::clock::{self, Clock};
use crate::rule::Rule;
use crate::service::Service;

const PREFIX: &str = "/_emulator/";

/// Whether a request is not one to the API.
pub(crate) fn is_meant(path: &str) -> bool {
    path.starts_with(PREFIX)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscription {
    customer: String,
    subscribed: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Rules {
    Several(Vec<Rule>),
    One(Rule),
}

pub(crate) fn answer(service: &mut Service, request: &Received) -> Answer {
    let body = request.bytes();
    let subject = request.path.strip_prefix(PREFIX).unwrap_or_default();
    let done = match (request.method.as_str(), subject) {
        ("POST", "clock") => serde_json::from_slice(&body).map(|clock: Clock| service.clock = clock::Set::new(clock)),
        ("POST", "customers") => serde_json::from_slice(&body).map(|subscription: Subscription| {
            service.subscribe(&subscription.customer, subscription.subscribed);
        }),
        ("POST", "faults") => serde_json::from_slice(&body).map(|rules| match rules {
            Rules::Several(rules) => rules.into_iter().for_each(|rule| service.faults.push(rule)),
            Rules::One(rule) => service.faults.push(rule),
        }),
        ("DELETE", "faults") => {
            service.clear_faults();
            Ok(())
        }
        ("GET", "books") => return json(&service.books.records()),
        ("GET", "audit") => return json(&audit::audit(service)),
        _ => return Answer::of(404, "application/json", json!({ "error": "there is no such thing" }).to_string()),
    };
    match done {
        Ok(()) => Answer::of(204, "application/json", ""),
        Err(error) => Answer::of(400, "application/json", json!({ "error": error.to_string() }).to_string()),
    }
}

fn json(value: &impl Serialize) -> Answer {
    match serde_json::to_vec_pretty(value) {
        Ok(body) => Answer::of(200, "application/json", body),
        Err(error) => Answer::of(500, "text/plain", error.to_string()),
    }
}

impl Service {
    /// Begins or ends a customer's subscription.
    pub(crate) fn subscribe(&mut self, customer: &str, subscribed: bool) {
        if subscribed {
            self.settings.unsubscribed.remove(customer);
        } else {
            self.settings.unsubscribed.insert(customer.to_owned());
        }
    }

    /// Forgets the rules that still wait, and the chances.
    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
        self.draws = None;
    }
}
