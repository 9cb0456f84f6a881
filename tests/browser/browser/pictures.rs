//! Pictures of the screens, which `scripts/pictures` draws for the README and the guide.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use common::{DAY, HOUR, TestResult, World, add_role, named, open_policy};
use keywright::{Issued, NewKey, Owner};

use crate::host::Host;
use crate::steps::{open_form, shown_token};
use crate::tab::{Tab, Theme};

/// The folder of the pictures, and their width.
const FOLDER: &str = "KEYWRIGHT_PICTURES";
const WIDTH: &str = "KEYWRIGHT_PICTURE_WIDTH";

struct Album {
    tab: Tab,
    folder: PathBuf,
}

impl Album {
    async fn draw(&self, name: &str) -> TestResult {
        let picture = self.tab.picture().await?;
        Ok(fs::write(self.folder.join(name).with_extension("png"), picture)?)
    }
}

/// Starts a host whose keys have been in use for some weeks.
async fn used_host() -> TestResult<Host> {
    let mut policy = open_policy();
    policy.settings.max_keys_per_user = Some(10);
    policy.plan.default_scopes = "invoices:read".parse()?;
    add_role(&mut policy.plan, "bookkeeper", "invoices:read invoices:write");
    let world = World::bare(keywright::store::MemoryStore::new())
        .with_settings(|builder| builder.default_policy(policy));
    let own = |name: &str| named(name).owner(world.admin.as_owner());
    let make = async |new: NewKey| -> TestResult<Issued> {
        Ok(world.generate_for(&world.admin, new).await?)
    };
    let old = make(own("crm-integration").expires_in(30 * DAY)).await?;
    world.clock.advance(4 * DAY);
    let app = make(own("prod-main-app")).await?;
    let staging = make(own("staging-api").expires_in(90 * DAY)).await?;
    make(named("data-export").owner(Owner::Organization)).await?;
    let account = world.account("billing", "bookkeeper").await?;
    let billing = world.generate_under(&account, named("prod-invoices")).await?;
    for (issued, uses) in [(&old, 12), (&app, 40), (&staging, 7), (&billing, 19)] {
        for _ in 0..uses {
            assert_eq!(world.says(issued.token.expose()), "current");
        }
        world.clock.advance(HOUR);
    }
    world.verifier.flush().await?;
    world.clock.advance(20 * DAY);
    world.authority.revoke(&world.admin, &old.key.id).await?;
    assert_eq!(world.says(app.token.expose()), "current");
    world.verifier.flush().await?;
    world.clock.advance(DAY);
    Host::with(world, |page| page.product("Workbase").environment_variable("WORKBASE_API_KEY"))
        .await
}

#[common::test(chromium)]
async fn screens_are_drawn() -> TestResult {
    let spare = tempfile::tempdir()?;
    let folder = env::var_os(FOLDER).map_or_else(|| spare.path().to_owned(), PathBuf::from);
    let width = env::var(WIDTH).unwrap_or_else(|_| "1200".to_owned()).parse()?;
    let (host, album) = (used_host().await?, Album { tab: Tab::new().await?, folder });
    let tab = &album.tab;
    tab.devtools("Emulation.setScrollbarsHidden", json!({ "hidden": true })).await?;
    tab.set_size(width, 400, 1).await?;
    for (screen, name) in [
        ("", "own_keys"),
        ("/organization", "organization_keys"),
        ("/accounts", "service_accounts"),
        ("/all", "all_keys"),
        ("/settings", "settings"),
        ("/events", "events"),
    ] {
        tab.open(&host.url(screen)).await?;
        album.draw(name).await?;
    }
    tab.open(&host.url("")).await?;
    tab.set_theme(Theme::Dark).await?;
    album.draw("own_keys_dark").await?;
    tab.set_theme(Theme::Light).await?;
    tab.set_size(360, 400, 1).await?;
    album.draw("own_keys_narrow").await?;
    tab.set_size(width, 400, 1).await?;
    open_form(tab, &host, "prod-web-shop").await?;
    album.draw("new_key").await?;
    tab.press("Generate").await?;
    shown_token(tab).await?;
    album.draw("shown_once").await?;
    tab.press("Copy API key").await?;
    tab.open(&host.url("")).await?;
    tab.follow("Rotate staging-api").await?;
    album.draw("rotate").await?;
    tab.choose("24 hours").await?;
    tab.press("Rotate").await?;
    let new = shown_token(tab).await?;
    assert_eq!(host.world.says(&new), "current");
    host.world.verifier.flush().await?;
    tab.follow("I have stored it").await?;
    album.draw("overlap").await?;
    tab.follow("Revoke staging-api").await?;
    album.draw("revoke").await?;
    assert_drawn(&album.folder)
}

fn assert_drawn(folder: &Path) -> TestResult {
    for picture in fs::read_dir(folder)? {
        let picture = picture?;
        assert!(picture.metadata()?.len() > 5_000, "{}", picture.path().display());
    }
    Ok(())
}
