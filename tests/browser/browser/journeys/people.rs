//! Two people of one organization.

use common::{TestResult, named};

use crate::find::Kind;
use crate::host::Host;
use crate::steps::create;
use crate::tab::Tab;

#[common::test(chromium)]
async fn b20_developer_sees_own_keys_alone() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    let other = host.world.generate_for(&host.world.bob, named("staging-api")).await?;
    host.sign_in(&host.world.alice);
    let token = create(&tab, &host, "prod-main-app").await?;
    assert_eq!(host.world.says(&token), "current");
    tab.follow("I have stored it").await?;
    tab.open(&host.url("")).await?;
    let links = tab.names(Kind::Link).await?;
    assert!(links.iter().any(|link| link == "prod-main-app"), "{links:?}");
    for hidden in ["staging-api", "All keys", "Service accounts"] {
        assert!(links.iter().all(|link| link != hidden), "{hidden}: {links:?}");
    }
    tab.open(&host.url(&format!("/keys/{}", other.key.id))).await?;
    tab.sees("Not found").await?;
    assert!(!tab.text().await?.contains("staging-api"));
    Ok(())
}
