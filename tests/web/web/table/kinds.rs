//! The settings of a guard: the credentials that it reads, and its challenges.

use keywright::http::{CredentialSources, Guard};

use super::Expected::{Refused, Runs, RunsWithout};
use super::{Expected, FORBIDDEN, INVALID, LIMITED, MISSING, NONE, Refusal, Row, SEVERAL, TWO};
use super::{Taken, UNAVAILABLE, denied, hold, row};

const BASIC: &str = r#"Basic realm="API", charset="UTF-8""#;

const fn challenged(refusal: Refusal, challenge: &'static str) -> Refusal {
    Refusal { challenge: Some(challenge), ..refusal }
}

const fn none(challenge: &'static str) -> Expected {
    Refused(challenged(MISSING, challenge), "none", 0)
}

/// Returns the refusal without a challenge. A guard that does not read Bearer challenges only with
/// a 401.
const fn bare(refusal: Refusal) -> Refusal {
    Refusal { challenge: None, ..refusal }
}

fn no_bearer(guard: &Guard) -> Guard {
    guard.credentials(CredentialSources::default().without_bearer())
}

fn no_basic(guard: &Guard) -> Guard {
    guard.credentials(CredentialSources::default().without_basic())
}

fn no_header(guard: &Guard) -> Guard {
    guard.credentials(CredentialSources::default().without_header())
}

fn header_alone(guard: &Guard) -> Guard {
    guard.credentials(CredentialSources::default().without_bearer().without_basic())
}

fn nothing(guard: &Guard) -> Guard {
    guard
        .credentials(CredentialSources::default().without_bearer().without_basic().without_header())
}

fn renamed(guard: &Guard) -> Guard {
    guard
        .credentials(CredentialSources::default().header("X-Acme-Key").expect("a name of a header"))
}

const OFF: &[Row] = &[
    row!("kinds Bearer off, Bearer";
        "authorization": "Bearer {good}" => none(BASIC); guard: no_bearer),
    row!("kinds Bearer off, Basic";
        "authorization": "Basic {base64 good.id|:|good.secret}" => Runs("good"); guard: no_bearer),
    row!("kinds Bearer off, X-API-Key"; "x-api-key": "{good}" => Runs("good"); guard: no_bearer),
    row!("kinds Bearer off, Bearer and X-API-Key";
        "authorization": "Bearer {other}", "x-api-key": "{good}" => Runs("good");
        guard: no_bearer),
    row!("kinds Bearer off, two Authorization";
        "authorization": "Bearer {good}", "authorization": "Bearer {good}"
        => Refused(bare(SEVERAL), "several", 0); guard: no_bearer),
    row!("kinds Bearer off, a dead key";
        "x-api-key": "{revoked}" => Refused(challenged(INVALID, BASIC), "revoked", 1);
        guard: no_bearer),
    row!("kinds Bearer off, no scope";
        "x-api-key": "{plain}" => Refused(bare(FORBIDDEN), "missing_scope", 1);
        guard: |guard| no_bearer(guard).require("invoices:read".parse().expect("a scope"))),
    row!("kinds Basic off, Basic";
        "authorization": "Basic {base64 good.id|:|good.secret}" => NONE; guard: no_basic),
    row!("kinds Basic off, Bearer";
        "authorization": "Bearer {good}" => Runs("good"); guard: no_basic),
    row!("kinds Basic off, Basic and X-API-Key";
        "authorization": "Basic {base64 other.id|:|other.secret}",
        "x-api-key": "{good}" => Runs("good"); guard: no_basic),
    row!("kinds X-API-Key off, X-API-Key"; "x-api-key": "{good}" => NONE; guard: no_header),
    row!("kinds X-API-Key off, two X-API-Key";
        "x-api-key": "{good}", "x-api-key": "{good}" => NONE; guard: no_header),
    row!("kinds X-API-Key off, Bearer";
        "authorization": "Bearer {good}" => Runs("good"); guard: no_header),
    row!("kinds X-API-Key off, Bearer and X-API-Key";
        "authorization": "Bearer {good}", "x-api-key": "{revoked}" => Runs("good");
        guard: no_header),
    row!("kinds X-API-Key alone, X-API-Key";
        "x-api-key": "{good}" => Runs("good"); guard: header_alone),
    row!("kinds X-API-Key alone, Bearer";
        "authorization": "Bearer {good}" => none("ApiKey"); guard: header_alone),
    row!("kinds X-API-Key alone, two Authorization";
        "authorization": "Bearer {good}", "authorization": "Bearer {good}",
        "x-api-key": "{good}" => Runs("good"); guard: header_alone),
    row!("kinds X-API-Key alone, a dead key";
        "x-api-key": "{revoked}" => Refused(challenged(INVALID, "ApiKey"), "revoked", 1);
        guard: header_alone),
    row!("kinds X-API-Key alone, two";
        "x-api-key": "{good}", "x-api-key": "{good}" => Refused(bare(SEVERAL), "several", 0);
        guard: header_alone),
    row!("kinds all off, all three";
        "authorization": "Bearer {good}", "x-api-key": "{good}" => none("ApiKey"); guard: nothing),
    row!("kinds all off, nothing"; => none("ApiKey"); guard: nothing),
    row!("kinds all off, to a guard that can do without"; "x-api-key": "{revoked}" => RunsWithout;
        guard: |guard| nothing(guard).optional(); taken: Taken::Optional),
];

const RENAMED: &[Row] = &[
    row!("kinds renamed, the new name"; "x-acme-key": "{good}" => Runs("good"); guard: renamed),
    row!("kinds renamed, the new name in capitals";
        "X-ACME-KEY": "{good}" => Runs("good"); guard: renamed),
    row!("kinds renamed, the old name"; "x-api-key": "{good}" => NONE; guard: renamed),
    row!("kinds renamed, both names";
        "x-acme-key": "{good}", "x-api-key": "{revoked}" => Runs("good"); guard: renamed),
    row!("kinds renamed, the new name twice";
        "x-acme-key": "{good}", "X-Acme-Key": "{good}" => TWO; guard: renamed),
    row!("kinds renamed, the new name and Bearer";
        "x-acme-key": "{good}", "authorization": "Bearer {good}" => TWO;
        guard: renamed),
    row!("kinds renamed, a dead key";
        "x-acme-key": "{revoked}" => denied("revoked"); guard: renamed),
];

const fn grpc(status: &'static str, message: &'static str, refusal: Refusal) -> Refusal {
    let grpc = Some((status, message));
    Refusal { status: 200, challenge: None, grpc, body: "", ..refusal }
}

fn speaks_grpc(guard: &Guard) -> Guard {
    guard.grpc()
}

const GRPC: &[Row] = &[
    row!("grpc nothing"; => Refused(grpc("16", "an API key is required", MISSING), "none", 0);
        guard: speaks_grpc; method: "POST"),
    row!("grpc a dead key"; "x-api-key": "{revoked}"
        => Refused(grpc("16", "the API key is not accepted", INVALID), "revoked", 1);
        guard: speaks_grpc; method: "POST"),
    row!("grpc two"; "x-api-key": "{good}", "x-api-key": "{good}"
        => Refused(grpc("3", "the request carries more than one API key; send exactly one", SEVERAL), "several", 0);
        guard: speaks_grpc; method: "POST"),
    row!("grpc a read-only key"; "x-api-key": "{reader}"
        => Refused(grpc("7", "the API key does not allow this", FORBIDDEN), "read_only", 1);
        guard: speaks_grpc; method: "POST"),
    row!("grpc no scope"; "x-api-key": "{plain}"
        => Refused(grpc("7", "the API key does not allow this", FORBIDDEN), "missing_scope", 1);
        guard: |guard| guard.grpc().require("invoices:read".parse().expect("a scope")); method: "POST"),
    row!("grpc a rate that is spent"; "x-api-key": "{spent}"
        => Refused(grpc("8", "the API key is used too often", LIMITED), "rate_limited", 1);
        guard: speaks_grpc; method: "POST"),
    row!("grpc undecidable"; "x-api-key": "{peppered}"
       
        => Refused(grpc("14", "the API key could not be checked; try again later", UNAVAILABLE), "unavailable", 1);
        guard: speaks_grpc; method: "POST"),
    row!("grpc a good key";
        "x-api-key": "{good}" => Runs("good"); guard: speaks_grpc; method: "POST"),
    row!("grpc Basic, a dead key"; "authorization": "Basic {base64 revoked.id|:|revoked.secret}"
        => Refused(grpc("16", "the API key is not accepted", INVALID), "revoked", 1);
        guard: |guard| no_bearer(guard).grpc(); method: "POST"),
];

pub(super) const ROWS: [&[Row]; 3] = [OFF, RENAMED, GRPC];

#[test]
fn t_h02_disabled_source_is_left_alone() {
    hold(OFF);
}

#[test]
fn t_h02_renamed_header_has_only_new_name() {
    hold(RENAMED);
}

#[test]
fn t_h15_grpc_guard_answers_with_grpc_status() {
    hold(GRPC);
}
