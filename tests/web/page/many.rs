//! Operations on many keys at once: they change the keys that the user saw, and no others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keywright::{Issued, KeyId, KeyStatus, Owner};

use common::{DAY, TestResult, named};

use crate::form::Form;
use crate::site::{Answer, Site, on_a_site, on_site};

/// Returns the address of the question about these keys.
fn bulk(ids: &[&KeyId]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| format!("id={id}")).collect();
    format!("/all/revoke?{}", ids.join("&"))
}

async fn ask(site: &Site, path: &str) -> Answer {
    site.ask("GET", path).by(&site.world.admin).send().await
}

async fn used(site: &Site, name: &str) -> TestResult<Issued> {
    let key = site.key(name).await;
    site.world.verifier.verify(key.token.expose()).await?;
    site.world.verifier.flush().await?;
    Ok(key)
}

fn has_number(form: &Form) -> bool {
    form.fields.iter().any(|(name, _)| name == "typed_count")
}

#[test]
fn number_of_used_keys_is_typed() {
    on_a_site(async |site| {
        let (admin, unused) = (&site.world.admin, site.key("unused").await.key.id);
        let used_key = used(site, "used").await?.key.id;
        let alone = ask(site, &bulk(&[&unused])).await;
        assert!(!has_number(&alone.form()), "{}", alone.words());
        let both = ask(site, &bulk(&[&unused, &used_key])).await;
        both.must_say(&["1 of these keys was used within the last 24 hours.", "to go on: 2"]);
        for typed in ["", "1", "3"] {
            let form = both.form().with(&[("typed_count", typed)]);
            let refused = site.send(admin, &form).await;
            assert_eq!(refused.status, 422, "{}", refused.words());
            refused.must_say(&["Type the number 2."]);
        }
        assert_eq!(site.world.status(&used_key).await?, KeyStatus::Active);
        let form = both.form().with(&[("typed_count", "2")]);
        for _ in 0..2 {
            let done = site.send(admin, &form).await;
            assert_eq!(done.status, 200, "{}", done.words());
        }
        assert_eq!(site.world.status(&used_key).await?, KeyStatus::Revoked);
        // A revoked key ends nothing that is in use.
        assert!(!has_number(&ask(site, &bulk(&[&used_key])).await.form()));
        Ok(())
    });
}

#[test]
fn use_while_form_is_open_counts() {
    on_a_site(async |site| {
        let key = site.key("prod-main-app").await;
        let opened = ask(site, &bulk(&[&key.key.id])).await.form();
        site.world.verifier.verify(key.token.expose()).await?;
        site.world.verifier.flush().await?;
        let refused = site.send(&site.world.admin, &opened).await;
        assert_eq!(refused.status, 422, "{}", refused.words());
        refused.must_say(&["used within the last 24 hours", "to go on: 1"]);
        assert_eq!(site.world.status(&key.key.id).await?, KeyStatus::Active);
        // A day later, no system depends on the key.
        site.world.clock.advance(DAY);
        assert_eq!(site.send(&site.world.admin, &opened).await.status, 200);
        assert_eq!(site.world.status(&key.key.id).await?, KeyStatus::Revoked);
        Ok(())
    });
}

#[test]
fn key_of_meanwhile_stays_with_owner() {
    on_a_site(async |site| {
        let (world, admin) = (&site.world, &site.world.admin);
        for (action, fields) in [("transfer", &[("user", "bob")][..]), ("revoke-owned", &[])] {
            site.key("early").await;
            let path = format!("/all/{action}?owner=user:alice");
            let opened = ask(site, &path).await.form().with(fields);
            let late = site.key("late").await.key;
            let refused = site.send(admin, &opened).await;
            assert_eq!(refused.status, 422, "{action}: {}", refused.words());
            refused.must_say(&["The owner has more keys than when you opened this form."]);
            let now = world.authority.key(admin, &late.id).await?;
            assert_eq!((now.status, &now.key.owner), (KeyStatus::Active, &late.owner), "{action}");
            // The form of the answer has the new number, and can be sent twice.
            for _ in 0..2 {
                let done = site.send(admin, &refused.form()).await;
                assert_eq!(done.status, 303, "{action}: {}", done.words());
            }
        }
        Ok(())
    });
}

#[test]
fn key_of_meanwhile_stays_with_account() {
    on_a_site(async |site| {
        let (world, admin) = (&site.world, &site.world.admin);
        let account = world.account("builds", "analyst").await?;
        for (action, fields) in [("transfer", &[("user", "bob")][..]), ("revoke", &[])] {
            world.generate_under(&account, named("early")).await?;
            let path = format!("/accounts/{}/{action}", account.id);
            let opened = ask(site, &path).await.form().with(fields);
            let late = world.generate_under(&account, named("late")).await?.key;
            let refused = site.send(admin, &opened).await;
            assert_eq!(refused.status, 422, "{action}: {}", refused.words());
            refused.must_say(&["The account has more keys than when you opened this form."]);
            let now = world.authority.key(admin, &late.id).await?;
            assert_eq!(now.key.owner, Owner::Account(account.id), "{action}");
            assert_eq!(now.status, KeyStatus::Active, "{action}");
            let done = site.send(admin, &refused.form()).await;
            assert_eq!(done.status, 303, "{action}: {}", done.words());
        }
        Ok(())
    });
}

#[test]
fn lapsed_login_keeps_the_selection() {
    let is_fresh = Arc::new(AtomicBool::new(true));
    let fresh = Arc::clone(&is_fresh);
    on_site(
        |page| {
            page.step_up(move |_, _| {
                (!fresh.load(Ordering::Relaxed)).then(|| "/confirm".parse().expect("a link"))
            })
        },
        async |site| {
            let (admin, path) = (&site.world.admin, site.path("/all/revoke"));
            let mut ids = Vec::new();
            for name in ["one", "two", "three"] {
                ids.push(site.key(name).await.key.id.to_string());
            }
            // The most keys that one form revokes.
            ids.extend((ids.len()..100).map(|number| format!("{number:016}")));
            let fields: Vec<_> = ids.iter().map(|id| ("id", &**id)).collect();
            is_fresh.store(false, Ordering::Relaxed);
            let sent = site.post("/all/revoke", &fields).by(admin).send().await;
            assert_eq!(sent.status, 422, "{}", sent.words());
            sent.must_say(&["Confirm your login first"]);
            let query: Vec<_> = ids.iter().map(|id| format!("id%3D{id}")).collect();
            let path = path.replace('/', "%2F");
            let link = format!("/confirm?return_to={path}%3F{}", query.join("%26"));
            assert!(sent.text.contains(&format!("href=\"{link}\"")), "{}", sent.text);
            // The question asks for a fresh login too, and keeps the selection.
            let query: Vec<_> = ids.iter().map(|id| format!("id={id}")).collect();
            let question = format!("/all/revoke?{}", query.join("&"));
            assert_eq!(ask(site, &question).await.target(), link);
            is_fresh.store(true, Ordering::Relaxed);
            let form = ask(site, &question).await.form();
            let chosen = form.fields.iter().filter(|(name, _)| name == "id");
            assert_eq!(chosen.map(|(_, id)| id).collect::<Vec<_>>(), [&ids[0], &ids[1], &ids[2]]);
            assert_eq!(site.send(admin, &form).await.status, 200);
            Ok(())
        },
    );
}
