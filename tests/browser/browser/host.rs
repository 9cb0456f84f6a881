//! A host that mounts the page. Its login is a stand-in: every request is one of the user that the test signed in.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use keywright::http::page::{self, Page};
use keywright::{Actor, KeyEntry};

use common::{TestResult, World, all_keys};

use crate::service::Server;

/// The path under which the host mounts the page.
pub(crate) const MOUNT: &str = "/settings/keys";

/// The user of each request; none for one that is not signed in.
type Login = Arc<Mutex<Option<Actor>>>;

pub(crate) struct Host {
    pub(crate) world: World,
    pub(crate) server: Server,
    login: Login,
}

impl Host {
    /// Starts a host on a new store in memory, where the administrator is signed in.
    pub(crate) async fn new() -> TestResult<Self> {
        Self::with(World::in_memory(), |page| page).await
    }

    /// Starts a host with a page that it configures.
    pub(crate) async fn with(world: World, change: impl FnOnce(Page) -> Page) -> TestResult<Self> {
        Self::layered(world, change, |router| router).await
    }

    /// Starts a host with layers of its own around the page.
    pub(crate) async fn layered(
        world: World,
        change: impl FnOnce(Page) -> Page,
        layers: impl FnOnce(Router) -> Router,
    ) -> TestResult<Self> {
        let page = change(Page::new(world.authority.clone()).product("Acme"));
        let login: Login = Arc::new(Mutex::new(Some(world.admin.clone())));
        let router = layers(Router::new().nest(MOUNT, page::router(page)))
            .layer(from_fn_with_state(Arc::clone(&login), sign_in))
            .layer(from_fn(keep_document));
        Ok(Self { world, server: Server::new(router).await?, login })
    }

    /// Makes each further request one of this user.
    pub(crate) fn sign_in(&self, actor: &Actor) {
        *self.login.lock().expect("no panic") = Some(actor.clone());
    }

    /// Returns the URL of a screen.
    pub(crate) fn url(&self, screen: &str) -> String {
        self.server.url(&format!("{MOUNT}{screen}"))
    }

    /// Returns the URL of a screen on a name that is no secure context.
    pub(crate) fn lan_url(&self, screen: &str) -> String {
        self.server.lan_url(&format!("{MOUNT}{screen}"))
    }

    /// Returns all keys of the tenant.
    pub(crate) async fn keys(&self) -> Vec<KeyEntry> {
        all_keys(&self.world.authority, &self.world.admin).await
    }

    /// Returns the only key of the tenant.
    pub(crate) async fn only_key(&self) -> TestResult<KeyEntry> {
        let mut keys = self.keys().await;
        let key = keys.pop().ok_or("no key")?;
        if keys.is_empty() { Ok(key) } else { Err(format!("{} keys", keys.len() + 1).into()) }
    }
}

async fn sign_in(State(login): State<Login>, mut request: Request, next: Next) -> Response {
    if let Some(actor) = login.lock().expect("no panic").clone() {
        request.extensions_mut().insert(actor);
    }
    next.run(request).await
}

/// Writes each document into the folder that `KEYWRIGHT_DOCUMENTS` names, for `scripts/html`.
pub(crate) async fn keep_document(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let Some(folder) = env::var_os("KEYWRIGHT_DOCUMENTS") else { return response };
    let kind = response.headers().get(CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a document");
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let file = Path::new(&folder).join(format!("{:016x}.html", hasher.finish()));
    fs::write(&file, &body).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    Response::from_parts(parts, Body::from(body))
}
