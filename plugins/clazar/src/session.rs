//! The authenticated session.

use meterhost_sdk::http::{self, Encoding};
use meterhost_sdk::{Answer, Charge, Failure, Outcome, Session, Status};
use serde_json::Value;

use crate::answers;
use crate::config::Target;
use crate::sent::Call;
use crate::service::Trouble;
use crate::verdict::says_duplicate;
use crate::{look_up, service};

/// An access token and where it opens doors. It lives a day; once it is refused, the host connects anew.
#[derive(Debug)]
pub struct ClazarSession {
    target: Target,
    token: String,
}

impl ClazarSession {
    pub(crate) fn connect(target: Target) -> Result<Self, Failure> {
        let mark = |name: &str| {
            http::secret(name, Encoding::Json)
                .map_err(|error| Failure::Other(format!("secret {name}: {}", http::message(&error))))
        };
        // A mark stands inside the quotes: the host escapes what it puts there.
        let body =
            format!(r#"{{"client_id": "{}", "client_secret": "{}"}}"#, mark("client_id")?, mark("client_secret")?);
        let answer = service::send("POST", &target.authenticate, None, body.into_bytes()).map_err(|trouble| {
            match Failure::from(trouble) {
                // Nothing is offered yet, so there is nothing to halve.
                Failure::Refused(text) => Failure::Auth(text),
                other => other,
            }
        })?;
        let answer: Value = serde_json::from_slice(&answer)
            .map_err(|_| Failure::Other(format!("{}: Clazar's answer is not JSON", target.authenticate)))?;
        match answer.get("access_token").and_then(Value::as_str) {
            Some(token) if !token.is_empty() => {
                http::conceal(token);
                Ok(ClazarSession { target, token: token.to_owned() })
            }
            _ => Err(Failure::Auth(format!("{}: Clazar's answer holds no access token", target.authenticate))),
        }
    }
}

impl Session for ClazarSession {
    fn submit(&mut self, charges: &[Charge], _now: i64) -> Result<Vec<Outcome>, Failure> {
        if charges.is_empty() {
            return Ok(Vec::new());
        }
        let body = serde_json::to_vec(&Call::of(self.target.cloud, charges))
            .map_err(|error| Failure::Other(format!("the call cannot be written: {error}")))?;
        let read = |answer: &[u8]| {
            answers::read(self.target.cloud, charges, answer)
                .map_err(|text| Failure::Other(format!("POST {}: {text}", self.target.metering)))
        };
        let sent = match service::send("POST", &self.target.metering, Some(&self.token), body) {
            Err(Trouble::Results(what, answer)) => {
                return Ok(read(&answer)?.into_iter().map(|outcome| unsure(outcome, &what)).collect());
            }
            sent => sent.map_err(Failure::from),
        };
        match sent {
            Ok(answer) => read(&answer),
            Err(Failure::Refused(text)) => match charges {
                // Refused alone, in the words of a duplicate: a look-up tells whose record it is.
                [charge] if says_duplicate(&text) => Ok(vec![Outcome {
                    id: charge.id.clone(),
                    status: Status::Duplicate,
                    retryable: false,
                    refusal_if_absent: None,
                    reference: None,
                    raw: text.clone(),
                    message: Some(text),
                }]),
                _ => Err(Failure::Refused(text)),
            },
            Err(failure) => Err(failure),
        }
    }

    fn look_up(&mut self, charges: &[Charge]) -> Result<Vec<Answer>, Failure> {
        look_up::answers(&self.target, &self.token, charges)
    }
}

/// What a result says behind a status that refuses the call: whether the call took effect in part, the books tell, and a record that is
/// not in them takes its refusal.
fn unsure(outcome: Outcome, what: &str) -> Outcome {
    let refusal_if_absent = match outcome.status {
        Status::Rejected => outcome.message.clone(),
        _ => outcome.refusal_if_absent,
    };
    let said = outcome.message.unwrap_or_else(|| "a result that says success".into());
    Outcome {
        status: Status::Unknown,
        retryable: outcome.retryable,
        refusal_if_absent,
        message: Some(format!("{what}, with {said}")),
        ..outcome
    }
}
