//! Fleetdesk: service accounts with their keys, under a strict policy with a nonce.

use axum::http::StatusCode;
use common::TestResult;

use super::demo::{Demo, become_person, shown};
use crate::tab::Tab;

#[common::test(chromium)]
async fn b20_fleetdesk_account_lives() -> TestResult {
    let (demo, tab) = (Demo::open().await?, Tab::new().await?);
    demo.visit(&tab, "Fleetdesk").await?;
    tab.follow("Add service account").await?;
    tab.fill("Name", "Dock terminals").await?;
    tab.choose("dispatcher").await?;
    tab.choose("Read-only access").await?;
    tab.press("Add service account").await?;
    tab.sees("The service account is added").await?;
    tab.follow("Generate API key Dock terminals").await?;
    tab.fill("Name", "Dock 1").await?;
    tab.press("Generate").await?;
    let token = shown(&tab, "fleetdesk_live").await?;
    assert_eq!(demo.call("fleetdesk", &token).await?, StatusCode::OK);
    tab.follow("I have stored it").await?;
    // Disabling the account stops its keys, and enabling it starts them.
    for (button, status) in [("Disable", StatusCode::UNAUTHORIZED), ("Enable", StatusCode::OK)] {
        demo.visit(&tab, "Fleetdesk").await?;
        tab.follow("Dock terminals").await?;
        tab.follow(&format!("{button} Dock terminals")).await?;
        tab.press(button).await?;
        tab.sees(&format!("It is {}d", button.to_lowercase())).await?;
        assert_eq!(demo.call("fleetdesk", &token).await?, status, "{button}");
    }
    tab.follow("Delete Dock terminals").await?;
    tab.sees("1 key is deleted too").await?;
    tab.fill("Type the name of the account to go on: Dock terminals", "Dock terminals").await?;
    tab.press("Delete").await?;
    tab.sees("The service account and its keys are deleted").await?;
    assert_eq!(demo.call("fleetdesk", &token).await?, StatusCode::UNAUTHORIZED);
    assert_eq!(tab.complaints().await?, Vec::<String>::new());
    Ok(())
}

#[common::test(chromium)]
async fn b20_fleetdesk_explains_to_others() -> TestResult {
    let (demo, tab) = (Demo::open().await?, Tab::new().await?);
    demo.visit(&tab, "Fleetdesk").await?;
    become_person(&tab, "Finn Berg (dispatcher, not an administrator)").await?;
    tab.sees("Ask Ada Lovelace").await?;
    assert!(!tab.text().await?.contains("Route planner"));
    Ok(())
}
