//! Tests of the shutdown, and of a start with an existing store.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;

use futures_lite::future::block_on;
use keywright::store::{FileStore, KeyQuery};
use keywright::{Actor, Authority, Keywright, NewKey, UserId};

use crate::grpc;
use crate::http1::Connection;
use crate::server::{ALL, Place, Server, WEB};

fn host() -> Actor {
    Actor::administrator(UserId::new("test").expect("an id"))
}

/// Works on the store while no server has it open.
fn offline<T>(place: &Place, work: impl AsyncFnOnce(&Authority) -> T) -> T {
    block_on(async {
        let store = FileStore::open(place.store()).await.expect("the server has closed it");
        let authority = Keywright::builder(store.clone()).build().expect("a keywright").authority();
        let done = work(&authority).await;
        store.close().await.expect("it closes");
        done
    })
}

/// Returns the uses of each key by its name.
fn uses(place: &Place) -> BTreeMap<String, u64> {
    offline(place, async |authority| {
        let page = authority.keys(&host(), &KeyQuery::new()).await.expect("a page");
        page.items.iter().map(|entry| (entry.key.name.to_string(), entry.uses)).collect()
    })
}

/// Uses the key of the account once, over HTTP or gRPC.
#[track_caller]
fn use_once(server: &Server, example: &str, token: &str) {
    if example == "tonic_server" {
        assert_eq!(grpc::check(server, Some(token)), Ok(()));
    } else {
        assert_eq!(server.ask_with(token, "GET", "/invoices").status, 200);
    }
}

fn look(server: &Server) -> String {
    let line = server.lines().into_iter().find(|line| line.what.contains("account's key"));
    line.and_then(|line| line.token()).expect("a line with the account's key")
}

#[test]
fn either_signal_writes_all_uses() {
    for example in ALL {
        for signal in ["TERM", "INT"] {
            let server = Server::new(example);
            let token = look(&server);
            for _ in 0..3 {
                use_once(&server, example, &token);
            }
            let (status, place) = server.stop_by(signal);
            assert_eq!(status.code(), Some(0), "{example}: {status}");
            let expected = [("look-at-all", 3), ("read-invoices", 0), ("write-invoices", 0)];
            let expected = expected.map(|(name, uses)| (name.to_owned(), uses));
            assert_eq!(uses(&place.expect("a place")), BTreeMap::from(expected), "{example}");
        }
    }
}

#[test]
fn silent_connection_does_not_block_shutdown() {
    for example in ALL {
        let server = Server::new(example);
        let silent = Connection::open(server.address);
        server.stop();
        drop(silent);
    }
}

#[test]
fn half_request_does_not_block_shutdown() {
    for example in WEB {
        let server = Server::new(example);
        let mut slow = Connection::open(server.address);
        slow.send(b"GET /public HTTP/1.1\r\nhost: local");
        server.stop();
        drop(slow);
    }
}

#[test]
fn second_start_keeps_old_keys() {
    for example in ALL {
        let place = Place::new();
        let first = place.start(example);
        let token = look(&first);
        first.stop();
        let before = uses(&place);
        let second = place.start(example);
        assert!(second.lines().iter().all(|line| line.token().is_none()), "{example}");
        assert!(second.printed.contains("a token is shown once"), "{example}");
        use_once(&second, example, &token);
        second.stop();
        assert_eq!(uses(&place).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    }
}

#[test]
fn killed_server_keeps_its_keys() {
    for example in ALL {
        let place = Place::new();
        let server = place.start(example);
        let token = look(&server);
        use_once(&server, example, &token);
        let (status, _) = server.stop_by("KILL");
        assert_eq!(status.code(), None, "{status}");
        use_once(&place.start(example), example, &token);
    }
}

#[test]
fn revoked_key_stays_dead_after_restart() {
    for example in WEB {
        let place = Place::new();
        let server = place.start(example);
        let [read, write, _] = server.tokens();
        server.stop();
        let id = read[read.len() - 54..read.len() - 38].parse().expect("an id");
        offline(&place, async |authority| {
            authority.revoke(&host(), &id).await.expect("it is revoked");
        });
        let server = place.start(example);
        assert_eq!(server.ask_with(&read, "GET", "/invoices").status, 401);
        assert_eq!(server.ask_with(&write, "GET", "/invoices").status, 200);
    }
}

#[test]
fn servers_know_the_source_of_requests() {
    for example in ALL {
        let place = Place::new();
        let server = place.start(example);
        let account = look(&server);
        server.stop();
        // Two keys of the account: one is bound to the network of this machine, the other to another.
        let id = account[account.len() - 54..account.len() - 38].parse().expect("an id");
        let tokens = offline(&place, async |authority| {
            let owner = authority.key(&host(), &id).await.expect("the key").key.owner.clone();
            let mut tokens = Vec::new();
            for (name, network) in [("here", "127.0.0.0/8"), ("elsewhere", "203.0.113.0/24")] {
                let network = network.parse().expect("a network");
                let new = NewKey::named(name).expect("a name").networks(network);
                let issued =
                    authority.generate(&host(), new.owner(owner.clone())).await.expect("a key");
                tokens.push(issued.token.expose().to_owned());
            }
            tokens
        });
        let server = place.start(example);
        use_once(&server, example, &tokens[0]);
        if example == "tonic_server" {
            let refused = grpc::check(&server, Some(&tokens[1]));
            assert_eq!(refused, Err(tonic::Code::Unauthenticated));
        } else {
            assert_eq!(server.ask_with(&tokens[1], "GET", "/invoices").status, 401);
        }
    }
}

#[test]
fn default_store_is_temporary() {
    for example in ALL {
        let place = Place::new();
        let entries = || -> Vec<String> {
            let entries = fs::read_dir(place.folder.path()).expect("a folder");
            let names = entries.map(|entry| entry.expect("an entry").file_name());
            names.filter_map(|name| name.into_string().ok()).filter(|n| n != "log").collect()
        };
        let server = Server::start(&mut place.command(example), &place);
        assert!(server.printed.contains("removed when the server ends"), "{example}");
        assert_eq!(entries().len(), 1);
        server.stop();
        assert_eq!(entries(), Vec::<String>::new());
    }
}
