//! The documents of the example itself: the start page, and a place for each link of a product.

use std::fmt::Write;

use axum::extract::Request;
use axum::http::Extensions;
use axum::response::Html;

use crate::layout::{Content, Layout};
use crate::login::Visitor;
use crate::products;

/// Returns the start page, which lists the products.
pub async fn start() -> Html<String> {
    let mut list = String::new();
    for product in products::ALL {
        let (path, slug) = (product.path(), product.slug);
        let (name, summary) = (product.name, product.summary);
        let _ = write!(
            list,
            "<li><a href=\"{path}\">{name}</a><p>{summary}</p>\
             <p>Try a key: <code>curl -H 'authorization: Bearer YOUR_KEY' \
             http://THIS_SERVER/{slug}/api</code></p></li>"
        );
    }
    let body = format!(
        "<h1>Five products, five pages of API keys</h1>\
         <p>Each product mounts the same page of keywright, and sets it up in its own way: screens, fields, \
         texts and layout. Each has a few keys. <strong>The login is a stand-in</strong>: a bar at the top \
         of each page switches between the users of the product.</p>\
         <ol>{list}</ol>"
    );
    let content = Content { language: "en", title: "Five products", head: "", body: &body };
    Html(Layout { header: "" }.document(&Extensions::new(), content))
}

/// Returns the place of a page that the example does not have.
pub fn stand_in(layout: Layout, title: &'static str, request: &Request) -> Html<String> {
    let visitor = request.extensions().get::<Visitor>();
    let back = visitor.map(|visitor| visitor.product.path()).unwrap_or_default();
    let body = format!(
        "<div class=\"demo-page\"><h1>{title}</h1><p>This page belongs to the product, and the example does not \
         have it.</p><p><a href=\"{back}\">Back to the API keys</a></p></div>"
    );
    Html(
        layout.document(
            request.extensions(),
            Content { language: "en", title, head: "", body: &body },
        ),
    )
}
