//! H09: while the store is unreachable no request is accepted, and no key is called invalid.

use super::Expected::{Refused, RunsWithout};
use super::{Expected, MALFORMED, NONE, Row, TWO, Taken, UNAVAILABLE, hold, row};
use crate::run;
use common::faults::Fault;

const UNKNOWN: Expected = Refused(UNAVAILABLE, "unavailable", 1);

/// Rows with the store down.
const DOWN: &[Row] = &[
    row!("h09 a good key"; "x-api-key": "{good}" => UNKNOWN),
    row!("h09 a good key as Bearer"; "authorization": "Bearer {good}" => UNKNOWN),
    row!("h09 a good key as Basic";
        "authorization": "Basic {base64 good.id|:|good.secret}" => UNKNOWN),
    row!("h09 a revoked key"; "x-api-key": "{revoked}" => UNKNOWN),
    row!("h09 an unknown key"; "x-api-key": "{unknown}" => UNKNOWN),
    row!("h09 a read-only key by POST"; "x-api-key": "{reader}" => UNKNOWN; method: "POST"),
    row!("h09 a key without the scope"; "x-api-key": "{plain}" => UNKNOWN;
        guard: |guard| guard.require("invoices:read".parse().expect("a scope"))),
    row!("h09 a good key, to a guard that can do without"; "x-api-key": "{good}" => UNKNOWN;
        guard: |guard| guard.optional(); taken: Taken::Optional),
    row!("h09 by HEAD"; "x-api-key": "{good}" => UNKNOWN; method: "HEAD"),
    row!("h09 nothing"; => NONE),
    row!("h09 nothing, to a guard that can do without"; => RunsWithout;
        guard: |guard| guard.optional(); taken: Taken::Optional),
    row!("h09 two"; "x-api-key": "{good}", "x-api-key": "{good}" => TWO),
    row!("h09 a typing error"; "x-api-key": "{bad_check}" => MALFORMED),
];

/// Rows with the store up, and without the pepper of the key's digest.
const UNDECIDABLE: &[Row] = &[
    row!("h09 a missing pepper"; "x-api-key": "{peppered}" => UNKNOWN),
    row!("h09 a missing pepper, to a guard that can do without";
        "x-api-key": "{peppered}" => UNKNOWN;
        guard: |guard| guard.optional(); taken: Taken::Optional),
];

pub(super) const ROWS: [&[Row]; 2] = [DOWN, UNDECIDABLE];

#[test]
fn t_h09_store_outage_is_503_not_401() {
    run(async |site| {
        site.faults.set(Fault::Down);
        for row in DOWN {
            row.hold(site).await;
        }
    });
}

#[test]
fn t_h09_undecided_key_is_503_not_401() {
    hold(UNDECIDABLE);
}
