//! Stage one: where in a text the bytes stand that end a run of plain text in a string.
//!
//! Sixty-four bytes become one word, a bit a byte. Whoever looks for the end of a string shifts two words together and
//! counts zeros; there is no loop, and nothing to guess for the processor.

use wide::{bytemuck, i8x16, u8x16};

/// A bit for each byte of a text: whether it is a quote, a backslash or a control character.
#[derive(Debug, Default)]
pub(crate) struct Marks(Vec<u64>);

/// Bytes a word.
const BLOCK: usize = 64;

impl Marks {
    /// Marks a text, and forgets the one before.
    pub(crate) fn mark(&mut self, text: &[u8]) {
        self.0.clear();
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        self.0.extend(blocks.iter().map(word));
        let mut last = [0; BLOCK];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        // What is beyond the text is marked, so that each search ends. The last byte of a text has two words behind it.
        self.0.extend([word(&last), u64::MAX]);
    }

    /// Where the first marked byte stands, at or after `at`: beyond the text, if there is none in it.
    #[inline(always)]
    pub(crate) fn next(&self, at: usize) -> usize {
        let Some(&[low, high]) = self.0.get(at / BLOCK..).and_then(|words| words.first_chunk()) else { return at };
        let shift = at % BLOCK;
        // The next 64 bytes. A shift by 64 would not be one, so in two steps.
        let window = low >> shift | (high << 1) << (BLOCK - 1 - shift);
        match window {
            0 => self.far(at / BLOCK + 1),
            _ => at + window.trailing_zeros() as usize,
        }
    }

    /// Where the first marked byte stands, from a word on.
    #[inline(never)]
    fn far(&self, from: usize) -> usize {
        let words = self.0.get(from..).unwrap_or_default();
        match words.iter().position(|&word| word != 0) {
            Some(plain) => {
                let word = words.get(plain).copied().unwrap_or_default();
                (from + plain) * BLOCK + word.trailing_zeros() as usize
            }
            None => self.0.len() * BLOCK,
        }
    }
}

#[inline(always)]
fn word(block: &[u8; BLOCK]) -> u64 {
    let (parts, _) = block.as_chunks::<16>();
    parts.iter().rev().fold(0, |word, part| word << 16 | u64::from(marked(part)))
}

#[inline(always)]
fn marked(part: &[u8; 16]) -> u32 {
    let bytes = u8x16::from(*part);
    // Of `byte ^ 0x02`, only the quote and what is below the space lie in 0x00..=0x20; and a comparison with signs is
    // one step where one without is three, so the highest bit is turned, too.
    let turned: i8x16 = bytemuck::cast(bytes ^ u8x16::splat(0x82));
    let low = turned.simd_lt(i8x16::splat(-95));
    let backslash = bytes.simd_eq(u8x16::splat(b'\\'));
    (bytemuck::cast::<_, u8x16>(low) | backslash).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_quotes_backslashes_and_control_characters_are_marked_wherever_they_stand() {
        let special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        for byte in 0..=u8::MAX {
            for length in [1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 200] {
                for at in (0..length).filter(|at| at % 7 == 0 || length - at < 3) {
                    for (before, after) in [(b'a', b'z'), (b' ', b'"'), (0xff, 0), (b'!', 0x1f), (0x80, b'\\')] {
                        let mut text = vec![before; length];
                        text[at] = byte;
                        text[at + 1..].fill(after);
                        let mut marks = Marks::default();
                        marks.mark(b"something \" before");
                        marks.mark(&text);
                        for from in [0, at / 2, at, at + 1] {
                            let found = marks.next(from);
                            match text.iter().skip(from).position(|&byte| special(byte)) {
                                Some(first) => assert_eq!(found, from + first, "{text:?} from {from}"),
                                None => assert!(found >= length, "{text:?} from {from}: {found}"),
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_search_beyond_the_text_ends() {
        let mut marks = Marks::default();
        for length in [0, 1, 63, 64, 65, 128] {
            marks.mark(&vec![b'a'; length]);
            for from in 0..length + 300 {
                assert!(marks.next(from) >= length.max(from), "{length} {from}");
            }
        }
    }
}
