//! A host with the page, asked like a browser would ask. The site holds every answer to the rules of
//! [`rules`](crate::rules).

use std::cell::RefCell;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use futures_lite::future::block_on;
use http_body_util::BodyExt;
use keywright::http::page::{self, Page, Refusal};
use keywright::store::MemoryStore;
use keywright::{Actor, Issued};
use tower::ServiceExt;

use common::faults::Faults;
use common::{TestResult, World};

use crate::form::Form;
use crate::rules;

/// The paths under which the tests mount the page, each with the pattern of the host's route.
pub(crate) const MOUNTS: [(&str, &str); 3] =
    [("", "/"), ("/settings/keys", "/settings/keys"), ("/orgs/globex/keys", "/orgs/{id}/keys")];
/// The origin of the host.
pub(crate) const ORIGIN: &str = "https://app.example";

pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) faults: Faults,
    /// The path under which the page is mounted.
    pub(crate) mount: &'static str,
    /// The links of the host that screens may show.
    pub(crate) links: Vec<&'static str>,
    /// True if the page is in the layout of the host.
    pub(crate) has_own_layout: bool,
    /// True if the texts are those of [`marked`](crate::marked).
    pub(crate) is_marked: bool,
    /// The key secrets of the tokens that answers have shown.
    pub(crate) shown: RefCell<Vec<String>>,
    router: Router,
}

/// An answer of the page.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) refusal: Option<Refusal>,
    /// The path and the query that were asked.
    pub(crate) path: String,
}

/// A request under construction.
#[must_use = "a request does nothing until it is sent"]
pub(crate) struct Ask<'a> {
    site: &'a Site,
    actor: Option<&'a Actor>,
    method: &'a str,
    path: String,
    headers: Vec<(&'a str, String)>,
    body: Vec<u8>,
}

/// Runs a test on a site with the default options.
pub(crate) fn on_a_site(test: impl AsyncFnOnce(&Site) -> TestResult) {
    on_site(|page| page, test);
}

/// Runs a test on a site whose page has these options.
pub(crate) fn on_site(
    options: impl FnOnce(Page) -> Page,
    test: impl AsyncFnOnce(&Site) -> TestResult,
) {
    let done = block_on(async {
        let site = Site::of(&World::new(MemoryStore::new()), options)?;
        test(&site).await
    });
    if let Err(error) = done {
        panic!("a step failed: {error} ({error:?})");
    }
}

impl Site {
    /// Mounts the page over the records of a world.
    pub(crate) fn of(world: &World, options: impl FnOnce(Page) -> Page) -> TestResult<Self> {
        Self::at(MOUNTS[1], world, options)
    }

    /// Mounts the page over the records of a world, under one of [`MOUNTS`].
    pub(crate) fn at(
        (mount, route): (&'static str, &str),
        world: &World,
        options: impl FnOnce(Page) -> Page,
    ) -> TestResult<Self> {
        let (world, faults) = world.with_faults()?;
        let page = page::router(options(Page::new(world.authority.clone())));
        let router = if mount.is_empty() { page } else { Router::new().nest(route, page) };
        Ok(Self {
            world,
            faults,
            mount,
            links: vec!["/confirm", "/login"],
            has_own_layout: false,
            is_marked: false,
            shown: RefCell::default(),
            router,
        })
    }

    /// Returns the whole path of a path of the page, as the page writes it.
    pub(crate) fn path(&self, path: &str) -> String {
        match (self.mount, path) {
            ("", path) => path.to_owned(),
            (mount, path) if path == "/" || path.starts_with("/?") => {
                format!("{mount}{}", &path[1..])
            }
            (mount, path) => format!("{mount}{path}"),
        }
    }

    /// Begins a request by alice for a path below the mount.
    pub(crate) fn ask<'a>(&'a self, method: &'a str, path: &str) -> Ask<'a> {
        self.ask_at(method, self.path(path))
    }

    /// Begins a request by alice for a whole path.
    pub(crate) fn ask_at<'a>(&'a self, method: &'a str, path: String) -> Ask<'a> {
        let host = ORIGIN.trim_start_matches("https://").to_owned();
        Ask {
            site: self,
            actor: Some(&self.world.alice),
            method,
            path,
            headers: vec![("host", host), ("sec-fetch-site", "same-origin".to_owned())],
            body: Vec::new(),
        }
    }

    /// Asks for a screen as alice.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path).send().await
    }

    /// Begins to send a form as alice's browser does.
    pub(crate) fn post<'a>(&'a self, path: &str, fields: &[(&str, &str)]) -> Ask<'a> {
        self.ask("POST", path).form(fields)
    }

    /// Fills in the form of a new key for alice and sends it.
    pub(crate) async fn generate(&self, fields: &[(&str, &str)]) -> Answer {
        let form = self.new_key(fields).await;
        self.send(&self.world.alice, &form).await
    }

    /// Opens the form of a new key for alice and fills it in.
    pub(crate) async fn new_key(&self, fields: &[(&str, &str)]) -> Form {
        self.get("/new").await.form().with(&[("name", "prod-main-app")]).with(fields)
    }

    /// Sends a form that a screen has shown.
    pub(crate) async fn send(&self, actor: &Actor, form: &Form) -> Answer {
        self.submitted(form).by(actor).send().await
    }

    /// Begins to send a form that a screen has shown.
    pub(crate) fn submitted<'a>(&'a self, form: &Form) -> Ask<'a> {
        if form.is_post {
            let fields: Vec<_> = form.fields.iter().map(|(n, v)| (&**n, &**v)).collect();
            return self.ask_at("POST", form.action.clone()).form(&fields);
        }
        let query = form.encoded();
        self.ask_at("GET", format!("{}?{query}", form.action))
    }

    /// Returns a key of alice, made without the page.
    pub(crate) async fn key(&self, name: &str) -> Issued {
        self.world.key_of(&self.world.alice, common::named(name)).await
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("visible ASCII"))
    }

    /// Returns the target of a redirect.
    #[track_caller]
    pub(crate) fn target(&self) -> &str {
        assert_eq!(self.status, 303, "{}: no redirect: {}", self.path, self.words());
        self.header("location").expect("a redirect has a target")
    }

    /// Returns the visible text, with single spaces.
    pub(crate) fn words(&self) -> String {
        rules::words(&self.text)
    }

    /// Returns the only form that sends something.
    #[track_caller]
    pub(crate) fn form(&self) -> Form {
        let mut forms = Form::all_of(self).into_iter().filter(|form| form.is_post);
        let form =
            forms.next().unwrap_or_else(|| panic!("{}: no form: {}", self.path, self.words()));
        assert!(forms.next().is_none(), "{}: one form", self.path);
        form
    }

    /// Asserts that the visible text has each of these texts.
    #[track_caller]
    pub(crate) fn must_say(&self, texts: &[&str]) {
        let words = self.words();
        for text in texts {
            assert!(
                words.contains(text),
                "{} ({}) does not say {text:?}: {words}",
                self.path,
                self.status
            );
        }
    }

    /// Asserts that the visible text has none of these texts.
    #[track_caller]
    pub(crate) fn must_not_say(&self, texts: &[&str]) {
        let words = self.words();
        for text in texts {
            assert!(!words.contains(text), "{} says {text:?}: {words}", self.path);
        }
    }

    /// Returns the token that the answer shows once.
    #[track_caller]
    pub(crate) fn token(&self) -> String {
        let tokens = rules::tokens(&self.text);
        assert!(!tokens.is_empty(), "{} ({}): no token: {}", self.path, self.status, self.words());
        tokens[0].clone()
    }
}

impl<'a> Ask<'a> {
    /// Sends the request as this actor.
    pub(crate) fn by(self, actor: &'a Actor) -> Self {
        Self { actor: Some(actor), ..self }
    }

    /// Sends the request without an actor.
    pub(crate) fn unauthenticated(self) -> Self {
        Self { actor: None, ..self }
    }

    /// Sets a header, or removes it with an empty value.
    pub(crate) fn header(mut self, name: &'a str, value: impl Into<String>) -> Self {
        let value = value.into();
        self.headers.retain(|(other, _)| *other != name);
        if !value.is_empty() {
            self.headers.push((name, value));
        }
        self
    }

    /// Removes the headers by which a browser says where a form comes from.
    pub(crate) fn without_origin(self) -> Self {
        self.header("sec-fetch-site", "").header("origin", "")
    }

    /// Sets the fields of a form, as a browser sends them from the page itself.
    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let body =
            Form { action: String::new(), is_post: true, fields: fields.collect() }.encoded();
        self.header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .header("origin", ORIGIN)
            .bytes(body)
    }

    pub(crate) fn bytes(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    pub(crate) async fn send(self) -> Answer {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(actor) = self.actor {
            request = request.extension(actor.clone());
        }
        let request = request.body(Body::from(self.body)).expect("a request");
        let Ok(response) = self.site.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).expect("text"),
            refusal: parts.extensions.get::<Refusal>().cloned(),
            path: self.path,
        };
        rules::hold(self.site, self.method, &answer);
        answer
    }
}
