//! A browser without scripts: it keeps cookies, follows links and redirects, and sends forms as they are
//! filled in.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use keywright::store::MemoryStore;
use keywright_products::Demo;
use keywright_products::product::Product;
use scraper::{ElementRef, Html, Selector};
use tower::ServiceExt;

const ORIGIN: &str = "http://products.test";

/// The products in memory, and a browser.
pub(crate) struct Browser {
    pub(crate) app: Router,
    cookies: BTreeMap<String, String>,
    pub(crate) language: &'static str,
    _demo: Demo,
}

/// An answer that a browser shows.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Browser {
    /// Opens the products in a new store.
    pub(crate) async fn new() -> Self {
        let demo = Demo::open(MemoryStore::new()).await.expect("the products open");
        let cookies = BTreeMap::new();
        Self { app: demo.app(), cookies, language: "en", _demo: demo }
    }

    /// Becomes a user of a product, and returns the page of keys.
    pub(crate) async fn log_in(&mut self, product: &Product, user: &str) -> Page {
        let path = format!("/{}/demo-user", product.slug);
        let page = self.post(&path, &[("user".to_owned(), user.to_owned())]).await;
        assert!(page.html.contains(&format!("value=\"{user}\" selected")), "{}", page.text());
        page
    }

    /// Visits a path, and follows redirects.
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let request = self.request("GET", path);
        self.send(request, path, Body::empty()).await
    }

    /// Follows the link whose text begins with these words.
    pub(crate) async fn follow(&mut self, page: &Page, words: &str) -> Page {
        let path = page.link(words).unwrap_or_else(|| panic!("no link {words}: {}", page.text()));
        self.get(&path).await
    }

    /// Fills in the page's own form and sends it. The fields that are not named keep their values.
    pub(crate) async fn submit(&mut self, page: &Page, filled: &[(&str, &str)]) -> Page {
        let (action, mut fields) = page.form();
        fields.retain(|(name, _)| filled.iter().all(|(other, _)| name != other));
        fields.extend(filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.post(&action, &fields).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(String, String)]) -> Page {
        let pairs: Vec<_> =
            fields.iter().map(|(a, b)| format!("{}={}", coded(a), coded(b))).collect();
        let request = self.request("POST", path).header("origin", ORIGIN);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, path, Body::from(pairs.join("&"))).await
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        Request::builder()
            .method(method)
            .uri(path)
            .header("host", "products.test")
            .header("sec-fetch-site", "same-origin")
            .header("accept-language", self.language)
            .header(COOKIE, cookies.collect::<Vec<_>>().join("; "))
    }

    async fn send(
        &mut self,
        request: axum::http::request::Builder,
        path: &str,
        body: Body,
    ) -> Page {
        let request = request.body(body).expect("a request");
        let mut response = self.app.clone().oneshot(request).await.expect("an answer");
        let mut path = path.to_owned();
        loop {
            for cookie in response.headers().get_all(SET_COOKIE) {
                let cookie = cookie.to_str().expect("text");
                let pair = cookie.split(';').next().expect("a pair");
                let (name, value) = pair.split_once('=').expect("a name and a value");
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let Some(to) = response.headers().get(LOCATION) else { break };
            to.to_str().expect("text").clone_into(&mut path);
            let request = self.request("GET", &path).body(Body::empty()).expect("a request");
            response = self.app.clone().oneshot(request).await.expect("an answer");
        }
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let html = String::from_utf8(bytes.to_vec()).expect("text");
        Page { status: parts.status, path, headers: parts.headers, html }
    }

    /// Calls the API of a product with a key.
    pub(crate) async fn call_api(&self, product: &Product, authorization: &str) -> StatusCode {
        let request = Request::get(format!("/{}/api", product.slug));
        let request = request.header("authorization", authorization).body(Body::empty());
        self.app.clone().oneshot(request.expect("a request")).await.expect("an answer").status()
    }
}

impl Page {
    /// Returns the path without its query.
    pub(crate) fn path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    fn document(&self) -> Html {
        Html::parse_document(&self.html)
    }

    /// Returns the text of the page's own part, with single spaces.
    pub(crate) fn text(&self) -> String {
        let document = self.document();
        let main = all(&document, "main").into_iter().next();
        let words: Vec<_> = main.into_iter().flat_map(|main| main.text()).collect();
        words.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Asserts that the page shows these texts.
    #[track_caller]
    pub(crate) fn shows(&self, texts: &[&str]) {
        let whole = self.text();
        for text in texts {
            assert!(whole.contains(text), "{text:?} is not in: {whole}");
        }
    }

    /// Asserts that the page does not show these texts.
    #[track_caller]
    pub(crate) fn hides(&self, texts: &[&str]) {
        let whole = self.text();
        for text in texts {
            assert!(!whole.contains(text), "{text:?} is in: {whole}");
        }
    }

    /// Returns the path of the link whose text begins with these words.
    pub(crate) fn link(&self, words: &str) -> Option<String> {
        let document = self.document();
        let starts = |link: &ElementRef<'_>| link.text().collect::<String>().starts_with(words);
        let link = all(&document, "main a").into_iter().find(starts)?;
        link.attr("href").map(str::to_owned)
    }

    /// Returns the paths of all links of the page's own part.
    pub(crate) fn links(&self) -> Vec<String> {
        let document = self.document();
        let links = all(&document, "main a");
        links.into_iter().filter_map(|link| link.attr("href")).map(str::to_owned).collect()
    }

    /// Returns the action and the values of the form that changes something.
    fn form(&self) -> (String, Vec<(String, String)>) {
        let document = self.document();
        let form = all(&document, "main form[method=post]").into_iter().next();
        let form = form.unwrap_or_else(|| panic!("no form: {}", self.text()));
        let is_on = |field: &ElementRef<'_>| match field.attr("type") {
            Some("radio" | "checkbox") => field.attr("checked").is_some(),
            _ => true,
        };
        let inputs = Selector::parse("input[name]").expect("a selector");
        let mut values: Vec<_> = form
            .select(&inputs)
            .filter(is_on)
            .map(|field| (owned(field.attr("name")), owned(field.attr("value"))))
            .collect();
        let texts = Selector::parse("textarea[name]").expect("a selector");
        values.extend(
            form.select(&texts).map(|area| (owned(area.attr("name")), area.text().collect())),
        );
        let lists = Selector::parse("select[name]").expect("a selector");
        let chosen = Selector::parse("option[selected]").expect("a selector");
        values.extend(form.select(&lists).filter_map(|list| {
            let option = list.select(&chosen).next()?;
            Some((owned(list.attr("name")), owned(option.attr("value"))))
        }));
        (form.attr("action").unwrap_or(&self.path).to_owned(), values)
    }

    /// Returns the texts to copy, which are shown once.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let document = self.document();
        all(&document, "[data-kw-copy]").into_iter().map(|code| code.text().collect()).collect()
    }
}

fn owned(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn all<'d>(document: &'d Html, selector: &str) -> Vec<ElementRef<'d>> {
    document.select(&Selector::parse(selector).expect("a selector")).collect()
}

/// Encodes a text for a form.
fn coded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
