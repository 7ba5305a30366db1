//! What was compressed comes out as it went in, or not at all.

use std::io::Write as _;

use flate2::write::GzEncoder;
use proptest::collection::vec;
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// What comes out of an object whose bytes come in pieces of a size.
fn read(stored: &[u8], piece: usize, key: &str) -> Result<Vec<u8>, String> {
    let mut rest = stored.to_vec();
    let next = move |most: u32| {
        let length = rest.len().min(piece).min(most as usize);
        Ok(rest.drain(..length).collect())
    };
    let said = |failed| match failed {
        Failed::Unusable(reason) => reason,
        Failed::Store(error) => panic!("{error:?}"),
    };
    let mut contents = Contents::new(Stored::new(next), key).map_err(said)?;
    let mut all = Vec::new();
    loop {
        let piece = contents.read().map_err(said)?;
        assert!(piece.len() <= PIECE);
        if piece.is_empty() {
            return Ok(all);
        }
        all.extend(piece);
    }
}

/// `printf 'hello, usage\n' | zstd --check`, with a checksum of its contents.
const CHECKED: &[u8] = b"\x28\xb5\x2f\xfd\x04\x58\x69\0\0hello, usage\n\x64\x9b\x37\xca";

#[test]
fn what_is_not_compressed_comes_as_it_is_whatever_its_key() {
    for bytes in [&b"{}"[..], b"\x1e", b"((((", b"PPPP", &[b'a'; 3 << 20]] {
        for key in ["a.json", "a.json.gz", "a.json.zst"] {
            assert_eq!(read(bytes, 700_000, key).as_deref(), Ok(bytes), "{key}");
        }
    }
    assert_eq!(read(b"", 1, "a.json"), Ok(Vec::new()));
}

#[test]
fn an_empty_object_is_none_of_what_its_key_says_that_it_is() {
    assert_eq!(read(b"", 1, "a.json.gz"), Err(breaks_off(Compression::Gzip)));
    assert_eq!(read(b"", 1, "a.json.zst"), Err(breaks_off(Compression::Zstd)));
}

#[test]
fn members_and_frames_in_a_row_are_one_object() {
    let (one, two, three) = (b"one\n".repeat(1000), b"two\n".to_vec(), Vec::new());
    let whole = [one.as_slice(), &two, &three, &one].concat();
    for encode in [gzip, zstd] {
        let stored = [encode(&one), encode(&two), encode(&three), encode(&one)].concat();
        for piece in [1, 2, 7, 1000, 1 << 20] {
            assert_eq!(read(&stored, piece, "a.log").as_ref(), Ok(&whole), "{piece}");
        }
    }
}

#[test]
fn frames_that_hold_nothing_for_us_are_skipped() {
    let skipped = [&[0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0][..], b"index"].concat();
    let stored = [&skipped, CHECKED, &skipped, &zstd(b"more"), &skipped].concat();
    assert_eq!(read(&stored, 3, "a").unwrap(), b"hello, usage\nmore");
    for end in 1..skipped.len() {
        assert_eq!(read(&skipped[..end], 3, "a.zst"), Err(breaks_off(Compression::Zstd)), "{end}");
    }
}

#[test]
fn a_checksum_that_does_not_fit_makes_an_object_unreadable() {
    assert_eq!(read(CHECKED, 100, "a").unwrap(), b"hello, usage\n");
    let mut damaged = CHECKED.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    let expected = "it is compressed with zstd, and is damaged, or something else follows: the checksum of a frame does not fit what is in it; store it anew";
    assert_eq!(read(&damaged, 100, "a"), Err(expected.to_owned()));
    let mut damaged = gzip(b"hello, usage\n");
    let crc = damaged.len() - 8;
    damaged[crc] ^= 1;
    let reason = read(&damaged, 100, "a").unwrap_err();
    assert!(reason.starts_with("it is compressed with gzip, and is damaged, or something else follows: "), "{reason}");
}

#[test]
fn what_follows_the_end_makes_an_object_unreadable() {
    for encode in [gzip, zstd] {
        for more in [&b"\0"[..], b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", b"{\"a\":1}\n", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"]
        {
            let stored = [encode(b"{}\n"), more.to_vec()].concat();
            let reason = read(&stored, 5, "a").unwrap_err();
            assert!(reason.contains("breaks off") || reason.contains("something else follows"), "{reason}");
        }
    }
}

#[test]
fn a_window_that_takes_too_much_memory_is_refused() {
    // A frame of unknown size with a window of 256 MiB (RFC 8878, section 3.1.1.1.2).
    let stored = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 0x01, 0x00, 0x00];
    let expected = "it is compressed with zstd, and is damaged, or something else follows: it takes a window of 256 MiB to read, and 128 MiB is the most; compress it without `--long`; store it anew";
    assert_eq!(read(&stored, 100, "a"), Err(expected.to_owned()));
}

#[test]
fn what_grows_a_thousandfold_comes_out_in_pieces() {
    let zeros = vec![0; 64 << 20];
    for encode in [gzip, zstd] {
        let stored = encode(&zeros);
        assert!(stored.len() < zeros.len() / 500, "{}", stored.len());
        assert!(read(&stored, 1 << 20, "a").unwrap() == zeros);
    }
}

#[test]
fn what_the_store_answers_in_the_place_of_bytes_is_passed_on() {
    for encode in [gzip, zstd, <[u8]>::to_vec] {
        let mut pieces = vec![Ok(encode(&b"usage".repeat(1000))[..40].to_vec())];
        let mut contents = Contents::new(
            Stored::new(move |_| pieces.pop().unwrap_or(Err(objects::Error::Unavailable("reset".into())))),
            "a",
        )
        .unwrap();
        let failed = loop {
            match contents.read() {
                Ok(piece) => assert!(!piece.is_empty(), "a broken read is not an end"),
                Err(failed) => break failed,
            }
        };
        assert!(matches!(failed, Failed::Store(objects::Error::Unavailable(text)) if text == "reset"));
    }
}

/// Texts that compress, and bytes that do not.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let text = vec("[a-c]{0,6}\n", 0..60).prop_map(|lines| lines.concat().into_bytes());
    prop_oneof![text, vec(any::<u8>(), 0..300)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_compressed_comes_out_as_it_went_in(parts in vec(bytes(), 1..4), piece in 1..400_usize) {
        for encode in [gzip, zstd] {
            let stored: Vec<u8> = parts.iter().flat_map(|part| encode(part)).collect();
            prop_assert_eq!(read(&stored, piece, "a"), Ok(parts.concat()));
        }
    }

    #[test]
    fn an_object_that_breaks_off_is_never_read_short(first in bytes(), second in bytes(), piece in 1..400_usize) {
        for (encode, compression) in [(gzip as fn(&[u8]) -> Vec<u8>, Compression::Gzip), (zstd, Compression::Zstd)] {
            let head = encode(&first);
            let stored = [head.clone(), encode(&second)].concat();
            // From the second byte on gzip is known by itself, and zstd from the fourth; before, by the key.
            let key = if compression == Compression::Gzip { "a.gz" } else { "a.zst" };
            for end in (0..stored.len()).filter(|&end| end != head.len()) {
                let found = read(&stored[..end], piece, key);
                prop_assert!(found.is_err(), "cut at {} of {}: {:?}", end, stored.len(), found);
            }
        }
    }

    #[test]
    fn a_damaged_object_ends_in_an_error_or_in_what_it_was(bytes in bytes(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut stored = gzip(&bytes);
        let at = at.index(stored.len());
        stored[at] ^= 1 << bit;
        // In the header there are bytes that say nothing of the contents; without its magic it is no gzip.
        if let Ok(found) = read(&stored, 100, "a") {
            prop_assert!(found == bytes || at < 2, "byte {}", at);
        }
        let mut stored = zstd(&bytes);
        let at = at % stored.len();
        stored[at] ^= 1 << bit;
        // There may be no checksum; what matters is that nothing panics.
        let _ = read(&stored, 100, "a");
    }
}
