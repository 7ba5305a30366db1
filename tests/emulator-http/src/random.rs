//! Ids that nobody can guess, and numbers that a seed repeats.
//!
//! For the ids the standard library's hasher keys are random enough for an emulator, never run out and cannot fail.

use std::hash::{BuildHasher, Hasher, RandomState};

/// 64 bits, different at every call.
fn bits() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A bearer token: 64 hexadecimal digits.
pub fn token() -> String {
    format!("{:016x}{:016x}{:016x}{:016x}", bits(), bits(), bits(), bits())
}

/// A version 4 UUID.
pub fn uuid() -> String {
    let (high, low) = (bits(), bits());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0x0fff,
        0x8000 | (low >> 48) & 0x3fff,
        low & 0xffff_ffff_ffff,
    )
}

/// Numbers that look random and are the same for the same seed: SplitMix64 (Steele, Lea, Flood: "Fast splittable
/// pseudorandom number generators", figure 15).
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `end`, or 0 if that is 0. Slightly more often a small one, which no test can see.
    pub fn below(&mut self, end: usize) -> usize {
        self.bits().checked_rem(end as u64).unwrap_or(0) as usize
    }

    /// Whether it happens, at this probability from 0 to 1.
    pub fn happens(&mut self, probability: f64) -> bool {
        ((self.bits() >> 11) as f64) < probability * (1_u64 << 53) as f64
    }

    /// The same items in another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ids_differ_and_look_like_version_4_uuids() {
        let (one, two) = (uuid(), uuid());
        assert_ne!(one, two);
        assert_eq!(one.len(), 36);
        assert_eq!(one.chars().nth(14), Some('4'));
        assert!(matches!(one.chars().nth(19), Some('8' | '9' | 'a' | 'b')));
    }

    #[test]
    fn a_seed_repeats_its_numbers() {
        let draw = |seed| {
            let mut numbers = Seeded::new(seed);
            [numbers.bits(), numbers.bits(), numbers.bits()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        // The reference implementation's first number for the seed 0.
        assert_eq!(Seeded::new(0).bits(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn chances_hold_over_many_draws_and_at_their_ends() {
        let mut numbers = Seeded::new(1);
        let often = (0..10_000).filter(|_| numbers.happens(0.25)).count();
        assert!((2_300..2_700).contains(&often), "{often}");
        assert!((0..1000).all(|_| numbers.happens(1.0) && !numbers.happens(0.0)));
        assert_eq!(numbers.below(0), 0);
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..25).collect();
        Seeded::new(3).shuffle(&mut items);
        assert_ne!(items, (0..25).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..25).collect::<Vec<_>>());
    }
}
