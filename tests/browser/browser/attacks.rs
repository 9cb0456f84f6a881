//! Documents of another origin that attack a host, and the headers that a browser sends with each attack.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use common::TestResult;
use fantoccini::Locator;

use crate::service::{Post, Server};
use crate::tab::Tab;

/// Returns a document with a form that posts these fields to a URL.
pub(crate) fn form(target: &str, fields: &[(&str, &str)]) -> String {
    let input =
        |(name, value): &(&str, &str)| format!("<input type=hidden name='{name}' value='{value}'>");
    let fields: String = fields.iter().map(input).collect();
    format!(
        "<h1>A prize</h1><form method=post action='{target}'>{fields}<button>Win</button></form>"
    )
}

/// Returns a document that shows another one in a sandboxed frame, whose origin is `null`. Its forms lead out of
/// the frame.
pub(crate) fn sandboxed(document: &str) -> String {
    let document = document.replace('"', "&quot;");
    format!(
        "<h1>A prize</h1><iframe sandbox='allow-forms allow-top-navigation' \
         srcdoc=\"<base target=_top>{document}\"></iframe>"
    )
}

/// Returns a document that shows a URL in a frame.
pub(crate) fn framing(target: &str) -> String {
    format!("<h1>A prize</h1><iframe src='{target}' width=800 height=600></iframe>")
}

/// Opens a document and presses its button, in its frame if it has one.
pub(crate) async fn press_win(tab: &Tab, url: &str, is_framed: bool) -> TestResult {
    tab.open(url).await?;
    if is_framed {
        tab.client.enter_frame(0).await?;
    }
    // The browser computes no names of elements in a sandboxed frame.
    tab.client.find(Locator::Css("button")).await?.click().await?;
    tab.leave_frame().await
}

#[common::test(chromium)]
async fn browser_tells_where_a_form_came_from() -> TestResult {
    let posted = get(|| async { Html("<h1>Form</h1>") }).post(|| async { Html("<h1>Posted</h1>") });
    let host = Server::new(Router::new().route("/", posted)).await?;
    let tab = Tab::new().await?;
    for target in [host.url("/"), host.lan_url("/")] {
        let is_secure = target == host.url("/");
        let plain = Server::with_document(form(&target, &[("name", "evil")])).await?;
        let framed = Server::with_document(sandboxed(&form(&target, &[]))).await?;
        for (page, is_framed, site, origin) in [
            (plain.url("/"), false, "same-site", plain.url("")),
            (plain.localhost_url("/"), false, "cross-site", plain.localhost_url("")),
            (framed.url("/"), true, "cross-site", "null".to_owned()),
        ] {
            press_win(&tab, &page, is_framed).await?;
            tab.sees("Posted").await?;
            let post = host.posts().pop().ok_or("no POST")?;
            assert_eq!(header(&post, "origin"), Some(&*origin), "{page} to {target}");
            let site = is_secure.then_some(site);
            assert_eq!(header(&post, "sec-fetch-site"), site, "{page} to {target}");
        }
    }
    Ok(())
}

fn header<'a>(post: &'a Post, name: &str) -> Option<&'a str> {
    post.headers.get(name)?.to_str().ok()
}

#[common::test(chromium)]
async fn refused_frame_is_empty() -> TestResult {
    let deny = [("content-security-policy", "frame-ancestors 'none'")];
    let open = get(|| async { Html("<h1>Keys</h1>") });
    let closed = get(move || async move { (deny, Html("<h1>Keys</h1>")) });
    let host = Server::new(Router::new().route("/open", open).route("/closed", closed)).await?;
    let tab = Tab::new().await?;
    for (path, is_shown) in [("/open", true), ("/closed", false)] {
        let other = Server::with_document(framing(&host.url(path))).await?;
        tab.open(&other.url("/")).await?;
        tab.client.enter_frame(0).await?;
        let text = tab.text().await?;
        assert_eq!(text.contains("Keys"), is_shown, "{path}: {text}");
        tab.leave_frame().await?;
        let complaints = tab.complaints().await?;
        assert_eq!(complaints.is_empty(), is_shown, "{complaints:?}");
    }
    Ok(())
}
