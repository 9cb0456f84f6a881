//! Gatepost: a key id and a key secret, switched off and on, with a new secret for the same id.

use axum::http::StatusCode;
use common::TestResult;

use super::demo::{Demo, press_final, shown};
use crate::find::Kind;
use crate::tab::Tab;

#[common::test(chromium)]
async fn b20_gatepost_key_lives() -> TestResult {
    let (demo, tab) = (Demo::open().await?, Tab::new().await?);
    demo.visit(&tab, "Gatepost").await?;
    tab.follow("Add more").await?;
    tab.fill("Name", "Front door").await?;
    // Days without the box are a mistake, which the page names.
    tab.fill("Lifetime (days)", "90").await?;
    tab.press("Generate").await?;
    tab.sees("Check the box to use the lifetime").await?;
    tab.choose("Set an expiration").await?;
    tab.press("Generate").await?;
    let first = shown(&tab, "gatepost_live").await?;
    let copies = tab.names(Kind::Button).await?;
    for part in ["Copy Key ID", "Copy Key secret"] {
        assert!(
            copies.iter().any(|button| button.eq_ignore_ascii_case(part)),
            "{part}: {copies:?}"
        );
    }
    assert_eq!(demo.call("gatepost", &first).await?, StatusCode::OK);
    tab.follow("Done").await?;
    tab.follow("Disable Front door").await?;
    tab.press("Disable").await?;
    tab.sees("It is disabled").await?;
    assert_eq!(demo.call("gatepost", &first).await?, StatusCode::UNAUTHORIZED);
    // A disabled key gets a new secret, and stays disabled until it is switched on.
    tab.follow("Regenerate Front door").await?;
    tab.press("Regenerate").await?;
    let second = shown(&tab, "gatepost_live").await?;
    assert_eq!(demo.call("gatepost", &second).await?, StatusCode::UNAUTHORIZED);
    tab.follow("Done").await?;
    tab.follow("Enable Front door").await?;
    tab.press("Enable").await?;
    tab.sees("It is enabled").await?;
    assert_eq!(demo.call("gatepost", &second).await?, StatusCode::OK);
    assert_eq!(demo.call("gatepost", &first).await?, StatusCode::UNAUTHORIZED);
    tab.follow("Delete Front door").await?;
    press_final(&tab, "Delete", "Front door").await?;
    tab.sees("The key is deleted").await?;
    assert_eq!(demo.call("gatepost", &second).await?, StatusCode::UNAUTHORIZED);
    Ok(())
}
