//! Inputs made by chance: broken ones from sound ones, and sound ones from nothing.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::SEEDS;
use crate::trial::agree;

/// As chance goes, the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

const SPLINTERS: &[u8] = b"{}[]\":,\\/ue0123456789.-+Ea\t\n\r \x01\x1f\x7f ntfidk\0\n\n\xc3\xa4\xff";

fn mutated(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..=random.below(4) {
        bytes.extend_from_slice(SEEDS[random.below(SEEDS.len())].as_bytes());
        bytes.extend_from_slice(["", "\n", "\n", " "][random.below(4)].as_bytes());
    }
    for _ in 0..random.below(5) {
        let at = random.below(bytes.len() + 1);
        match random.below(6) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 if at < bytes.len() => bytes[at] = SPLINTERS[random.below(SPLINTERS.len())],
            3 => {
                // A piece from elsewhere.
                let from = random.below(bytes.len() + 1);
                let piece = bytes[from..(from + random.below(40)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            4 if at < bytes.len() => {
                bytes.drain(at..(at + random.below(20)).min(bytes.len()));
            }
            _ => bytes.insert(at, SPLINTERS[random.below(SPLINTERS.len())]),
        }
    }
    // Not always at the same place of the words of marks.
    let before = random.below(3) * random.below(70);
    [" ".repeat(before).as_bytes(), &bytes].concat()
}

#[test]
fn what_is_broken_by_chance_is_read_as_serde_json_reads_it() {
    let (begun, mut random) = (Instant::now(), Random(0x9e37_79b9_7f4a_7c15));
    let (least, most) = match std::env::var_os("METERHOST_LONG").is_some() {
        true => (20_000, Duration::from_secs(300)),
        false => (20_000, Duration::ZERO),
    };
    let mut rounds = 0;
    while rounds < least || begun.elapsed() < most {
        let bytes = mutated(&mut random);
        if let Err(difference) = agree(&bytes) {
            panic!("round {rounds}: {difference}");
        }
        rounds += 1;
    }
}

fn space() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,2}"
}

fn number() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?"
}

fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof!["[ a-zA-Z0-9{}:,\\[\\]äß€😀]{0,30}", "\\\\[\"\\\\/bfnrt]", "\\\\u[0-9a-fA-F]{4}"];
    proptest::collection::vec(part, 0..4).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => proptest::sample::select(vec!["id", "customer", "value", "deep", "er", "est", "0", "k", "a/b"])
            .prop_map(|key| format!("\"{key}\"")),
        1 => text(),
    ]
}

fn value() -> impl Strategy<Value = String> {
    let leaf =
        prop_oneof![number(), text(), proptest::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned)];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let element = (space(), inner.clone(), space()).prop_map(|(before, value, after)| before + &value + &after);
        prop_oneof![
            (proptest::collection::vec(element, 0..4), space())
                .prop_map(|(elements, space)| format!("[{space}{}]", elements.join(","))),
            object(inner),
        ]
    })
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let member = (space(), key(), space(), space(), value, space())
        .prop_map(|(a, key, b, c, value, d)| format!("{a}{key}{b}:{c}{value}{d}"));
    (proptest::collection::vec(member, 0..6), space())
        .prop_map(|(members, space)| format!("{{{space}{}}}", members.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_of_every_shape_are_read_as_serde_json_reads_them(
        records in proptest::collection::vec(object(value()), 1..4),
        between in "(\n| |)",
    ) {
        let text = records.join(&between);
        prop_assert_eq!(agree(text.as_bytes()), Ok(()));
        // In a line, the end of a line is no space.
        prop_assert_eq!(agree(text.replace('\n', " ").as_bytes()), Ok(()));
        let list = format!("[{}]", records.join(","));
        prop_assert_eq!(agree(list.as_bytes()), Ok(()));
    }

    #[test]
    fn bytes_of_every_kind_are_read_as_serde_json_reads_them(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        prop_assert_eq!(agree(&bytes), Ok(()));
    }
}
