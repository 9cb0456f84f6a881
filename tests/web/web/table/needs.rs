//! H08: the guard checks a route's requirements after the key is accepted, and never for a refused
//! key.

use keywright::Access;
use keywright::http::Guard;

use super::Expected::{Refused, Runs};
use super::{Expected, FORBIDDEN, LIMITED, MALFORMED, NONE, Refusal, Row, TWO, denied, hold, row};

/// The answer to a key that lacks a scope, which it names.
const NO_READ: Expected = lacks(r#"Bearer error="insufficient_scope", scope="invoices:read""#);
const NO_WRITE: Expected = lacks(r#"Bearer error="insufficient_scope", scope="invoices:write""#);
const NO_OTHER: Expected = lacks(r#"Bearer error="insufficient_scope", scope="reports:read""#);
const READ_ONLY: Expected = Refused(FORBIDDEN, "read_only", 1);

const fn lacks(challenge: &'static str) -> Expected {
    Refused(Refusal { challenge: Some(challenge), ..FORBIDDEN }, "missing_scope", 1)
}

fn scope(guard: &Guard, scope: &str) -> Guard {
    guard.require(scope.parse().expect("a scope"))
}

fn read(guard: &Guard) -> Guard {
    scope(guard, "invoices:read")
}

fn read_and_write(guard: &Guard) -> Guard {
    scope(&read(guard), "invoices:write")
}

fn five(guard: &Guard) -> Guard {
    let scopes =
        ["invoices:read", "invoices:write", "invoices:read", "invoices:write", "reports:read"];
    scopes.into_iter().fold(guard.clone(), |guard, name| scope(&guard, name))
}

const SCOPES: &[Row] = &[
    row!("h08 the scope is there"; "x-api-key": "{good}" => Runs("good"); guard: read),
    row!("h08 both scopes are there"; "x-api-key": "{good}" => Runs("good"); guard: read_and_write),
    row!("h08 no scope is there"; "x-api-key": "{plain}" => NO_READ; guard: read),
    row!("h08 no scope is there, Basic";
        "authorization": "Basic {base64 plain.id|:|plain.secret}" => NO_READ; guard: read),
    row!("h08 no scope is there, by HEAD";
        "x-api-key": "{plain}" => NO_READ; guard: read; method: "HEAD"),
    row!("h08 the role has both and the account may only read";
        "x-api-key": "{reader}" => NO_WRITE; guard: read_and_write),
    row!("h08 the fifth of five scopes is not there";
        "x-api-key": "{good}" => NO_OTHER; guard: five),
    row!("h08 the second scope is another"; "x-api-key": "{good}" => NO_OTHER;
        guard: |guard| scope(&read(guard), "reports:read")),
    row!("h08 the scope that is named is the first that is asked for";
        "x-api-key": "{plain}" => NO_WRITE;
        guard: |guard| read(&scope(guard, "invoices:write"))),
    row!("h08 an unknown scope";
        "x-api-key": "{good}" => lacks(r#"Bearer error="insufficient_scope", scope="a:admin""#);
        guard: |guard| scope(guard, "a:admin")),
    row!("h08 a scope that only begins the same";
        "x-api-key": "{good}" => lacks(r#"Bearer error="insufficient_scope", scope="a:rea""#);
        guard: |guard| scope(guard, "a:rea")),
];

/// A refused key does not learn the route's requirements.
const ONLY_AFTER: &[Row] = &[
    row!("h08 an unknown key, on a route with a scope";
        "x-api-key": "{unknown}" => denied("unrecognized"); guard: read),
    row!("h08 a wrong secret, on a route with a scope";
        "x-api-key": "{wrong_secret}" => denied("unrecognized"); guard: read),
    row!("h08 a revoked key, on a route with a scope";
        "x-api-key": "{revoked}" => denied("revoked"); guard: read),
    row!("h08 a key from elsewhere, on a route with a scope";
        "x-api-key": "{bound}" => denied("network_not_allowed"); guard: read),
    row!("h08 a typing error, on a route with a scope";
        "x-api-key": "{bad_check}" => MALFORMED; guard: read),
    row!("h08 nothing, on a route with a scope"; => NONE; guard: read),
    row!("h08 two, on a route with a scope";
        "x-api-key": "{plain}", "x-api-key": "{plain}" => TWO; guard: read),
    row!("h08 a dormant account's key, by POST";
        "x-api-key": "{dormant}" => denied("account_disabled"); method: "POST"),
    row!("h08 a key without the scope does not spend its rate";
        "x-api-key": "{spent}" => NO_READ; guard: read),
    row!("h08 a key that has spent its rate";
        "x-api-key": "{spent}" => Refused(LIMITED, "rate_limited", 1)),
];

const ACCESS: &[Row] = &[
    row!("h08 read-only, GET"; "x-api-key": "{reader}" => Runs("reader")),
    row!("h08 read-only, HEAD"; "x-api-key": "{reader}" => Runs("reader"); method: "HEAD"),
    row!("h08 read-only, OPTIONS"; "x-api-key": "{reader}" => Runs("reader"); method: "OPTIONS"),
    row!("h08 read-only, TRACE"; "x-api-key": "{reader}" => Runs("reader"); method: "TRACE"),
    row!("h08 read-only, POST"; "x-api-key": "{reader}" => READ_ONLY; method: "POST"),
    row!("h08 read-only, PUT"; "x-api-key": "{reader}" => READ_ONLY; method: "PUT"),
    row!("h08 read-only, PATCH"; "x-api-key": "{reader}" => READ_ONLY; method: "PATCH"),
    row!("h08 read-only, DELETE"; "x-api-key": "{reader}" => READ_ONLY; method: "DELETE"),
    row!("h08 read-only, a method of one's own";
        "x-api-key": "{reader}" => READ_ONLY; method: "PURGE"),
    row!("h08 read-only, PROPFIND"; "x-api-key": "{reader}" => READ_ONLY; method: "PROPFIND"),
    row!("h08 read-only, get in small letters";
        "x-api-key": "{reader}" => READ_ONLY; method: "get"),
    row!("h08 read-only, another method in a header";
        "x-api-key": "{reader}", "x-http-method-override": "GET" => READ_ONLY;
        method: "POST"),
    row!("h08 read-only, GET that claims to be POST";
        "x-api-key": "{reader}", "x-http-method-override": "POST" => Runs("reader")),
    row!("h08 read-only, POST where looking is enough";
        "x-api-key": "{reader}" => Runs("reader"); method: "POST";
        guard: |guard| guard.access(Access::ReadOnly)),
    row!("h08 read-only, GET where looking is not enough"; "x-api-key": "{reader}" => READ_ONLY;
        guard: |guard| guard.access(Access::ReadWrite)),
    row!("h08 read-only, and the scope is there";
        "x-api-key": "{reader}" => READ_ONLY; method: "POST"; guard: read_and_write),
    row!("h08 a writing account, POST"; "x-api-key": "{writer}" => Runs("writer"); method: "POST"),
    row!("h08 a user's key, POST"; "x-api-key": "{good}" => Runs("good"); method: "POST"),
    row!("h08 a user's key, DELETE"; "x-api-key": "{good}" => Runs("good"); method: "DELETE"),
    row!("h08 a user's key without a scope, POST";
        "x-api-key": "{plain}" => Runs("plain"); method: "POST"),
];

pub(super) const ROWS: [&[Row]; 3] = [SCOPES, ONLY_AFTER, ACCESS];

#[test]
fn t_h08_missing_scope_is_named() {
    hold(SCOPES);
}

#[test]
fn t_h08_route_needs_are_checked_after_key() {
    hold(ONLY_AFTER);
}

#[test]
fn t_h08_read_only_key_may_use_safe_methods() {
    hold(ACCESS);
}
