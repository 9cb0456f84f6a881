//! Base62, the only alphabet of ids, secrets and check values: `0-9A-Za-z`.
//!
//! Sampling rejects instead of folding, so every symbol is equally likely.

use crate::value::random::{Random, RandomError};

/// The 62 symbols in the order of their values.
pub(crate) const ALPHABET: &[u8; 62] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns whether every byte is one of the 62 symbols.
///
/// It looks at every byte and never stops early: without an exit the loop runs on many bytes at a
/// time.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator would be an exit")]
pub(crate) fn is_base62(text: &[u8]) -> bool {
    text.iter().fold(true, |all, byte| {
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        let digit = byte.wrapping_sub(b'0') < 10;
        all & (letter | digit)
    })
}

/// Fills `out` with symbols drawn uniformly from `random`.
///
/// A byte stands for a symbol only below 248 = 4 × 62; the eight values above are drawn again, a bounded number of
/// times.
pub(crate) fn fill(random: &Random, out: &mut [u8]) -> Result<(), RandomError> {
    const UNBIASED: u8 = 248;
    let mut rest = out.iter_mut();
    let mut pool = zeroize::Zeroizing::new([0_u8; 64]);
    for _ in 0..RandomError::DRAWS {
        random.fill(pool.as_mut_slice())?;
        for byte in pool.iter().filter(|byte| **byte < UNBIASED) {
            let Some(place) = rest.next() else { return Ok(()) };
            *place = ALPHABET[usize::from(byte % 62)];
        }
        if rest.len() == 0 {
            return Ok(());
        }
    }
    Err(RandomError::Stuck)
}

/// Returns `value` as exactly six symbols, most significant first; 62⁶ exceeds 2³².
pub(crate) fn six(value: u32) -> [u8; 6] {
    let mut rest = value;
    let mut out = [0; 6];
    for place in out.iter_mut().rev() {
        *place = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_symbols_hold_every_u32() {
        assert_eq!(&six(0), b"000000");
        assert_eq!(&six(61), b"00000z");
        assert_eq!(&six(62), b"000010");
        assert_eq!(&six(u32::MAX), b"4gfFC3");
    }

    #[test]
    fn only_62_symbols_are_base62() {
        let accepted: Vec<u8> = (0..=u8::MAX).filter(|b| is_base62(&[*b])).collect();
        let mut expected = ALPHABET.to_vec();
        expected.sort_unstable();
        assert_eq!(accepted, expected);
    }
}
