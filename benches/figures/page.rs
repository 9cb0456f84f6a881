//! The page in HTML: the time to make a list of keys on the server, and the sizes of its responses.

use std::hint::black_box;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::Request;
use axum::http::request::Builder;
use futures_lite::future::block_on;
use keywright::http::page::{self, Page};
use keywright::store::FileStore;
use keywright::{Actor, Authority, PepperRing, UserId};
use kit::{Figure, Lane, Population, Run, Target, Unit, World, fill_file};
use tower::ServiceExt;

const MEMORY: &str = "page in HTML: 50 of 100,000 keys, memory";
const FILE: &str = "page in HTML: 50 of 100,000 keys, file";

pub(crate) fn measure(run: &Run) {
    if !run.wants_one(&[MEMORY, FILE]) {
        return;
    }
    let population = Population::of(run.size(100_000, 500));
    let admin = population.world.admin.clone();
    if run.wants(MEMORY) {
        let site = Site::of(population.world.authority.clone());
        list(run, MEMORY, &site, &admin);
        run.note(sizes(&site, &admin));
    }
    if run.wants(FILE) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("keys.db");
        fill_file(&population, &path);
        let store = block_on(FileStore::open(&path)).expect("a store");
        let keywright = World::setup(store, PepperRing::none()).build().expect("a setup");
        list(run, FILE, &Site::of(keywright.authority()), &admin);
    }
}

/// A host that mounts the page.
struct Site(Router);

impl Site {
    fn of(authority: Authority) -> Self {
        Self(Router::new().nest("/keys", page::router(Page::new(authority))))
    }

    /// Sends a request as this actor, and returns the body of the answer.
    fn answer(&self, actor: &Actor, request: Builder, body: String) -> Bytes {
        let request = request.header("host", "app.example").extension(actor.clone());
        let request = request.body(Body::from(body)).expect("a request");
        let Ok(response) = block_on(self.0.clone().oneshot(request));
        assert!(response.status().is_success(), "{}", response.status());
        block_on(to_bytes(response.into_body(), usize::MAX)).expect("a body")
    }

    fn get(&self, actor: &Actor, path: &str) -> Bytes {
        self.answer(actor, Request::get(path), String::new())
    }

    fn html(&self, actor: &Actor, path: &str) -> String {
        String::from_utf8(self.get(actor, path).into()).expect("text")
    }
}

fn list(run: &Run, name: &str, site: &Site, admin: &Actor) {
    let html = site.html(admin, "/keys/all");
    assert!(html.matches("service-key-").count() >= 50, "{name}: 50 keys");
    let [values] = run.rounds([Lane::calls(5, || {
        black_box(site.get(admin, "/keys/all"));
    })]);
    run.show(&Figure::alone(name, Unit::Seconds, &values).target(Target::Most(0.005)));
}

/// Returns the bytes of the responses that a browser gets, before any compression.
fn sizes(site: &Site, admin: &Actor) -> String {
    let user = UserId::new("user-1").expect("an id");
    let user = Actor::developer(user).in_tenant(admin.tenant().clone());
    let own = site.html(&user, "/keys");
    let new = site.html(admin, "/keys/new");
    let form = format!(
        "name=prod-main-app&scope=jobs:read&expiry=90&owner=user:{}&ticket={}",
        admin.id(),
        between(&new, "name=\"ticket\" value=\"", "\"")
    );
    let post = Request::post("/keys/new")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    let once = site.answer(admin, post, form);
    assert!(once.windows(10).any(|part| part == b"acme_live_"), "the token is shown");
    let asset = |kind: &str| {
        let path = own.split('"').find(|path| path.ends_with(kind)).expect("a path");
        site.get(admin, path).len()
    };
    let sizes = [
        ("own keys (10)", own.len()),
        ("all keys (50)", site.get(admin, "/keys/all").len()),
        ("new key", new.len()),
        ("token shown once", once.len()),
        ("stylesheet", asset(".css")),
        ("script", asset(".mjs")),
    ];
    let sizes = sizes.map(|(what, bytes)| format!("{what} {bytes} B"));
    format!("responses of the page without compression: {}", sizes.join(", "))
}

/// Returns the text between two others.
fn between<'a>(text: &'a str, before: &str, behind: &str) -> &'a str {
    let (_, rest) = text.split_once(before).expect("the text before");
    rest.split_once(behind).expect("the text behind").0
}
