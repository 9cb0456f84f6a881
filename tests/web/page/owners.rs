//! The owner of a key in forms and links: of a new key, of a key that is handed over, and of the lists.

use keywright::http::page::Screens;
use keywright::store::MemoryStore;
use keywright::{Actor, NewKey, Owner, Permissions, UserId};

use common::{DAY, TestResult, World, all_keys, block_on, user};

use crate::seed;
use crate::site::{Site, on_a_site, on_site};

#[test]
fn new_key_without_lists_needs_owner() -> TestResult {
    block_on(async {
        let world = World::new(MemoryStore::new());
        for screens in [Screens::ACCOUNTS, Screens::TENANT_ADMIN] {
            let site = Site::of(&world, |page| page.screens(screens))?;
            let opened = site.ask("GET", "/new").by(&world.admin).send().await;
            assert_eq!(opened.status, 404, "{}", opened.words());
            let named = site.ask("GET", "/new?owner=organization").by(&world.admin).send().await;
            let form = named.form().with(&[("name", "prod-main-app")]);
            for owner in [form.clone().without("owner"), form.clone().with(&[("owner", "")])] {
                let sent = site.send(&world.admin, &owner).await;
                assert_eq!(sent.status, 404, "{}", sent.words());
            }
            assert!(all_keys(&world.authority, &world.admin).await.is_empty());
        }
        for (screens, owner) in [
            (Screens::OWN_KEYS, world.admin.as_owner()),
            (Screens::ORGANIZATION_KEYS, Owner::Organization),
            (Screens::OWN_KEYS | Screens::ORGANIZATION_KEYS, world.admin.as_owner()),
        ] {
            let site = Site::of(&world, |page| page.screens(screens))?;
            let opened = site.ask("GET", "/new").by(&world.admin).send().await;
            assert_eq!(opened.form().value("owner"), owner.to_string());
        }
        Ok(())
    })
}

#[test]
fn user_id_with_plus_is_kept() {
    on_a_site(async |site| {
        let actor = Actor::developer(user("a+b&c=d")).in_tenant(common::tenant());
        let list = site.ask("GET", "/").by(&actor).send().await;
        let link = site.path("/new?owner=user%3Aa%2Bb%26c%3Dd");
        assert!(list.text.contains(&format!("href=\"{link}\"")), "{}", list.text);
        let opened = site.ask_at("GET", link).by(&actor).send().await;
        let made = site.send(&actor, &opened.form().with(&[("name", "prod-main-app")])).await;
        assert_eq!(made.status, 200, "{}", made.words());
        let keys = all_keys(&site.world.authority, &site.world.admin).await;
        assert_eq!(keys[0].key.owner, actor.as_owner());
        Ok(())
    });
}

#[test]
fn name_of_owner_needs_permission() {
    on_site(
        |page| {
            page.user_names(|_, user| (user.as_str() == "bob").then(|| "Bob Builder".to_owned()))
        },
        async |site| {
            let account = site.world.account("builds", "analyst").await?.id;
            let curious = seed::with(Permissions::DEVELOPER | Permissions::SHOW_ACCOUNTS);
            let paths = ["/new?owner=user:bob".to_owned(), format!("/new?owner=account:{account}")];
            for path in &paths {
                for (actor, is_told) in
                    [(&site.world.alice, false), (&curious, false), (&site.world.admin, true)]
                {
                    let opened = site.ask("GET", path).by(actor).send().await;
                    let says = opened.words().contains("The key will belong to");
                    assert_eq!(says, is_told, "{path}: {}", opened.words());
                    if !is_told {
                        opened.must_say(&["You can't generate a key now"]);
                        opened.must_not_say(&["Bob Builder", "builds"]);
                    }
                }
            }
            Ok(())
        },
    );
}

#[test]
fn link_fills_in_only_the_name() {
    on_a_site(async |site| {
        let plain = site.get("/new?name=a").await.form();
        let more = "name=a&description=b&scope=invoices:read&expiry=never&version=7&has_scopes=off";
        let linked = site.get(&format!("/new?{more}")).await.form();
        assert_eq!(linked.value("name"), "a");
        let others = |form: &crate::form::Form| form.clone().without("ticket").encoded();
        assert_eq!(others(&linked), others(&plain));
        Ok(())
    });
}

#[test]
fn account_is_named_in_hand_over() {
    on_a_site(async |site| {
        let (world, admin) = (&site.world, &site.world.admin);
        let account = world.account("builds", "analyst").await?.id;
        let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
        let key = world.key_of(&world.alice, new).await.key.id;
        let owners = [
            (format!("account:{account}"), Owner::Account(account)),
            ("bob".to_owned(), world.bob.as_owner()),
            ("user:alice".to_owned(), world.alice.as_owner()),
        ];
        for (typed, owner) in owners {
            let opened = site.ask("GET", &format!("/keys/{key}/transfer")).by(admin).send().await;
            let sent = site.send(admin, &opened.form().with(&[("user", &typed)])).await;
            let shown = site.ask_at("GET", sent.target().to_owned()).by(admin);
            let shown = shown.header("sec-fetch-site", "same-origin").send().await;
            shown.must_say(&["The key is handed over to its new owner."]);
            assert_eq!(world.authority.key(admin, &key).await?.key.owner, owner);
        }
        Ok(())
    });
}

#[test]
fn organization_list_needs_permission() {
    on_a_site(async |site| {
        let refused = site.get("/organization").await;
        assert_eq!(refused.status, 403, "{}", refused.words());
        refused.must_say(&["No access", "Ask an administrator"]);
        let shown = site.ask("GET", "/organization").by(&site.world.auditor).send().await;
        assert_eq!(shown.status, 200, "{}", shown.words());
        Ok(())
    });
}

#[test]
fn end_of_overlap_is_offered_once() {
    on_a_site(async |site| {
        let key = site.key("prod-main-app").await.key.id;
        site.world.authority.rotate(&site.world.alice, &key, DAY).await?;
        let shown = site.get(&format!("/keys/{key}")).await;
        let link = format!("href=\"{}\"", site.path(&format!("/keys/{key}/finish")));
        assert_eq!(shown.text.matches(&link).count(), 1, "{}", shown.text);
        shown.must_say(&["Two secrets work", "Stop the old secret"]);
        let asked = site.get(&format!("/keys/{key}/finish")).await;
        asked.must_say(&["Stop the old secret of prod-main-app"]);
        let ended = site.send(&site.world.alice, &asked.form()).await;
        let shown = site.ask_at("GET", ended.target().to_owned());
        let shown = shown.header("sec-fetch-site", "same-origin").send().await;
        shown.must_say(&["The old secret is refused from now on."]);
        Ok(())
    });
}

#[test]
fn hand_over_to_unknown_user_asks_twice() {
    let known = |user: &UserId| (user.as_str() == "bob").then(|| "Bob".to_owned());
    on_site(
        |page| page.user_names(move |_, user| known(user)),
        async |site| {
            let (world, admin) = (&site.world, &site.world.admin);
            let key = site.key("prod-main-app").await.key.id;
            let account = world.account("builds", "analyst").await?.id;
            let of_account = NewKey::named("prod-builds")?.owner(Owner::Account(account));
            let of_account = world.key_of(admin, of_account).await.key.id;
            let rows = [
                (key, format!("/keys/{key}/transfer"), "nobody"),
                (of_account, format!("/accounts/{account}/transfer"), "nobody"),
                (key, "/all/transfer?owner=user:nobody".to_owned(), "nobody-else"),
            ];
            for (key, path, user) in rows {
                let owner = async || {
                    world.authority.key(admin, &key).await.map(|entry| entry.key.owner.clone())
                };
                let before = owner().await?;
                let opened = site.ask("GET", &path).by(admin).send().await;
                let asked = site.send(admin, &opened.form().with(&[("user", user)])).await;
                assert_eq!(asked.status, 422, "{}", asked.words());
                asked.must_say(&[&format!("No user with the id {user} is known. Check the id.")]);
                let other = asked.form().with(&[("user", "no-one")]);
                assert_eq!(site.send(admin, &other).await.status, 422, "another id");
                assert_eq!(owner().await?, before);
                assert_eq!(site.send(admin, &asked.form()).await.status, 303, "the same id");
                assert_eq!(owner().await?.id(), user);
            }
            let opened = site.ask("GET", &format!("/keys/{key}/transfer")).by(admin).send().await;
            let to_bob = site.send(admin, &opened.form().with(&[("user", "bob")])).await;
            assert_eq!(to_bob.status, 303, "{}", to_bob.words());
            Ok(())
        },
    );
}
