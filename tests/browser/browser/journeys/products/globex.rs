//! Globex: the hub of a user, and the console of a tenant's administrator.

use axum::http::StatusCode;
use common::TestResult;

use super::demo::{Demo, become_person, shown};
use crate::find::Kind;
use crate::tab::Tab;

#[common::test(chromium)]
async fn b20_globex_admin_oversees_a_users_key() -> TestResult {
    let (demo, tab) = (Demo::open().await?, Tab::new().await?);
    demo.visit(&tab, "Globex").await?;
    become_person(&tab, "Greta Lind (developer)").await?;
    tab.sees("3 of 5 keys used").await?;
    tab.follow("Generate API key").await?;
    tab.fill("Name", "Price tags").await?;
    tab.fill("Cost center (optional)", "4711").await?;
    tab.choose("stock:read").await?;
    tab.choose("30 days").await?;
    tab.press("Generate").await?;
    let token = shown(&tab, "globex_live").await?;
    assert_eq!(demo.call("globex", &token).await?, StatusCode::OK);
    tab.follow("I have stored it").await?;
    tab.sees("4711").await?;
    // The administrator finds the key among all keys, and revokes it with another one.
    become_person(&tab, "Ada Lovelace (administrator of the tenant)").await?;
    tab.follow("All keys").await?;
    tab.choose("Select Price tags").await?;
    tab.choose("Select Stock alerts").await?;
    tab.press("Revoke selected keys").await?;
    let recent = "1 of these keys was used within the last 24 hours. \
                  Type the number of keys to go on: 2";
    tab.fill(recent, "2").await?;
    tab.press("Revoke 2 keys").await?;
    tab.sees("2 keys were revoked").await?;
    assert_eq!(demo.call("globex", &token).await?, StatusCode::UNAUTHORIZED);
    become_person(&tab, "Greta Lind (developer)").await?;
    tab.sees("2 of 5 keys used").await
}

#[common::test(chromium)]
async fn b20_globex_switch_stops_every_key() -> TestResult {
    let (demo, tab) = (Demo::open().await?, Tab::new().await?);
    demo.visit(&tab, "Globex").await?;
    become_person(&tab, "Greta Lind (developer)").await?;
    tab.follow("Generate API key").await?;
    tab.fill("Name", "Price tags").await?;
    tab.press("Generate").await?;
    let token = shown(&tab, "globex_live").await?;
    tab.follow("I have stored it").await?;
    become_person(&tab, "Ada Lovelace (administrator of the tenant)").await?;
    for (link, status) in
        [("Turn API keys off", StatusCode::UNAUTHORIZED), ("Turn API keys on", StatusCode::OK)]
    {
        tab.follow("Settings").await?;
        tab.follow(link).await?;
        tab.press(link).await?;
        tab.sees("API keys are o").await?;
        assert_eq!(demo.call("globex", &token).await?, status, "{link}");
    }
    tab.follow("Events").await?;
    tab.sees("Price tags").await
}

#[common::test(chromium)]
async fn b20_globex_hub_names_the_missing_license() -> TestResult {
    let (demo, tab) = (Demo::open().await?, Tab::new().await?);
    demo.visit(&tab, "Globex").await?;
    become_person(&tab, "Hugo Weiss (developer without a license)").await?;
    tab.sees("You can't generate a key now").await?;
    tab.sees("Hugo's script").await?;
    let links = tab.names(Kind::Link).await?;
    assert!(links.iter().all(|link| link != "Generate API key"), "{links:?}");
    Ok(())
}
