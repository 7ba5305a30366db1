//! The way of a request through the steps, and the waits of a slow answer around the second.

use std::time::Duration;

use emulator_http::{Answer, Received};

use crate::control;
use crate::fault::Fault;
use crate::refusal::{INTERNAL, Refusal};
use crate::service::Shared;

impl emulator_http::Service for Shared {
    fn reads(&self, head: &Received) -> bool {
        let mut service = self.lock();
        if head.method != "POST" || head.path != "/" || !service.takes_unread() {
            return true;
        }
        service.unread(head.clone());
        false
    }

    async fn answer(&self, request: Received) -> Answer {
        if control::is_meant(&request.path) {
            return control::answer(&mut self.lock(), &request);
        }
        // The memory is never locked during a wait.
        let arrived = {
            let mut service = self.lock();
            let arrived = service.arrived(request.clone());
            arrived.map(|place| {
                let admitted = service.admit(&request).map(|records| {
                    let (fault, number) = service.take_fault(records.len());
                    if let Some(entry) = service.log.get_mut(place) {
                        (entry.fault, entry.number) = (fault.clone(), Some(number));
                    }
                    (records, fault)
                });
                (place, admitted)
            })
        };
        let (place, admitted) = match arrived {
            Ok(arrived) => arrived,
            Err(error) => {
                let refusal = Refusal::new(INTERNAL, format!("the file of the requests cannot be written: {error}"));
                return self.lock().refuse(&refusal).answer;
            }
        };
        let (before, after) = match admitted {
            Ok((_, Fault::Slow { before_ms, after_ms })) => (before_ms, after_ms),
            _ => (0, 0),
        };
        wait(before).await;
        let answer = {
            // Books and log change at once, so that they can be held against each other at any moment.
            let mut service = self.lock();
            let settled = match admitted {
                Err(refusal) => service.refuse(&refusal),
                Ok((records, fault)) => service.settle(&records, fault),
            };
            service.answered(place, &settled);
            settled.answer
        };
        wait(after).await;
        answer
    }
}

async fn wait(milliseconds: u64) {
    if milliseconds > 0 {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}
