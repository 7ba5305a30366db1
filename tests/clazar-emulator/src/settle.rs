//! The second step of a request: what it does to the books, and what the client is told, as its fault demands.

use emulator_http::Manner;
use serde_json::{Value, json};

use crate::admit::{Call, unauthorized};
use crate::answer::Answer;
use crate::fault::{Commit, Fault};
use crate::request::Request;
use crate::script;
use crate::service::Service;

const PAGE: &str = "<!doctype html><html><body><h1>Service unavailable</h1></body></html>";

impl Service {
    /// Serves a checked request, with its fault, and notes which of its records were billed already.
    pub(crate) fn settle(&mut self, request: &Request, call: &Call, fault: Fault) -> Answer {
        let Call::Submit(records) = call else {
            return self.meet(request, call, fault);
        };
        let billed = self.billed(records);
        let answer = self.meet(request, call, fault);
        Answer { resent: self.note_resent(records, billed), ..answer }
    }

    fn meet(&mut self, request: &Request, call: &Call, fault: Fault) -> Answer {
        match fault {
            Fault::Pass | Fault::Slow { .. } => self.serve(call, &[]),
            Fault::Fail { positions } => self.serve(call, &positions),
            Fault::Missing { count } => self.serve(call, &[]).edit(|results| {
                results.drain(..count.min(results.len()));
            }),
            Fault::Reordered => self.serve(call, &[]).edit(|results| results.reverse()),
            Fault::Unmatched { fields, positions } => {
                self.serve(call, &[]).edit(|results| remove_fields(results, &fields, &positions))
            }
            Fault::Status { status, commit } => {
                let stored = self.serve_if(commit, call);
                Answer::error(status, "Scripted failure.").storing(stored)
            }
            Fault::Drop { commit } => Answer::dropped().storing(self.serve_if(commit, call)),
            Fault::NotJson { status, commit } => Answer::html(status, PAGE).storing(self.serve_if(commit, call)),
            Fault::Truncated { commit: true } => Answer { manner: Manner::Half, ..self.serve(call, &[]) },
            Fault::Truncated { commit: false } => {
                Answer { manner: Manner::Half, ..Answer::json(200, &json!({ "results": [], "count": 0 })) }
            }
            Fault::Throttle { retry_after } => {
                let answer = Answer::error(429, "Request was throttled.");
                match retry_after {
                    Some(seconds) => answer.with("retry-after", seconds),
                    None => answer,
                }
            }
            Fault::ExpiredToken => {
                self.tokens.revoke();
                unauthorized()
            }
            Fault::Redirect { location, status } => Answer::html(status, "").with("location", location),
            Fault::Leak { status } => leak(request, status),
            Fault::Scripted { status, body, headers, commit } => {
                let mark = self.books.records().len();
                self.follow(call, status, &body, commit);
                let answer = match &body {
                    Value::String(text) => Answer::html(status, text.as_str()),
                    body => Answer::json(status, body),
                };
                let answer = headers.iter().fold(answer, |answer, (name, value)| answer.with(name, value));
                self.keep(mark, answer)
            }
        }
    }

    /// Serves a request as the service does when nothing goes wrong. Records at the positions `failing` fail.
    fn serve(&mut self, call: &Call, failing: &[usize]) -> Answer {
        match call {
            Call::Authenticate => {
                let (now, seconds) = (self.now(), self.settings.expires_in);
                let token = self.tokens.issue(now, seconds);
                let body = json!({ "access_token": token, "token_type": "bearer", "expires_in": seconds });
                Answer::json(200, &body)
            }
            Call::Submit(records) => self.submit(records, failing),
            Call::List { listing, address } => match listing.page(self.books.records(), address) {
                Some(page) => Answer::json(200, &page),
                None => Answer::error(404, "Invalid page."),
            },
        }
    }

    /// Serves a request whose answer is lost, and says which records it stored.
    fn serve_if(&mut self, commit: bool, call: &Call) -> Vec<String> {
        if commit { self.serve(call, &[]).stored } else { Vec::new() }
    }

    /// Does what a scripted answer says was done.
    fn follow(&mut self, call: &Call, status: u16, body: &Value, commit: Commit) {
        match call {
            Call::Submit(records) => script::book(&mut self.books, records, status, body, commit),
            Call::Authenticate if status == 200 && commit != Commit::None => {
                let seconds = body.get("expires_in").and_then(Value::as_u64).unwrap_or(self.settings.expires_in);
                if let Some(token) = body.get("access_token").and_then(Value::as_str) {
                    let now = self.now();
                    self.tokens.accept(token.to_owned(), now, seconds);
                }
            }
            Call::Authenticate | Call::List { .. } => {}
        }
    }
}

fn remove_fields(results: &mut [Value], fields: &[String], positions: &[usize]) {
    for (position, result) in results.iter_mut().enumerate() {
        if let Some(result) = result.as_object_mut()
            && (positions.is_empty() || positions.contains(&position))
        {
            result.retain(|key, _| !fields.contains(key));
        }
    }
}

/// An answer that repeats what it was asked, secrets included.
fn leak(request: &Request, status: u16) -> Answer {
    let headers: serde_json::Map<String, Value> =
        request.headers.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    let body = json!({
        "detail": format!("unhandled error; authorization was {:?}", request.header("authorization")),
        "request_headers": headers,
        "request_body": String::from_utf8_lossy(&request.raw_body),
    });
    Answer::json(status, &body)
}
