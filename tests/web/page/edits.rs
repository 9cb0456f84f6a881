//! The forms that change a key or a service account: sent twice, sent late, and with fields that they
//! lack.

use std::sync::{Arc, Mutex};

use keywright::http::page::{CustomField, KeyFields, Page};
use keywright::{Access, Actor, KeyEdit, KeyId, Metadata, NewKey, Operation, Permissions};

use common::{DAY, TestResult, cut_scopes};

use crate::form::Form;
use crate::seed;
use crate::site::{Answer, Site, on_a_site, on_site};

/// A text that looks like a token of another service.
const LIKE_TOKEN: &str = "4fQ2xk9ZrT7bWm1c8PzA";

fn all_fields(page: Page) -> Page {
    page.fields(KeyFields::ALL).custom_field(CustomField::new("cost", "Cost center"))
}

/// Generates a key of alice with a value in each field.
async fn full_key(site: &Site) -> TestResult<KeyId> {
    let new = NewKey::named("before")?
        .description("nightly export".parse()?)
        .scopes("invoices:read".parse()?)
        .networks("203.0.113.0/24".parse()?)
        .metadata(Metadata::new([("cost", "1234")])?)
        .expires_in(DAY);
    Ok(site.world.key_of(&site.world.alice, new).await.key.id)
}

fn sorted(form: &Form) -> Vec<(String, String)> {
    let mut fields = form.fields.clone();
    fields.sort();
    fields
}

/// Opens the form that edits a key, as an actor.
async fn edit_form(site: &Site, key: &KeyId, actor: &Actor) -> Answer {
    site.ask("GET", &format!("/keys/{key}/edit")).by(actor).send().await
}

/// An actor who may see and edit own keys, and may neither generate keys nor see the policy.
fn editor() -> Actor {
    seed::with(Permissions::SHOW_OWN | Permissions::EDIT_OWN)
}

#[test]
fn edit_sent_twice_is_saved() {
    on_site(all_fields, async |site| {
        let alice = &site.world.alice;
        let key = full_key(site).await?;
        let form = edit_form(site, &key, alice).await.form().with(&[
            ("name", " after "),
            ("description", "two\r\nlines"),
            ("networks", "198.51.100.7\r\n203.0.113.0/25"),
            ("rate", "5/1s"),
            ("scope", "reports:read"),
            ("custom-cost", ""),
        ]);
        let first = site.send(alice, &form).await;
        let saved = site.world.authority.key(alice, &key).await?.key;
        assert_eq!(saved.networks.iter().count(), 2);
        let second = site.send(alice, &form).await;
        assert_eq!(second.status, 303, "{}", second.words());
        assert_eq!(second.target(), first.target());
        assert_eq!(site.world.authority.key(alice, &key).await?.key, saved, "no second change");
        // A different value is still stale.
        let late = site.send(alice, &form.with(&[("name", "mine")])).await;
        assert_eq!(late.status, 412);
        late.must_say(&["Changed in the meantime", "Name after mine"]);
        late.must_not_say(&["Description two", "Networks 198"]);
        assert_eq!(site.world.authority.key(alice, &key).await?.key, saved);
        Ok(())
    });
}

#[test]
fn edit_overtaken_by_itself_is_saved() {
    on_a_site(async |site| {
        let (world, key) = (&site.world, site.key("before").await.key.id);
        for (name, status) in [("after", 303), ("theirs", 412)] {
            let form = edit_form(site, &key, &world.alice).await.form().with(&[("name", "after")]);
            let (authority, alice) = (world.authority.clone(), world.alice.clone());
            let edit = KeyEdit::new().name(name.parse()?);
            site.faults.meanwhile(async move {
                authority.edit(&alice, &key, edit).await.expect("an edit");
            });
            let answer = site.send(&world.alice, &form).await;
            assert_eq!(answer.status, status, "{name}: {}", answer.words());
            world.authority.rename(&world.alice, &key, "before".parse()?).await?;
        }
        Ok(())
    });
}

#[test]
fn account_edit_sent_twice_is_saved() {
    on_a_site(async |site| {
        let (world, admin) = (&site.world, &site.world.admin);
        let account = world.account("builds", "analyst").await?;
        let path = format!("/accounts/{}/edit", account.id);
        let opened = site.ask("GET", &path).by(admin).send().await.form();
        let form = opened.with(&[("name", "nightly"), ("role", "operator"), ("read_only", "on")]);
        let first = site.send(admin, &form).await;
        let saved = world.account_now(&account).await?;
        assert_eq!((saved.name.as_str(), saved.access), ("nightly", Access::ReadOnly));
        let second = site.send(admin, &form).await;
        assert_eq!(second.status, 303, "{}", second.words());
        assert_eq!(second.target(), first.target());
        let late = site.send(admin, &form.without("read_only")).await;
        assert_eq!(late.status, 412, "{}", late.words());
        late.must_say(&["Changed in the meantime", "Read-only access Yes No"]);
        late.must_not_say(&["Name nightly nightly"]);
        assert_eq!(world.account_now(&account).await?, saved);
        Ok(())
    });
}

#[test]
fn expired_key_keeps_fixed_fields() {
    on_site(all_fields, async |site| {
        let alice = &site.world.alice;
        let key = full_key(site).await?;
        let opened = edit_form(site, &key, alice).await.form();
        let before = site.world.authority.key(alice, &key).await?.key;
        site.world.clock.advance(2 * DAY);
        let typed = [("name", "after"), ("networks", "198.51.100.7"), ("rate", "5/1s")];
        let form = opened.clone().with(&typed);
        let refused = site.send(alice, &form).await;
        assert_eq!(refused.status, 422, "{}", refused.words());
        refused.must_say(&[
            "Scopes, networks and rate can no longer be changed",
            "The status of the key: Expired.",
        ]);
        let link = format!("<a href=\"{}\">", site.path(&format!("/keys/{key}/edit")));
        assert!(refused.text.contains(&link), "{}", refused.text);
        assert_eq!(sorted(&refused.form()), sorted(&form), "the typed values stay");
        assert_eq!(site.world.authority.key(alice, &key).await?.key, before, "nothing is saved");
        // Without a change of these fields, the same form can be saved.
        let renamed = site.send(alice, &opened.with(&[("name", "after")])).await;
        assert_eq!(renamed.status, 303, "{}", renamed.words());
        let now = site.world.authority.key(alice, &key).await?.key;
        assert_eq!((now.name.as_str(), &now.networks), ("after", &before.networks));
        assert_eq!(now.scopes, before.scopes);
        Ok(())
    });
}

#[test]
fn edit_without_version_is_stale() {
    on_a_site(async |site| {
        let (world, admin) = (&site.world, &site.world.admin);
        let key = site.key("before").await.key.id;
        let account = world.account("before", "analyst").await?.id;
        for path in [format!("/keys/{key}/edit"), format!("/accounts/{account}/edit")] {
            let opened = site.ask("GET", &path).by(admin).send().await.form();
            let form = opened.with(&[("name", "after")]).without("version");
            for form in [form.clone(), form.with(&[("version", "x")])] {
                let stale = site.send(admin, &form).await;
                assert_eq!(stale.status, 412, "{path}: {}", stale.words());
                stale.must_say(&["Your change was not saved. Open the form again."]);
            }
        }
        assert_eq!(world.authority.key(admin, &key).await?.key.name.as_str(), "before");
        assert_eq!(world.authority.account(admin, &account).await?.account.name.as_str(), "before");
        Ok(())
    });
}

#[test]
fn edit_keeps_fields_that_form_lacks() {
    on_site(all_fields, async |site| {
        let key = full_key(site).await?;
        let before = site.world.authority.key(&site.world.alice, &key).await?.key;
        // The actor cannot choose scopes, so the form has no boxes.
        let form = edit_form(site, &key, &editor()).await.form();
        assert!(form.fields.iter().all(|(name, _)| name != "scope"), "{form:?}");
        let bare = form.clone().without("networks").without("rate").without("custom-cost");
        for (form, name) in [(form, "once"), (bare, "twice")] {
            let version = site.world.authority.key(&editor(), &key).await?.key.version;
            let form = form.with(&[("name", name), ("version", &version.to_string())]);
            let saved = site.send(&editor(), &form).await;
            assert_eq!(saved.status, 303, "{}", saved.words());
            let now = site.world.authority.key(&editor(), &key).await?.key;
            assert_eq!(now.name.as_str(), name);
            assert_eq!((&now.scopes, &now.networks), (&before.scopes, &before.networks));
            assert_eq!(now.metadata, before.metadata);
        }
        Ok(())
    });
}

#[test]
fn lost_scopes_stay_as_boxes() {
    on_site(all_fields, async |site| {
        let (world, alice) = (&site.world, &site.world.alice);
        let new = NewKey::named("before")?.scopes("invoices:read reports:read".parse()?);
        let key = world.key_of(alice, new).await.key;
        world.set_policy(|policy| cut_scopes(&mut policy.plan, "invoices:read")).await?;
        let opened = edit_form(site, &key.id, alice).await;
        opened.must_say(&["reports:read Not in the plan or the role now, so without effect."]);
        let renamed = site.send(alice, &opened.form().with(&[("name", "after")])).await;
        assert_eq!(renamed.status, 303, "{}", renamed.words());
        assert_eq!(world.authority.key(alice, &key.id).await?.key.scopes, key.scopes);
        let cleared = edit_form(site, &key.id, alice).await.form();
        let cleared = site.send(alice, &cleared.with(&[("scope", "invoices:read")])).await;
        assert_eq!(cleared.status, 303, "{}", cleared.words());
        let scopes = world.authority.key(alice, &key.id).await?.key.scopes.to_string();
        assert_eq!(scopes, "invoices:read");
        Ok(())
    });
}

#[test]
fn stale_panel_has_fields_of_form() {
    on_site(
        |page| page.fields(KeyFields::DESCRIPTION | KeyFields::SCOPES),
        async |site| {
            let (world, alice) = (&site.world, &site.world.alice);
            let key = full_key(site).await?;
            // The one form has the boxes of the scopes, and the other has not.
            for (actor, has_scopes) in [(alice, true), (&editor(), false)] {
                let form = edit_form(site, &key, actor).await.form().without("scope");
                let edit = KeyEdit::new().description(Some(world.now().to_string().parse()?));
                world.authority.edit(alice, &key, edit).await?;
                let more = [("rate", "5/1s"), ("networks", "198.51.100.7"), ("role", "operator")];
                let stale = site.send(actor, &form.with(&more)).await;
                assert_eq!(stale.status, 412, "{}", stale.words());
                stale.must_say(&["Description", "nightly export"]);
                stale.must_not_say(&["Rate", "Networks", "Role", "5/1s", "198.51.100.7"]);
                let says_scopes = stale.words().contains("Scopes invoices:read");
                assert_eq!(says_scopes, has_scopes, "{}", stale.words());
                let back = KeyEdit::new().description(Some("nightly export".parse()?));
                world.authority.edit(alice, &key, back).await?;
            }
            Ok(())
        },
    );
}

#[test]
fn stored_value_like_token_is_kept() {
    on_site(all_fields, async |site| {
        let alice = &site.world.alice;
        let metadata = Metadata::new([("cost", LIKE_TOKEN), ("other", "kept")])?;
        let new = NewKey::named("before")?.metadata(metadata.clone());
        let key = site.world.key_of(alice, new).await.key.id;
        let opened = edit_form(site, &key, alice).await.form();
        assert_eq!(opened.value("custom-cost"), LIKE_TOKEN);
        let saved = site.send(alice, &opened.with(&[("name", "after")])).await;
        assert_eq!(saved.status, 303, "{}", saved.words());
        assert_eq!(site.world.authority.key(alice, &key).await?.key.metadata, metadata);
        Ok(())
    });
}

#[test]
fn new_value_like_token_is_refused() {
    let two_fields =
        |page| all_fields(page).custom_field(CustomField::new("team", "Team").required());
    on_site(two_fields, async |site| {
        let alice = &site.world.alice;
        let new = NewKey::named("before")?.metadata(Metadata::new([("team", "billing")])?);
        let key = site.world.key_of(alice, new).await.key.id;
        let edit = edit_form(site, &key, alice).await.form();
        for form in [site.new_key(&[]).await, edit] {
            // Another fault must not bring the value back.
            for team in ["billing", ""] {
                let form = form.clone().with(&[("custom-cost", LIKE_TOKEN), ("custom-team", team)]);
                let refused = site.send(alice, &form).await;
                assert_eq!(refused.status, 422, "{}", refused.words());
                refused.must_say(&["The value of Cost center looks like a key."]);
                assert!(refused.text.contains("<a href=\"#custom-cost\">"), "{}", refused.text);
                assert!(!refused.text.contains(LIKE_TOKEN), "{}", refused.text);
                assert_eq!(refused.form().value("custom-team"), team);
            }
        }
        let now = site.world.authority.key(alice, &key).await?.key;
        assert_eq!((now.metadata.get("cost"), now.metadata.get("team")), (None, Some("billing")));
        Ok(())
    });
}

#[test]
fn step_up_asks_once_per_edit() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let note = move |_: &http::request::Parts, operation| {
        log.lock().expect("no panic").push(operation);
        None
    };
    on_site(
        |page| all_fields(page).step_up(note),
        async |site| {
            let alice = &site.world.alice;
            let key = full_key(site).await?;
            for operation in [Operation::KeyEdit, Operation::KeyRename] {
                let form = edit_form(site, &key, alice).await.form();
                let name = operation.to_string().replace('.', "-");
                let saved = site.send(alice, &form.with(&[("name", &name)])).await;
                assert_eq!(saved.status, 303, "{}", saved.words());
                let asked = std::mem::take(&mut *asked.lock().expect("no panic"));
                assert_eq!(asked, [operation, operation], "when opened and when sent");
                // An expired key can only be renamed and annotated.
                site.world.clock.advance(2 * DAY);
            }
            Ok(())
        },
    );
}
