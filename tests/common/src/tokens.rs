//! Tokens that are built without the crate.

/// The alphabet of ids, secrets and checksums, independent of the crate's.
pub const ALPHABET: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns the token with these parts.
pub fn render(prefix: &str, id: &str, secret: &str) -> String {
    let covered = format!("{prefix}_{id}{secret}");
    let check = check(&covered);
    covered + &check
}

/// Returns the checksum: CRC-32 (IEEE 802.3) as six symbols.
pub fn check(covered: &str) -> String {
    let mut crc = u32::MAX;
    for byte in covered.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let crc = !crc;
    let symbols = ALPHABET.as_bytes();
    let place = |power: u32| char::from(symbols[(crc / 62_u32.pow(power) % 62) as usize]);
    [5, 4, 3, 2, 1, 0].map(place).iter().collect()
}

/// Returns the random bytes from which the crate generates these symbols.
pub fn drawing(text: &str) -> Vec<u8> {
    let value = |c| ALPHABET.find(c).and_then(|place| u8::try_from(place).ok());
    text.chars().map(|c| value(c).expect("a symbol")).collect()
}
