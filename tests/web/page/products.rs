//! The elements that the pages of five products have, each a row.

use keywright::http::page::{ExpiryForm, KeyFields, Links, Page, Screens};
use keywright::store::MemoryStore;
use keywright::{KeyStatus, NamePattern, NewKey};

use common::{DAY, TestResult, World, all_keys, block_on};

use crate::site::{Site, on_site};

/// Keys of the organization: a lead with a guide, a table, questions, and no change of an expiry.
#[test]
fn b20_organization_page_has_its_elements() -> TestResult {
    block_on(async {
        let world = World::new(MemoryStore::new());
        let links = Links::new().documentation("/docs".parse()?);
        let mut site = Site::of(&world, |page| {
            page.product("Workbase")
                .screens(Screens::ORGANIZATION_KEYS)
                .fields(KeyFields::NONE)
                .expiry(ExpiryForm::Date)
                .links(links)
        })?;
        site.links = vec!["/docs"];
        let ask = async |path: &str| site.ask("GET", path).by(&world.admin).send().await;
        assert_eq!(ask("/").await.target(), site.path("/organization"));
        let empty = ask("/organization").await;
        empty.must_say(&[
            "Keys of the organization",
            "Read the API documentation",
            "Generate API key",
            "There are no live keys.",
            "I lost a key. Can I see it again?",
            "A key leaked. What do I do?",
            "How do I replace a key without an outage?",
            "How current is \"last used\"?",
        ]);
        let opened = ask("/new?owner=organization").await;
        opened.must_say(&[
            "Without one, the key does not expire.",
            "(UTC)",
            "The key will belong to: The organization.",
        ]);
        let made = site.send(&world.admin, &opened.form().with(&[("name", "nightly")])).await;
        made.must_say(&[
            "This is shown only once.",
            "It cannot be shown again.",
            "I have stored it",
        ]);
        let short = opened.form().with(&[("name", "short"), ("expires_on", "2027-01-31")]);
        let ticket = world.authority.ticket()?.to_string();
        let second = site.send(&world.admin, &short.with(&[("ticket", &ticket)])).await;
        assert_eq!(second.status, 200, "{}", second.words());
        let list = ask("/organization").await;
        list.must_say(&[
            "Name Prefix Created Last used Uses Expires Status Actions",
            "by ada",
            "Never",
            "No expiry",
            "Active",
            "Edit nightly",
            "Delete nightly",
        ]);
        world.clock.advance(2_000 * DAY);
        let ended = ask("/organization?status=ended").await;
        ended.must_say(&["short", "Expired", "Expired, make a new one"]);
        assert!(ended.text.contains("/new?name=short&amp;owner=organization"), "{}", ended.text);
        let copy = ask("/new?name=short&owner=organization").await;
        assert_eq!(copy.form().value("name"), "short");
        let keys = all_keys(&world.authority, &world.admin).await;
        let key =
            keys.iter().find(|entry| entry.key.name.as_str() == "nightly").expect("a key").key.id;
        let edit = ask(&format!("/keys/{key}/edit")).await;
        edit.must_say(&["The expiry can't be changed: make a new key."]);
        let visible: Vec<_> = edit.form().fields.into_iter().map(|(name, _)| name).collect();
        assert_eq!(visible, ["version", "name"], "the name alone");
        ask(&format!("/keys/{key}/delete"))
            .await
            .must_say(&["Systems that use it lose access at once", "This cannot be undone."]);
        Ok(())
    })
}

/// An API access page: the upgrade, the rule for names, the hand-over and the checks before a revoke.
#[test]
fn b20_access_page_has_its_elements() -> TestResult {
    block_on(async {
        let world = World::new(MemoryStore::new());
        let links = Links::new().upgrade("/billing".parse()?);
        let examples = ["prod-main-app", "staging-api", "crm-integration"];
        let mut site = Site::of(&world, |page| {
            page.screens(Screens::OWN_KEYS)
                .fields(KeyFields::CONTACT)
                .name_examples(examples)
                .links(links)
        })?;
        site.links = vec!["/billing"];
        world
            .set_policy(|policy| {
                policy.settings.name_pattern = Some(NamePattern::default());
                policy.plan.default_scopes = "invoices:read".parse().expect("a scope");
            })
            .await?;
        let opened = site.get("/new").await;
        opened.must_say(&[
            "Examples: prod-main-app, staging-api, crm-integration.",
            "not a person",
            "lower-case words with hyphens",
            "Scopes of the key: invoices:read.",
        ]);
        let refused = site.send(&world.alice, &opened.form().with(&[("name", "My Key")])).await;
        assert_eq!(refused.status, 422);
        refused.must_say(&["at least two words of a-z and 0-9 with hyphens between"]);
        let made = site.generate(&[("contact", "Team Rocket")]).await;
        let token = made.token();
        let key = &token["acme_live_".len()..][..16];
        world.verifier.verify(&token).await?;
        world.verifier.flush().await?;
        site.get("/").await.must_say(&[
            "prod-main-app",
            "Last used",
            "Uses",
            "Rotate prod-main-app",
            "Revoke prod-main-app",
        ]);
        let rotate = site.get(&format!("/keys/{key}/rotate")).await;
        rotate.must_say(&[
            "Tell the technical contact first: Team Rocket.",
            "How long does the old secret work?",
            "24 hours",
        ]);
        let rotated = site.send(&world.alice, &rotate.form().with(&[("overlap", "24")])).await;
        rotated.must_say(&[
            "The key has a new secret",
            "Old secret works until",
            "Install the new secret everywhere.",
        ]);
        let panel = site.get(&format!("/keys/{key}")).await;
        panel.must_say(&[
            "Two secrets work",
            "Old secret last used",
            "New secret last used Not yet",
            "Stop the old secret",
            "Keep the old secret for now: no use of the new one was counted yet.",
        ]);
        world.verifier.verify(&rotated.token()).await?;
        world.verifier.verify(&token).await?;
        world.verifier.flush().await?;
        let used = site.get(&format!("/keys/{key}")).await;
        used.must_say(&["Keep the old secret for now: it was used within the last hour."]);
        world.clock.advance(2 * common::HOUR);
        world.verifier.verify(&rotated.token()).await?;
        world.verifier.flush().await?;
        site.get(&format!("/keys/{key}")).await.must_say(&[
            "no use of the old one was counted in the last hour",
            "Check systems that run less often before you stop the old secret.",
        ]);
        let finish = site.get(&format!("/keys/{key}/finish")).await.form();
        assert_eq!(site.send(&world.alice, &finish).await.status, 303);
        let revoke = site.get(&format!("/keys/{key}/revoke")).await;
        revoke.must_say(&[
            "Check first:",
            "The key is no longer needed.",
            "its replacement is in use",
            "The technical contact was asked: Team Rocket.",
            "This cannot be undone.",
            "Disable it first.",
        ]);
        world.set_policy(|policy| policy.plan.api_access = false).await?;
        let without = site.get("/").await;
        without.must_say(&["Upgrade required", "See the plans", "prod-main-app"]);
        assert!(without.text.contains("href=\"/billing\""), "{}", without.text);
        Ok(())
    })
}

/// Key id and secret: two rows, a lifetime in days, off and on, and a new secret for the same id.
#[test]
fn b20_two_part_page_has_its_elements() {
    on_site(
        |page| page.screens(Screens::OWN_KEYS).show_id_and_secret().expiry(ExpiryForm::Days),
        async |site| {
            let opened = site.get("/new").await;
            opened.must_say(&["Set an expiration", "Lifetime (days)"]);
            let made = site.generate(&[("set_expiry", "on"), ("lifetime_days", "30")]).await;
            let token = made.token();
            let key: keywright::KeyId = token["acme_live_".len()..][..16].parse()?;
            made.must_say(&["Key ID", "Key secret", "I have stored it"]);
            let path = |form: &str| format!("/keys/{key}/{form}");
            for (form, says, status) in [
                ("disable", "It is disabled.", KeyStatus::Disabled),
                ("enable", "It is enabled.", KeyStatus::Active),
            ] {
                let done = site.send(&site.world.alice, &site.get(&path(form)).await.form()).await;
                let shown = site.ask_at("GET", done.target().to_owned()).send().await;
                shown.must_say(&[says]);
                assert_eq!(site.world.status(&key).await?, status);
            }
            let rotate = site.get(&path("rotate")).await;
            rotate.must_say(&["It ends now", "Choose this after a leak."]);
            let again =
                site.send(&site.world.alice, &rotate.form().with(&[("overlap", "0")])).await;
            assert_eq!(&again.token()["acme_live_".len()..][..16], key.as_str(), "the same id");
            assert_ne!(site.world.says(&token), "current");
            let delete = site.get(&path("delete")).await;
            delete.must_say(&["This cannot be undone.", "Cancel"]);
            let done = site.send(&site.world.alice, &delete.form()).await;
            let list = site.ask_at("GET", done.target().to_owned()).send().await;
            list.must_say(&["The key is deleted.", "There are no live keys."]);
            Ok(())
        },
    );
}

/// The hub of a user: each requirement with whom to ask, the number of keys, and edit, revoke, delete.
#[test]
fn b20_users_hub_has_its_elements() {
    let options = |page: Page| page.screens(Screens::OWN_KEYS).administrators("Tara");
    on_site(options, async |site| {
        site.world.set_policy(|policy| policy.settings.max_keys_per_user = Some(2)).await?;
        site.generate(&[("name", "one"), ("description", "exports")]).await;
        site.get("/").await.must_say(&[
            "1 of 2 keys used",
            "one",
            "exports",
            "Edit one",
            "Delete one",
            "Revoke one",
        ]);
        site.generate(&[("name", "two")]).await;
        let full = site.get("/").await;
        full.must_say(&[
            "2 of 2 keys used",
            "You can't generate a key now",
            "The limit of 2 live keys is reached.",
        ]);
        full.must_not_say(&["Generate API key"]);
        let refused = site
            .post(
                "/new",
                &[
                    ("ticket", &site.world.authority.ticket()?.to_string()),
                    ("name", "three"),
                    ("expiry", "30"),
                ],
            )
            .send()
            .await;
        assert_eq!(refused.status, 409, "{}", refused.words());
        refused.must_say(&["The limit of 2 live keys is reached."]);
        site.world.set_policy(|policy| policy.settings.api_enabled = Some(false)).await?;
        let off = site.get("/").await;
        off.must_say(&[
            "API keys are turned off for your organization. Ask Tara.",
            "Stopped: API keys are turned off",
        ]);
        let nobody = crate::seed::with(keywright::Permissions::NONE).without_license();
        let all = site.ask("GET", "/").by(&nobody).send().await;
        all.must_say(&[
            "You don't have the permission to generate keys. Ask Tara.",
            "Upgrade required",
            "API keys are turned off",
        ]);
        Ok(())
    });
}

/// The console of a tenant: search, filters, owners, and the end of many keys at once.
#[test]
fn b20_tenant_console_has_its_keys() -> TestResult {
    block_on(async {
        let world = crate::seed::world().await?;
        let site = Site::of(&world, |page| page.screens(Screens::TENANT_ADMIN))?;
        let tara = &world.tenant_admin;
        let ask = async |path: &str| site.ask("GET", path).by(tara).send().await;
        let list = ask("/all").await;
        list.must_say(&[
            "All keys",
            "Owner",
            "Last changed",
            "Created",
            "Expires",
            "Status",
            "bob",
            "The organization",
            "builds",
        ]);
        list.must_not_say(&["Delete key-of-bob"]);
        for (query, found, absent) in [
            ("q=key-of-bob", "key-of-bob", "used-key"),
            ("q=builds", "builds 0", "used-key"),
            ("status=revoked", "Revoked", "used-key"),
            ("status=expired", "Expired", "used-key"),
            ("status=disabled", "Disabled", "used-key"),
            ("status=scheduled", "Scheduled", "used-key"),
            ("kind=organization", "key-of-all", "used-key"),
            ("owner=user:bob", "key-of-bob", "used-key"),
        ] {
            let shown = ask(&format!("/all?{query}")).await;
            shown.must_say(&[found]);
            shown.must_not_say(&[absent]);
        }
        let none = ask("/all/revoke").await;
        assert!([200, 303, 422].contains(&none.status), "{}", none.status);
        let keys = all_keys(&world.authority, tara).await;
        let live: Vec<_> =
            keys.iter().filter(|entry| entry.status == KeyStatus::Active).take(2).collect();
        let revoked = keys.iter().find(|entry| entry.status == KeyStatus::Revoked).expect("one");
        let query = format!(
            "/all/revoke?id={}&id={}&id={}",
            live[0].key.id, live[1].key.id, revoked.key.id
        );
        let question = ask(&query).await;
        assert_eq!(question.status, 200, "{}", question.words());
        let names = [live[0].key.name.as_str(), live[1].key.name.as_str()];
        question.must_say(&names);
        let form = question.form().with(&[("typed_count", "3")]);
        let done = site.send(tara, &form).await;
        assert_eq!(done.status, 200, "{}", done.words());
        done.must_say(&names);
        for entry in live {
            assert_eq!(world.status(&entry.key.id).await?, KeyStatus::Revoked);
        }
        let again = site.send(tara, &form).await;
        assert_eq!(again.status, 200, "{}", again.words());
        Ok(())
    })
}

#[test]
fn b20_lists_have_pages_without_gaps() {
    on_site(
        |page| page,
        async |site| {
            let most = keywright::Plan::MAX_KEYS;
            site.world.set_policy(|policy| policy.settings.max_keys_per_user = Some(most)).await?;
            for number in 0..120 {
                let new = NewKey::named(format!("key-{number:03}"))?;
                site.world.key_of(&site.world.alice, new).await;
            }
            let mut seen = Vec::new();
            let mut next = Some("/?sort=name".to_owned());
            while let Some(path) = next {
                let shown = site.ask("GET", &path).send().await;
                let words = shown.words();
                seen.extend(
                    (0..120)
                        .map(|number| format!("key-{number:03}"))
                        .filter(|name| words.contains(&**name)),
                );
                let rest = shown
                    .text
                    .split("rel=\"next\" href=\"")
                    .nth(1)
                    .and_then(|rest| rest.split('"').next());
                next = rest
                    .map(|link| link.replace("&amp;", "&"))
                    .map(|link| link[site.mount.len()..].to_owned());
                next =
                    next.map(|link| if link.starts_with('?') { format!("/{link}") } else { link });
                assert!(seen.len() <= 120, "no key is listed twice");
            }
            assert_eq!(seen, (0..120).map(|number| format!("key-{number:03}")).collect::<Vec<_>>());
            Ok(())
        },
    );
}
