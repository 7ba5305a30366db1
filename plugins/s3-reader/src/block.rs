//! Sixteen bytes of a string at once.

/// Where in a block the first quote, backslash or control character stands; 16 if there is none.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline]
pub(crate) fn first_special(block: &[u8; 16]) -> usize {
    use core::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_le, u8x16_splat, u64x2, v128_or};
    let (low, high) = halves(block);
    let block = u64x2(low, high);
    let quotes = u8x16_eq(block, u8x16_splat(b'"'));
    let backslashes = u8x16_eq(block, u8x16_splat(b'\\'));
    let controls = u8x16_le(block, u8x16_splat(0x1f));
    // The bit above the block's stands for nothing found.
    let found = u32::from(u8x16_bitmask(v128_or(v128_or(quotes, backslashes), controls))) | 1 << 16;
    found.trailing_zeros() as usize
}

/// Where in a block the first quote, backslash or control character stands; 16 if there is none.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[inline]
pub(crate) fn first_special(block: &[u8; 16]) -> usize {
    let (low, high) = halves(block);
    match (special(low), special(high)) {
        (0, 0) => 16,
        (0, high) => 8 + high.trailing_zeros() as usize / 8,
        (low, _) => low.trailing_zeros() as usize / 8,
    }
}

/// The high bits of a word's bytes; the lowest that is set stands at the first special byte.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[inline]
fn special(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // A byte's high bit is set in the difference if the byte was below what is taken from it, or by a borrow from such
    // a byte before it: the lowest bit that is set is always right.
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let found = (quote.wrapping_sub(ONES) & !quote)
        | (backslash.wrapping_sub(ONES) & !backslash)
        | (word.wrapping_sub(ONES * 0x20) & !word);
    found & HIGH
}

#[inline]
fn halves(block: &[u8; 16]) -> (u64, u64) {
    let word = u128::from_le_bytes(*block);
    (word as u64, (word >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_byte_is_found_wherever_it_stands_and_whatever_follows() {
        for byte in 0..=u8::MAX {
            for at in 0..16 {
                for (before, after) in
                    [(b'a', b'z'), (b' ', b'"'), (0xff, 0), (b'!', 0x1f), (0x80, b'\\'), (b'#', b'[')]
                {
                    let mut block = [before; 16];
                    block[at] = byte;
                    block[at + 1..].fill(after);
                    let first = block.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\');
                    assert_eq!(first_special(&block), first.unwrap_or(16), "{block:?}");
                }
            }
        }
    }
}
