//! The elements of a page of service accounts.

use keywright::http::page::Screens;
use keywright::store::MemoryStore;
use keywright::{KeyStatus, Owner};

use common::{TestResult, World, all_keys, block_on};

use crate::site::Site;

#[test]
fn b20_accounts_page_has_its_elements() -> TestResult {
    block_on(async {
        let world = World::new(MemoryStore::new());
        let site = Site::of(&world, |page| page.screens(Screens::ACCOUNTS))?;
        let ask = async |path: &str| site.ask("GET", path).by(&world.admin).send().await;
        assert_eq!(ask("/").await.target(), site.path("/accounts"));
        ask("/accounts").await.must_say(&[
            "Service accounts",
            "Add service account",
            "There are no service accounts yet.",
        ]);
        let opened = ask("/accounts/new").await;
        opened.must_say(&["Name", "Role", "analyst", "operator", "Read-only access"]);
        let form = opened.form().with(&[("name", "builds"), ("role", "analyst")]);
        let made = site.send(&world.admin, &form).await;
        assert_eq!(made.status, 303, "{}", made.words());
        let again = site.send(&world.admin, &form).await;
        assert_eq!(
            again.status,
            303,
            "a second click leads to the same account: {}",
            again.words()
        );
        let account = made.target().split('?').next().unwrap_or_default().to_owned();
        assert_eq!(again.target().split('?').next(), Some(&*account));
        let shown = site.ask_at("GET", account.clone()).by(&world.admin).send().await;
        shown.must_say(&["builds", "analyst", "Generate API key"]);
        let id = account.rsplit('/').next().unwrap_or_default().to_owned();
        let new = ask(&format!("/new?owner=account:{id}")).await;
        let key = site.send(&world.admin, &new.form().with(&[("name", "deploy")])).await;
        assert_eq!(key.status, 200, "{}", key.words());
        ask("/accounts").await.must_say(&[
            "builds",
            "deploy",
            "Rotate deploy",
            "Delete deploy",
            "Active",
        ]);
        let path = |form: &str| format!("/accounts/{id}/{form}");
        ask(&path("edit")).await.must_say(&["Role and access change for 1 live key at once."]);
        let disable = ask(&path("disable")).await;
        disable.must_say(&["The account has 1 live key."]);
        assert_eq!(site.send(&world.admin, &disable.form()).await.status, 303);
        ask("/accounts").await.must_say(&["Stopped: the service account is disabled"]);
        let delete = ask(&path("delete")).await;
        delete.must_say(&[
            "1 key is deleted too:",
            "deploy",
            "Type the name of the account to go on: builds",
        ]);
        let untyped = site.send(&world.admin, &delete.form()).await;
        assert_eq!(untyped.status, 422, "{}", untyped.words());
        let keys = all_keys(&world.authority, &world.admin).await;
        assert!(
            matches!(keys[0].key.owner, Owner::Account(_)) && keys[0].status == KeyStatus::Active
        );
        let typed = delete.form().fields.iter().any(|(name, _)| name == "typed_name");
        assert!(typed, "{:?}", delete.form());
        let done = site.send(&world.admin, &delete.form().with(&[("typed_name", "builds")])).await;
        let list = site.ask_at("GET", done.target().to_owned()).by(&world.admin).send().await;
        list.must_say(&[
            "The service account and its keys are deleted.",
            "There are no service accounts yet.",
        ]);
        let refused = site.ask("GET", "/accounts").send().await;
        assert_eq!(refused.status, 403);
        refused.must_say(&["Administrators manage the service accounts", "Ask an administrator"]);
        Ok(())
    })
}
