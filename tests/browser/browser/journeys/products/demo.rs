//! The example's server in this process.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::middleware::from_fn;
use keywright::store::MemoryStore;
use tower::ServiceExt;

use common::TestResult;

use crate::host::keep_document;
use crate::service::Server;
use crate::steps::tokens;
use crate::tab::Tab;

pub(super) struct Demo {
    pub(super) server: Server,
    app: Router,
    products: keywright_products::Demo,
}

impl Demo {
    pub(super) async fn open() -> TestResult<Self> {
        let demo = keywright_products::Demo::open(MemoryStore::new()).await;
        let demo = demo.map_err(|error| error.to_string())?;
        let app = demo.app();
        let server = Server::new(app.clone().layer(from_fn(keep_document))).await?;
        Ok(Self { server, app, products: demo })
    }

    /// Presents a token to the API of a product, after which every page knows of the use.
    pub(super) async fn call(&self, product: &str, token: &str) -> TestResult<StatusCode> {
        let request = Request::get(format!("/{product}/api"));
        let request = request.header("authorization", format!("Bearer {token}"));
        let answer = self.app.clone().oneshot(request.body(Body::empty())?).await?;
        self.products.flush().await.map_err(|error| error.to_string())?;
        Ok(answer.status())
    }

    /// Opens the page of a product from the start page.
    pub(super) async fn visit(&self, tab: &Tab, name: &str) -> TestResult {
        tab.open(&self.server.url("/")).await?;
        tab.follow(name).await
    }
}

/// Becomes another person, in the bar of the stand-in login.
pub(super) async fn become_person(tab: &Tab, person: &str) -> TestResult {
    tab.select("Demo login, without a password: you are", person).await?;
    tab.press("Switch").await
}

/// Returns the only token of a product that the page shows, however often.
pub(super) async fn shown(tab: &Tab, prefix: &str) -> TestResult<String> {
    tab.sees("This is shown only once").await?;
    let mut shown = tokens(prefix, &tab.text().await?);
    shown.sort_unstable();
    shown.dedup();
    match shown.as_slice() {
        [token] => Ok(token.clone()),
        _ => Err(format!("{} tokens are shown", shown.len()).into()),
    }
}

/// Presses the button of a final operation on a key that was used, for which its name is typed.
pub(super) async fn press_final(tab: &Tab, button: &str, name: &str) -> TestResult {
    let label = "This key was used within the last 24 hours. Type its name to go on:";
    tab.fill(&format!("{label} {name}"), name).await?;
    tab.press(button).await
}
