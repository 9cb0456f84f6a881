//! Nested guards: clones of one verifier verify once, another verifier verifies again.

use actix_web::test::{call_service, init_service, read_body};
use actix_web::{App, HttpMessage, HttpRequest, web};
use keywright::http::{CredentialSources, Guard, OptionalGrant};
use keywright::{Access, Grant, Verifier};
use tower::Layer;

use crate::exchange::{Answered, Asked, Witness};
use crate::faces::tower::Handler;
use crate::faces::{Face, Taken, actix, axum, tower as plain};
use crate::run;
use crate::site::Site;
use common::World;
use common::faults::Fault;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Framework {
    Tower,
    Axum,
    Actix,
}

pub(crate) const FRAMEWORKS: [Framework; 3] = [Framework::Tower, Framework::Axum, Framework::Actix];

impl Framework {
    /// Puts one guard around another, and that one around a handler whose extractor uses the inner
    /// one.
    pub(crate) async fn ask(
        self,
        outer: &Guard,
        inner: &Guard,
        taken: Taken,
        asked: &Asked,
    ) -> Answered {
        let witness = Witness::default();
        match self {
            Self::Tower => {
                let service = outer.layer(inner.layer(Handler(witness.clone())));
                plain::ask(service, asked, &witness).await
            }
            Self::Axum => {
                let route = axum::route(taken, &witness).layer(inner.clone());
                let routes = ::axum::Router::new().route("/", route).layer(outer.clone());
                axum::ask(routes.with_state(inner.clone()), asked, &witness).await
            }
            Self::Actix => {
                let handler = actix::handler(taken, &witness);
                let resource = web::resource("/").wrap(inner.clone()).route(handler);
                let app = init_service(App::new().wrap(outer.clone()).service(resource)).await;
                let response = call_service(&app, actix::request(asked).to_request()).await;
                actix::answered(response, &witness).await
            }
        }
    }
}

pub(crate) fn scope(guard: &Guard, scope: &str) -> Guard {
    guard.require(scope.parse().expect("a scope"))
}

/// Returns a guard that reads only X-API-Key.
fn by_header(verifier: Verifier) -> Guard {
    Guard::new(verifier).credentials(CredentialSources::default().without_bearer().without_basic())
}

/// Returns a verifier over the unrelated store of another company.
fn other_store() -> Verifier {
    World::in_memory().verifier
}

fn good(site: &Site) -> Asked {
    Asked::get().bearer(site.token("good"))
}

#[test]
fn t_h15_two_guards_verify_and_count_once() {
    run(async |site| {
        for framework in FRAMEWORKS {
            let uses = site.uses("good").await;
            let before = site.faults.calls();
            let guard = site.guard();
            let answered = framework.ask(&guard, &guard, Taken::Grant, &good(site)).await;
            assert_eq!(answered.key(), Some(site.id("good")), "{framework:?}");
            assert_eq!(site.faults.calls(), before + 1, "{framework:?}");
            assert_eq!(site.uses("good").await, uses + 1, "{framework:?}");
        }
    });
}

#[test]
fn t_h15_two_guards_spend_rate_once() {
    for framework in FRAMEWORKS {
        run(async |site| {
            let asked = Asked::get().bearer(site.token("rested"));
            let guard = site.guard();
            let first = framework.ask(&guard, &guard, Taken::Grant, &asked).await;
            assert_eq!(first.key(), Some(site.id("rested")), "{framework:?}");
            let second = framework.ask(&guard, &guard, Taken::Grant, &asked).await;
            assert_eq!((second.status, second.cause), (429, Some("rate_limited")), "{framework:?}");
        });
    }
}

#[test]
fn t_h08_inner_scopes_are_checked_on_outer_grant() {
    run(async |site| {
        for framework in FRAMEWORKS {
            let (outer, inner) = (site.guard(), scope(&site.guard(), "invoices:write"));
            for (name, status) in [("good", 200), ("plain", 403)] {
                let before = site.faults.calls();
                let asked = Asked::get().bearer(site.token(name));
                let answered = framework.ask(&outer, &inner, Taken::Grant, &asked).await;
                assert_eq!(answered.status, status, "{framework:?} {name}");
                assert_eq!(answered.seen.is_some(), status == 200, "{framework:?} {name}");
                assert_eq!(site.faults.calls(), before + 1, "{framework:?} {name}");
            }
            let asked = Asked::get().bearer(site.token("plain"));
            let answered = framework.ask(&outer, &inner, Taken::Grant, &asked).await;
            let challenge = r#"Bearer error="insufficient_scope", scope="invoices:write""#;
            assert_eq!(answered.header("www-authenticate"), Some(challenge), "{framework:?}");
        }
    });
}

#[test]
fn inner_guard_checks_each_scope() {
    run(async |site| {
        for framework in FRAMEWORKS {
            // The key has invoices:read and invoices:write.
            for (scopes, status) in [
                (["invoices:read", "invoices:write"], 200),
                (["reports:read", "invoices:read"], 403),
                (["invoices:read", "reports:read"], 403),
            ] {
                let inner = scopes.iter().fold(site.guard(), |guard, name| scope(&guard, name));
                let answered =
                    framework.ask(&site.guard(), &inner, Taken::Grant, &good(site)).await;
                assert_eq!(answered.status, status, "{framework:?} {scopes:?}");
                assert_eq!(answered.seen.is_some(), status == 200, "{framework:?} {scopes:?}");
                let first = framework.ask(&inner, &site.guard(), Taken::Grant, &good(site)).await;
                assert_eq!(first.status, status, "{framework:?} {scopes:?}, as the outer one");
            }
        }
    });
}

#[test]
fn t_h08_outer_scopes_are_not_waived() {
    run(async |site| {
        for framework in FRAMEWORKS {
            let (outer, inner) =
                (scope(&site.guard(), "reports:read"), scope(&site.guard(), "invoices:read"));
            let answered = framework.ask(&outer, &inner, Taken::Grant, &good(site)).await;
            assert_eq!((answered.status, answered.seen), (403, None), "{framework:?}");
        }
    });
}

#[test]
fn t_h08_inner_guard_can_require_write_access() {
    run(async |site| {
        let asked = Asked::get().bearer(site.token("reader")).method("POST");
        let lenient = || site.guard().access(Access::ReadOnly);
        for framework in FRAMEWORKS {
            let refused = framework.ask(&lenient(), &site.guard(), Taken::Grant, &asked).await;
            assert_eq!((refused.status, refused.cause), (403, Some("read_only")), "{framework:?}");
            let passed = framework.ask(&lenient(), &lenient(), Taken::Grant, &asked).await;
            assert_eq!(passed.key(), Some(site.id("reader")), "{framework:?}");
            let refused = framework.ask(&site.guard(), &lenient(), Taken::Grant, &asked).await;
            assert_eq!((refused.status, refused.cause), (403, Some("read_only")), "{framework:?}");
        }
    });
}

#[test]
fn t_h15_guard_of_another_verifier_verifies_again() {
    run(async |site| {
        for framework in FRAMEWORKS {
            let before = site.faults.calls();
            let inner = Guard::new(site.other_verifier());
            let answered = framework.ask(&site.guard(), &inner, Taken::Grant, &good(site)).await;
            assert_eq!(answered.key(), Some(site.id("good")), "{framework:?}");
            assert_eq!(site.faults.calls(), before + 2, "{framework:?}");
        }
    });
}

#[test]
fn t_h15_key_of_another_store_is_refused() {
    run(async |site| {
        for framework in FRAMEWORKS {
            let inner = Guard::new(other_store());
            let answered = framework.ask(&site.guard(), &inner, Taken::Grant, &good(site)).await;
            assert_eq!((answered.status, answered.cause), (401, Some("unrecognized")));
            assert_eq!(answered.seen, None, "{framework:?}");
        }
    });
}

#[test]
fn t_h15_grant_of_another_verifier_reaches_no_handler() {
    run(async |site| {
        for framework in FRAMEWORKS {
            for verifier in [site.other_verifier(), other_store()] {
                let inner = by_header(verifier).optional();
                let answered =
                    framework.ask(&site.guard(), &inner, Taken::Optional, &good(site)).await;
                assert_eq!(answered.status, 200, "{framework:?}");
                assert_eq!(answered.key(), None, "{framework:?}");
            }
        }
    });
}

#[test]
fn foreign_grant_is_removed_from_extensions() {
    run(async |site| {
        for verifier in [site.other_verifier(), other_store()] {
            let inner = by_header(verifier).optional();
            // A handler, or a middleware between, that reads the extensions directly.
            let looks = |request: HttpRequest| async move {
                let extensions = request.extensions();
                extensions.get::<Grant>().map_or("none".to_owned(), |of| of.key_id().to_string())
            };
            let resource = web::resource("/").wrap(inner.clone()).route(web::get().to(looks));
            let app = init_service(App::new().wrap(site.guard()).service(resource)).await;
            let response = call_service(&app, actix::request(&good(site)).to_request()).await;
            assert_eq!(response.status().as_u16(), 200);
            assert_eq!(read_body(response).await, "none");

            let looks = |request: ::axum::extract::Request| async move {
                let extensions = request.extensions();
                extensions.get::<Grant>().map_or("none".to_owned(), |of| of.key_id().to_string())
            };
            let route = ::axum::routing::get(looks).layer(inner);
            let routes = ::axum::Router::new().route("/", route).layer(site.guard());
            let answered = axum::ask(routes, &good(site), &Witness::default()).await;
            assert_eq!((answered.status, answered.body.as_slice()), (200, &b"none"[..]));
        }
    });
}

#[test]
fn t_h15_grant_of_another_verifier_is_ignored() {
    run(async |site| {
        for framework in FRAMEWORKS {
            let inner = by_header(site.other_verifier());
            let answered = framework.ask(&site.guard(), &inner, Taken::Grant, &good(site)).await;
            assert_eq!((answered.status, answered.cause), (401, Some("none")), "{framework:?}");
            assert_eq!(answered.header("www-authenticate"), Some("ApiKey"), "{framework:?}");
        }
    });
}

#[test]
fn t_h07_inner_guard_requires_an_optional_key() {
    run(async |site| {
        for framework in FRAMEWORKS {
            let outer = site.guard().optional();
            let without = framework.ask(&outer, &site.guard(), Taken::Grant, &Asked::get()).await;
            assert_eq!((without.status, without.cause), (401, Some("none")), "{framework:?}");
            let with = framework.ask(&outer, &site.guard(), Taken::Grant, &good(site)).await;
            assert_eq!(with.key(), Some(site.id("good")), "{framework:?}");
        }
    });
}

#[test]
fn t_h13_removed_credential_still_grants_inside() {
    run(async |site| {
        for framework in FRAMEWORKS {
            let outer = site.guard().strip_credential();
            let inner = scope(&site.guard(), "invoices:read");
            let answered = framework.ask(&outer, &inner, Taken::Grant, &good(site)).await;
            assert_eq!(answered.key(), Some(site.id("good")), "{framework:?}");
            let seen = answered.seen.expect("the handler ran");
            assert!(seen.values("authorization").is_empty(), "{framework:?}");
        }
    });
}

#[test]
fn t_h01_ambiguous_credentials_stop_at_outer_guard() {
    run(async |site| {
        let asked = good(site).header("x-api-key", site.token("good"));
        for framework in FRAMEWORKS {
            let before = site.faults.calls();
            let guard = site.guard();
            let answered = framework.ask(&guard, &guard, Taken::Grant, &asked).await;
            assert_eq!((answered.status, answered.seen), (400, None), "{framework:?}");
            assert_eq!(site.faults.calls(), before, "{framework:?}");
        }
    });
}

#[test]
fn t_h09_outage_behind_outer_guard_is_503() {
    run(async |site| {
        let (other, faults) = World::faulty(|builder| builder);
        let inner = Guard::new(other.verifier);
        faults.set(Fault::Down);
        for framework in FRAMEWORKS {
            let answered = framework.ask(&site.guard(), &inner, Taken::Grant, &good(site)).await;
            assert_eq!((answered.status, answered.seen), (503, None), "{framework:?}");
        }
    });
}

/// Returns the status with a guard around the handler that requires read access.
async fn with_state(site: &Site, state: Guard, asked: &Asked) -> u16 {
    within(site.guard().access(Access::ReadOnly), state, asked).await
}

/// Returns the status with one guard around the handler and another in the router's state or the
/// app's data.
async fn within(outer: Guard, state: Guard, asked: &Asked) -> u16 {
    let witness = Witness::default();
    let routes =
        axum::routes(Taken::Grant, &witness).layer(outer.clone()).with_state(state.clone());
    let of_axum = axum::ask(routes, asked, &witness).await;
    assert_eq!(of_axum.seen.is_some(), of_axum.status == 200);

    let resource = web::resource("/").route(actix::handler(Taken::Grant, &witness));
    let app = init_service(App::new().app_data(state).wrap(outer).service(resource)).await;
    let response = call_service(&app, actix::request(asked).to_request()).await;
    let of_actix = actix::answered(response, &witness).await;
    assert_eq!(of_actix.seen.is_some(), of_actix.status == 200);
    assert_eq!(of_actix.status, of_axum.status);
    of_axum.status
}

#[test]
fn t_h08_guard_leaving_access_asks_for_none() {
    run(async |site| {
        let around = site.guard().leave_access_to_handler();
        let post = Asked::get().bearer(site.token("reader")).method("POST");
        for framework in FRAMEWORKS {
            let search = site.guard().access(Access::ReadOnly);
            let passed = framework.ask(&around, &search, Taken::Grant, &post).await;
            assert_eq!(passed.key(), Some(site.id("reader")), "{framework:?}");
            for strict in [site.guard(), site.guard().access(Access::ReadWrite)] {
                let refused = framework.ask(&around, &strict, Taken::Grant, &post).await;
                assert_eq!(refused.cause, Some("read_only"), "{framework:?}");
            }
        }
    });
}

#[test]
fn t_h08_handler_checks_access_left_by_guard() {
    run(async |site| {
        let around = site.guard().leave_access_to_handler();
        for (name, status) in [("reader", 403), ("writer", 200)] {
            let post = Asked::get().bearer(site.token(name)).method("POST");
            // The handler checks the access with the same guard in its state too, and without a
            // guard around it.
            for state in [site.guard(), around.clone()] {
                assert_eq!(within(around.clone(), state, &post).await, status, "{name}");
            }
            for face in [Face::AxumExtractor, Face::ActixExtractor] {
                let answered = face.ask(&around, Taken::Grant, &post).await;
                assert_eq!(answered.status, status, "{face:?} {name}");
            }
        }
    });
}

#[test]
fn t_h15_two_extractors_count_once() {
    run(async |site| {
        let guard = site.guard();
        let asked = Asked::get().bearer(site.token("rested"));
        let witness = Witness::default();
        let twice = |_: Grant, _: Option<Grant>, _: Grant| async { "done" };
        let routes = ::axum::Router::new().route("/", ::axum::routing::get(twice));
        let answered = axum::ask(routes.with_state(guard.clone()), &asked, &witness).await;
        assert_eq!((answered.status, site.uses("rested").await), (200, 1));
    });
    run(async |site| {
        let asked = Asked::get().bearer(site.token("rested"));
        let twice = |_: Grant, _: OptionalGrant, _: Grant| async { "done" };
        let app = App::new().app_data(site.guard()).route("/", web::get().to(twice));
        let app = init_service(app).await;
        let response = call_service(&app, actix::request(&asked).to_request()).await;
        assert_eq!((response.status().as_u16(), site.uses("rested").await), (200, 1));
    });
}

#[test]
fn t_h15_two_verifiers_of_one_setup_count_once() {
    run(async |site| {
        for framework in FRAMEWORKS {
            let before = site.faults.calls();
            let again = site.world.keywright.verifier();
            let inner = Guard::new(again);
            let answered = framework.ask(&site.guard(), &inner, Taken::Grant, &good(site)).await;
            assert_eq!(answered.key(), Some(site.id("good")), "{framework:?}");
            assert_eq!(site.faults.calls(), before + 1, "{framework:?}");
        }
    });
}

#[test]
fn t_h08_state_guards_scopes_are_checked() {
    run(async |site| {
        for (name, status) in [("good", 200), ("plain", 403)] {
            let asked = Asked::get().bearer(site.token(name));
            let state = scope(&site.guard(), "invoices:write");
            assert_eq!(with_state(site, state, &asked).await, status, "{name}");
        }
    });
}

#[test]
fn t_h15_router_of_another_store_refuses_grant() {
    run(async |site| {
        assert_eq!(with_state(site, Guard::new(other_store()), &good(site)).await, 401);
    });
}

#[test]
fn t_h08_state_guards_write_access_is_checked() {
    run(async |site| {
        for (name, status) in [("writer", 200), ("reader", 403)] {
            let asked = Asked::get().bearer(site.token(name));
            let state = site.guard().access(Access::ReadWrite);
            assert_eq!(with_state(site, state, &asked).await, status, "{name}");
        }
    });
}
