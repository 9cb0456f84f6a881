//! The checks of the other tests, each on a page with a planted fault.

use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use common::TestResult;

use crate::find::Kind;
use crate::service::Server;
use crate::steps::double_click;
use crate::tab::Tab;

const GOOD: &str = "<!doctype html><html lang=en><meta name=color-scheme content='light dark'><title>Keys</title>\
    <style>html { background: Canvas }</style><main><h1>Keys</h1><form method=post action=/><p><label for=name>Name</label> <input id=name name=name></p>\
    <p><input type=checkbox id=agree> <label for=agree>Agree</label></p>\
    <p><button>Create key</button> <a href='/?next'>Next</a></p></form><p id=script>No script</p></main>\
    <script>document.getElementById('script').textContent = 'Script'</script></html>";

async fn server() -> TestResult<Server> {
    let form = get(|| async { Html(GOOD) }).post(|| async { Html("<h1>Created</h1>") });
    Server::new(Router::new().route("/", form)).await
}

#[common::test(chromium, axe)]
async fn accessible_page_has_no_violations() -> TestResult {
    let (server, tab) = (server().await?, Tab::new().await?);
    tab.open(&server.url("/")).await?;
    assert_eq!(tab.violations().await?, Vec::<String>::new());
    assert_eq!((tab.overflow().await?, tab.complaints().await?), (0, Vec::new()));
    assert!(tab.picture().await?.starts_with(b"\x89PNG"));
    Ok(())
}

#[common::test(chromium, axe)]
async fn planted_faults_are_found() -> TestResult {
    let html = "<html><style>:root { color-scheme: light dark } @media (prefers-color-scheme: dark) { body { background: #111 } p { color: #333 } } \
        </style><title>Keys</title><main><h1>Keys</h1><p>Dark</p><input><div style='width: 2000px'>x</div></main>";
    let server = Server::with_document(html).await?;
    let tab = Tab::new().await?;
    tab.open(&server.url("/")).await?;
    let found = tab.violations().await?;
    for (theme, rule, times) in [
        ("Light", "label", 1),
        ("Light", "html-has-lang", 1),
        ("Dark", "color-contrast", 1),
        ("Light", "color-contrast", 0),
    ] {
        let start = format!("{theme}: {rule}: ");
        let count = found.iter().filter(|line| line.starts_with(&start)).count();
        assert_eq!(count, times, "{start}{found:#?}");
    }
    assert!(tab.overflow().await? > 500);
    Ok(())
}

#[common::test(chromium)]
async fn policy_violations_are_complaints() -> TestResult {
    let policy = [("content-security-policy", "script-src 'self'")];
    let router = Router::new().route("/", get(move || async move { (policy, Html(GOOD)) }));
    let (server, tab) = (Server::new(router).await?, Tab::new().await?);
    tab.open(&server.url("/")).await?;
    tab.sees("No script").await?;
    let complaints = tab.complaints().await?;
    assert!(
        complaints.iter().any(|text| text.contains("Content Security Policy")),
        "{complaints:?}"
    );
    assert_eq!(tab.complaints().await?, Vec::<String>::new(), "each is read once");
    Ok(())
}

#[common::test(chromium)]
async fn form_works_with_keys_alone() -> TestResult {
    let (server, tab) = (server().await?, Tab::new().await?);
    tab.open(&server.url("/")).await?;
    assert_eq!(tab.names(Kind::Heading).await?, ["Keys"]);
    tab.tab_to(Kind::Field, "Name").await?;
    tab.types("prod-main-app").await?;
    assert_eq!(tab.value("Name").await?, "prod-main-app");
    tab.tab_to(Kind::Button, "Create key").await?;
    tab.types(" ").await?;
    tab.sees("Created").await?;
    let posts = server.posts();
    assert_eq!((posts.len(), &*posts[0].path, posts[0].status), (1, "/", Some(StatusCode::OK)));
    Ok(())
}

#[common::test(chromium)]
async fn scripts_can_be_off() -> TestResult {
    let (server, tab) = (server().await?, Tab::without_javascript().await?);
    tab.open(&server.url("/")).await?;
    tab.sees("No script").await?;
    tab.fill("Name", "staging-api").await?;
    tab.choose("Agree").await?;
    assert_eq!(tab.names(Kind::Button).await?, ["Create key"]);
    server.lose_next_answer();
    tab.press("Create key").await?;
    tab.sees("Gateway timeout").await?;
    tab.back().await?;
    tab.follow("Next").await?;
    assert_eq!(tab.path().await?, "/?next");
    tab.press("Create key").await?;
    tab.sees("Created").await?;
    tab.reload().await?;
    assert_eq!(server.posts().len(), 3, "a reload sends the form again");
    tab.back().await?;
    tab.sees("No script").await?;
    tab.forward().await?;
    tab.sees("Created").await?;
    Ok(())
}

#[common::test(chromium)]
async fn plain_http_is_no_secure_context() -> TestResult {
    let (server, tab) = (server().await?, Tab::new().await?);
    for (url, is_secure) in [(server.url("/"), true), (server.lan_url("/"), false)] {
        tab.open(&url).await?;
        assert_eq!(tab.script("return isSecureContext").await?, is_secure, "{url}");
    }
    Ok(())
}

#[common::test(chromium)]
async fn copied_text_can_be_pasted() -> TestResult {
    let html = "<label>Search <input></label><button>Copy</button><script>\
        document.querySelector('button').onclick = () => navigator.clipboard.writeText('copied text')</script>";
    let (server, tab) = (Server::with_document(html).await?, Tab::new().await?);
    tab.open(&server.url("/")).await?;
    tab.press("Copy").await?;
    tab.paste_into("Search").await?;
    assert_eq!(tab.value("Search").await?, "copied text");
    Ok(())
}

#[common::test(chromium)]
async fn second_click_sends_a_second_form() -> TestResult {
    let (server, tab) = (server().await?, Tab::new().await?);
    tab.open(&server.url("/")).await?;
    server.delay_answers(Duration::from_millis(300));
    double_click(&tab, "Create key").await?;
    tab.sees("Created").await?;
    assert_eq!(server.posts().len(), 2);
    Ok(())
}

#[common::test(chromium)]
async fn dropped_browser_leaves_nothing() -> TestResult {
    let tab = Tab::new().await?;
    let profile = tab.profile();
    assert!(profile.join("Default").exists());
    drop(tab);
    assert!(!Path::new(&profile).exists());
    Ok(())
}
