//! Forms that cannot be obeyed as they are: wrong values, an old version, a login that is too old.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{TestResult, World};
use keywright::SettingsEdit;
use keywright::http::page::Href;

use crate::host::Host;
use crate::steps::{create, open_form, open_key, shown_token};
use crate::tab::Tab;

#[common::test(chromium, axe)]
async fn b20_focus_moves_to_the_errors() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    open_form(&tab, &host, "ada@example.com").await?;
    tab.fill("Description (optional)", "Sends invoices").await?;
    tab.press("Generate").await?;
    tab.sees("There is a problem").await?;
    let (role, label) = tab.focus().await?;
    assert_eq!((&*role, &*label), ("alert", "There is a problem"));
    assert!(tab.client.title().await?.starts_with("Error: "));
    assert_eq!(tab.value("Description (optional)").await?, "Sends invoices", "values are kept");
    assert_eq!(tab.violations().await?, Vec::<String>::new());
    tab.set_size(320, 800, 1).await?;
    assert_eq!(tab.overflow().await?, 0);
    tab.fill("Name", "prod-main-app").await?;
    tab.press("Generate").await?;
    shown_token(&tab).await?;
    assert_eq!(tab.overflow().await?, 0);
    assert_eq!(tab.violations().await?, Vec::<String>::new());
    Ok(())
}

#[common::test(chromium)]
async fn b20_link_of_fault_moves_focus() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    create(&tab, &host, "prod-main-app").await?;
    open_key(&tab, &host, "prod-main-app").await?;
    tab.follow("Rotate prod-main-app").await?;
    tab.press("Rotate").await?;
    tab.follow("Choose how long the old secret works.").await?;
    let (role, label) = tab.focus().await?;
    assert_eq!((&*role, &*label), ("group", "How long does the old secret work?"));
    Ok(())
}

#[common::test(chromium)]
async fn b20_stale_settings_show_both_values() -> TestResult {
    let (host, tab) = (Host::new().await?, Tab::new().await?);
    tab.open(&host.url("/settings")).await?;
    tab.follow("Change the settings").await?;
    tab.fill("Most keys of a user", "7").await?;
    let edit = SettingsEdit::new().max_keys_per_user(Some(5));
    host.world.authority.edit_settings(&host.world.admin, edit).await?;
    tab.press("Save").await?;
    tab.sees("Other values were saved").await?;
    let shown = tab.text().await?;
    let both = ["Saved value", "Your value", "5", "7"].iter().all(|text| shown.contains(text));
    assert!(both, "{shown}");
    let limit = async || host.world.policy().await.settings.max_keys_per_user;
    assert_eq!(limit().await, Some(5), "nothing is saved yet");
    assert_eq!(tab.value("Most keys of a user").await?, "7");
    tab.press("Save").await?;
    tab.sees("The change is saved").await?;
    assert_eq!(limit().await, Some(7));
    Ok(())
}

#[common::test(chromium)]
async fn b20_old_login_is_confirmed_first() -> TestResult {
    let is_fresh = Arc::new(AtomicBool::new(false));
    let known = Arc::clone(&is_fresh);
    let step_up = move |_: &_, _| {
        let is_fresh = known.load(Ordering::Relaxed);
        (!is_fresh).then(|| Href::new("/confirm").expect("a path"))
    };
    let host = Host::with(World::in_memory(), |page| page.step_up(step_up)).await?;
    let tab = Tab::new().await?;
    tab.open(&host.url("")).await?;
    tab.follow("Generate API key").await?;
    let path = tab.path().await?;
    assert!(path.starts_with("/confirm?return_to=%2Fsettings%2Fkeys%2Fnew"), "{path}");
    is_fresh.store(true, Ordering::Relaxed);
    tab.open(&host.url("/new")).await?;
    tab.fill("Name", "prod-main-app").await?;
    // The login grows old while the form is open: the values are kept, and nothing is done.
    is_fresh.store(false, Ordering::Relaxed);
    tab.press("Generate").await?;
    tab.sees("Confirm your login first").await?;
    assert_eq!(tab.value("Name").await?, "prod-main-app");
    assert!(host.keys().await.is_empty());
    is_fresh.store(true, Ordering::Relaxed);
    tab.press("Generate").await?;
    shown_token(&tab).await?;
    Ok(())
}
