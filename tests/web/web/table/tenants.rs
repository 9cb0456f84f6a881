//! The tenant that a request names: in its host, its path or a header.

use keywright::http::Guard;

use super::Expected::{self, Refused, Runs, RunsWithout};
use super::{INVALID, NONE, Refusal, Row, Taken, denied, hold, row};

const OTHER: Expected = denied("unrecognized");
/// The credential is not verified.
const UNNAMED: Expected = Refused(INVALID, "no_tenant", 0);
const UNNAMED_IN_GRPC: Refusal = Refusal {
    status: 200,
    challenge: None,
    retry_after: None,
    grpc: Some(("16", "the API key is not accepted")),
    body: "",
};

fn by_host(guard: &Guard) -> Guard {
    guard.tenant_from(|request| request.host()?.strip_suffix(".api.example.com"))
}

fn by_path(guard: &Guard) -> Guard {
    guard.tenant_from(|request| request.path().strip_prefix("/tenants/")?.split('/').next())
}

fn by_header(guard: &Guard) -> Guard {
    guard.tenant_from(|request| request.header("x-acme-tenant"))
}

/// The keys of the table belong to the tenant `globex`.
const IN_HOST: &[Row] = &[
    row!("the host of the tenant"; "host": "globex.api.example.com", "x-api-key": "{good}"
        => Runs("good"); guard: by_host),
    row!("the host with a port"; "host": "globex.api.example.com:8443", "x-api-key": "{good}"
        => Runs("good"); guard: by_host),
    row!("the host in the target"; "x-api-key": "{good}" => Runs("good");
        guard: by_host; uri: "http://globex.api.example.com:8443/invoices"),
    row!("the same host twice"; "host": "GLOBEX.api.example.com", "x-api-key": "{good}"
        => Runs("good"); guard: by_host; uri: "http://globex.api.example.com/invoices"),
    row!("the host of another tenant"; "host": "initech.api.example.com", "x-api-key": "{good}"
        => OTHER; guard: by_host),
    row!("the host of no tenant"; "host": "absent.api.example.com", "x-api-key": "{good}"
        => OTHER; guard: by_host),
    row!("the tenant in another case"; "host": "GLOBEX.api.example.com", "x-api-key": "{good}"
        => OTHER; guard: by_host),
    row!("an empty tenant"; "host": ".api.example.com", "x-api-key": "{good}"
        => OTHER; guard: by_host),
    row!("a revoked key for another tenant";
        "host": "initech.api.example.com", "x-api-key": "{revoked}" => OTHER; guard: by_host),
    row!("a revoked key for its own tenant";
        "host": "globex.api.example.com", "x-api-key": "{revoked}" => denied("revoked");
        guard: by_host),
    row!("an unknown key for another tenant";
        "host": "initech.api.example.com", "x-api-key": "{unknown}" => OTHER; guard: by_host),
    row!("the two parts of a key for another tenant";
        "host": "initech.api.example.com", "authorization": "Basic {base64 good.id|:|good.secret}"
        => OTHER; guard: by_host),
];

const UNTOLD: &[Row] = &[
    row!("no host"; "x-api-key": "{good}" => UNNAMED; guard: by_host),
    row!("an empty host"; "host": "", "x-api-key": "{good}" => UNNAMED; guard: by_host),
    row!("a host of another site"; "host": "example.com", "x-api-key": "{good}"
        => UNNAMED; guard: by_host),
    row!("two hosts"; "host": "globex.api.example.com", "host": "globex.api.example.com",
        "x-api-key": "{good}" => UNNAMED; guard: by_host),
    row!("target and host differ"; "host": "initech.api.example.com", "x-api-key": "{good}"
        => UNNAMED; guard: by_host; uri: "http://globex.api.example.com/invoices"),
    row!("a host with user information"; "host": "x@globex.api.example.com", "x-api-key": "{good}"
        => UNNAMED; guard: by_host),
    row!("an address as host"; "host": "[2001:db8::1]:443", "x-api-key": "{good}"
        => UNNAMED; guard: by_host),
    row!("no tenant and a malformed key"; "x-api-key": "x" => UNNAMED; guard: by_host),
    row!("no tenant and no key"; => NONE; guard: by_host),
    row!("no tenant and no key, to a guard that can do without"; => RunsWithout;
        guard: |guard| by_host(guard).optional(); taken: Taken::Optional),
    row!("no tenant, to a guard that can do without"; "x-api-key": "{good}" => UNNAMED;
        guard: |guard| by_host(guard).optional(); taken: Taken::Optional),
    row!("no tenant, in gRPC"; "x-api-key": "{good}" => Refused(UNNAMED_IN_GRPC, "no_tenant", 0);
        guard: |guard| by_host(guard).grpc()),
];

const ELSEWHERE: &[Row] = &[
    row!("the path of the tenant"; "x-api-key": "{good}" => Runs("good");
        guard: by_path; uri: "/tenants/globex/invoices?tenant=initech"),
    row!("the path of another tenant"; "x-api-key": "{good}" => OTHER;
        guard: by_path; uri: "/tenants/initech/invoices?tenant=globex"),
    row!("the path of the tenant, encoded"; "x-api-key": "{good}" => OTHER;
        guard: by_path; uri: "/tenants/%67lobex/invoices"),
    row!("a path without tenant"; "x-api-key": "{good}" => UNNAMED; guard: by_path),
    row!("the header of the tenant"; "x-acme-tenant": "globex", "x-api-key": "{good}"
        => Runs("good"); guard: by_header),
    row!("the header of another tenant"; "x-acme-tenant": "initech", "x-api-key": "{good}"
        => OTHER; guard: by_header),
    row!("no header of a tenant"; "x-api-key": "{good}" => UNNAMED; guard: by_header),
    row!("two headers of tenants"; "x-acme-tenant": "globex", "x-acme-tenant": "initech",
        "x-api-key": "{good}" => UNNAMED; guard: by_header),
    row!("no extension of a tenant"; "x-api-key": "{good}" => UNNAMED;
        guard: |guard| guard.tenant_from(|request| request.tenant())),
];

pub(super) const ROWS: [&[Row]; 3] = [IN_HOST, UNTOLD, ELSEWHERE];

#[test]
fn key_of_another_tenant_is_unknown() {
    hold(IN_HOST);
}

#[test]
fn request_without_tenant_is_refused() {
    hold(UNTOLD);
}

#[test]
fn tenant_is_read_from_path_or_header() {
    hold(ELSEWHERE);
}
