//! Tests of HTTP/1.1 details: keep-alive, pipelines, HEAD, and headers that are too large.

use crate::http1::{Connection, bearer, request};
use crate::server::{Server, WEB};

#[test]
fn requests_on_one_connection_are_independent() {
    for example in WEB {
        let server = Server::new(example);
        let [read, ..] = server.tokens();
        let value = bearer(&read);
        let with_key = [("authorization", value.as_str())];
        let mut connection = Connection::open(server.address);
        for (headers, status) in [(&with_key[..], 200), (&[], 401), (&with_key, 200), (&[], 401)] {
            connection.send(request("GET", "/invoices", headers, "").as_bytes());
            assert_eq!(connection.answer("GET").status, status);
        }
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    for example in WEB {
        let server = Server::new(example);
        let [read, write, look] = server.tokens();
        let asks = [(&read, 403), (&write, 201), (&look, 403), (&write, 201)];
        let ask = |token: &str| {
            request("POST", "/invoices", &[("authorization", &bearer(token))], "a body")
        };
        let all: String = asks.iter().map(|(token, _)| ask(token)).collect();
        let mut connection = Connection::open(server.address);
        connection.send(all.as_bytes());
        for (_, status) in asks {
            assert_eq!(connection.answer("POST").status, status);
        }
        // The bodies were read to their ends, so the next bytes are a new request.
        connection.send(request("GET", "/public", &[], "").as_bytes());
        assert_eq!(connection.answer("GET").status, 200);
    }
}

#[test]
fn huge_header_breaks_nothing() {
    for example in WEB {
        let server = Server::new(example);
        let [read, ..] = server.tokens();
        let long = "x".repeat(64 * 1024);
        for (name, value) in [
            ("authorization", bearer(&long)),
            ("authorization", format!("Basic {long}")),
            ("x-api-key", long.clone()),
        ] {
            let answer = server.ask("GET", "/invoices", &[(name, &value)]);
            assert!(matches!(answer.status, 401 | 431), "{name}: {}", answer.status);
        }
        assert_eq!(server.ask_with(&read, "GET", "/invoices").status, 200);
    }
}

#[test]
fn head_equals_get_without_body() {
    for example in WEB {
        let server = Server::new(example);
        let [read, ..] = server.tokens();
        let value = bearer(&read);
        let with_key = [("authorization", value.as_str())];
        for (path, headers) in
            [("/public", &[][..]), ("/invoices", &with_key), ("/invoices", &[]), ("/whoami", &[])]
        {
            // On one connection, an unexpected body would be read as the next answer.
            let mut connection = Connection::open(server.address);
            connection.send(request("HEAD", path, headers, "").as_bytes());
            let head = connection.answer("HEAD");
            connection.send(request("GET", path, headers, "").as_bytes());
            let get = connection.answer("GET");
            assert_eq!(head.status, get.status, "{path}");
            for name in ["content-type", "content-length", "www-authenticate"] {
                assert_eq!(head.header(name), get.header(name), "{path}: {name}");
            }
        }
    }
}

#[test]
fn binary_credential_is_401() {
    for example in WEB {
        let server = Server::new(example);
        let mut connection = Connection::open(server.address);
        connection.send(
            b"GET /invoices HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \xFF\xFE\r\n\r\n",
        );
        assert_eq!(connection.answer("GET").status, 401);
    }
}

#[test]
fn prometheus_reads_each_check_once() {
    let server = Server::new("axum_server");
    let [read, ..] = server.tokens();
    for _ in 0..3 {
        assert_eq!(server.ask_with(&read, "GET", "/invoices").status, 200);
    }
    assert_eq!(server.ask_with("not a token", "GET", "/invoices").status, 401);
    for _ in 0..2 {
        let page = server.ask("GET", "/metrics", &[]).body;
        for line in [
            "# TYPE keywright_verifications_total counter",
            "keywright_verifications_total{outcome=\"accepted\"} 3",
            "keywright_verifications_total{outcome=\"denied\"} 1",
            "keywright_denials_total{reason=\"malformed\"} 1",
            "keywright_denials_total{reason=\"revoked\"} 0",
        ] {
            assert!(page.lines().any(|printed| printed == line), "no line {line} in {page}");
        }
        assert!(page.contains("keywright_operation_duration_seconds_bucket{"), "{page}");
        assert!(!page.contains(&read[read.len() - 38..read.len() - 30]), "a secret is printed");
    }
}

#[test]
fn printed_commands_do_as_stated() {
    for (example, count) in [("axum_server", 36), ("actix_server", 7)] {
        let server = Server::new(example);
        let lines = server.lines();
        assert_eq!(lines.len(), count, "{example}");
        for line in lines {
            let address = server.address.to_string();
            assert!(line.url.starts_with(&format!("http://{address}/")), "{}", line.what);
            let headers: Vec<(&str, &str)> =
                line.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
            let answer = server.send(&line.method, line.path(), &headers, &line.body);
            assert_eq!(answer.status.to_string(), line.outcome, "{}", line.what);
        }
    }
}
