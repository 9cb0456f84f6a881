//! H06: an oversized value is refused by its length, without a store access.

use super::{MALFORMED, NONE, Row, TWO, hold, row};

const LONG: &[Row] = &[
    row!("h06 8 KB in X-API-Key"; "x-api-key": "{8192 x}" => MALFORMED),
    row!("h06 64 KB in X-API-Key"; "x-api-key": "{65536 x}" => MALFORMED),
    row!("h06 1 MB in X-API-Key"; "x-api-key": "{1048576 x}" => MALFORMED),
    row!("h06 8 KB in Bearer"; "authorization": "Bearer {8192 x}" => MALFORMED),
    row!("h06 64 KB in Bearer"; "authorization": "Bearer {65536 x}" => MALFORMED),
    row!("h06 1 MB in Bearer"; "authorization": "Bearer {1048576 x}" => MALFORMED),
    row!("h06 8 KB in Basic"; "authorization": "Basic {8192 A}" => MALFORMED),
    row!("h06 64 KB in Basic"; "authorization": "Basic {65536 A}" => MALFORMED),
    row!("h06 1 MB in Basic"; "authorization": "Basic {1048576 A}" => MALFORMED),
    row!("h06 one symbol more than is read"; "x-api-key": "{129 x}" => MALFORMED),
    row!("h06 as much as is read"; "x-api-key": "{128 x}" => MALFORMED),
    row!("h06 Basic, one group more than is read"; "authorization": "Basic {132 A}" => MALFORMED),
    row!("h06 Basic, as much as is read"; "authorization": "Basic {128 A}" => MALFORMED),
    row!("h06 a token and 1 MB behind it"; "x-api-key": "{good}{1048576 x}" => MALFORMED),
    row!("h06 a token and 1 MB of spaces";
        "authorization": "Bearer {good}{1048576  }" => MALFORMED),
    row!("h06 1 MB of spaces and a token";
        "authorization": "Bearer {1048576  }{good}" => MALFORMED),
    row!("h06 1 MB of bytes that are no text"; "x-api-key": "{1048576 x}{0xFF}" => MALFORMED),
    row!("h06 a scheme of 1 MB"; "authorization": "{1048576 x} {good}" => NONE),
    row!("h06 1 MB without a space"; "authorization": "Bearer{1048576 x}" => NONE),
    row!("h06 two of 1 MB"; "x-api-key": "{1048576 x}", "x-api-key": "{1048576 x}" => TWO),
];

pub(super) const ROWS: [&[Row]; 1] = [LONG];

#[test]
fn t_h06_long_value_is_refused_without_store() {
    hold(LONG);
}
