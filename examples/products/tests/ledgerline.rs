//! Ledgerline: API access of a developer.

use axum::http::StatusCode;
use keywright_products::product::Site;
use keywright_products::products::ledgerline::Ledgerline;

use crate::browser::Browser;

#[tokio::test]
async fn new_secret_needs_a_fresh_login() {
    let mut browser = Browser::new().await;
    let list = browser.log_in(Ledgerline::PRODUCT, "noa").await;
    let asked = browser.follow(&list, "Create API key").await;
    asked.shows(&["Confirm your login"]);
    let form = browser.submit(&asked, &[]).await;
    form.shows(&["Create API key", "prod-main-app, staging-api, crm-integration"]);

    let wrong = browser.submit(&form, &[("name", "My key")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let made = browser.submit(&wrong, &[("name", "prod-web-shop"), ("expiry", "30")]).await;
    let [token, line] = &*made.secrets() else { panic!("two texts: {}", made.text()) };
    assert_eq!(*line, format!("LEDGERLINE_API_KEY={token}"));
}

#[tokio::test]
async fn key_is_revoked_without_a_fresh_login() {
    let mut browser = Browser::new().await;
    let list = browser.log_in(Ledgerline::PRODUCT, "noa").await;
    let key = browser.follow(&list, "staging-api").await;
    let question = browser.follow(&key, "Revoke").await;
    question.shows(&[
        "The people who run the systems with this key were asked.",
        "This cannot be undone.",
    ]);
    browser.submit(&question, &[]).await.shows(&["The key is revoked.", "Revoked"]);
}

#[tokio::test]
async fn rotation_is_handed_over() {
    let mut browser = Browser::new().await;
    let list = browser.log_in(Ledgerline::PRODUCT, "noa").await;
    list.shows(&["Old secret until", "904", "3 of 10 keys used"]);
    let key = browser.follow(&list, "prod-main-app").await;
    key.shows(&[
        "Two secrets work",
        "no use of the old one was counted in the last hour",
        "billing-team@example.com",
    ]);
    let question = browser.follow(&key, "Confirm hand-over done").await;
    // The fresh login is asked for here, too.
    let question = browser.submit(&question, &[]).await;
    let key = browser.submit(&question, &[]).await;
    key.shows(&["The old secret is refused from now on."]);
    key.hides(&["Two secrets work"]);

    let form = browser.follow(&key, "Rotate").await;
    form.shows(&["Tell the technical contact first: billing-team@example.com."]);
    let unchosen = browser.submit(&form, &[]).await;
    assert_eq!(unchosen.status, StatusCode::UNPROCESSABLE_ENTITY);
    let made = browser.submit(&unchosen, &[("overlap", "24")]).await;
    made.shows(&["shown only once", "Old secret works until"]);
    let bearer = format!("Bearer {}", made.secrets()[0]);
    assert_eq!(browser.call_api(Ledgerline::PRODUCT, &bearer).await, StatusCode::OK);
}

#[tokio::test]
async fn plan_without_api_asks_for_an_upgrade() {
    let mut browser = Browser::new().await;
    let list = browser.log_in(Ledgerline::PRODUCT, "sam").await;
    list.shows(&["Upgrade required", "web-shop", "the plan has no API access"]);
    browser.follow(&list, "See the plans").await.shows(&["Plans"]);
}

#[tokio::test]
async fn user_without_permission_learns_whom_to_ask() {
    let mut browser = Browser::new().await;
    let list = browser.log_in(Ledgerline::PRODUCT, "kim").await;
    list.shows(&["You don't have the permission to generate keys.", "Ask Olga Petrova"]);
}
