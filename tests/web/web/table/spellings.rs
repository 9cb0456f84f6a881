//! H03 to H05: each kind of credential has one spelling. Any other header value is malformed or
//! ignored, without a store access.

use super::Expected::{CannotBeSent, Runs};
use super::{MALFORMED, NONE, Row, denied, hold, row};

const BEARER: &[Row] = &[
    row!("h03 Bearer"; "authorization": "Bearer {good}" => Runs("good")),
    row!("h03 bearer"; "authorization": "bearer {good}" => Runs("good")),
    row!("h03 BEARER"; "authorization": "BEARER {good}" => Runs("good")),
    row!("h03 bEaReR"; "authorization": "bEaReR {good}" => Runs("good")),
    row!("h03 X-API-Key"; "x-api-key": "{good}" => Runs("good")),
    row!("h03 X-API-Key in capitals"; "X-API-KEY": "{good}" => Runs("good")),
    row!("h03 two in one, both Bearer";
        "authorization": "Bearer {good}, Bearer {other}" => MALFORMED),
    row!("h03 two in one, no second scheme"; "authorization": "Bearer {good},{other}" => MALFORMED),
    row!("h03 two in one X-API-Key"; "x-api-key": "{good}, {other}" => MALFORMED),
    row!("h03 two in one X-API-Key, equal"; "x-api-key": "{good},{good}" => MALFORMED),
    row!("h03 two spaces"; "authorization": "Bearer  {good}" => MALFORMED),
    row!("h03 a trailing space"; "authorization": "Bearer {good} " => MALFORMED),
    row!("h03 a trailing tab"; "authorization": "Bearer {good}\t" => MALFORMED),
    row!("h03 a tab behind the space"; "authorization": "Bearer \t{good}" => MALFORMED),
    row!("h03 a trailing comma"; "authorization": "Bearer {good}," => MALFORMED),
    row!("h03 a trailing semicolon"; "authorization": "Bearer {good};" => MALFORMED),
    row!("h03 a trailing equals sign"; "authorization": "Bearer {good}=" => MALFORMED),
    row!("h03 a parameter"; "authorization": "Bearer token={good}" => MALFORMED),
    row!("h03 in quotes"; "authorization": "Bearer \"{good}\"" => MALFORMED),
    row!("h03 in angle brackets"; "authorization": "Bearer <{good}>" => MALFORMED),
    row!("h03 the scheme twice"; "authorization": "Bearer Bearer {good}" => MALFORMED),
    row!("h03 Basic in Bearer";
        "authorization": "Bearer Basic {base64 good.id|:|good.secret}" => MALFORMED),
    row!("h03 Base64 in Bearer"; "authorization": "Bearer {base64 good}" => MALFORMED),
    row!("h03 id and secret in Bearer";
        "authorization": "Bearer {good.id}:{good.secret}" => MALFORMED),
    row!("h03 the secret alone"; "authorization": "Bearer {good.secret}" => MALFORMED),
    row!("h03 in upper case"; "authorization": "Bearer {upper good}" => MALFORMED),
    row!("h03 the scheme alone"; "authorization": "Bearer" => MALFORMED),
    row!("h03 the scheme and a space"; "authorization": "Bearer " => MALFORMED),
    row!("h03 the scheme and spaces"; "authorization": "Bearer    " => MALFORMED),
    row!("h03 a typing error"; "authorization": "Bearer {bad_check}" => MALFORMED),
    row!("h03 a tab for the space"; "authorization": "Bearer\t{good}" => MALFORMED),
    row!("h03 a colon for the space"; "authorization": "Bearer:{good}" => MALFORMED),
    row!("h03 a leading space"; "authorization": " Bearer {good}" => NONE),
    row!("h03 no scheme"; "authorization": "{good}" => MALFORMED),
    row!("h03 Token for a scheme"; "authorization": "Token {good}" => NONE),
    row!("h03 ApiKey for a scheme"; "authorization": "ApiKey {good}" => NONE),
    row!("h03 Bearers for a scheme"; "authorization": "Bearers {good}" => NONE),
    row!("h03 Bear for a scheme"; "authorization": "Bear {good}" => NONE),
    row!("h03 a scheme in X-API-Key"; "x-api-key": "Bearer {good}" => MALFORMED),
    row!("h03 Basic in X-API-Key";
        "x-api-key": "Basic {base64 good.id|:|good.secret}" => MALFORMED),
    row!("h03 a leading space in X-API-Key"; "x-api-key": " {good}" => MALFORMED),
    row!("h03 a trailing space in X-API-Key"; "x-api-key": "{good} " => MALFORMED),
    row!("h03 Proxy-Authorization"; "proxy-authorization": "Bearer {good}" => NONE),
    row!("h03 X_API_Key"; "x_api_key": "{good}" => NONE),
    row!("h03 Api-Key"; "api-key": "{good}" => NONE),
];

/// The Base64 of these ids and secrets is the same in both alphabets.
const BASIC: &[Row] = &[
    row!("h03 Basic"; "authorization": "Basic {base64 good.id|:|good.secret}" => Runs("good")),
    row!("h03 bASIC"; "authorization": "bASIC {base64 good.id|:|good.secret}" => Runs("good")),
    row!("h03 Basic that is no Base64";
        "authorization": "Basic {good.id}:{good.secret}" => MALFORMED),
    row!("h03 Basic with a symbol too many";
        "authorization": "Basic {base64 good.id|:|good.secret}A" => MALFORMED),
    row!("h03 Basic without padding";
        "authorization": "Basic {base64raw good.id|:|good.secret}" => MALFORMED),
    row!("h03 Basic with more padding";
        "authorization": "Basic {base64 good.id|:|good.secret}=" => MALFORMED),
    row!("h03 Basic in the other alphabet, a credential";
        "authorization": "Basic {base64url good.id|:|good.secret}" => Runs("good")),
    row!("h03 Basic in the other alphabet, another text";
        "authorization": "Basic {base64url >>>:???}" => MALFORMED),
    row!("h03 Basic without a colon";
        "authorization": "Basic {base64 good.id|good.secret}" => MALFORMED),
    row!("h03 Basic of nothing"; "authorization": "Basic " => MALFORMED),
    row!("h03 Basic alone"; "authorization": "Basic" => MALFORMED),
    row!("h03 Basic of a colon"; "authorization": "Basic {base64 :}" => MALFORMED),
    row!("h03 Basic without a user"; "authorization": "Basic {base64 :|good.secret}" => MALFORMED),
    row!("h03 Basic without a password"; "authorization": "Basic {base64 good.id|:}" => MALFORMED),
    row!("h03 Basic with the token as user"; "authorization": "Basic {base64 good|:}" => MALFORMED),
    row!("h03 Basic with the token as password";
        "authorization": "Basic {base64 :|good}" => MALFORMED),
    row!("h03 Basic with two colons";
        "authorization": "Basic {base64 good.id|::|good.secret}" => MALFORMED),
    row!("h03 Basic with a colon behind";
        "authorization": "Basic {base64 good.id|:|good.secret|:}" => MALFORMED),
    row!("h03 Basic with the parts swapped";
        "authorization": "Basic {base64 good.secret|:|good.id}" => MALFORMED),
    row!("h03 Basic with two spaces";
        "authorization": "Basic  {base64 good.id|:|good.secret}" => MALFORMED),
    row!("h03 Basic with a trailing space";
        "authorization": "Basic {base64 good.id|:|good.secret} " => MALFORMED),
    row!("h03 Basic with a space inside";
        "authorization": "Basic {base64 good.id|: |good.secret}" => MALFORMED),
    row!("h03 Basic of bytes that are no text"; "authorization": "Basic //86//8=" => MALFORMED),
    row!("h03 two Basic in one"; "authorization":
        "Basic {base64 good.id|:|good.secret}, Basic {base64 good.id|:|good.secret}" => MALFORMED),
    row!("h03 a token in Basic"; "authorization": "Basic {good}" => MALFORMED),
    row!("h03 Basic with another key's secret"; "authorization":
        "Basic {base64 good.id|:|other.secret}" => denied("unrecognized")),
];

const EMPTY: &[Row] = &[
    row!("h04 an empty X-API-Key"; "x-api-key": "" => MALFORMED),
    row!("h04 X-API-Key of a space"; "x-api-key": " " => MALFORMED),
    row!("h04 X-API-Key of spaces and tabs"; "x-api-key": " \t \t " => MALFORMED),
    row!("h04 an empty Authorization"; "authorization": "" => NONE),
    row!("h04 Authorization of spaces"; "authorization": "   " => NONE),
    row!("h04 Authorization of a tab"; "authorization": "\t" => NONE),
    row!("h04 both empty"; "authorization": "", "x-api-key": "" => MALFORMED),
];

const NO_ASCII: &[Row] = &[
    row!("h05 a homoglyph"; "x-api-key": "\u{430}{good}" => MALFORMED),
    row!("h05 a homoglyph in Bearer"; "authorization": "Bearer {good}\u{435}" => MALFORMED),
    row!("h05 a scheme with a homoglyph"; "authorization": "B\u{435}arer {good}" => NONE),
    row!("h05 a space that is none"; "authorization": "Bearer\u{a0}{good}" => MALFORMED),
    row!("h05 a zero-width space"; "x-api-key": "{good}\u{200b}" => MALFORMED),
    row!("h05 a byte order mark"; "x-api-key": "\u{feff}{good}" => MALFORMED),
    row!("h05 fullwidth digits";
        "x-api-key": "acme_live_\u{ff10}\u{ff11}{good.secret}" => MALFORMED),
    row!("h05 obs-text 0x80"; "x-api-key": "{good}{0x80}" => MALFORMED),
    row!("h05 obs-text 0xFF"; "x-api-key": "{0xFF}{good}" => MALFORMED),
    row!("h05 obs-text in Bearer"; "authorization": "Bearer {good}{0xE9}" => MALFORMED),
    row!("h05 obs-text alone"; "authorization": "{0xFF}{0xFE}" => NONE),
    row!("h05 obs-text in Basic";
        "authorization": "Basic {base64 good.id|:|good.secret}{0xFF}" => MALFORMED),
    row!("h05 an overlong slash"; "x-api-key": "{good}{0xC0}{0xAF}" => MALFORMED),
    row!("h05 percent-encoded"; "x-api-key": "{percent good}" => MALFORMED),
    row!("h05 percent-encoded in Bearer"; "authorization": "Bearer {percent good}" => MALFORMED),
    row!("h05 a percent-encoded underscore";
        "x-api-key": "acme%5Flive%5F{good.id}{good.secret}" => MALFORMED),
    row!("h05 a percent-encoded NUL"; "x-api-key": "{good}%00" => MALFORMED),
    row!("h05 NUL"; "x-api-key": "{good}{0x00}" => CannotBeSent),
    row!("h05 line feed"; "authorization": "Bearer {good}{0x0A}x-api-key: {other}" => CannotBeSent),
    row!("h05 carriage return"; "authorization": "Bearer {good}{0x0D}" => CannotBeSent),
    row!("h05 delete"; "x-api-key": "{0x7F}{good}" => CannotBeSent),
    row!("h05 escape"; "x-api-key": "{0x1B}[2J{good}" => CannotBeSent),
];

pub(super) const ROWS: [&[Row]; 4] = [BEARER, BASIC, EMPTY, NO_ASCII];

#[test]
fn t_h03_token_spelling_is_exact() {
    hold(BEARER);
}

#[test]
fn t_h03_basic_has_one_spelling() {
    hold(BASIC);
}

#[test]
fn t_h04_empty_credential_is_refused() {
    hold(EMPTY);
}

#[test]
fn t_h05_non_ascii_is_refused_without_store() {
    hold(NO_ASCII);
}
