//! Only a verification creates a grant, and a refusal carries its reason for logs.

use actix_web::dev::Service as _;
use actix_web::test::{call_service, init_service};
use actix_web::{App, HttpMessage};
use axum::middleware::{self, Next};
use keywright::Grant;
use keywright::http::{Guard, Rejection, RejectionCause};
use tower::ServiceExt;

use crate::exchange::{Asked, Witness};
use crate::faces::{self, Taken};
use crate::run;
use crate::site::Site;
use common::World;

/// Returns a real grant, from another verifier over another store.
async fn stray() -> Grant {
    let other = World::in_memory();
    let issued = other.key().await;
    other.verifier.verify(issued.token.expose()).await.expect("the key works on its own store")
}

/// Returns the statuses and keys of a handler, with a grant put into the extensions outside of the
/// guard.
async fn asked_with(grant: &Grant, guard: &Guard, taken: Taken) -> Vec<(u16, Option<bool>)> {
    let witness = Witness::default();
    let mut answers = Vec::new();
    let mut note = |status: u16| {
        answers.push((status, witness.take().map(|seen| seen.key.is_some())));
    };

    let mut request = http::Request::new(String::new());
    request.extensions_mut().insert(grant.clone());
    let Ok(response) = faces::tower::guarded(guard, &witness).oneshot(request).await;
    note(response.status().as_u16());

    let layered = faces::axum::routes(taken, &witness).layer(guard.clone());
    for routes in [layered, faces::axum::routes(taken, &witness)] {
        let grant = grant.clone();
        let outside =
            middleware::from_fn(move |mut request: axum::extract::Request, next: Next| {
                request.extensions_mut().insert(grant.clone());
                next.run(request)
            });
        let routes = routes.layer(outside).with_state(guard.clone());
        let request = http::Request::new(axum::body::Body::empty());
        let Ok(response) = routes.oneshot(request).await;
        note(response.status().as_u16());
    }

    let handler = faces::actix::handler(taken, &witness);
    let stray = grant.clone();
    let app = App::new().wrap(guard.clone()).wrap_fn(move |request, inner| {
        request.extensions_mut().insert(stray.clone());
        inner.call(request)
    });
    let app = init_service(app.default_service(handler)).await;
    let request = faces::actix::request(&Asked::get()).to_request();
    note(call_service(&app, request).await.status().as_u16());

    let handler = faces::actix::handler(taken, &witness);
    let stray = grant.clone();
    let app = App::new().app_data(guard.clone()).wrap_fn(move |request, inner| {
        request.extensions_mut().insert(stray.clone());
        inner.call(request)
    });
    let app = init_service(app.default_service(handler)).await;
    let request = faces::actix::request(&Asked::get()).to_request();
    note(call_service(&app, request).await.status().as_u16());
    answers
}

#[test]
fn t_h15_grant_in_extensions_passes_no_guard() {
    run(async |site| {
        let answers = asked_with(&stray().await, &site.guard(), Taken::Grant).await;
        assert_eq!(answers, [(401, None); 5]);
    });
}

#[test]
fn t_h15_forged_grant_reaches_no_optional_handler() {
    run(async |site| {
        let guard = site.guard().optional();
        let answers = asked_with(&stray().await, &guard, Taken::Optional).await;
        assert_eq!(answers, [(200, Some(false)); 5]);
    });
}

#[test]
fn t_h15_no_header_makes_a_grant() {
    run(async |site| {
        let id = site.text("good.id").expect("an id");
        let mut asked = Asked::get();
        for name in ["grant", "x-grant", "x-key-id", "x-verified", "x-user", "x-api-key-id"] {
            asked = asked.header(name, id);
        }
        for face in faces::ALL {
            let answered = face.ask(&site.guard(), Taken::Grant, &asked).await;
            assert_eq!((answered.status, answered.seen), (401, None), "{face:?}");
            let guard = site.guard().optional();
            let answered = face.ask(&guard, Taken::Optional, &asked).await;
            assert_eq!(answered.key(), None, "{face:?}");
        }
    });
}

/// Returns the reason that a log outside of the guard finds in a response's extensions.
fn logged(rejection: Option<&Rejection>) -> (u16, &'static str, Option<String>, String) {
    let rejection = rejection.expect("the response holds its rejection");
    let RejectionCause::Denied(denial) = rejection.cause() else {
        panic!("a denial, not {:?}", rejection.cause())
    };
    let key = denial.key_id().map(|id| id.to_string());
    (rejection.status(), rejection.code(), key, denial.reason().code().into())
}

#[test]
fn t_h15_response_carries_key_and_reason_for_logs() {
    run(async |site| {
        let guard = site.guard();
        let witness = Witness::default();
        let asked = Asked::get().header("x-api-key", site.token("revoked"));
        let id = Some(site.id("revoked").to_string());
        let expected = (401, "invalid_token", id, "revoked".to_owned());

        let request = || http::Request::builder().header("x-api-key", site.token("revoked"));
        let service = faces::tower::guarded(&guard, &witness);
        let sent = request().body(String::new()).expect("a request");
        let Ok(response) = service.oneshot(sent).await;
        assert_eq!(logged(response.extensions().get()), expected);

        let routes = faces::axum::routes(Taken::Grant, &witness);
        for routes in [routes.clone().layer(guard.clone()), routes] {
            let sent = request().body(axum::body::Body::empty()).expect("a request");
            let Ok(response) = routes.with_state(guard.clone()).oneshot(sent).await;
            assert_eq!(logged(response.extensions().get()), expected);
        }

        let handler = || faces::actix::handler(Taken::Grant, &witness);
        let app = init_service(App::new().wrap(guard.clone()).default_service(handler())).await;
        let response = call_service(&app, faces::actix::request(&asked).to_request()).await;
        assert_eq!(logged(response.response().extensions().get()), expected);
        let app = App::new().app_data(guard.clone()).default_service(handler());
        let app = init_service(app).await;
        let response = call_service(&app, faces::actix::request(&asked).to_request()).await;
        assert_eq!(logged(response.response().extensions().get()), expected);
        assert!(witness.take().is_none(), "the handler ran");
    });
}

#[test]
fn t_h15_handler_response_holds_no_rejection() {
    run(async |site: &Site| {
        let asked = Asked::get().bearer(site.token("good"));
        for face in faces::ALL {
            let answered = face.ask(&site.guard(), Taken::Grant, &asked).await;
            assert_eq!((answered.status, answered.cause), (200, None), "{face:?}");
        }
    });
}

#[test]
fn t_h15_unguarded_actix_handler_does_not_run() {
    run(async |site| {
        let asked = Asked::get().bearer(site.token("good"));
        for taken in [Taken::Grant, Taken::Optional] {
            let witness = Witness::default();
            let app = App::new().default_service(faces::actix::handler(taken, &witness));
            let app = init_service(app).await;
            let response = call_service(&app, faces::actix::request(&asked).to_request()).await;
            assert_eq!(response.status().as_u16(), 500);
            assert!(witness.take().is_none(), "the handler ran");
        }
    });
}

#[test]
fn t_h15_guard_as_actix_data_guards_nothing() {
    run(async |site| {
        let asked = Asked::get().bearer(site.token("good"));
        let witness = Witness::default();
        let app = App::new().app_data(actix_web::web::Data::new(site.guard()));
        let app = app.default_service(faces::actix::handler(Taken::Grant, &witness));
        let app = init_service(app).await;
        let response = call_service(&app, faces::actix::request(&asked).to_request()).await;
        let answered = faces::actix::answered(response, &witness).await;
        assert_eq!((answered.status, answered.seen), (500, None));
    });
}
