//! Many keys of the tenant, revoked at once.

use common::{TestResult, named};

use crate::host::Host;
use crate::tab::Tab;

#[common::test(chromium)]
async fn b20_many_keys_are_revoked_at_once() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    let mut tokens = Vec::new();
    for name in ["prod-main-app", "staging-api", "crm-integration"] {
        tokens.push(host.world.generate(named(name)).await?.token.expose().to_owned());
    }
    tab.open(&host.url("/all")).await?;
    tab.choose("Select prod-main-app").await?;
    tab.choose("Select crm-integration").await?;
    tab.press("Revoke selected keys").await?;
    tab.sees("crm-integration").await?;
    tab.press("Revoke 2 keys").await?;
    tab.sees("2 keys were revoked").await?;
    let says = tokens.iter().map(|token| host.world.says(token)).collect::<Vec<_>>();
    assert_eq!(says, ["revoked", "current", "revoked"]);
    // The revoked keys stay in the list, behind a filter.
    tab.open(&host.url("/all")).await?;
    tab.select("Status", "Revoked").await?;
    tab.press("Filter").await?;
    tab.sees("crm-integration").await?;
    assert!(!tab.text().await?.contains("staging-api"));
    Ok(())
}
