//! A rotation with an overlap, in which the technical owner moves to the new secret.

use common::{HOUR, TestResult};

use crate::host::Host;
use crate::steps::{create, open_key, shown_token};
use crate::tab::Tab;

#[common::test(chromium)]
async fn b20_hand_over_is_seen_and_ended() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    let old = create(&tab, &host, "prod-main-app").await?;
    open_key(&tab, &host, "prod-main-app").await?;
    tab.follow("Rotate prod-main-app").await?;
    tab.choose("24 hours").await?;
    tab.press("Rotate").await?;
    let new = shown_token(&tab).await?;
    // The old secret is still in use: the panel warns.
    assert_eq!((host.world.says(&old), host.world.says(&new)), ("retiring", "current"));
    host.world.verifier.flush().await?;
    open_key(&tab, &host, "prod-main-app").await?;
    tab.sees("Keep the old secret for now").await?;
    // An hour later only the new one is.
    host.world.clock.advance(HOUR);
    assert_eq!(host.world.says(&new), "current");
    host.world.verifier.flush().await?;
    tab.reload().await?;
    tab.sees("no use of the old one was counted in the last hour").await?;
    tab.follow("Stop the old secret").await?;
    tab.press("Stop the old secret").await?;
    tab.sees("The old secret is refused from now on").await?;
    assert_eq!((host.world.says(&old), host.world.says(&new)), ("unrecognized", "current"));
    Ok(())
}
