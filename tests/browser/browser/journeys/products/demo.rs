//! The example's server in this process.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::middleware::from_fn;
use keywright::store::MemoryStore;
use tower::ServiceExt;

use common::TestResult;

use crate::find::Kind;
use crate::host::keep_document;
use crate::service::Server;
use crate::steps::tokens;
use crate::tab::Tab;

pub(super) struct Demo {
    pub(super) server: Server,
    app: Router,
    _running: keywright_products::Demo,
}

impl Demo {
    pub(super) async fn open() -> TestResult<Self> {
        let demo = keywright_products::Demo::open(MemoryStore::new()).await;
        let demo = demo.map_err(|error| error.to_string())?;
        let app = demo.app();
        let server = Server::new(app.clone().layer(from_fn(keep_document))).await?;
        Ok(Self { server, app, _running: demo })
    }

    /// Presents a token to the API of a product.
    pub(super) async fn call(&self, product: &str, token: &str) -> TestResult<StatusCode> {
        let request = Request::get(format!("/{product}/api"));
        let request = request.header("authorization", format!("Bearer {token}"));
        Ok(self.app.clone().oneshot(request.body(Body::empty())?).await?.status())
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

/// Presses the button of a final operation on a key.
///
/// The page asks for the name of a key that was used lately, as soon as it knows of the use: perhaps in the answer to
/// the first press.
pub(super) async fn press_final(tab: &Tab, button: &str, name: &str) -> TestResult {
    for _ in 0..2 {
        let fields = tab.names(Kind::Field).await?;
        if let Some(label) = fields.iter().find(|label| label.contains("Type its name")) {
            tab.fill(label, name).await?;
        }
        tab.press(button).await?;
        if !tab.text().await?.contains("Type the name exactly") {
            break;
        }
    }
    Ok(())
}
