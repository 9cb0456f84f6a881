//! H07 and L09: no credential, and credentials that the guard does not read.

use super::Expected::{Runs, RunsWithout};
use super::{MALFORMED, NONE, Row, Taken, denied, hold, row};
use crate::faces::EXTRACTED;

const NOTHING: &[Row] = &[
    row!("h07 nothing"; => NONE),
    row!("h07 nothing, by POST"; => NONE; method: "POST"),
    row!("h07 nothing, by HEAD"; => NONE; method: "HEAD"),
    row!("h07 nothing, by OPTIONS"; => NONE; method: "OPTIONS"),
    row!("h07 nothing, by TRACE"; => NONE; method: "TRACE"),
    row!("h07 nothing, by a method of one's own"; => NONE; method: "PURGE"),
    row!("h07 a foreign scheme"; "authorization": "Digest username=\"Mufasa\"" => NONE),
    row!("h07 nothing, with other headers"; "user-agent": "curl/8.0", "accept": "*/*" => NONE),
    row!("h07 nothing, to a guard that asks for a scope"; => NONE;
        guard: |guard| guard.require("invoices:read".parse().expect("a scope"))),
    row!("h07 nothing, to a guard that can do without"; => RunsWithout;
        guard: |guard| guard.optional(); taken: Taken::Optional),
    row!("h07 a foreign scheme, to a guard that can do without";
        "authorization": "Digest username=\"Mufasa\"" => RunsWithout;
        guard: |guard| guard.optional(); taken: Taken::Optional),
    row!("h07 nothing, to a guard that could do without a key until it asks for a scope"; => NONE;
        guard: |guard| guard.optional().require("invoices:read".parse().expect("a scope"))),
    row!("h07 nothing, to a guard that asks for a scope and then can do without a key"; => RunsWithout;
        guard: |guard| guard.require("invoices:read".parse().expect("a scope")).optional();
        taken: Taken::Optional),
];

/// Only the handler requires the grant here.
const NEEDED_BY_THE_HANDLER: &[Row] = &[
    row!("h07 nothing, to a handler that needs a grant"; => NONE;
        guard: |guard| guard.optional(); faces: EXTRACTED),
    row!("h07 a foreign scheme, to a handler that needs a grant";
        "authorization": "Digest username=\"Mufasa\"" => NONE;
        guard: |guard| guard.optional(); faces: EXTRACTED),
    row!("h07 a good key, to a handler that needs a grant"; "x-api-key": "{good}" => Runs("good");
        guard: |guard| guard.optional(); faces: EXTRACTED),
];

/// A guard with an optional key still refuses every key that is not accepted.
const DEAD_IS_NOT_NONE: &[Row] = &[
    row!("h07 a dead key, to a guard that can do without";
        "x-api-key": "{revoked}" => denied("revoked");
        guard: |guard| guard.optional(); taken: Taken::Optional),
    row!("h07 an empty key, to a guard that can do without"; "x-api-key": "" => MALFORMED;
        guard: |guard| guard.optional(); taken: Taken::Optional),
    row!("h07 a scheme alone, to a guard that can do without";
        "authorization": "Bearer" => MALFORMED;
        guard: |guard| guard.optional(); taken: Taken::Optional),
    row!("h07 an unknown key, to a guard that can do without";
        "x-api-key": "{unknown}" => denied("unrecognized");
        guard: |guard| guard.optional(); taken: Taken::Optional),
    row!("h07 a key from anywhere, to a guard that can do without";
        "x-api-key": "{bound}" => denied("network_not_allowed");
        guard: |guard| guard.optional(); taken: Taken::Optional),
];

const ELSEWHERE: &[Row] = &[
    row!("l09 in the query"; => NONE; uri: "/invoices?api_key={good}"),
    row!("l09 in the query, as RFC 6750 names it"; => NONE; uri: "/invoices?access_token={good}"),
    row!("l09 in the query, named as the header";
        => NONE; uri: "/invoices?x-api-key={good}&authorization=Bearer%20{good}"),
    row!("l09 in the path"; => NONE; uri: "/invoices/{good}"),
    row!("l09 in the matrix of the path"; => NONE; uri: "/invoices;x-api-key={good}"),
    row!("l09 as user information";
        => NONE; uri: "http://{good.id}:{good.secret}@localhost/invoices"),
    row!("l09 in a cookie"; "cookie": "x-api-key={good}; authorization=Bearer {good}" => NONE),
    row!("l09 in the referrer"; "referer": "https://example.com/?api_key={good}" => NONE),
    row!("l09 dead in the query, alive in the header"; "x-api-key": "{good}" => Runs("good");
        uri: "/invoices?x-api-key={revoked}"),
    row!("l09 alive in the query, dead in the header";
        "x-api-key": "{revoked}" => denied("revoked");
        uri: "/invoices?x-api-key={good}"),
];

pub(super) const ROWS: [&[Row]; 4] = [NOTHING, NEEDED_BY_THE_HANDLER, DEAD_IS_NOT_NONE, ELSEWHERE];

#[test]
fn t_h07_missing_credential_gets_a_challenge() {
    hold(NOTHING);
}

#[test]
fn t_h07_dead_key_is_never_anonymous() {
    hold(DEAD_IS_NOT_NONE);
}

#[test]
fn t_l09_key_in_url_or_cookie_is_ignored() {
    hold(ELSEWHERE);
}

#[test]
fn t_h07_handler_with_grant_needs_a_key() {
    hold(NEEDED_BY_THE_HANDLER);
}
