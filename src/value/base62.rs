//! Base62, the alphabet of ids, secrets and check values: `0-9A-Za-z`.
//!
//! Symbols are drawn by rejection sampling, so each is equally likely.

use crate::value::random::{Random, RandomError};

/// The 62 symbols in the order of their values.
pub(crate) const ALPHABET: &[u8; 62] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns whether a byte is one of the 62 symbols.
///
/// It has no branch: a lazy operator would be one.
pub(crate) fn is_symbol(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    letter | digit
}

/// Returns whether every byte is one of the 62 symbols.
///
/// The loop has no early exit, so the compiler can check many bytes at a time.
pub(crate) fn is_base62(text: &[u8]) -> bool {
    text.iter().fold(true, |all, byte| all & is_symbol(*byte))
}

/// Fills `out` with symbols drawn uniformly from `random`.
///
/// Only a byte below 248 = 4 × 62 gives a symbol. The eight values above are drawn again, a bounded
/// number of times.
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

/// Returns the last 16 symbols of a number of 32 bytes, most significant byte first.
///
/// For a uniform number, each text is equally likely to within 2⁻¹⁶⁰: 62¹⁶ is less than 2⁹⁶.
pub(crate) fn remainder(mut number: [u8; 32]) -> [u8; 16] {
    let mut out = [0; 16];
    for place in out.iter_mut().rev() {
        let mut rest = 0_u16;
        for byte in &mut number {
            let value = rest << 8 | u16::from(*byte);
            *byte = u8::try_from(value / 62).expect("the rest is less than 62");
            rest = value % 62;
        }
        *place = ALPHABET[usize::from(rest)];
    }
    out
}

/// The value of each byte; [`NO_SYMBOL`] for one that is not a symbol.
const VALUES: [u8; 256] = {
    let mut values = [NO_SYMBOL; 256];
    let mut value: u8 = 0;
    while value < 62 {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
};
const NO_SYMBOL: u8 = 0x80;

/// Returns the value of two symbols, from 0 to 62 * 62 - 1.
pub(crate) fn value_of_two(symbols: [u8; 2]) -> usize {
    let [high, low] = symbols.map(|symbol| usize::from(VALUES[usize::from(symbol)]));
    62 * high + low
}

/// Returns the value of six symbols, most significant first, or `None` if a byte is not a symbol.
///
/// It is the inverse of [`six`]. The steps do not wait for each other, as the divisions of `six` do.
pub(crate) fn value_of_six(text: [u8; 6]) -> Option<u64> {
    let values = text.map(|byte| VALUES[usize::from(byte)]);
    let pair = |at: usize| u64::from(values[at]) * 62 + u64::from(values[at + 1]);
    let value = (pair(0) * 3_844 + pair(2)) * 3_844 + pair(4);
    (values.into_iter().fold(0, |all, value| all | value) & NO_SYMBOL == 0).then_some(value)
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
    fn remainder_has_lowest_symbols() {
        let of = |low: u128| {
            let mut number = [0; 32];
            number[16..].copy_from_slice(&low.to_be_bytes());
            String::from_utf8(remainder(number).to_vec()).expect("ASCII")
        };
        assert_eq!(of(0), "0000000000000000");
        assert_eq!(of(61), "000000000000000z");
        assert_eq!(of(u32::MAX.into()), "00000000004gfFC3");
        assert_eq!(of(62_u128.pow(16) - 1), "zzzzzzzzzzzzzzzz");
        assert_eq!(of(62_u128.pow(16) + 62), "0000000000000010");
        // Python: the base62 digits of 2 ** 256 - 1.
        assert_eq!(&remainder([0xff; 32]), b"HjnuCA2j5rOw8Xp1");
    }

    #[test]
    fn value_of_six_inverts_six() {
        let mut random = fastrand::Rng::with_seed(62);
        let drawn = std::iter::repeat_with(|| random.u32(..)).take(10_000);
        for value in drawn.chain([0, 61, 62, u32::MAX]) {
            assert_eq!(value_of_six(six(value)), Some(value.into()));
        }
        assert_eq!(value_of_six(*b"zzzzzz"), Some(62_u64.pow(6) - 1));
        for byte in (0..=u8::MAX).filter(|byte| !ALPHABET.contains(byte)) {
            for place in 0..6 {
                let mut text = *b"000000";
                text[place] = byte;
                assert_eq!(value_of_six(text), None, "{byte} in place {place}");
            }
        }
    }

    #[test]
    fn only_62_symbols_are_base62() {
        let accepted: Vec<u8> = (0..=u8::MAX).filter(|b| is_base62(&[*b])).collect();
        let mut expected = ALPHABET.to_vec();
        expected.sort_unstable();
        assert_eq!(accepted, expected);
    }
}
