//! Workbase: keys of the organization, with a name and an optional expiry.

use axum::http::StatusCode;
use common::{DAY, TestResult};
use keywright::{Clock, SystemClock};

use super::demo::{Demo, become_person, press_final, shown};
use crate::find::Kind;
use crate::tab::Tab;

#[common::test(chromium)]
async fn b20_workbase_key_lives() -> TestResult {
    let (demo, tab) = (Demo::open().await?, Tab::new().await?);
    demo.visit(&tab, "Workbase").await?;
    tab.follow("Generate API key").await?;
    tab.fill("Name", "Invoice export").await?;
    tab.fill("Expiry date", &in_days(60)).await?;
    tab.press("Generate").await?;
    let token = shown(&tab, "workbase_live").await?;
    assert_eq!(demo.call("workbase", &token).await?, StatusCode::OK);
    tab.press("Copy API key").await?;
    tab.follow("I have stored it").await?;
    // The expiry is fixed, the name is not.
    tab.follow("Edit Invoice export").await?;
    tab.sees("The expiry can't be changed: make a new key").await?;
    tab.fill("Name", "Invoice archive").await?;
    tab.press("Save").await?;
    tab.sees("The change is saved").await?;
    tab.follow("Delete Invoice archive").await?;
    tab.sees("Systems that use it lose access at once").await?;
    press_final(&tab, "Delete", "Invoice archive").await?;
    tab.sees("The key is deleted").await?;
    assert_eq!(demo.call("workbase", &token).await?, StatusCode::UNAUTHORIZED);
    assert!(!tab.text().await?.contains("Invoice archive"));
    Ok(())
}

#[common::test(chromium)]
async fn b20_workbase_expired_key_is_replaced() -> TestResult {
    let (demo, tab) = (Demo::open().await?, Tab::new().await?);
    demo.visit(&tab, "Workbase").await?;
    tab.follow("Show expired and revoked keys").await?;
    tab.follow("Expired, make a new one").await?;
    assert_eq!(tab.value("Name").await?, "Data export 2025");
    tab.press("Generate").await?;
    let token = shown(&tab, "workbase_live").await?;
    assert_eq!(demo.call("workbase", &token).await?, StatusCode::OK);
    Ok(())
}

#[common::test(chromium)]
async fn b20_workbase_roles_see_less() -> TestResult {
    let (demo, tab) = (Demo::open().await?, Tab::new().await?);
    demo.visit(&tab, "Workbase").await?;
    become_person(&tab, "Mila Novak (member, may only look)").await?;
    tab.sees("Zapier").await?;
    tab.sees("Ask Ada Lovelace").await?;
    let links = tab.names(Kind::Link).await?;
    let may_change = ["Generate API key", "Edit Zapier", "Delete Zapier"];
    assert!(links.iter().all(|link| !may_change.contains(&&**link)), "{links:?}");
    become_person(&tab, "Tom Baker (guest, without access to keys)").await?;
    assert!(!tab.text().await?.contains("Zapier"));
    Ok(())
}

/// Returns a day as the browser's date field takes it from the keyboard: month, day, year.
fn in_days(days: u32) -> String {
    let day = SystemClock.now().saturating_add(DAY * days).to_string();
    let part = |range| day.get(range).unwrap_or_default();
    format!("{}{}{}", part(5..7), part(8..10), part(0..4))
}
