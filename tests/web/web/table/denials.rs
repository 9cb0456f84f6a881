//! Every reason to refuse a key, in every kind of credential, has one answer.

use super::Expected::{Refused, Runs};
use super::{LIMITED, MALFORMED, Row, denied, hold, row};

/// The same token as Bearer, as Basic and as X-API-Key.
macro_rules! each_kind {
    ($($token:literal => $answer:expr;)*) => {
        &[$(
            row!(concat!("t01 ", $token, " as Bearer"); "authorization": concat!("Bearer {", $token, "}") => $answer),
            row!(concat!("t01 ", $token, " as Basic");
                "authorization": concat!("Basic {base64 ", $token, ".id|:|", $token, ".secret}")
        => $answer),
            row!(concat!("t01 ", $token, " as X-API-Key"); "x-api-key": concat!("{", $token, "}") => $answer),
        )*]
    };
}

const INVALID: &[Row] = each_kind! {
    "unknown" => denied("unrecognized");
    "wrong_secret" => denied("unrecognized");
    "wrong_prefix" => denied("unrecognized");
    "superseded" => denied("superseded");
    "revoked" => denied("revoked");
    "expired" => denied("expired");
    "disabled" => denied("disabled");
    "scheduled" => denied("not_yet_valid");
    "dormant" => denied("account_disabled");
    "access_off" => denied("access_off");
    "plan_off" => denied("upgrade_required");
    "bound" => denied("network_not_allowed");
};

const ACCEPTED: &[Row] = each_kind! {
    "good" => Runs("good");
    "plain" => Runs("plain");
    "retiring" => Runs("retiring");
    "reader" => Runs("reader");
    "writer" => Runs("writer");
};

const LATER: &[Row] = each_kind! {
    "spent" => Refused(LIMITED, "rate_limited", 1);
};

/// The checksum of a token covers its prefix, which Basic does not carry, so there the store is
/// read.
const TYPING_ERRORS: &[Row] = &[
    row!("t01 a typing error as Bearer"; "authorization": "Bearer {bad_check}" => MALFORMED),
    row!("t01 a typing error as X-API-Key"; "x-api-key": "{bad_check}" => MALFORMED),
    row!("t01 a typing error as Basic";
        "authorization": "Basic {base64 bad_check.id|:|bad_check.secret}"
        => denied("unrecognized")),
];

pub(super) const ROWS: [&[Row]; 4] = [INVALID, ACCEPTED, LATER, TYPING_ERRORS];

#[test]
fn t_t01_every_refused_key_gets_one_answer() {
    hold(INVALID);
}

#[test]
fn t_t01_mistyped_key_looks_like_a_dead_one() {
    hold(TYPING_ERRORS);
}

#[test]
fn t_t01_accepted_key_runs_the_handler() {
    hold(ACCEPTED);
}

#[test]
fn t_t05_spent_key_learns_when_to_retry() {
    hold(LATER);
}
