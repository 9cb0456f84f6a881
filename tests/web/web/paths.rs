//! H10: a guarded route stays guarded for every spelling of its path and every method.

use actix_web::test::{call_service, init_service};
use actix_web::{App, web};
use axum::Router;
use axum::routing::get;
use keywright::http::Guard;
use tower::ServiceExt;

use crate::exchange::{Answered, Asked, Witness};
use crate::faces::{AROUND, Taken, actix, axum as routers};
use crate::run;
use crate::table::Expected::Runs;
use crate::table::{NONE, Row, hold, row};

/// Spellings of `/v1/invoices`, and similar paths.
const WRITTEN: [&str; 19] = [
    "/v1/invoices",
    "/v1/invoices/",
    "//v1/invoices",
    "/v1//invoices",
    "/./v1/invoices",
    "/v1/./invoices",
    "/v1/../v1/invoices",
    "/open/../v1/invoices",
    "/%2e/v1/invoices",
    "/open/%2e%2e/v1/invoices",
    "/v1%2Finvoices",
    "/v1%2finvoices",
    "/%76%31/invoices",
    "/v1/invoice%73",
    "/V1/INVOICES",
    "/v1/invoices;a=b",
    "/v1/invoices?a=b",
    "/v1/invoices%00",
    "/v1/unknown",
];

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PURGE"];

/// Two handlers in one service: `/open`, and `/v1/invoices` behind a guard.
struct Service {
    open: Witness,
    guarded: Witness,
}

/// The position of the guard.
#[derive(Clone, Copy, Debug)]
enum Place {
    AxumAroundAll,
    AxumAroundTheNested,
    AxumRoutesOfTheNested,
    AxumAroundTheRoute,
    AxumBehindAFallback,
    ActixAroundAll,
    ActixAroundTheScope,
    ActixAroundTheResource,
    ActixInTheData,
}

const PLACES: [Place; 9] = [
    Place::AxumAroundAll,
    Place::AxumAroundTheNested,
    Place::AxumRoutesOfTheNested,
    Place::AxumAroundTheRoute,
    Place::AxumBehindAFallback,
    Place::ActixAroundAll,
    Place::ActixAroundTheScope,
    Place::ActixAroundTheResource,
    Place::ActixInTheData,
];

impl Service {
    fn new() -> Self {
        Self { open: Witness::default(), guarded: Witness::default() }
    }

    /// Sends the request, and returns whether the guarded handler ran.
    async fn ask(&self, place: Place, guard: &Guard, asked: &Asked) -> (Answered, bool) {
        let open_route = || {
            ::axum::routing::any({
                let open = self.open.clone();
                move || {
                    open.note(crate::exchange::Seen::new(None, String::new()));
                    std::future::ready("open")
                }
            })
        };
        let route = || routers::route(Taken::Grant, &self.guarded);
        let open = || Router::new().route("/open", open_route());
        let nested = |v1| open().nest("/v1", v1);
        let routes = match place {
            Place::AxumAroundAll => {
                nested(Router::new().route("/invoices", route())).layer(guard.clone())
            }
            Place::AxumAroundTheNested => {
                nested(Router::new().route("/invoices", route()).layer(guard.clone()))
            }
            Place::AxumRoutesOfTheNested => {
                nested(Router::new().route("/invoices", route()).route_layer(guard.clone()))
            }
            Place::AxumAroundTheRoute => open().route("/v1/invoices", route().layer(guard.clone())),
            Place::AxumBehindAFallback => {
                let inner = Router::new().route("/v1/invoices", route()).layer(guard.clone());
                open().fallback_service(inner.with_state(guard.clone()))
            }
            _ => return self.ask_actix(place, guard, asked).await,
        };
        let answered = routers::ask(routes.with_state(guard.clone()), asked, &self.open).await;
        (answered, self.guarded.take().is_some())
    }

    async fn ask_actix(&self, place: Place, guard: &Guard, asked: &Asked) -> (Answered, bool) {
        let open = web::resource("/open").to({
            let open = self.open.clone();
            move || {
                open.note(crate::exchange::Seen::new(None, String::new()));
                std::future::ready("open")
            }
        });
        let handler = actix::handler(Taken::Grant, &self.guarded);
        let invoices = || web::resource("/invoices");
        let v1 = || web::scope("/v1");
        let request = actix::request(asked).to_request();
        let app = App::new().service(open);
        let answered = match place {
            Place::ActixAroundAll => {
                let v1 = v1().service(invoices().route(handler));
                let app = init_service(app.service(v1).wrap(guard.clone())).await;
                actix::answered(call_service(&app, request).await, &self.open).await
            }
            Place::ActixAroundTheScope => {
                let v1 = v1().service(invoices().route(handler)).wrap(guard.clone());
                let app = init_service(app.service(v1)).await;
                actix::answered(call_service(&app, request).await, &self.open).await
            }
            Place::ActixAroundTheResource => {
                let v1 = v1().service(invoices().route(handler).wrap(guard.clone()));
                let app = init_service(app.service(v1)).await;
                actix::answered(call_service(&app, request).await, &self.open).await
            }
            _ => {
                let v1 = v1().service(invoices().route(handler)).app_data(guard.clone());
                let app = init_service(app.service(v1)).await;
                actix::answered(call_service(&app, request).await, &self.open).await
            }
        };
        (answered, self.guarded.take().is_some())
    }
}

pub(crate) const ROWS: &[Row] = &[
    row!("h10 two slashes"; => NONE; uri: "//invoices"),
    row!("h10 a dot"; => NONE; uri: "/./invoices"),
    row!("h10 two dots"; => NONE; uri: "/open/../invoices"),
    row!("h10 an encoded slash"; => NONE; uri: "/open%2Finvoices"),
    row!("h10 an encoded dot"; => NONE; uri: "/%2e/invoices"),
    row!("h10 a trailing slash"; => NONE; uri: "/invoices/"),
    row!("h10 a semicolon"; => NONE; uri: "/invoices;open"),
    row!("h10 the root"; => NONE; uri: "/"),
    row!("h10 two slashes, with a key"; "x-api-key": "{good}" => Runs("good"); uri: "//invoices"),
    row!("h10 an encoded slash, with a key";
        "x-api-key": "{good}" => Runs("good"); uri: "/open%2Finvoices"),
    row!("h10 a preflight of CORS";
        "origin": "https://example.com", "access-control-request-method": "POST",
        "access-control-request-headers": "authorization" => NONE; method: "OPTIONS"),
    row!("h10 a preflight of CORS, of another kind";
        "origin": "null", "access-control-request-method": "GET" => NONE;
        method: "OPTIONS"),
    row!("h10 no path at all"; => NONE; method: "OPTIONS"; uri: "*"; faces: AROUND),
    row!("h10 CONNECT"; => NONE; method: "CONNECT"; uri: "localhost:443"; faces: AROUND),
    row!("h10 HEAD with a key"; "x-api-key": "{good}" => Runs("good"); method: "HEAD"),
    row!("h10 OPTIONS with a key"; "x-api-key": "{good}" => Runs("good"); method: "OPTIONS"),
    row!("h10 a request to upgrade"; "connection": "upgrade", "upgrade": "websocket" => NONE),
    row!("h10 another path in a header";
        "x-original-url": "/open", "x-rewrite-url": "/open" => NONE),
];

#[test]
fn t_h10_outer_guard_covers_every_path_spelling() {
    hold(ROWS);
}

#[test]
fn t_h10_no_path_spelling_skips_the_guard() {
    run(async |site| {
        let service = Service::new();
        for place in PLACES {
            for path in WRITTEN {
                for method in METHODS {
                    let asked = Asked::get().uri(path).method(method);
                    let (answered, ran) = service.ask(place, &site.guard(), &asked).await;
                    assert!(!ran, "{place:?} {method} {path}: {}", answered.status);
                    let dead = asked.bearer(site.token("revoked"));
                    let (answered, ran) = service.ask(place, &site.guard(), &dead).await;
                    assert!(!ran, "{place:?} {method} {path}: {}", answered.status);
                }
            }
        }
    });
}

#[test]
fn t_h10_guarded_handler_runs_with_a_key() {
    run(async |site| {
        let service = Service::new();
        for place in PLACES {
            for method in METHODS {
                let asked = Asked::get().uri("/v1/invoices").method(method);
                let asked = asked.bearer(site.token("good"));
                let (answered, ran) = service.ask(place, &site.guard(), &asked).await;
                assert_eq!((answered.status, ran), (200, true), "{place:?} {method}");
            }
        }
    });
}

#[test]
fn t_h10_outer_guard_covers_unknown_paths() {
    run(async |site| {
        let service = Service::new();
        for place in [Place::AxumAroundAll, Place::ActixAroundAll] {
            for path in ["/unknown", "/open", "/v1", "/v1/unknown", "/v1/invoices/7"] {
                let asked = Asked::get().uri(path);
                let (refused, ran) = service.ask(place, &site.guard(), &asked).await;
                assert_eq!((refused.status, ran), (401, false), "{place:?} {path}");
                let asked = asked.bearer(site.token("good"));
                let (answered, _) = service.ask(place, &site.guard(), &asked).await;
                let status = if path == "/open" { 200 } else { 404 };
                assert_eq!(answered.status, status, "{place:?} {path}");
            }
        }
    });
}

#[test]
fn t_h10_nested_router_needs_its_own_fallback() {
    run(async |site| {
        let status = async |inner: Router, path: &str| {
            let all =
                Router::new().nest("/v1", inner.layer(site.guard())).fallback(|| async { "outer" });
            let request = http::Request::builder().uri(path).body(axum::body::Body::empty());
            let Ok(response) = all.oneshot(request.expect("a request")).await;
            response.status().as_u16()
        };
        let bare = || Router::new().route("/invoices", get(|| async { "inner" }));
        let kept = || bare().fallback(|| async { http::StatusCode::NOT_FOUND });
        assert_eq!(status(bare(), "/v1/invoices").await, 401);
        assert_eq!(status(bare(), "/v1/unknown").await, 200, "the outer router's");
        for path in ["/v1/invoices", "/v1/unknown", "/v1/invoices/7", "/v1"] {
            assert_eq!(status(kept(), path).await, 401, "{path}");
        }
    });
}

#[test]
fn t_h10_inner_guard_leaves_outside_open() {
    run(async |site| {
        let service = Service::new();
        for place in PLACES {
            let around_all = matches!(place, Place::AxumAroundAll | Place::ActixAroundAll);
            let (answered, ran) =
                service.ask(place, &site.guard(), &Asked::get().uri("/open")).await;
            assert_eq!(answered.status, if around_all { 401 } else { 200 }, "{place:?}");
            assert!(!ran, "{place:?}");
            assert_eq!(answered.seen.is_some(), !around_all, "{place:?}: the open handler");
        }
    });
}
