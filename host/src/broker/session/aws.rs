//! Calls of AWS services.

use std::sync::Arc;

use super::super::aws::{AwsRequest, Caller, Heard, Patience, Reach, Unfit, Unsigned, heard};
use super::super::call::Counts;
use super::super::errors::{AwsError, HttpError};
use super::super::exchange::{Failed, Named};
use super::super::held;
use super::super::task::AbortOnDrop;
use super::{Inner, Session};

impl Session {
    /// Calls an operation of a service, such as `Query` of `dynamodb`, with a JSON body, and answers the body that came back. What the
    /// service did not do because there was too much to do is repeated for a while; nothing else is.
    pub async fn call(&self, service: &str, operation: &str, body: &str) -> Result<String, AwsError> {
        let request = self.judge(service, operation, body)?;
        let counts = Arc::clone(&held(&self.0.counts));
        // On the broker's own runtime: its connections are shared, and must live on when this plugin's thread does not.
        let task = self.0.broker.io().spawn(Arc::clone(&self.0).carry(request, counts));
        match AbortOnDrop(task).await {
            Ok(result) => result,
            Err(error) => Err(AwsError::Unanswered(format!("the call was broken off: {error}"))),
        }
    }

    /// Everything that is checked before a call may leave.
    fn judge(&self, service: &str, operation: &str, body: &str) -> Result<AwsRequest, AwsError> {
        let request =
            AwsRequest::new(service, operation, body, self.0.broker.most_request_body()).inspect_err(|unfit| {
                if let Unfit::Forbidden { asked, .. } = unfit {
                    self.deny(asked.clone(), None);
                }
            })?;
        let missing = self.0.grants.aws.missing(&request.reaches);
        if !missing.is_empty() {
            let reached = listed(&missing);
            self.deny(format!("for {reached}"), Some(self.0.grants.aws.line(&missing)));
            return Err(AwsError::Denied(format!("the pipeline does not grant {reached}")));
        }
        if self.0.dry_run && request.writes() {
            return Err(AwsError::Other(format!("a dry run writes nothing: {} was not called", request.name())));
        }
        Ok(request)
    }
}

/// `dynamodb:PutItem on the table A, dynamodb:PutItem on the table B`.
fn listed(reaches: &[Reach]) -> String {
    let words = reaches.iter().map(|Reach { action, resource }| format!("{} on {resource}", action.name()));
    words.collect::<Vec<_>>().join(" and ")
}

impl Inner {
    async fn carry(self: Arc<Self>, request: AwsRequest, counts: Arc<Counts>) -> Result<String, AwsError> {
        let caller = self.broker.callers().caller(&self.grants.account, request.service()).await;
        let caller = caller.map_err(AwsError::NotSent)?;
        let mut patience = None;
        loop {
            match self.ask(&caller, &request, &counts).await? {
                Heard::Throttled(error) => {
                    let patience = patience.get_or_insert_with(|| Patience::new(self.broker.patience()));
                    let Some(pause) = patience.pause() else { return Heard::Throttled(error).into() };
                    tracing::debug!(
                        "{}: {} was throttled ({}): asked again in {} ms",
                        self.plugin,
                        request.name(),
                        error.code,
                        pause.as_millis()
                    );
                    let _waiting = self.waiting.begin();
                    tokio::time::sleep(pause).await;
                }
                heard => return heard.into(),
            }
        }
    }

    /// Signs a call and sends it, once.
    async fn ask(&self, caller: &Caller, request: &AwsRequest, counts: &Counts) -> Result<Heard, AwsError> {
        // The wait comes first: a signature is good for minutes only.
        self.turn().await;
        let (prepared, credentials) = caller.signed(request).await.map_err(|unsigned| match unsigned {
            Unsigned::NoCredentials(text) => AwsError::NotSent(text),
            Unsigned::Unwritable(text) => AwsError::Other(text),
        })?;
        let response = self.leave(prepared, Named::ByHost, counts).await.map_err(|failed| failure(failed, request))?;
        let status = response.status;
        let heard = heard(request.service(), &request.name(), response, &self.broker.redactor());
        // What was surely not done is no call in doubt, whatever its status.
        if matches!(heard, Heard::Throttled(_)) || (status < 500 && !matches!(heard, Heard::Damaged(_))) {
            counts.is_answered();
        }
        if let Heard::Unknown(_) = heard {
            caller.forget(&credentials).await;
        }
        Ok(heard)
    }
}

/// Why there is no answer.
fn failure(failed: Failed, request: &AwsRequest) -> AwsError {
    let name = request.name();
    match failed {
        Failed::Closed(closed) => AwsError::NotSent(format!("{name} was not called: {closed}")),
        Failed::Http(HttpError::NotSent(text) | HttpError::Denied(text)) => {
            AwsError::NotSent(format!("{name} was not called: {text}"))
        }
        Failed::Http(HttpError::Unanswered(text) | HttpError::TooLarge(text) | HttpError::Other(text)) => {
            AwsError::Unanswered(format!("{name} was not answered: {text}"))
        }
    }
}
