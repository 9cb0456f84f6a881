//! The checksum of a token, read backwards.
//!
//! The start of a token in a text is not known: `xacme_live_` can hold a token of `acme_live` or of
//! `live`. The checksum tells which. CRC-32 can be undone byte by byte from its end, so one pass over
//! a candidate finds every start, where one pass for each start would take 32 times as long.

/// The state of a checksum before its first byte.
const FIRST: u32 = u32::MAX;

/// The reflected polynomial of CRC-32 (IEEE 802.3).
const POLYNOMIAL: u32 = 0xEDB8_8320;

/// The change of the state for each low byte, as CRC-32 has it.
const FORWARD: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut state = byte;
        let mut bit = 0;
        while bit < 8 {
            state = (state >> 1) ^ (POLYNOMIAL * (state & 1));
            bit += 1;
        }
        table[byte as usize] = state;
        byte += 1;
    }
    table
};

/// The state before a byte for each high byte of the state after it. The low byte lacks the byte.
const BACK: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let after = FORWARD[byte as usize];
        // Each high byte occurs once in the table.
        table[(after >> 24) as usize] = (after << 8) ^ byte;
        byte += 1;
    }
    table
};

/// The state of a checksum after some bytes, while they are taken away from the end.
#[derive(Clone, Copy)]
pub(super) struct Backwards(u32);

impl Backwards {
    /// Starts with the checksum of all bytes.
    pub(super) fn from(checksum: u32) -> Self {
        Self(!checksum)
    }

    /// Takes the last byte away.
    pub(super) fn without(self, byte: u8) -> Self {
        Self((self.0 << 8) ^ BACK[(self.0 >> 24) as usize] ^ u32::from(byte))
    }

    /// Takes the last bytes away.
    pub(super) fn without_all(self, bytes: &[u8]) -> Self {
        bytes.iter().rev().fold(self, |state, byte| state.without(*byte))
    }

    /// Returns whether the state is that before the first byte.
    pub(super) fn is_first(self) -> bool {
        self.0 == FIRST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_is_undone_to_its_start() {
        let text: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        for end in 0..text.len() {
            let mut state = Backwards::from(crc32fast::hash(&text[..end]));
            for byte in text[..end].iter().rev() {
                assert!(!state.is_first(), "{end}");
                state = state.without(*byte);
            }
            assert!(state.is_first(), "{end}");
            assert!(
                Backwards::from(crc32fast::hash(&text[..end])).without_all(&text[..end]).is_first()
            );
        }
    }
}
