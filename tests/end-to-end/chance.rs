//! Chance from a seed: the same seed gives the same course on every machine.

use clazar_emulator::{Endpoint, Fault};

/// xorshift64*.
pub struct Chance(u64);

impl Chance {
    pub fn of_seed(seed: u64) -> Self {
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % most
    }

    pub fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize].clone()
    }

    /// Something that can go wrong with a request.
    pub fn fault(&mut self, endpoint: Endpoint) -> Fault {
        let commit = self.below(2) == 0;
        let everywhere = [
            Fault::Pass,
            Fault::Status { status: 500, commit },
            Fault::Status { status: 503, commit },
            Fault::Drop { commit },
            Fault::NotJson { status: 200, commit },
            Fault::Truncated { commit },
            Fault::Throttle { retry_after: Some(0) },
        ];
        let submitting = [
            Fault::ExpiredToken,
            Fault::Missing { count: 1 },
            Fault::Reordered,
            Fault::Unmatched { fields: vec!["dimension".to_owned()], positions: vec![] },
            Fault::Unmatched { fields: vec!["contract_id".to_owned()], positions: vec![0] },
            Fault::Unmatched { fields: vec!["start_time".to_owned(), "quantity".to_owned()], positions: vec![] },
            Fault::Fail { positions: vec![0] },
        ];
        match endpoint {
            Endpoint::Submit if self.below(2) == 0 => self.of(&submitting),
            Endpoint::List if self.below(4) == 0 => Fault::ExpiredToken,
            _ => self.of(&everywhere),
        }
    }
}
