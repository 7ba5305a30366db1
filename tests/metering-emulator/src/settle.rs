//! The second step of a request: what it does to the books, and what the client is told, as its fault demands.

use emulator_http::{Answer, Manner};
use serde_json::Value;

use crate::echo::Echo;
use crate::fault::{Fault, When};
use crate::judge::Outcome;
use crate::refusal::{self, INTERNAL, Refusal, THROTTLING};
use crate::rules::Usage;
use crate::service::Service;

const PAGE: &str = "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>";

/// What became of a request.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) answer: Answer,
    /// The name of the error that is answered.
    pub(crate) error: Option<String>,
    /// The ids of the records that it added to the books.
    pub(crate) stored: Vec<String>,
    /// What became of its records, in their order; empty if it had no effect.
    pub(crate) outcomes: Vec<Outcome>,
}

impl Settled {
    fn answer(self, answer: Answer) -> Self {
        Self { answer, error: None, ..self }
    }
}

impl Service {
    /// The refusal of a request that has no effect.
    pub(crate) fn refuse(&self, refusal: &Refusal) -> Settled {
        Settled {
            answer: refusal.answer(self.settings.error_style),
            error: Some(refusal.name.clone()),
            stored: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    /// Serves a checked call, with its fault.
    pub(crate) fn settle(&mut self, records: &[Usage], fault: Fault) -> Settled {
        match fault {
            Fault::Pass | Fault::Slow { .. } => self.serve(records, &[], &[]),
            Fault::Throttle => self.refuse(&Refusal::new(THROTTLING, "Rate exceeded")),
            Fault::Error { name, status, commit } => {
                let refusal = Refusal::new(&name, "Scripted failure.");
                let refusal = match status {
                    Some(status) => refusal.status(status),
                    None => refusal,
                };
                let answer = refusal.answer(self.settings.error_style);
                Settled { error: Some(name), ..self.serve_if(commit, records).answer(answer) }
            }
            Fault::Refuse { name, customer } => match records.iter().any(|it| it.customer.name() == customer) {
                true => self.refuse(&Refusal::new(&name, format!("The record of {customer} is at fault."))),
                false => self.serve(records, &[], &[]),
            },
            Fault::Unprocessed { positions } if positions.is_empty() => {
                let all: Vec<usize> = (0..records.len()).collect();
                self.serve(records, &all, &[])
            }
            Fault::Unprocessed { positions } => self.serve(records, &positions, &[]),
            Fault::Missing { positions } => self.serve(records, &[], &positions),
            Fault::Drop { when } => self.serve_if(when == When::AfterCommit, records).answer(Answer::dropped()),
            Fault::Truncated { commit } => {
                let settled = self.serve_if(commit, records);
                let answer = Answer { manner: Manner::Half, ..settled.answer.clone() };
                settled.answer(answer)
            }
            Fault::NotJson { status, commit } => {
                self.serve_if(commit, records).answer(Answer::of(status, "text/html", PAGE))
            }
            Fault::Scripted { status, body, commit } => {
                let text = match &body {
                    Value::String(text) => text.clone(),
                    body => body.to_string(),
                };
                self.serve_if(commit, records).answer(refusal::answer(status, text))
            }
        }
    }

    /// Judges and bills the records. Those at the positions `unprocessed` are not billed; about those at the positions
    /// `missing` the answer says nothing.
    fn serve(&mut self, records: &[Usage], unprocessed: &[usize], missing: &[usize]) -> Settled {
        let mark = self.books.records().len();
        let (mut echo, mut outcomes) = (Echo::default(), Vec::with_capacity(records.len()));
        for (position, record) in records.iter().enumerate() {
            let verdict = if unprocessed.contains(&position) { None } else { Some(self.judge(record)) };
            let (outcome, id) = verdict.unwrap_or((Outcome::Unprocessed, None));
            outcomes.push(outcome);
            if !missing.contains(&position) {
                echo.add(record, self.settings.echo_time, outcome, id);
            }
        }
        if let Some(order) = &mut self.order {
            echo.shuffle(order);
        }
        let written = self.books.keep(mark).and_then(|stored| Ok((stored, serde_json::to_string(&echo)?)));
        match written {
            Ok((stored, body)) => Settled { answer: refusal::answer(200, body), error: None, stored, outcomes },
            Err(error) => self.refuse(&Refusal::new(INTERNAL, format!("the books cannot be written: {error}"))),
        }
    }

    /// Serves a call whose answer is lost; without `commit` it has no effect, and the answer would have held nothing.
    fn serve_if(&mut self, commit: bool, records: &[Usage]) -> Settled {
        if commit {
            return self.serve(records, &[], &[]);
        }
        let empty = r#"{"Results":[],"UnprocessedRecords":[]}"#;
        Settled {
            answer: refusal::answer(200, empty.to_owned()),
            error: None,
            stored: Vec::new(),
            outcomes: Vec::new(),
        }
    }
}
