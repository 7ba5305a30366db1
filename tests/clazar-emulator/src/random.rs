//! Tokens and record ids that nobody can guess beforehand.
//!
//! The standard library's hasher keys are random enough for an emulator, never run out and cannot fail.

use std::hash::{BuildHasher, Hasher, RandomState};

/// 64 bits, different at every call.
fn bits() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A bearer token: 64 hexadecimal digits.
pub(crate) fn token() -> String {
    format!("{:016x}{:016x}{:016x}{:016x}", bits(), bits(), bits(), bits())
}

/// A version 4 UUID, the form in which Clazar names its records.
pub(crate) fn uuid() -> String {
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
}
