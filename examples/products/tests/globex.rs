//! Globex: the console of the tenant, and the hub of a user.

use keywright_products::product::Site;
use keywright_products::products::globex::Globex;

use crate::browser::Browser;

#[tokio::test]
async fn developer_makes_a_key_within_the_limits() {
    let mut browser = Browser::new().await;
    let list = browser.log_in(Globex::PRODUCT, "greta").await;
    list.shows(&["3 of 5 keys used", "Order dashboard, hall 2"]);
    let form = browser.follow(&list, "Generate API key").await;
    form.shows(&["Create and change orders", "Cost center", "at most 365 days"]);
    form.hides(&["No expiry"]);
    let filled = [("name", "Returns desk"), ("scope", "orders:write"), ("expiry", "30")];
    let made = browser.submit(&form, &filled).await;
    made.shows(&["shown only once", "Returns desk"]);
    let list = browser.get(&Globex::PRODUCT.path()).await;
    list.shows(&["4 of 5 keys used"]);
}

#[tokio::test]
async fn unlicensed_developer_sees_an_upgrade() {
    let mut browser = Browser::new().await;
    let list = browser.log_in(Globex::PRODUCT, "hugo").await;
    list.shows(&["Upgrade required", "Hugo's script"]);
}

#[tokio::test]
async fn administrator_finds_and_revokes_keys() {
    let mut browser = Browser::new().await;
    let own = browser.log_in(Globex::PRODUCT, "ada").await;
    let all = browser.follow(&own, "All keys").await;
    all.shows(&["Label printer", "Greta Lind", "Migration", "Jonas Keller"]);
    let found = browser.get(&format!("{}?q=Greta", all.path)).await;
    found.shows(&["Label printer"]);
    found.hides(&["Migration"]);
    let key = browser.follow(&found, "Stock alerts").await;
    let question = browser.follow(&key, "Revoke").await;
    browser.submit(&question, &[]).await.shows(&["The key is revoked."]);
}

#[tokio::test]
async fn administrator_limits_keys_and_reads_events() {
    let mut browser = Browser::new().await;
    let own = browser.log_in(Globex::PRODUCT, "ada").await;
    let settings = browser.follow(&own, "Settings").await;
    settings.shows(&["365 days", "Set here"]);
    let form = browser.follow(&settings, "Change the settings").await;
    let settings = browser.submit(&form, &[("max_keys_per_user", "3")]).await;
    settings.shows(&["The change is saved."]);
    let events = browser.follow(&settings, "Events").await;
    events.shows(&["Ada Lovelace"]);

    // Three keys were there before, and stay.
    let list = browser.log_in(Globex::PRODUCT, "greta").await;
    list.shows(&["3 of 3 keys used", "The limit of 3 live keys is reached."]);
    assert!(list.link("Generate API key").is_none());
}

#[tokio::test]
async fn auditor_reads_and_changes_nothing() {
    let mut browser = Browser::new().await;
    let own = browser.log_in(Globex::PRODUCT, "iris").await;
    let settings = browser.follow(&own, "Settings").await;
    assert!(settings.link("Change the settings").is_none());
    let all = browser.follow(&own, "All keys").await;
    all.shows(&["Label printer"]);
    assert!(all.link("Revoke").is_none());
}

#[tokio::test]
async fn page_speaks_german() {
    let mut browser = Browser::new().await;
    browser.language = "de-AT,de;q=0.9";
    let page = browser.log_in(Globex::PRODUCT, "greta").await;
    page.shows(&["Ihre API-Schlüssel", "API-Schlüssel erzeugen"]);
    assert!(page.html.contains("<html lang=\"de\">"));
}
