//! The documents of the five products: the bar of the stand-in login, the header of the product, and a
//! content.

use std::fmt::Write;

use axum::http::Extensions;
use axum::http::request::Parts;
use keywright::http::page::{self, Screen};

use crate::login::Visitor;

/// The layout of a product, also around each screen of its page.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The HTML above or beside the content.
    pub header: &'static str,
}

/// The nonce of a request, for products whose policy has one.
#[derive(Clone, Debug)]
pub struct Nonce(pub String);

/// A content with the parts of its document.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    pub language: &'a str,
    /// The title, escaped.
    pub title: &'a str,
    /// Tags for the head.
    pub head: &'a str,
    pub body: &'a str,
}

impl page::Layout for Layout {
    fn wrap(&self, request: &Parts, screen: &Screen<'_>) -> String {
        let content = Content {
            language: screen.language(),
            title: &screen.escaped_title(),
            head: &screen.head(),
            body: screen.body(),
        };
        self.document(&request.extensions, content)
    }
}

impl Layout {
    /// Returns a whole document.
    pub fn document(&self, request: &Extensions, content: Content<'_>) -> String {
        let Content { language, title, head, body } = content;
        let visitor = request.get::<Visitor>();
        let nonce = request.get::<Nonce>();
        let nonce = nonce.map(|Nonce(nonce)| format!(" nonce=\"{nonce}\"")).unwrap_or_default();
        let (slug, name, bar) = match visitor {
            Some(visitor) => (visitor.product.slug, visitor.product.name, bar(visitor)),
            None => ("start", "keywright", String::new()),
        };
        format!(
            "<!DOCTYPE html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{title} - {name}</title>\
             <link rel=\"stylesheet\"{nonce} href=\"/styles/demo.css\">\
             <link rel=\"stylesheet\"{nonce} href=\"/styles/{slug}.css\">{head}</head>\
             <body class=\"{slug}\">{bar}{header}<main>{body}</main></body></html>",
            header = self.header,
        )
    }
}

/// Returns the bar of the stand-in login.
pub fn bar(visitor: &Visitor) -> String {
    let Visitor { product, person } = visitor;
    let mut options = String::new();
    for one in product.people {
        let selected = if one.id == person.id { " selected" } else { "" };
        let _ = write!(
            options,
            "<option value=\"{}\"{selected}>{} ({})</option>",
            one.id, one.name, one.role
        );
    }
    format!(
        "<aside class=\"demo\" lang=\"en\" aria-label=\"Demo login\">\
         <form method=\"post\" action=\"/{slug}/demo-user\">\
         <label for=\"demo-user\"><strong>Demo login, without a password:</strong> you are</label>\
         <select id=\"demo-user\" name=\"user\">{options}</select>\
         <button type=\"submit\">Switch</button> <a href=\"/\">All five products</a></form></aside>",
        slug = product.slug,
    )
}

/// Escapes a text for HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
