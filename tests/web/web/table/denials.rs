//! Every reason for which a key is not accepted, in every kind of credential: one answer.

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

/// The check of a token covers its prefix, which Basic does not carry: there the store is asked.
const TYPING_ERRORS: &[Row] = &[
    row!("t01 a typing error as Bearer"; "authorization": "Bearer {bad_check}" => MALFORMED),
    row!("t01 a typing error as X-API-Key"; "x-api-key": "{bad_check}" => MALFORMED),
    row!("t01 a typing error as Basic";
        "authorization": "Basic {base64 bad_check.id|:|bad_check.secret}"
        => denied("unrecognized")),
];

pub(super) const ROWS: [&[Row]; 4] = [INVALID, ACCEPTED, LATER, TYPING_ERRORS];

#[test]
fn t_t01_every_key_that_is_not_accepted_gets_one_answer_whatever_the_reason() {
    hold(INVALID);
}

#[test]
fn t_t01_a_typing_error_gets_the_answer_of_a_dead_key() {
    hold(TYPING_ERRORS);
}

#[test]
fn t_t01_a_key_that_is_accepted_runs_the_handler_in_every_kind() {
    hold(ACCEPTED);
}

#[test]
fn t_t05_a_key_that_has_spent_its_rate_is_told_when_to_come_back() {
    hold(LATER);
}
