//! Fleetdesk: service accounts.

use axum::http::StatusCode;
use keywright_products::product::Site;
use keywright_products::products::fleetdesk::Fleetdesk;

use crate::browser::Browser;

#[tokio::test]
async fn account_gets_a_key_and_is_deleted() {
    let mut browser = Browser::new().await;
    let list = browser.log_in(Fleetdesk::PRODUCT, "ada").await;
    list.shows(&["Route planner", "Telematics import", "Planner, production"]);

    let form = browser.follow(&list, "Add service account").await;
    form.shows(&["dispatcher", "Plans and changes routes.", "Read-only"]);
    let account = browser.submit(&form, &[("name", "Fuel cards"), ("role", "viewer")]).await;
    account.shows(&["Fuel cards", "viewer"]);
    let form = browser.follow(&account, "Generate API key").await;
    let made = browser.submit(&form, &[("name", "Fuel cards, production")]).await;
    made.shows(&["shown only once"]);
    let bearer = format!("Bearer {}", made.secrets()[0]);
    assert_eq!(browser.call_api(Fleetdesk::PRODUCT, &bearer).await, StatusCode::OK);

    let question = browser.get(&format!("{}/disable", account.path())).await;
    browser.submit(&question, &[]).await.shows(&["Disabled"]);
    assert_eq!(browser.call_api(Fleetdesk::PRODUCT, &bearer).await, StatusCode::UNAUTHORIZED);
    let question = browser.get(&format!("{}/delete", account.path())).await;
    question.shows(&["Fuel cards, production"]);
    let list = browser.submit(&question, &[("typed_name", "Fuel cards")]).await;
    list.hides(&["Fuel cards, production"]);
}

#[tokio::test]
async fn nonce_is_new_in_each_answer() {
    let mut browser = Browser::new().await;
    let one = browser.log_in(Fleetdesk::PRODUCT, "ada").await;
    let two = browser.get(&one.path).await;
    let policies = [one, two].map(|page| {
        let policy = page.headers["content-security-policy"].to_str().expect("text").to_owned();
        let nonce = policy.split('\'').find_map(|part| part.strip_prefix("nonce-"));
        let nonce = nonce.expect("a nonce").to_owned();
        let tags = page.html.matches("<link ").count() + page.html.matches("<script ").count();
        assert_eq!(page.html.matches(&format!("nonce=\"{nonce}\"")).count(), tags);
        policy
    });
    assert_ne!(policies[0], policies[1]);
}

#[tokio::test]
async fn dispatcher_learns_whom_to_ask() {
    let mut browser = Browser::new().await;
    let page = browser.log_in(Fleetdesk::PRODUCT, "finn").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    page.shows(&["No access", "Ask Ada Lovelace."]);
}
