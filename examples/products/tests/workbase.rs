//! Workbase: keys of the organization.

use axum::http::StatusCode;
use keywright_products::product::Site;
use keywright_products::products::workbase::Workbase;

use crate::browser::Browser;

#[tokio::test]
async fn unknown_path_is_answered_in_the_layout() {
    let mut browser = Browser::new().await;
    browser.log_in(Workbase::PRODUCT, "ada").await;
    let lost = browser.get(&format!("{}/nothing/here", Workbase::PRODUCT.path())).await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    lost.shows(&["There is nothing here", "Back to the keys"]);
    assert!(lost.html.contains("Workbase"), "{}", lost.html);
}

#[tokio::test]
async fn key_of_organization_is_made_and_deleted() {
    let mut browser = Browser::new().await;
    let list = browser.log_in(Workbase::PRODUCT, "ada").await;
    list.shows(&["API keys", "Website forms", "Zapier", "1204", "Disabled", "by Ada Lovelace"]);
    assert!(list.link("Rotate").or(list.link("Revoke ")).is_none());

    let form = browser.follow(&list, "Generate API key").await;
    let wrong = browser.submit(&form, &[("name", "ada@example.com")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    wrong.shows(&["looks like an e-mail address"]);
    let made = browser.submit(&wrong, &[("name", "Invoice import")]).await;
    made.shows(&["shown only once", "No expiry"]);
    let [token] = &*made.secrets() else { panic!("one secret: {}", made.text()) };
    let bearer = format!("Bearer {token}");
    assert_eq!(browser.call_api(Workbase::PRODUCT, &bearer).await, StatusCode::OK);

    let list = browser.get(&Workbase::PRODUCT.path()).await;
    list.shows(&["Invoice import", "4 live keys"]);
    assert!(!list.html.contains(token.as_str()));
    let key = browser.follow(&list, "Invoice import").await;
    let edit = browser.follow(&key, "Edit").await;
    edit.shows(&["The expiry can't be changed"]);
    let key = browser.submit(&edit, &[("name", "Import of invoices")]).await;
    key.shows(&["The change is saved.", "Import of invoices"]);
    let question = browser.follow(&key, "Delete").await;
    question.shows(&["lose access at once"]);
    let list = browser.submit(&question, &[("typed_name", "Import of invoices")]).await;
    list.shows(&["The key is deleted.", "3 live keys"]);
    assert_eq!(browser.call_api(Workbase::PRODUCT, &bearer).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn expired_key_leads_to_a_new_one() {
    let mut browser = Browser::new().await;
    let list = browser.log_in(Workbase::PRODUCT, "ada").await;
    let ended = browser.follow(&list, "Show expired and revoked keys").await;
    ended.shows(&["Data export 2025"]);
    let form = browser.follow(&ended, "Expired, make a new one").await;
    assert!(form.html.contains("value=\"Data export 2025\""));
}

#[tokio::test]
async fn member_sees_keys_without_actions() {
    let mut browser = Browser::new().await;
    let list = browser.log_in(Workbase::PRODUCT, "mila").await;
    list.shows(&["Website forms", "You don't have the permission", "Ask Ada Lovelace."]);
    list.hides(&["Delete", "Edit", "Generate API key"]);
    let guest = browser.log_in(Workbase::PRODUCT, "tom").await;
    assert_eq!(guest.status, StatusCode::FORBIDDEN);
    guest.shows(&["Ask Ada Lovelace."]);
}
