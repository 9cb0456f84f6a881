//! The source of the peer's address in each framework.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::extract::connect_info::MockConnectInfo;
use http::Extensions;
use keywright::http::PeerAddr;
use tower::ServiceExt;

use crate::exchange::Witness;
use crate::faces::{self, Taken};
use crate::site::Site;
use common::block_on;

const INSIDE: [u8; 4] = [203, 0, 113, 7];
const OUTSIDE: [u8; 4] = [198, 51, 100, 9];

fn connected(address: [u8; 4]) -> ConnectInfo<SocketAddr> {
    ConnectInfo(SocketAddr::from((address, 40_000)))
}

fn mocked(address: [u8; 4]) -> MockConnectInfo<SocketAddr> {
    MockConnectInfo(SocketAddr::from((address, 40_000)))
}

fn set_by_host(address: [u8; 4]) -> PeerAddr {
    PeerAddr(IpAddr::from(address))
}

/// Returns the statuses of a request with a key that is bound to networks, and with these
/// extensions: for a plain service, a router behind a layer, and one with an extractor.
fn asked_with(add: impl Fn(&mut Extensions)) -> [u16; 3] {
    block_on(async {
        let site = Site::new().await;
        let guard = site.guard();
        let witness = Witness::default();
        let token = site.token("bound");
        let parts = || {
            let request = http::Request::builder().uri("/").header("x-api-key", token);
            let (mut parts, ()) = request.body(()).expect("a request").into_parts();
            add(&mut parts.extensions);
            parts
        };
        let service = faces::tower::guarded(&guard, &witness);
        let request = http::Request::from_parts(parts(), String::new());
        let Ok(plain) = service.oneshot(request).await;
        let routes = || faces::axum::routes(Taken::Grant, &witness);
        let body = axum::body::Body::empty;
        let request = http::Request::from_parts(parts(), body());
        let layered = routes().layer(guard.clone()).with_state(guard.clone());
        let Ok(layered) = layered.oneshot(request).await;
        let request = http::Request::from_parts(parts(), body());
        let Ok(extracted) = routes().with_state(guard.clone()).oneshot(request).await;
        [plain.status().as_u16(), layered.status().as_u16(), extracted.status().as_u16()]
    })
}

#[test]
fn t_h11_source_is_unknown_without_peer() {
    assert_eq!(asked_with(|_| ()), [401; 3]);
}

#[test]
fn t_h11_peer_is_taken_from_extension() {
    for (address, status) in [(INSIDE, 200), (OUTSIDE, 401)] {
        assert_eq!(asked_with(|all| _ = all.insert(set_by_host(address))), [status; 3]);
    }
}

#[test]
fn t_h11_peer_is_taken_from_axums_connection() {
    for (address, status) in [(INSIDE, 200), (OUTSIDE, 401)] {
        assert_eq!(asked_with(|all| _ = all.insert(connected(address))), [status; 3]);
    }
}

#[test]
fn t_h11_mock_connection_sets_the_peer() {
    for (address, status) in [(INSIDE, 200), (OUTSIDE, 401)] {
        assert_eq!(asked_with(|all| _ = all.insert(mocked(address))), [status; 3]);
    }
}

#[test]
fn t_h11_peer_address_precedes_connection() {
    for (first, second, status) in [(INSIDE, OUTSIDE, 200), (OUTSIDE, INSIDE, 401)] {
        let statuses = asked_with(|all| {
            all.insert(set_by_host(first));
            all.insert(connected(second));
        });
        assert_eq!(statuses, [status; 3]);
        let statuses = asked_with(|all| {
            all.insert(connected(first));
            all.insert(mocked(second));
        });
        assert_eq!(statuses, [status; 3]);
    }
}

#[test]
fn t_h11_peer_address_precedes_connection_in_actix() {
    let system = actix_web::rt::System::new();
    system.block_on(async {
        let site = Site::new().await;
        for (first, second, status) in [(INSIDE, OUTSIDE, 200), (OUTSIDE, INSIDE, 401)] {
            let handler = actix_web::web::to(actix_web::HttpResponse::Ok);
            let app = actix_web::App::new().wrap(site.guard()).default_service(handler);
            let app = actix_web::test::init_service(app).await;
            let request = actix_web::test::TestRequest::get();
            let request = request.peer_addr(SocketAddr::from((second, 40_000)));
            let request = request.insert_header(("x-api-key", site.token("bound"))).to_request();
            actix_web::HttpMessage::extensions_mut(&request).insert(set_by_host(first));
            let response = actix_web::test::call_service(&app, request).await;
            assert_eq!(response.status().as_u16(), status);
        }
    });
}

#[test]
fn t_h11_non_peer_address_is_ignored() {
    let statuses = asked_with(|all| {
        all.insert(IpAddr::from(INSIDE));
        all.insert(SocketAddr::from((INSIDE, 40_000)));
        all.insert(ConnectInfo(IpAddr::from(INSIDE)));
    });
    assert_eq!(statuses, [401; 3]);
}
