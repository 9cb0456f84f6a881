//! Ledgerline: the API access of a developer.

use axum::http::StatusCode;
use common::TestResult;

use super::demo::{Demo, become_person, press_final, shown};
use crate::find::Kind;
use crate::tab::Tab;

#[common::test(chromium)]
async fn b20_ledgerline_key_lives() -> TestResult {
    let (demo, tab) = (Demo::open().await?, Tab::new().await?);
    demo.visit(&tab, "Ledgerline").await?;
    // A new secret needs a fresh login, and the form is shown after it.
    tab.follow("Create API key").await?;
    tab.sees("Confirm your login").await?;
    tab.press("Confirm").await?;
    tab.fill("Name", "Web Shop").await?;
    tab.press("Create API key").await?;
    tab.sees("The name must be at least two words").await?;
    tab.fill("Name", "prod-web-shop").await?;
    tab.press("Create API key").await?;
    let first = shown(&tab, "ledgerline_live").await?;
    tab.sees("LEDGERLINE_API_KEY=ledgerline_live_").await?;
    assert_eq!(demo.call("ledgerline", &first).await?, StatusCode::OK);
    tab.follow("I have stored it").await?;
    tab.follow("Rotate prod-web-shop").await?;
    tab.choose("1 hour").await?;
    tab.press("Rotate").await?;
    let second = shown(&tab, "ledgerline_live").await?;
    for token in [&first, &second] {
        assert_eq!(demo.call("ledgerline", token).await?, StatusCode::OK);
    }
    tab.follow("I have stored it").await?;
    tab.sees("Two secrets work").await?;
    tab.follow("Confirm hand-over done").await?;
    tab.press("Confirm hand-over done").await?;
    tab.sees("The old secret is refused from now on").await?;
    assert_eq!(demo.call("ledgerline", &first).await?, StatusCode::UNAUTHORIZED);
    tab.follow("Revoke prod-web-shop").await?;
    tab.sees("The people who run the systems with this key were asked").await?;
    press_final(&tab, "Revoke", "prod-web-shop").await?;
    tab.sees("The key is revoked").await?;
    assert_eq!(demo.call("ledgerline", &second).await?, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[common::test(chromium)]
async fn b20_ledgerline_leak_needs_no_login() -> TestResult {
    let (demo, tab) = (Demo::open().await?, Tab::new().await?);
    demo.visit(&tab, "Ledgerline").await?;
    tab.follow("Revoke staging-api").await?;
    tab.press("Revoke").await?;
    tab.sees("The key is revoked").await
}

#[common::test(chromium)]
async fn b20_ledgerline_free_plan_asks_to_upgrade() -> TestResult {
    let (demo, tab) = (Demo::open().await?, Tab::new().await?);
    demo.visit(&tab, "Ledgerline").await?;
    become_person(&tab, "Sam Okoro (developer of a customer on the free plan)").await?;
    tab.sees("Upgrade required").await?;
    tab.sees("web-shop").await?;
    let links = tab.names(Kind::Link).await?;
    assert!(links.iter().all(|link| link != "Create API key"), "{links:?}");
    tab.follow("See the plans").await?;
    assert_eq!(tab.path().await?, "/ledgerline/plans");
    Ok(())
}
