//! The life of a key with the keyboard alone.

use common::TestResult;
use fantoccini::key::Key;

use crate::find::Kind;
use crate::host::Host;
use crate::steps::shown_token;
use crate::tab::Tab;

async fn enter(tab: &Tab, kind: Kind, name: &str) -> TestResult {
    tab.tab_to(kind, name).await?;
    tab.types(&char::from(Key::Enter).to_string()).await
}

#[common::test(chromium)]
async fn b20_key_lives_by_the_keyboard() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    tab.open(&host.url("")).await?;
    enter(&tab, Kind::Link, "Generate API key").await?;
    tab.tab_to(Kind::Field, "Name").await?;
    tab.types("prod-main-app").await?;
    enter(&tab, Kind::Button, "Generate").await?;
    let first = shown_token(&tab).await?;
    enter(&tab, Kind::Button, "Copy API key").await?;
    tab.sees("Copied").await?;
    enter(&tab, Kind::Link, "I have stored it").await?;
    enter(&tab, Kind::Link, "Rotate prod-main-app").await?;
    tab.tab_to(Kind::Choice, "It ends now").await?;
    tab.types(" ").await?;
    enter(&tab, Kind::Button, "Rotate").await?;
    let second = shown_token(&tab).await?;
    assert_eq!((host.world.says(&first), host.world.says(&second)), ("unrecognized", "current"));
    enter(&tab, Kind::Button, "Copy API key").await?;
    enter(&tab, Kind::Link, "I have stored it").await?;
    enter(&tab, Kind::Link, "Revoke prod-main-app").await?;
    enter(&tab, Kind::Button, "Revoke").await?;
    tab.sees("The key is revoked").await?;
    assert_eq!(host.world.says(&second), "revoked");
    Ok(())
}
