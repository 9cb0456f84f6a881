//! A request before its actor is known, and the document that answers it.

use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::assets;
use super::layout::Screen;
use super::options::SharedPage;
use super::selection::Screens;
use super::texts::{Message, Text, Texts};
use super::urls::Urls;
use crate::record::key::Owner;
use crate::value::name::Name;

/// With a referrer policy of `no-referrer`, a browser would send `Origin: null` with a form of the
/// page's own, and the page would refuse it.
const HEADERS: [(HeaderName, &str); 6] = [
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "same-origin"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (VARY, "Cookie"),
];
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A request with the page, its texts and its paths.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) page: SharedPage,
    pub(super) request: Parts,
    pub(super) texts: Texts,
    pub(super) urls: Urls,
}

/// The parts of a document that differ from screen to screen.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) status: StatusCode,
    pub(super) title: String,
    /// The links to the other screens; empty where there is no actor.
    pub(super) navigation: Markup,
    pub(super) content: Markup,
}

/// Adds the headers that every answer about keys has.
pub(super) fn protected(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

impl Frame {
    pub(super) fn new(page: SharedPage, request: Parts) -> Self {
        let texts = (page.texts)(&request);
        let urls = Urls::of(&request);
        Self { page, request, texts, urls }
    }

    /// Returns a text with its placeholders filled. `{product}` is known everywhere.
    pub(super) fn say(&self, message: impl Into<Message>) -> String {
        let message = message.into();
        self.texts.fill(&match &self.page.product {
            Some(product) => message.with("product", product),
            None => message.saying("product", Text::THE_API),
        })
    }

    /// Returns true if the host selects all of these screens.
    pub(super) fn has(&self, screens: Screens) -> bool {
        self.page.screens.contains(screens)
    }

    /// Returns the name of an owner, as pages show it: the one in the store, the one that the host
    /// knows, or the id.
    pub(super) fn name_of(&self, owner: &Owner, stored: Option<&Name>) -> String {
        self.known_name_of(owner, stored).unwrap_or_else(|| owner.id().to_owned())
    }

    /// Returns the name of an owner; `None` if neither the store nor the host has one.
    pub(super) fn known_name_of(&self, owner: &Owner, stored: Option<&Name>) -> Option<String> {
        let of_host = || match owner {
            Owner::User(user) => self.page.user_names.as_ref()?(&self.request, user),
            Owner::Account(_) => None,
            Owner::Organization => Some(self.say(Text::ORGANIZATION)),
        };
        stored.map(Name::to_string).or_else(of_host)
    }

    /// Answers with a document in the layout of the host.
    pub(super) fn answer(&self, document: &Document) -> Response {
        let body = html! {
            div class="kw" lang=(self.texts.language()) {
                (document.navigation)
                (document.content)
            }
        };
        let screen = Screen {
            title: &document.title,
            product: self.page.product.as_deref(),
            language: self.texts.language(),
            stylesheet: &self.urls.to(assets::stylesheet()),
            script: &self.urls.to(assets::script()),
            body: &body.into_string(),
        };
        let html = self.page.layout.wrap(&self.request, &screen);
        let mut response = protected((document.status, html).into_response());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        if self.page.is_plain {
            headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        }
        response
    }

    /// Answers with a page that has a title, a text and the link to the host's support.
    pub(super) fn notice(&self, status: StatusCode, title: Text, content: &Markup) -> Response {
        let title = self.say(title);
        let content = html! {
            h1 { (title) }
            (content)
            @if let Some(support) = &self.page.links.support {
                p { a href=(support) { (self.say(Text::ASK_SUPPORT)) } }
            }
        };
        self.answer(&Document { status, title, navigation: html! {}, content })
    }
}
