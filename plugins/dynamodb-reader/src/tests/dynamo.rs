//! DynamoDB in memory, and faults on demand.

use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use dynamodb_stand_in::{Item, Refusal, Tables};
use meterhost_sdk::aws::{Error, ServiceError};
use meterhost_sdk::testing;
use serde_json::{Value, json};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Nothing,
    NotSent,
    /// It does not arrive, and nobody knows.
    LostBefore,
    /// It takes effect, and nobody knows.
    LostAfter,
    /// HTTP 500, without effect.
    Internal,
    /// HTTP 500, with effect.
    InternalAfter,
    /// Somebody else writes the item that the call names first.
    Conflict,
    /// The service refuses: the error's name.
    Refused(&'static str),
}

type Before = Box<dyn FnOnce(&mut Dynamo)>;

pub(super) struct Dynamo {
    tables: Tables,
    pub(super) faults: VecDeque<Fault>,
    /// What somebody else does before the next write.
    pub(super) before_write: Option<Before>,
    /// The actions that were called, and how many updates each had.
    pub(super) calls: Vec<(String, usize)>,
}

impl Deref for Dynamo {
    type Target = Tables;

    fn deref(&self) -> &Tables {
        &self.tables
    }
}

impl DerefMut for Dynamo {
    fn deref_mut(&mut self) -> &mut Tables {
        &mut self.tables
    }
}

/// The stage that a test sees.
#[derive(Clone)]
pub(super) struct Stage(Rc<RefCell<Dynamo>>);

impl Stage {
    /// Tables of records and of totals, on the stage.
    pub(super) fn new(key: [&'static str; 2], items: &[Value]) -> Self {
        let mut tables = Tables::default();
        tables.page = 1000;
        tables.add("Records", key);
        tables.add("Subscribers", ["productCode", "customerAWSAccountId"]);
        let dynamo = Dynamo { tables, faults: VecDeque::new(), before_write: None, calls: Vec::new() };
        let stage = Stage(Rc::new(RefCell::new(dynamo)));
        items.iter().for_each(|item| stage.get().put("Records", item));
        let dynamo = Rc::clone(&stage.0);
        testing::aws(move |service, action, body| {
            assert_eq!(service, "dynamodb");
            dynamo.borrow_mut().call(action, &serde_json::from_str(body).unwrap())
        });
        stage
    }

    pub(super) fn get(&self) -> RefMut<'_, Dynamo> {
        self.0.borrow_mut()
    }
}

fn error(refusal: Refusal) -> Error {
    let status = refusal.status();
    let Refusal { code, message, body } = refusal;
    Error::Service(ServiceError { status, code, message, body: body.to_string(), retry_after: None })
}

/// An error that says nothing but its name.
fn said(code: &str, message: &str) -> Error {
    error(Refusal::new(code, message, json!({})))
}

impl Dynamo {
    pub(super) fn change(&mut self, key: [&str; 2], change: impl FnOnce(&mut Item)) {
        self.tables.change("Records", key, change);
    }

    pub(super) fn delete(&mut self, key: [&str; 2]) {
        self.tables.delete("Records", key);
    }

    /// From here on the index shows what is there now, or what is there at each time.
    pub(super) fn lag(&mut self, lags: bool) {
        self.tables.lag("Records", lags);
    }

    pub(super) fn writes(&self) -> usize {
        self.calls.iter().filter(|(action, _)| action != "Query").count()
    }

    fn call(&mut self, action: &str, body: &Value) -> Result<String, Error> {
        let actions = Tables::actions(body);
        self.calls.push((action.to_owned(), actions));
        if action != "Query"
            && let Some(before) = self.before_write.take()
        {
            before(self);
        }
        let lost = || Err(Error::Unanswered("the connection was reset".to_owned()));
        let internal = || Err(said("InternalServerError", "Internal server error"));
        match self.faults.pop_front().unwrap_or(Fault::Nothing) {
            Fault::Nothing => self.act(action, body),
            Fault::NotSent => Err(Error::NotSent("no connection".to_owned())),
            Fault::LostBefore => lost(),
            Fault::LostAfter => self.act(action, body).and_then(|_| lost()),
            Fault::Internal => internal(),
            Fault::InternalAfter => self.act(action, body).and_then(|_| internal()),
            Fault::Conflict => {
                let meets: Vec<bool> = (0..actions).map(|action| action == 0).collect();
                Err(error(Refusal::conflict(action, &meets)))
            }
            Fault::Refused(code) => Err(said(code, "no")),
        }
    }

    fn act(&mut self, action: &str, body: &Value) -> Result<String, Error> {
        self.tables.call(action, body).map_err(error)
    }
}
