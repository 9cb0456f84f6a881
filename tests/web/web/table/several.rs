//! H01 and H02: a request with more than one credential is refused, and none of them is verified.

use super::{Expected, Row, TWO, Taken, hold, row};

const ONE_KIND: &[Row] = &[
    row!("h01 two X-API-Key, equal"; "x-api-key": "{good}", "x-api-key": "{good}" => TWO),
    row!("h01 two X-API-Key, different"; "x-api-key": "{good}", "x-api-key": "{other}" => TWO),
    row!("h01 two X-API-Key, one dead"; "x-api-key": "{good}", "x-api-key": "{revoked}" => TWO),
    row!("h01 two X-API-Key, the first dead";
        "x-api-key": "{revoked}", "x-api-key": "{good}" => TWO),
    row!("h01 two X-API-Key, one empty"; "x-api-key": "", "x-api-key": "{good}" => TWO),
    row!("h01 two X-API-Key in two spellings"; "X-API-KEY": "{good}", "x-Api-kEy": "{good}" => TWO),
    row!("h01 three X-API-Key";
        "x-api-key": "{good}", "x-api-key": "{good}", "x-api-key": "{good}" => TWO),
    row!("h01 two Bearer, equal";
        "authorization": "Bearer {good}", "authorization": "Bearer {good}" => TWO),
    row!("h01 two Bearer, different";
        "authorization": "Bearer {good}", "authorization": "Bearer {other}" => TWO),
    row!("h01 two Bearer, one dead";
        "authorization": "Bearer {good}", "authorization": "Bearer {revoked}" => TWO),
    row!("h01 two Bearer, one without a token";
        "authorization": "Bearer {good}", "authorization": "Bearer" => TWO),
    row!("h01 two Basic"; "authorization": "Basic {base64 good.id|:|good.secret}",
        "authorization": "Basic {base64 good.id|:|good.secret}" => TWO),
    row!("h01 Bearer and Basic"; "authorization": "Bearer {good}",
        "authorization": "Basic {base64 good.id|:|good.secret}" => TWO),
    row!("h01 Bearer and a foreign scheme"; "authorization": "Bearer {good}",
        "authorization": "Digest username=\"Mufasa\"" => TWO),
    row!("h01 two foreign schemes"; "authorization": "Digest a=\"b\"",
        "authorization": "Negotiate YII=" => TWO),
    row!("h01 two Authorization in two spellings"; "AUTHORIZATION": "Bearer {good}",
        "Authorization": "Bearer {good}" => TWO),
    row!("h01 two credentials to a guard that can do without"; "x-api-key": "{good}",
        "x-api-key": "{good}" => TWO; guard: |guard| guard.optional(); taken: Taken::Optional),
];

const TWO_KINDS: &[Row] = &[
    row!("h02 Bearer and X-API-Key, equal";
        "authorization": "Bearer {good}", "x-api-key": "{good}" => TWO),
    row!("h02 Bearer and X-API-Key, different";
        "authorization": "Bearer {good}", "x-api-key": "{other}" => TWO),
    row!("h02 Basic and X-API-Key"; "authorization": "Basic {base64 good.id|:|good.secret}",
        "x-api-key": "{good}" => TWO),
    row!("h02 Bearer, and X-API-Key with a dead key"; "authorization": "Bearer {good}",
        "x-api-key": "{revoked}" => TWO),
    row!("h02 Bearer, and X-API-Key that is empty";
        "authorization": "Bearer {good}", "x-api-key": "" => TWO),
    row!("h02 Bearer that is malformed, and X-API-Key"; "authorization": "Bearer  {good}",
        "x-api-key": "{good}" => TWO),
    row!("h02 Bearer without a token, and X-API-Key";
        "authorization": "Bearer", "x-api-key": "{good}" => TWO),
    row!("h02 a foreign scheme and X-API-Key"; "authorization": "Digest username=\"Mufasa\"",
        "x-api-key": "{good}" => Expected::Runs("good")),
    row!("h02 an empty Authorization and X-API-Key"; "authorization": "",
        "x-api-key": "{good}" => Expected::Runs("good")),
];

pub(super) const ROWS: [&[Row]; 2] = [ONE_KIND, TWO_KINDS];

#[test]
fn t_h01_two_credentials_of_one_kind_are_refused() {
    hold(ONE_KIND);
}

#[test]
fn t_h02_two_kinds_of_credentials_are_refused() {
    hold(TWO_KINDS);
}
