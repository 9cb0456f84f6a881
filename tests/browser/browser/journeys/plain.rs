//! The page without scripts, and over plain HTTP on a name that is no secure context.

use common::TestResult;

use crate::host::Host;
use crate::steps::{assert_no_token, create, open_key, shown_token};
use crate::tab::Tab;

/// The label of the field before a key in use is revoked.
const QUESTION: &str =
    "This key was used within the last 24 hours. Type its name to go on: staging-api";

#[common::test(chromium)]
async fn b20_key_lives_without_javascript() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::without_javascript().await?);
    let first = create(&tab, &host, "staging-api").await?;
    tab.follow("I have stored it").await?;
    tab.follow("Rotate staging-api").await?;
    tab.choose("24 hours").await?;
    tab.press("Rotate").await?;
    let second = shown_token(&tab).await?;
    assert_eq!((host.world.says(&first), host.world.says(&second)), ("retiring", "current"));
    host.world.verifier.flush().await?;
    open_key(&tab, &host, "staging-api").await?;
    assert_no_token(&tab).await?;
    tab.follow("Revoke staging-api").await?;
    tab.fill(QUESTION, "staging-api").await?;
    tab.press("Revoke").await?;
    tab.sees("The key is revoked").await?;
    assert_eq!((host.world.says(&first), host.world.says(&second)), ("revoked", "revoked"));
    Ok(())
}

#[common::test(chromium)]
async fn b20_plain_http_is_enough() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    tab.open(&host.lan_url("/new")).await?;
    assert_eq!(tab.script("return isSecureContext").await?, false);
    tab.fill("Name", "prod-main-app").await?;
    tab.press("Generate").await?;
    let token = shown_token(&tab).await?;
    let post = host.server.posts().pop().ok_or("no POST")?;
    assert!(post.headers.get("sec-fetch-site").is_none(), "{:?}", post.headers);
    // Without a clipboard for pages, the page selects the token or copies the selection.
    tab.press("Copy API key").await?;
    let selected = tab.script("return String(getSelection())").await?;
    let said = tab.text().await?;
    assert!(said.contains("Copied") || selected == token.as_str(), "{selected}: {said}");
    tab.reload().await?;
    assert_no_token(&tab).await?;
    // Without `Sec-Fetch-Site`, the page knows by `Referer` that its own form led to the report.
    let key = host.only_key().await?.key.id;
    tab.open(&host.lan_url(&format!("/keys/{key}/disable"))).await?;
    tab.press("Disable").await?;
    tab.sees("It is disabled.").await?;
    Ok(())
}
