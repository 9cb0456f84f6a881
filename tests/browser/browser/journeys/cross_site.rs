//! Attacks by other origins, which the user visits while signed in.

use axum::http::StatusCode;
use common::{TestResult, named};

use crate::attacks::{form, framing, press_win, sandboxed};
use crate::host::Host;
use crate::service::Server;
use crate::tab::Tab;

const FIELDS: [(&str, &str); 2] = [("name", "evil-key"), ("expiry", "never")];

/// Lets each kind of origin send a form to this URL of the host.
async fn attack(tab: &Tab, host: &Host, target: &str, fields: &[(&str, &str)]) -> TestResult {
    let plain = Server::with_document(form(target, fields)).await?;
    let framed = Server::with_document(sandboxed(&form(target, fields))).await?;
    let attackers =
        [(plain.url("/"), false), (plain.localhost_url("/"), false), (framed.url("/"), true)];
    for (number, (attacker, is_framed)) in attackers.iter().enumerate() {
        press_win(tab, attacker, *is_framed).await?;
        tab.sees("The request came from another page").await?;
        let posts = host.server.posts();
        assert_eq!(posts.len(), number + 1, "{attacker}");
        assert_eq!(posts[number].status, Some(StatusCode::FORBIDDEN), "{attacker}");
    }
    Ok(())
}

#[common::test(chromium)]
async fn t_h16_other_origins_create_no_key() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    attack(&tab, &host, &host.url("/new"), &FIELDS).await?;
    assert!(host.keys().await.is_empty());
    Ok(())
}

#[common::test(chromium)]
async fn t_h16_plain_http_refuses_other_origins() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    attack(&tab, &host, &host.lan_url("/new"), &FIELDS).await?;
    assert!(host.keys().await.is_empty());
    Ok(())
}

#[common::test(chromium)]
async fn t_h16_other_origins_revoke_no_key() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    let key = host.world.generate_for(&host.world.admin, named("prod-main-app")).await?;
    let revoke = host.url(&format!("/keys/{}/revoke", key.key.id));
    attack(&tab, &host, &revoke, &[]).await?;
    assert_eq!(host.world.says(key.token.expose()), "current");
    Ok(())
}

#[common::test(chromium)]
async fn t_h16_page_is_shown_in_no_frame() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    let other = Server::with_document(framing(&host.url("/new"))).await?;
    tab.open(&other.url("/")).await?;
    tab.client.enter_frame(0).await?;
    let text = tab.text().await?;
    assert!(!text.contains("API key"), "{text}");
    tab.leave_frame().await?;
    let complaints = tab.complaints().await?;
    assert!(complaints.iter().any(|text| text.contains("frame")), "{complaints:?}");
    Ok(())
}
