//! Every screen that links lead to: accessible in both themes, without a scroll bar on a narrow window, and with no
//! complaint of the browser.

use std::collections::{BTreeSet, VecDeque};

use common::{DAY, HOUR, TestResult, World, named};
use keywright::http::page::{Page, Texts};
use keywright::{Actor, KeyId, KeyStatus, Owner};

use crate::find::Kind;
use crate::host::{Host, MOUNT};
use crate::tab::Tab;

const ENDED: &str = "?status=ended";

/// Starts a host with keys in every status, service accounts and events.
async fn full_host(change: impl FnOnce(Page) -> Page) -> TestResult<Host> {
    let world = World::in_memory();
    for status in KeyStatus::ALL {
        world.generate_owned_in(&world.admin.as_owner(), status).await?;
    }
    for owner in [Owner::Organization, world.alice.as_owner()] {
        world.generate_owned_in(&owner, KeyStatus::Active).await?;
    }
    let account = world.account("billing", "analyst").await?;
    world.generate_under(&account, named("staging-api")).await?;
    let disabled = world.account("crm-sync", "operator").await?;
    world.authority.disable_account(&world.admin, &disabled.id).await?;
    let used =
        world.generate_for(&world.admin, named("crm-integration").expires_in(30 * DAY)).await?;
    world.check(&used).await.map_err(|reason| reason.to_string())?;
    world.clock.advance(HOUR);
    world.verifier.flush().await?;
    Host::with(world, change).await
}

/// Visits one screen of each kind, and every key and service account. Returns their paths.
async fn visit_all(
    host: &Host,
    tab: &Tab,
    check: impl AsyncFn(&str) -> TestResult,
) -> TestResult<BTreeSet<String>> {
    // A filter is a form, so that no link leads to the keys that ended.
    let starts = ["", ENDED].map(|query| format!("{MOUNT}{query}"));
    let (mut seen, mut queue) = (BTreeSet::new(), VecDeque::from(starts));
    while let Some(path) = queue.pop_front() {
        if !seen.insert(kind_of(&path)) {
            continue;
        }
        tab.open(&host.server.url(&path)).await?;
        check(&path).await.map_err(|error| format!("{path}: {error}"))?;
        let links = "return [...document.links].map(link => link.pathname + link.search)";
        let links = tab.script(links).await?;
        let links = links.as_array().into_iter().flatten().filter_map(|link| link.as_str());
        queue.extend(links.filter(|link| link.starts_with(MOUNT)).map(str::to_owned));
    }
    Ok(seen)
}

/// Returns a path without its query, and with a placeholder for an id that is followed by an action.
fn kind_of(path: &str) -> String {
    let path = if path.ends_with(ENDED) { path } else { path.split('?').next().unwrap_or(path) };
    match path.rsplit_once('/') {
        Some((before, action)) if action.parse::<KeyId>().is_err() => {
            let is_id = |part: &str| part.parse::<KeyId>().is_ok();
            let parts = before.split('/').map(|part| if is_id(part) { "{id}" } else { part });
            format!("{}/{action}", parts.collect::<Vec<_>>().join("/"))
        }
        _ => path.to_owned(),
    }
}

fn none(faults: &[String]) -> TestResult {
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

#[common::test(chromium, axe)]
async fn every_screen_is_accessible() -> TestResult {
    let (host, tab) = (full_host(|page| page).await?, Tab::new().await?);
    let seen = visit_all(&host, &tab, async |_| none(&tab.violations().await?)).await?;
    assert!(seen.len() > 20, "{seen:#?}");
    Ok(())
}

#[common::test(chromium)]
async fn every_screen_fits_narrow_windows() -> TestResult {
    let (host, tab) = (full_host(|page| page).await?, Tab::new().await?);
    // A zoom of 200 % halves the CSS pixels of a window of 1280, and doubles the device pixels of each.
    for (width, scale) in [(320, 1), (640, 2)] {
        tab.set_size(width, 800, scale).await?;
        let check = async |_: &str| match tab.overflow().await? {
            0 => Ok(()),
            more => Err(format!("{more} px beyond {width} px").into()),
        };
        visit_all(&host, &tab, check).await?;
    }
    Ok(())
}

#[common::test(chromium)]
async fn german_fits_narrow_windows() -> TestResult {
    let (host, tab) = (full_host(in_german).await?, Tab::new().await?);
    tab.set_size(320, 800, 1).await?;
    let check = async |_: &str| match tab.overflow().await? {
        0 => Ok(()),
        more => Err(format!("{more} px beyond the window").into()),
    };
    visit_all(&host, &tab, check).await?;
    assert_eq!(tab.script("return document.documentElement.lang").await?, "de");
    Ok(())
}

#[common::test(chromium, axe)]
async fn narrow_tables_stay_tables() -> TestResult {
    let (host, tab) = (full_host(|page| page).await?, Tab::new().await?);
    tab.set_size(320, 800, 1).await?;
    let script = "const parts = document.querySelectorAll('table, table :is(thead, tbody, tr, th, td)'); \
                  const roles = [...parts].map(part => `${part.localName} ${part.getAttribute('role')}`); \
                  return [...new Set(roles)].sort().join(', ')";
    for screen in ["", "/all", "/accounts", "/settings", "/events"] {
        tab.open(&host.url(screen)).await?;
        let roles = tab.script(script).await?.to_string();
        for role in ["table table", "tbody rowgroup", "td cell", "th columnheader", "tr row"] {
            assert!(roles.contains(role), "{screen}: no {role}: {roles}");
        }
        assert!(!roles.contains("null"), "{screen}: {roles}");
        none(&tab.violations().await?)?;
    }
    Ok(())
}

fn in_german(page: Page) -> Page {
    page.texts(|_| Texts::german())
}

#[common::test(chromium)]
async fn browser_has_no_complaint() -> TestResult {
    let (host, tab) = (full_host(|page| page).await?, Tab::new().await?);
    let check = async |_: &str| {
        assert!(!tab.names(Kind::Heading).await?.is_empty());
        none(&tab.complaints().await?)
    };
    visit_all(&host, &tab, check).await?;
    Ok(())
}
#[common::test(chromium)]
async fn each_actor_sees_working_links() -> TestResult {
    let (host, tab) = (full_host(|page| page).await?, Tab::new().await?);
    let world = &host.world;
    let actors: [&Actor; 4] = [&world.admin, &world.tenant_admin, &world.alice, &world.auditor];
    for actor in actors {
        host.sign_in(actor);
        let check = async |_: &str| {
            let script = "return performance.getEntriesByType('navigation')[0].responseStatus";
            match tab.script(script).await?.as_u64() {
                Some(200) => Ok(()),
                status => Err(format!("a link leads to {status:?}").into()),
            }
        };
        let checked = visit_all(&host, &tab, check).await;
        checked.map_err(|error| format!("{}: {error}", actor.id()))?;
    }
    Ok(())
}
