//! The tenant and the age of a grant, with a guard inside another one.

use std::time::Duration;

use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpMessage};
use keywright::http::{CredentialSources, Guard, RequestTenant};
use keywright::store::{CacheOptions, CachedStore, MemoryStore};
use keywright::{Issued, TenantId};
use tower::ServiceExt;

use crate::exchange::{Asked, Witness};
use crate::faces::{self, Taken};
use crate::nested::FRAMEWORKS;
use crate::run;
use common::{World, admin};

fn of_host(guard: &Guard) -> Guard {
    guard.tenant_from(|request| request.host())
}

#[test]
fn inner_guard_checks_tenant_of_outer_grant() {
    run(async |site| {
        let (outer, inner) = (site.guard(), of_host(&site.guard()));
        let hosts = [("globex", None), ("initech", Some("unrecognized")), ("", Some("no_tenant"))];
        for framework in FRAMEWORKS {
            for (host, cause) in hosts {
                let asked = Asked::get().bearer(site.token("good")).header("host", host);
                let answered = framework.ask(&outer, &inner, Taken::Grant, &asked).await;
                assert_eq!(answered.cause, cause, "{framework:?} {host}");
                let status = if cause.is_some() { 401 } else { 200 };
                assert_eq!(answered.status, status, "{framework:?} {host}");
                assert_eq!(answered.seen.is_some(), status == 200, "{framework:?} {host}");
            }
        }
    });
}

#[test]
fn tenant_comes_from_extension_of_host() {
    run(async |site| {
        let guard = site.guard().tenant_from(|request| request.tenant());
        for (tenant, status) in [("globex", 200), ("initech", 401)] {
            let named = RequestTenant(TenantId::new(tenant).expect("a tenant"));
            let witness = Witness::default();
            let request = http::Request::get("/").header("x-api-key", site.token("good"));
            let request = request.extension(named.clone()).body(String::new()).expect("a request");
            let Ok(answer) = faces::tower::guarded(&guard, &witness).oneshot(request).await;
            assert_eq!(answer.status().as_u16(), status, "{tenant}");

            let handler = faces::actix::handler(Taken::Grant, &witness);
            let app = App::new().app_data(guard.clone()).default_service(handler);
            let app = init_service(app).await;
            let request = TestRequest::get().insert_header(("x-api-key", site.token("good")));
            let request = request.to_request();
            request.extensions_mut().insert(named);
            let answer = call_service(&app, request).await;
            assert_eq!(answer.status().as_u16(), status, "{tenant}");
        }
    });
}

/// A node with a cache that has accepted a key, and another node on the same store.
async fn nodes() -> (World, World, Issued) {
    let elsewhere = World::on(MemoryStore::new());
    let issued = elsewhere.key().await;
    let options = CacheOptions::new().max_staleness(Duration::from_hours(1));
    let cache = CachedStore::new(elsewhere.store.clone(), options).expect("options in bounds");
    cache.sync().await.expect("the store works");
    let here = World::on(cache);
    here.verifier.verify(issued.token.expose()).await.expect("the cache has the key now");
    (here, elsewhere, issued)
}

#[test]
fn max_age_shows_a_revoke_at_once() {
    run(async |_| {
        for face in faces::ALL {
            let (here, elsewhere, issued) = nodes().await;
            let usual = Guard::new(here.verifier.clone());
            let fresh = usual.max_age(Duration::ZERO);
            let asked = Asked::get().bearer(issued.token.expose());
            assert_eq!(face.ask(&fresh, Taken::Grant, &asked).await.status, 200, "{face:?}");
            elsewhere.authority.revoke(&admin(), &issued.key.id).await.expect("it is revoked");
            let cached = face.ask(&usual, Taken::Grant, &asked).await;
            assert_eq!(cached.status, 200, "{face:?}: the cache may still accept the key");
            let answered = face.ask(&fresh, Taken::Grant, &asked).await;
            assert_eq!((answered.status, answered.cause), (401, Some("revoked")), "{face:?}");
        }
    });
}

#[test]
fn inner_guard_with_max_age_verifies_again() {
    run(async |_| {
        for framework in FRAMEWORKS {
            let (here, elsewhere, issued) = nodes().await;
            let outer = Guard::new(here.verifier.clone());
            let inner = outer.max_age(Duration::ZERO);
            let asked = Asked::get().bearer(issued.token.expose());
            let answered = framework.ask(&outer, &inner, Taken::Grant, &asked).await;
            assert_eq!(answered.key(), Some(issued.key.id), "{framework:?}");
            here.verifier.flush().await.expect("the store works");
            let entry = here.authority.key(&admin(), &issued.key.id).await.expect("the key");
            assert_eq!(entry.uses, 2, "{framework:?}: one before, and one for both guards");

            // Without the credential, the inner guard can't verify again.
            let strips = outer.strip_credential();
            let answered = framework.ask(&strips, &inner, Taken::Grant, &asked).await;
            assert_eq!((answered.status, answered.cause), (401, Some("none")), "{framework:?}");

            elsewhere.authority.revoke(&admin(), &issued.key.id).await.expect("it is revoked");
            let answered = framework.ask(&outer, &outer, Taken::Grant, &asked).await;
            assert_eq!(answered.status, 200, "{framework:?}: the cache may still accept the key");
            let answered = framework.ask(&outer, &inner, Taken::Grant, &asked).await;
            assert_eq!((answered.status, answered.cause), (401, Some("revoked")), "{framework:?}");
            assert!(answered.seen.is_none(), "{framework:?}");
        }
    });
}

#[test]
fn second_key_cannot_be_used_uncounted() {
    run(async |_| {
        for framework in FRAMEWORKS {
            let (here, elsewhere, issued) = nodes().await;
            let other = elsewhere.key().await;
            let sources = CredentialSources::default();
            let outer = Guard::new(here.verifier.clone())
                .credentials(sources.clone().header("x-outer").expect("a header"));
            let inner = outer.credentials(sources).max_age(Duration::ZERO);
            let asked = Asked::get().header("x-outer", issued.token.expose());
            let asked = asked.header("x-api-key", other.token.expose());
            let answered = framework.ask(&outer, &inner, Taken::Grant, &asked).await;
            assert_eq!((answered.status, answered.cause), (400, Some("several")), "{framework:?}");
        }
    });
}
