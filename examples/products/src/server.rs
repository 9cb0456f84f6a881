//! The server: each product with its keys, its login and its page.

use std::mem::take;

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use keywright::http::Guard;
use keywright::http::page::{self, Page, Refusal};
use keywright::store::KeyStore;
use keywright::{Grant, Keywright, Prefix, Running, Verifier};

use crate::clock::PastClock;
use crate::history::History;
use crate::product::Site;
use crate::products::fleetdesk::Fleetdesk;
use crate::products::gatepost::Gatepost;
use crate::products::globex::Globex;
use crate::products::ledgerline::Ledgerline;
use crate::products::workbase::Workbase;
use crate::{Failure, host_pages, login};

/// The policy of every document. Fleetdesk has a stricter one of its own.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'",
);

/// The five products over one store.
pub struct Demo {
    app: Router,
    verifiers: Vec<Verifier>,
    running: Vec<Running>,
}

impl Demo {
    /// Opens the products, and writes their first keys if the store is new. Call it in a tokio runtime.
    pub async fn open(store: impl KeyStore + Clone) -> Result<Self, Failure> {
        let app = Router::new()
            .route("/", get(host_pages::start))
            .route("/styles/{name}", get(async |Path(name): Path<String>| style(&name)));
        let mut demo = Self { app, verifiers: Vec::new(), running: Vec::new() };
        demo.add::<Workbase>(&store).await?;
        demo.add::<Ledgerline>(&store).await?;
        demo.add::<Gatepost>(&store).await?;
        demo.add::<Fleetdesk>(&store).await?;
        demo.add::<Globex>(&store).await?;
        Ok(demo)
    }

    /// Adds a product: its keys, its API and its page behind the stand-in login.
    async fn add<S: Site>(&mut self, store: &(impl KeyStore + Clone)) -> Result<(), Failure> {
        let product = S::PRODUCT;
        let clock = PastClock::default();
        let keywright = Keywright::builder(store.clone())
            .prefix(Prefix::new(product.prefix)?)
            .clock(clock.clone())
            .build()?;
        let (authority, verifier) = (keywright.authority(), keywright.verifier());
        let history = History::of(product.slug, authority.clone(), verifier.clone(), clock)?;
        if history.is_new().await? {
            S::seed(&history).await?;
            history.end();
        }
        self.verifiers.push(verifier.clone());
        self.running.push(keywright.start()?);

        let page = S::page(Page::new(authority).product(product.name))?;
        let stand_in = |title| {
            get(async move |request: Request| host_pages::stand_in(S::LAYOUT, title, &request))
        };
        let site = Router::new()
            .nest(product.page, page::router(page))
            .route("/docs", stand_in("API documentation"))
            .route("/plans", stand_in("Plans"))
            .route("/help", stand_in("Help"))
            .route("/demo-user", post(login::switch))
            .with_state(product);
        let site = S::extend(site)
            .layer(from_fn_with_state(product, login::login))
            .layer(from_fn(log_refusals))
            .layer(from_fn(with_policy));
        let api = Router::new().route("/api", get(api)).with_state(Guard::new(verifier));
        let home = get(async move || Redirect::to(&product.path()));
        let root = format!("/{}", product.slug);
        self.app = take(&mut self.app).route(&root, home).nest(&root, site.merge(api));
        Ok(())
    }

    /// Returns the routes.
    pub fn app(&self) -> Router {
        self.app.clone()
    }

    /// Writes the counted uses now, and not with the next pass of the background work.
    pub async fn flush(&self) -> Result<(), Failure> {
        for verifier in &self.verifiers {
            verifier.flush().await?;
        }
        Ok(())
    }

    /// Ends the background work, and writes the counted uses.
    pub async fn close(self) -> Result<(), Failure> {
        for running in self.running {
            running.shutdown().await?;
        }
        Ok(())
    }
}

/// Answers a request with a key: the API of each product.
async fn api(grant: Grant) -> String {
    format!("the key {} of {} is accepted\n", grant.key().name, grant.owner())
}

/// Logs the reason of a refused request, which the user does not see.
async fn log_refusals(request: Request, next: Next) -> Response {
    let route = format!("{} {}", request.method(), request.uri().path());
    let response = next.run(request).await;
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        eprintln!("{route}: {}", refusal.reason());
    }
    response
}

/// Adds the policy to a response that has none. With a layout of its own, the host sets the policy.
async fn with_policy(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().entry(CONTENT_SECURITY_POLICY).or_insert(POLICY);
    response
}

fn style(name: &str) -> Response {
    let style = match name {
        "demo.css" => include_str!("styles/demo.css"),
        "fleetdesk.css" => include_str!("styles/fleetdesk.css"),
        "gatepost.css" => include_str!("styles/gatepost.css"),
        "globex.css" => include_str!("styles/globex.css"),
        "ledgerline.css" => include_str!("styles/ledgerline.css"),
        "start.css" => include_str!("styles/start.css"),
        "workbase.css" => include_str!("styles/workbase.css"),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], style).into_response()
}
