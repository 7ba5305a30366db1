//! Faults by chance, the same for the same seed and the same requests.

use emulator_http::random::Seeded;

use crate::fault::{Fault, When};

/// How often a request meets a fault by chance, and which.
#[derive(Clone, Debug, PartialEq)]
pub struct Chances {
    /// The same seed draws the same faults, as long as requests come one after the other.
    pub seed: u64,
    /// The share of requests that meet one, 0 to 1.
    pub rate: f64,
    /// What is drawn from, each as likely. A [`Fault::Unprocessed`] without positions draws them too.
    pub faults: Vec<Fault>,
    /// After so many in a row (3) a request passes, so that a client that tries often enough gets through.
    pub in_a_row: u32,
}

impl Chances {
    /// Every kind of fault that leaves the client a way on: throttled, failed before and after, unprocessed, dropped at
    /// all three moments, broken off, slow by 50 ms.
    pub fn new(seed: u64, rate: f64) -> Self {
        let faults = vec![
            Fault::Throttle,
            Fault::internal_before_commit(),
            Fault::internal_after_commit(),
            Fault::unprocessed([]),
            Fault::drop_before_reading(),
            Fault::drop_before_commit(),
            Fault::drop_after_commit(),
            Fault::Truncated { commit: true },
            Fault::Slow { before_ms: 25, after_ms: 25 },
        ];
        Self { seed, rate, faults, in_a_row: 3 }
    }
}

/// Chances that are being drawn from.
#[derive(Debug)]
pub(crate) struct Draws {
    chances: Chances,
    numbers: Seeded,
    in_a_row: u32,
    /// Drawn when the head came; waits for the rest.
    drawn: Option<Fault>,
}

impl Draws {
    pub(crate) fn new(chances: Chances) -> Self {
        let numbers = Seeded::new(chances.seed);
        Self { chances, numbers, in_a_row: 0, drawn: None }
    }

    /// Whether the next request is not even read. Anything else that is drawn waits for [`Draws::take`].
    pub(crate) fn take_unread(&mut self) -> bool {
        if self.drawn.is_none() {
            self.drawn = Some(self.draw());
        }
        let strikes = self.drawn == Some(Fault::Drop { when: When::BeforeReading });
        if strikes {
            self.drawn = None;
        }
        strikes
    }

    /// The fault of the next request, for a call with so many records.
    pub(crate) fn take(&mut self, records: usize) -> Fault {
        let drawn = match self.drawn.take() {
            Some(fault) => fault,
            None => self.draw(),
        };
        match drawn {
            Fault::Unprocessed { positions } if positions.is_empty() => {
                let mut positions: Vec<usize> = (0..records).filter(|_| self.numbers.happens(0.5)).collect();
                if positions.is_empty() {
                    // An empty list would mean all.
                    positions.push(self.numbers.below(records));
                }
                Fault::Unprocessed { positions }
            }
            fault => fault,
        }
    }

    fn draw(&mut self) -> Fault {
        let strikes = self.numbers.happens(self.chances.rate);
        let which = self.numbers.below(self.chances.faults.len());
        match self.chances.faults.get(which) {
            Some(fault) if strikes && self.in_a_row < self.chances.in_a_row => {
                self.in_a_row += 1;
                fault.clone()
            }
            _ => {
                self.in_a_row = 0;
                Fault::Pass
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(seed: u64, rate: f64) -> Vec<Fault> {
        let mut draws = Draws::new(Chances::new(seed, rate));
        let next = |_| if draws.take_unread() { Fault::drop_before_reading() } else { draws.take(25) };
        (0..400).map(next).collect()
    }

    #[test]
    fn a_seed_draws_the_same_faults_again_and_all_of_them() {
        assert_eq!(draws(5, 0.5), draws(5, 0.5));
        assert_ne!(draws(5, 0.5), draws(6, 0.5));
        let (drawn, every) = (draws(5, 0.5), Chances::new(0, 0.0).faults);
        let kind = |fault: &Fault| std::mem::discriminant(fault);
        assert!(every.iter().all(|fault| drawn.iter().any(|it| kind(it) == kind(fault))));
        let struck = drawn.iter().filter(|fault| **fault != Fault::Pass).count();
        assert!((150..230).contains(&struck), "{struck}");
    }

    #[test]
    fn after_three_in_a_row_a_request_passes() {
        let drawn = draws(1, 1.0);
        assert!(drawn.windows(4).all(|four| four.contains(&Fault::Pass)));
        assert_eq!(drawn.iter().filter(|fault| **fault == Fault::Pass).count(), 100);
        assert!(draws(1, 0.0).iter().all(|fault| *fault == Fault::Pass));
    }
}
