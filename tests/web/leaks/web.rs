//! Every public type of the web adapters is recorded, with a token in the request.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use actix_web::FromRequest;
use actix_web::dev::{Service as _, Transform};
use http::{Request, Response};
use keywright::http::reports::{
    GithubKeys, GithubReports, ReportRefusal, SignedReports, WebhookSecret,
};
use keywright::http::{
    CredentialSources, Guard, OptionalGrant, PeerAddr, Rejection, RequestTenant, TrustedProxies,
};
use keywright::store::MemoryStore;
use keywright::{Scope, Verifier};
use tower::{Layer, ServiceExt, service_fn};

use super::types::exported;
use super::{Heard, lifecycle, needles_of};
use common::block_on;

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[test]
fn t_l02_no_web_type_prints_a_secret() {
    let system = actix_web::rt::System::new();
    system.block_on(async {
        let (world, mut life) = lifecycle::live(MemoryStore::new()).await;
        let issued = world.key().await;
        let token = issued.token.expose();
        let secret = &issued.token.expose_key_secret().as_bytes()[..32];
        life.needles.extend(needles_of("secret", secret));
        let heard = &mut life.heard;
        let heads = Arc::new(Mutex::new(String::new()));
        let guard = Guard::new(world.verifier.clone()).tenant_from({
            let heads = heads.clone();
            move |request| {
                let shown = format!("{request:?}");
                heads.lock().expect("one thread").push_str(&shown);
                Some("globex")
            }
        });
        let needy = guard.require(Scope::new("payroll:write").expect("a scope"));
        settings(heard, token);
        reports(heard, &world.verifier, token);
        heard.debug(&guard);
        through_tower(heard, &guard, token).await;
        through_tower(heard, &guard, &token[1..]).await;
        through_tower(heard, &needy, token).await;
        through_actix(heard, &guard, token).await;
        through_actix(heard, &needy, token).await;
        heard.said.push(("RequestHead".to_owned(), heads.lock().expect("one thread").clone()));
        heard.types.insert("RequestHead".to_owned());

        let mut public: BTreeSet<String> = exported(include_str!("../../../src/http/mod.rs"));
        assert!(public.len() > 10, "only {} public types were found", public.len());
        public = public.difference(&heard.types).cloned().collect();
        assert!(public.is_empty(), "not recorded: {public:?}");
        life.heard.assert_silent_about(&life.needles);
    });
}

/// Records the endpoints for leak reports, and their errors for a token that was entered by mistake.
fn reports(heard: &mut Heard, verifier: &Verifier, token: &str) {
    let secret = WebhookSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
    heard.debug(&secret);
    heard.error(&WebhookSecret::new(token).expect_err("no secret"));
    let keys = GithubKeys::new();
    heard.error(&keys.replace(token.as_bytes()).expect_err("no list"));
    let list = format!(r#"{{"public_keys":[{{"key_identifier":"{token}","key":"{token}"}}]}}"#);
    heard.error(&keys.replace(list.as_bytes()).expect_err("no key"));
    heard.debug(&GithubReports::new(verifier.clone(), keys));
    heard.debug(&SignedReports::new(verifier.clone()).reporter("scan", secret));
    heard.error(&ReportRefusal::Malformed { line: 1, column: 2 });
}

/// Records settings, and their errors for a token that was entered by mistake.
fn settings(heard: &mut Heard, token: &str) {
    heard.debug(&CredentialSources::default());
    heard.error(&CredentialSources::default().header(token).expect_err("no name of a header"));
    heard.error(&CredentialSources::default().header("a b").expect_err("no name of a header"));
    heard.error(&CredentialSources::default().header("Cookie").expect_err("reserved"));
    heard.debug(&RequestTenant(common::tenant()));
    heard.debug(&PeerAddr(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    let networks = |text: &str| text.parse().expect("networks");
    heard.debug(&TrustedProxies::new(networks("10.0.0.0/8")));
    heard.error(&TrustedProxies::new(networks("0.0.0.0/0")).expect_err("everybody"));
}

async fn through_tower(heard: &mut Heard, guard: &Guard, token: &str) {
    for (name, value) in [("authorization", bearer(token)), ("x-api-key", token.to_owned())] {
        let seen = Arc::new(Mutex::new(String::new()));
        let inner = service_fn({
            let seen = seen.clone();
            move |request: Request<String>| {
                *seen.lock().expect("one thread") = format!("{request:?}");
                async { Ok::<_, Infallible>(Response::new(String::new())) }
            }
        });
        let service = guard.layer(inner);
        heard.debug(&guard.layer(()));
        let request = Request::builder().header(name, value).body(String::new()).expect("one");
        let future = service.oneshot(request);
        let response = Box::pin(future).await.expect("infallible");
        heard.debug(&response);
        heard.debug(response.body());
        if let Some(rejection) = response.extensions().get::<Rejection>() {
            heard.error(rejection);
            heard.error(rejection.cause());
        }
        heard.said.push(("the request inside".to_owned(), seen.lock().expect("one").clone()));
    }
    let request = Request::builder().header("x-api-key", token).body(String::new()).expect("one");
    let mut service = guard.layer(service_fn(|_: Request<String>| async {
        Ok::<_, Infallible>(Response::new(String::new()))
    }));
    let future = tower::Service::call(&mut service, request);
    heard.debug(&future);
    block_on(future).expect("infallible");
}

async fn through_actix(heard: &mut Heard, guard: &Guard, token: &str) {
    let inner = actix_web::dev::fn_service(|request: actix_web::dev::ServiceRequest| async move {
        let shown = format!("{request:?}");
        let (request, mut payload) = request.into_parts();
        let grant = OptionalGrant::from_request(&request, &mut payload).await?;
        let body = format!("{shown}\n{grant:?}");
        let response = actix_web::HttpResponse::Ok().body(body);
        Ok::<_, actix_web::Error>(actix_web::dev::ServiceResponse::new(request, response))
    });
    heard.debug(&OptionalGrant(None));
    let service = guard.new_transform(inner).await.expect("infallible");
    // A closure has no `Debug`, and the service's own prints only the guard.
    heard.debug(&guard);
    heard.types.insert("GuardMiddleware".to_owned());
    let request = actix_web::test::TestRequest::get().insert_header(("x-api-key", token));
    let response = service.call(request.to_srv_request()).await.expect("an answer");
    heard.said.push(("actix's response".to_owned(), format!("{response:?}")));
    let body = actix_web::body::to_bytes(response.into_body()).await.expect("a body");
    heard.said.push(("inside of actix".to_owned(), String::from_utf8_lossy(&body).into_owned()));
}
