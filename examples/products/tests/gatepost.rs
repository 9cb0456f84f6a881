//! Gatepost: key id and key secret.

use axum::http::StatusCode;
use keywright_products::product::Site;
use keywright_products::products::gatepost::Gatepost;

use crate::browser::Browser;

#[tokio::test]
async fn key_is_shown_in_two_parts() {
    let mut browser = Browser::new().await;
    let list = browser.log_in(Gatepost::PRODUCT, "ada").await;
    let form = browser.follow(&list, "Add more").await;
    form.shows(&["Set an expiration", "Lifetime (days)"]);
    let wrong = browser.submit(&form, &[("name", "Front door"), ("lifetime_days", "30")]).await;
    wrong.shows(&["Check the box to use the lifetime, or clear the days."]);
    let made = browser.submit(&wrong, &[("set_expiry", "on")]).await;
    made.shows(&["Key ID", "Key secret", "Done"]);
    let secrets = made.secrets();
    let [id, secret] = &secrets[..2] else { panic!("two parts: {}", made.text()) };
    assert_eq!(id.len(), 16);
    assert!(!secret.contains(id.as_str()));
}

#[tokio::test]
async fn key_is_switched_off_regenerated_and_deleted() {
    let mut browser = Browser::new().await;
    let list = browser.log_in(Gatepost::PRODUCT, "ada").await;
    let key = browser.follow(&list, "Lobby terminal").await;
    let question = browser.follow(&key, "Disable").await;
    let key = browser.submit(&question, &[]).await;
    key.shows(&["It is disabled.", "Disabled"]);

    let form = browser.follow(&key, "Regenerate").await;
    form.shows(&["Regenerate the secret of Lobby terminal", "refused at once"]);
    let made = browser.submit(&form, &[("overlap", "0")]).await;
    made.shows(&["The key ID has a new secret"]);
    let bearer = format!("Bearer {}", made.secrets().last().expect("the whole token"));
    assert_eq!(browser.call_api(Gatepost::PRODUCT, &bearer).await, StatusCode::UNAUTHORIZED);

    let key = browser.follow(&made, "Done").await;
    let question = browser.follow(&key, "Enable").await;
    let key = browser.submit(&question, &[]).await;
    assert_eq!(browser.call_api(Gatepost::PRODUCT, &bearer).await, StatusCode::OK);

    let question = browser.follow(&key, "Delete").await;
    let unnamed = browser.submit(&question, &[]).await;
    unnamed.shows(&["Type the name exactly: Lobby terminal"]);
    let list = browser.submit(&unnamed, &[("typed_name", "Lobby terminal")]).await;
    list.shows(&["The key is deleted."]);
    list.hides(&["Lobby terminal"]);
}
