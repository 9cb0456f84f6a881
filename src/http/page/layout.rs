//! The layout around a screen: that of the host, or a plain one.

use axum::http::request::Parts;
use maud::{DOCTYPE, PreEscaped, html};

/// The layout of the host around each screen of the page.
///
/// The layout prints [`head`](Screen::head) in its `<head>`, and [`body`](Screen::body) in its
/// `<body>`. Without a layout of the host, each screen is a document of its own.
///
/// ```
/// use axum::http::request::Parts;
/// use keywright::http::page::{Layout, Screen};
///
/// struct Workbase;
///
/// impl Layout for Workbase {
///     fn wrap(&self, _request: &Parts, screen: &Screen<'_>) -> String {
///         format!(
///             "<!DOCTYPE html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{} - Workbase</title>{}</head>\
///              <body><header>Workbase</header><main>{}</main></body></html>",
///             screen.language(),
///             screen.escaped_title(),
///             screen.head(),
///             screen.body(),
///         )
///     }
/// }
/// ```
///
/// The screen needs no inline script and no inline style. With a layout of the host, the page sends
/// no `Content-Security-Policy`, because two policies allow only what both allow. A policy of the
/// host must allow [`stylesheet`](Screen::stylesheet) and [`script`](Screen::script), and should
/// have `frame-ancestors 'none'`, `base-uri 'none'` and `form-action 'self'`.
pub trait Layout: Send + Sync + 'static {
    /// Returns the whole document around a screen.
    ///
    /// The path of the request begins below the path of the page; the whole path is in the extension
    /// [`OriginalUri`](axum::extract::OriginalUri). The request has the extensions that the host's
    /// login has set, such as its session. The host
    /// reads there what its layout needs.
    fn wrap(&self, request: &Parts, screen: &Screen<'_>) -> String;
}

/// A screen of the page, ready to be put into a layout.
///
/// [`Layout::wrap`] gets it.
///
/// ```
/// fn document(screen: &keywright::http::page::Screen<'_>) -> String {
///     format!("<!DOCTYPE html><head>{}</head><body>{}</body>", screen.head(), screen.body())
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Screen<'a> {
    pub(super) title: &'a str,
    /// The name of the host's product, if the host gives one.
    pub(super) product: Option<&'a str>,
    pub(super) language: &'a str,
    pub(super) stylesheet: &'a str,
    pub(super) script: &'a str,
    pub(super) body: &'a str,
}

impl Screen<'_> {
    /// Returns the title of the screen as plain text.
    ///
    /// The text must be escaped before it is HTML.
    ///
    /// ```
    /// fn title(screen: &keywright::http::page::Screen<'_>) -> String {
    ///     screen.title().to_owned()
    /// }
    /// ```
    pub fn title(&self) -> &str {
        self.title
    }

    /// Returns the title of the screen, escaped for HTML.
    ///
    /// ```
    /// fn title(screen: &keywright::http::page::Screen<'_>) -> String {
    ///     format!("<title>{}</title>", screen.escaped_title())
    /// }
    /// ```
    pub fn escaped_title(&self) -> String {
        html! { (self.title) }.into_string()
    }

    /// Returns the language of the screen, such as `en`.
    ///
    /// ```
    /// fn html(screen: &keywright::http::page::Screen<'_>) -> String {
    ///     format!("<html lang=\"{}\">", screen.language())
    /// }
    /// ```
    pub fn language(&self) -> &str {
        self.language
    }

    /// Returns the path of the stylesheet.
    ///
    /// ```
    /// fn link(screen: &keywright::http::page::Screen<'_>) -> String {
    ///     format!("<link rel=\"stylesheet\" href=\"{}\">", screen.stylesheet())
    /// }
    /// ```
    pub fn stylesheet(&self) -> &str {
        self.stylesheet
    }

    /// Returns the path of the script, an ES module.
    ///
    /// ```
    /// fn tag(screen: &keywright::http::page::Screen<'_>, nonce: &str) -> String {
    ///     format!("<script type=\"module\" nonce=\"{nonce}\" src=\"{}\"></script>", screen.script())
    /// }
    /// ```
    pub fn script(&self) -> &str {
        self.script
    }

    /// Returns the tags of the stylesheet and of the script, for the `<head>` of the layout.
    ///
    /// ```
    /// fn head(screen: &keywright::http::page::Screen<'_>) -> String {
    ///     format!("<head>{}</head>", screen.head())
    /// }
    /// ```
    pub fn head(&self) -> String {
        let tags = html! {
            link rel="stylesheet" href=(self.stylesheet);
            script type="module" src=(self.script) {}
        };
        tags.into_string()
    }

    /// Returns the finished HTML of the screen: one `<div>`.
    ///
    /// ```
    /// fn body(screen: &keywright::http::page::Screen<'_>) -> String {
    ///     format!("<main>{}</main>", screen.body())
    /// }
    /// ```
    pub fn body(&self) -> &str {
        self.body
    }
}

/// The layout of a host without one of its own.
pub(super) struct PlainLayout;

impl Layout for PlainLayout {
    fn wrap(&self, _: &Parts, screen: &Screen<'_>) -> String {
        let document = html! {
            (DOCTYPE)
            html lang=(screen.language) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title {
                        (screen.title)
                        @if let Some(product) = screen.product { " - " (product) }
                    }
                    (PreEscaped(screen.head()))
                }
                body class="kw-plain" {
                    main { (PreEscaped(screen.body)) }
                }
            }
        };
        document.into_string()
    }
}
