//! The third step of a request: its way through the other two, and the waits of a slow answer around them.

use std::time::Duration;

use emulator_http::{Body, Received, Service};

use crate::answer::Answer;
use crate::fault::Fault;
use crate::request::Request;
use crate::service::Shared;

impl Service for Shared {
    async fn answer(&self, received: Received) -> emulator_http::Answer {
        let complete = matches!(received.body, Body::Whole(_));
        let request = Request::from(received);
        let answer = if complete { answer(self, request).await } else { too_large(self, request) };
        answer.into()
    }
}

fn too_large(service: &Shared, request: Request) -> Answer {
    let answer = Answer::error(413, "The body is too large.");
    let mut service = service.lock();
    let place = service.arrived(request);
    service.answered(place, &answer);
    answer
}

/// The three steps, with the waits of a slow answer around the second. The memory is never locked during a wait.
async fn answer(service: &Shared, request: Request) -> Answer {
    let (place, admitted) = {
        let mut service = service.lock();
        let place = service.arrived(request.clone());
        (place, service.admit(&request))
    };
    let (before, after) = match admitted {
        Ok((_, Fault::Slow { before_ms, after_ms })) => (before_ms, after_ms),
        _ => (0, 0),
    };
    wait(before).await;
    let answer = {
        // Books and log change at once, so that they can be held against each other at any moment.
        let mut service = service.lock();
        let answer = match admitted {
            Err(refusal) => refusal,
            Ok((call, fault)) => service.settle(&request, &call, fault),
        };
        service.answered(place, &answer);
        answer
    };
    wait(after).await;
    answer
}

async fn wait(milliseconds: u64) {
    if milliseconds > 0 {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}
