//! The page in the layout of a host, under the host's own strict policy with a nonce.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use common::{TestResult, World};
use keywright::http::page::{Layout, Screen};

use crate::host::Host;
use crate::steps::create;
use crate::tab::Tab;

#[derive(Clone)]
struct Nonce(String);

/// The number of requests so far, in place of the random number of a real nonce.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

struct Acme;

impl Layout for Acme {
    fn wrap(&self, request: &Parts, screen: &Screen<'_>) -> String {
        let nonce = &request.extensions.get::<Nonce>().expect("the host sets it").0;
        format!(
            "<!DOCTYPE html><html lang=\"{}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{} | Acme</title><link rel=\"stylesheet\" nonce=\"{nonce}\" href=\"{}\">\
             <style nonce=\"{nonce}\">html {{ background: white; color: black }}</style>\
             <script type=\"module\" nonce=\"{nonce}\" src=\"{}\"></script></head>\
             <body><header><a href=\"/\">Acme</a></header><main>{}</main>\
             <script nonce=\"{nonce}\">document.body.dataset.host = 'ran'</script></body></html>",
            screen.language(),
            screen.escaped_title(),
            screen.stylesheet(),
            screen.script(),
            screen.body(),
        )
    }
}

async fn strict(mut request: Request, next: Next) -> Response {
    let nonce = format!("nonce{}", REQUESTS.fetch_add(1, Ordering::Relaxed));
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'nonce-{nonce}'; \
         img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    request.extensions_mut().insert(Nonce(nonce));
    let mut response = next.run(request).await;
    let policy = HeaderValue::try_from(policy).expect("visible ASCII");
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

#[common::test(chromium, axe)]
async fn b20_page_works_in_a_strict_layout() -> TestResult {
    let host = Host::layered(
        World::in_memory(),
        |page| page.layout(Acme),
        |router| router.layer(axum::middleware::from_fn(strict)),
    );
    let (host, tab) = (host.await?, Tab::new().await?);
    tab.open(&host.url("")).await?;
    tab.sees("Acme").await?;
    assert_eq!(tab.violations().await?, Vec::<String>::new());
    let token = create(&tab, &host, "prod-main-app").await?;
    assert_eq!(host.world.says(&token), "current");
    tab.press("Copy API key").await?;
    tab.sees("Copied").await?;
    assert_eq!(tab.script("return document.body.dataset.host").await?, "ran");
    assert_eq!(tab.complaints().await?, Vec::<String>::new());
    Ok(())
}
