//! Forms with a fault: the answer is 422, keeps what was typed, and names the fault, its field and the
//! bound.

use keywright::http::page::{CustomField, ExpiryForm, KeyFields, Page};
use keywright::{KeyStatus, Metadata, NewKey};

use common::{DAY, TestResult, all_keys, limit_everything};

use crate::form::Form;
use crate::site::{Answer, Site, on_a_site, on_site};

/// Fields of a form, the field with the fault, and the texts that the answer says.
type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a [&'a str]);

fn all_fields(page: Page) -> Page {
    page.fields(KeyFields::ALL)
        .custom_field(CustomField::new("cost", "Cost center").hint("Four digits.").required())
}

/// Asserts that a form was refused for one field, and keeps its values.
#[track_caller]
fn must_refuse(answer: &Answer, sent: &Form, field: &str, says: &[&str]) {
    assert_eq!(answer.status, 422, "{field}: {}", answer.words());
    answer.must_say(&["There is a problem"]);
    answer.must_say(says);
    assert!(answer.text.contains("<title>Error: "), "{}", answer.text);
    assert!(answer.text.contains(&format!("<a href=\"#{field}\">")), "{field}: {}", answer.text);
    assert!(answer.text.contains(&format!("id=\"{field}-error\"")), "{field}: {}", answer.text);
    let form = answer.form();
    let controls = Form::controls_of(answer, &form.action);
    for (name, value) in &sent.fields {
        let control = controls.iter().find(|control| control.name == *name);
        // The page does not repeat a token, or a choice that it does not offer.
        let is_kept = control.is_some_and(|control| {
            control.kind != "radio" && control.kind != "checkbox" || control.choices.contains(value)
        });
        let is_token = value.starts_with("acme_live_");
        let kept = form.fields.iter().any(|(known, kept)| known == name && kept == value);
        assert_eq!(
            kept || value.is_empty() || is_token,
            is_kept || kept || is_token || value.is_empty(),
            "{name}={value}"
        );
    }
}

async fn refuse_all(site: &Site, rows: &[Row<'_>]) -> TestResult {
    for (fields, field, says) in rows {
        let form = site.new_key(&[("custom-cost", "1234")]).await.with(fields);
        let answer = site.send(&site.world.alice, &form).await;
        must_refuse(&answer, &form, field, says);
    }
    assert!(all_keys(&site.world.authority, &site.world.admin).await.is_empty());
    Ok(())
}

#[test]
fn faults_of_new_key_are_named() {
    on_site(all_fields, async |site| {
        let long = "x".repeat(3000);
        let long = &*long;
        let made = site.key("prod-main-app").await;
        site.world.authority.delete(&site.world.alice, &made.key.id).await?;
        let token = made.token.expose();
        refuse_all(
            site,
            &[
                (&[("name", "")], "name", &["Enter a name."]),
                (&[("name", long)], "name", &["at most", "It has 3000."]),
                (&[("name", "ada@example.com")], "name", &["looks like an e-mail address"]),
                (&[("name", token)], "name", &["looks like a key"]),
                (&[("name", "zero\u{200b}width")], "name", &["invisible or control characters"]),
                (&[("description", long)], "description", &["at most", "It has 3000."]),
                (&[("contact", long)], "contact", &["at most"]),
                (&[("networks", "203.0.113.0/24\nmoon")], "networks", &["moon is not an address"]),
                (&[("rate", "often")], "rate", &["Write the rate like 100/60s"]),
                (&[("scope", "two words; here")], "scope", &["Choose scopes of the list."]),
                (&[("scope", "planets:read")], "scope", &["cannot have the scope planets:read"]),
                (
                    &[("expiry", "soon")],
                    "expiry",
                    &["Enter a whole number of days", "\"soon\" is not a whole number"],
                ),
                (&[("expiry", "0")], "expiry", &["from 1"]),
                (&[("expiry", "date")], "expires_on", &["Enter a date."]),
                (
                    &[("expiry", "date"), ("expires_on", "31.1.2031")],
                    "expires_on",
                    &["\"31.1.2031\" is not a date"],
                ),
                (
                    &[("expiry", "date"), ("expires_on", "2001-01-31")],
                    "expiry",
                    &["must be in the future"],
                ),
                (
                    &[("expiry", "30"), ("expires_on", "2031-01-31")],
                    "expiry",
                    &["Choose \"On a date\""],
                ),
                (&[("expiry", "4000000")], "expiry", &["before the year 10000"]),
                (&[("custom-cost", "")], "custom-cost", &["Fill in the field Cost center."]),
            ],
        )
        .await
    });
}

#[test]
fn bounds_of_plan_are_named() {
    on_site(all_fields, async |site| {
        site.world
            .set_policy(|policy| {
                limit_everything(&mut policy.plan);
                policy.settings.max_lifetime = None;
            })
            .await?;
        let opened = site.get("/new").await;
        opened.must_say(&["Your organization allows at most 30 days.", "At most 100/60s."]);
        opened.must_not_say(&["No expiry", "60 days"]);
        refuse_all(
            site,
            &[
                (&[("expiry", "never")], "expiry", &["Choose an expiry", "requires one"]),
                (&[("expiry", "31")], "expiry", &["must expire within 30 days"]),
                (
                    &[("expiry", "date"), ("expires_on", "2090-01-31")],
                    "expiry",
                    &["must expire within 30 days"],
                ),
                (&[("expiry", "7"), ("rate", "101/60s")], "rate", &["must be at most 100/60s"]),
            ],
        )
        .await
    });
}

#[test]
fn several_faults_are_named_together() {
    on_site(all_fields, async |site| {
        let fields = [
            ("name", ""),
            ("rate", "x"),
            ("networks", "x"),
            ("custom-cost", ""),
            ("expiry", "date"),
        ];
        let form = site.new_key(&fields).await;
        let answer = site.send(&site.world.alice, &form).await;
        for field in ["name", "rate", "networks", "custom-cost"] {
            must_refuse(&answer, &form, field, &[]);
        }
        Ok(())
    });
}

#[test]
fn faults_of_days_are_named() {
    on_site(
        |page| page.expiry(ExpiryForm::Days),
        async |site| {
            let rows: [Row<'_>; 5] = [
                (&[("set_expiry", "on")], "lifetime_days", &["Enter the lifetime in days."]),
                (&[("lifetime_days", "30")], "set_expiry", &["Check the box"]),
                (
                    &[("set_expiry", "on"), ("lifetime_days", "1.5")],
                    "lifetime_days",
                    &["\"1.5\" is not a whole number"],
                ),
                (
                    &[("set_expiry", "on"), ("lifetime_days", "-1")],
                    "lifetime_days",
                    &["\"-1\" is not a whole number"],
                ),
                (&[("set_expiry", "on"), ("lifetime_days", "0")], "lifetime_days", &["from 1"]),
            ];
            for (fields, field, says) in rows {
                let form = site.new_key(fields).await;
                must_refuse(&site.send(&site.world.alice, &form).await, &form, field, says);
            }
            let made = site.generate(&[("set_expiry", "on"), ("lifetime_days", "30")]).await;
            assert_eq!(made.status, 200, "{}", made.words());
            let made = site.generate(&[]).await;
            assert_eq!(made.status, 200, "{}", made.words());
            made.must_say(&["No expiry"]);
            Ok(())
        },
    );
}

#[test]
fn faults_of_date_are_named() {
    on_site(
        |page| page.expiry(ExpiryForm::Date),
        async |site| {
            site.world.set_policy(|policy| policy.settings.max_lifetime = Some(30 * DAY)).await?;
            let form = site.new_key(&[("expires_on", "tomorrow")]).await;
            let refused = site.send(&site.world.alice, &form).await;
            must_refuse(&refused, &form, "expires_on", &["\"tomorrow\" is not a date"]);
            let form = site.new_key(&[("expires_on", "2090-01-31")]).await;
            let refused = site.send(&site.world.alice, &form).await;
            must_refuse(&refused, &form, "expiry", &["must expire within 30 days"]);
            Ok(())
        },
    );
}

#[test]
fn fields_that_form_lacks_are_ignored() {
    // The host offers no scopes, and the request has one.
    on_site(
        |page| page.fields(KeyFields::NONE),
        async |site| {
            let form =
                site.new_key(&[("scope", "planets:read"), ("rate", "x"), ("name", "a")]).await;
            let made = site.send(&site.world.alice, &form).await;
            assert_eq!(
                made.status,
                200,
                "fields that the form lacks are ignored: {}",
                made.words()
            );
            Ok(())
        },
    );
}

#[test]
fn faults_of_rotation_are_named() {
    on_a_site(async |site| {
        site.world.set_policy(|policy| policy.settings.max_overlap = Some(2 * DAY)).await?;
        let key = site.key("prod-main-app").await.key.id;
        let path = format!("/keys/{key}/rotate");
        let opened = site.get(&path).await;
        opened.must_say(&["At most 48 hours.", "Both secrets work until 2026-01-02 09:00 UTC."]);
        opened.must_not_say(&["7 days"]);
        let rows: [Row<'_>; 6] = [
            (&[], "overlap", &["Choose how long the old secret works."]),
            (&[("overlap", "other")], "overlap_hours", &["Enter the number of hours."]),
            (&[("overlap", "soon")], "overlap", &["\"soon\" is not a whole number"]),
            (&[("overlap", "49")], "overlap", &["at most 2 days"]),
            (
                &[("overlap", "other"), ("overlap_hours", "x")],
                "overlap_hours",
                &["\"x\" is not a whole number"],
            ),
            (&[("overlap", "0"), ("overlap_hours", "5")], "overlap", &["Choose \"Another time\""]),
        ];
        for (fields, field, says) in rows {
            let form = site.get(&path).await.form().with(fields);
            must_refuse(&site.send(&site.world.alice, &form).await, &form, field, says);
        }
        site.world.authority.disable(&site.world.alice, &key).await?;
        let form = site.get(&path).await.form();
        let fields = [("overlap", "24")];
        let refused = site.send(&site.world.alice, &form.with(&fields)).await;
        assert_eq!(refused.status, 422);
        refused.must_say(&["The old secret of a disabled key ends at once."]);
        Ok(())
    });
}

#[test]
fn faults_of_hand_over_are_named() {
    on_a_site(async |site| {
        let key = site.key("prod-main-app").await.key.id;
        let (admin, path) = (&site.world.admin, format!("/keys/{key}/transfer"));
        let rows: [Row<'_>; 4] = [
            (&[], "owner", &["Choose the new owner."]),
            (&[("user", "bob"), ("owner", "organization")], "owner", &["not both"]),
            (&[("user", "no such\u{7}")], "user", &["There is no such owner."]),
            (
                &[("owner", "account:0000000000000000")],
                "owner",
                &["There is no such service account."],
            ),
        ];
        for (fields, field, says) in rows {
            let opened = site.ask("GET", &path).by(admin).send().await;
            let form = opened.form().with(fields);
            let refused = site.send(admin, &form).await;
            assert_eq!(refused.status, 422, "{field}: {}", refused.words());
            refused.must_say(says);
            assert!(refused.text.contains(&format!("<a href=\"#{field}\">")), "{field}");
        }
        Ok(())
    });
}

#[test]
fn name_of_used_key_is_typed() {
    on_a_site(async |site| {
        let key = site.key("prod-main-app").await;
        site.world.verifier.verify(key.token.expose()).await?;
        site.world.verifier.flush().await?;
        for form in ["revoke", "delete"] {
            let path = format!("/keys/{}/{form}", key.key.id);
            for typed in ["", "prod", "PROD-MAIN-APP"] {
                let filled = site.get(&path).await.form().with(&[("typed_name", typed)]);
                let refused = site.send(&site.world.alice, &filled).await;
                must_refuse(
                    &refused,
                    &filled,
                    "typed_name",
                    &["Type the name exactly: prod-main-app"],
                );
            }
            assert_eq!(
                site.world.status(&key.key.id).await?,
                if form == "revoke" { KeyStatus::Active } else { KeyStatus::Revoked }
            );
            let filled = site.get(&path).await.form().with(&[("typed_name", " prod-main-app ")]);
            assert_eq!(site.send(&site.world.alice, &filled).await.status, 303, "{form}");
        }
        Ok(())
    });
}

#[test]
fn stale_edit_shows_both_values() {
    on_site(all_fields, async |site| {
        let key = site.key("prod-main-app").await.key.id;
        let path = format!("/keys/{key}/edit");
        let opened = site.get(&path).await.form();
        let first = opened.clone().with(&[
            ("name", "theirs"),
            ("description", "kept by them"),
            ("custom-cost", "1"),
        ]);
        assert_eq!(site.send(&site.world.alice, &first).await.status, 303);
        let second = opened.with(&[("name", "mine"), ("rate", "5/1s"), ("custom-cost", "2")]);
        let stale = site.send(&site.world.alice, &second).await;
        assert_eq!(stale.status, 412);
        stale.must_say(&[
            "Changed in the meantime",
            "Your values are below and not saved yet",
            "Name theirs mine",
            "Description kept by them",
            "Rate 5/1s",
            "Cost center 1 2",
        ]);
        stale.must_not_say(&["Networks Networks"]);
        assert_eq!(stale.form().value("name"), "mine");
        // The form with both values can be saved.
        assert_eq!(site.send(&site.world.alice, &stale.form()).await.status, 303);
        let shown = site.get(&format!("/keys/{key}")).await;
        shown.must_say(&["mine", "5 uses in 1 second"]);
        Ok(())
    });
}

#[test]
fn renamed_key_keeps_fields_that_form_lacks() {
    on_site(
        |page| page.fields(KeyFields::NONE),
        async |site| {
            let new = NewKey::named("before")?
                .description("nightly export".parse()?)
                .contact("team-a".parse()?)
                .scopes("invoices:read".parse()?)
                .networks("203.0.113.0/24".parse()?)
                .rate("5/1s".parse()?)
                .metadata(Metadata::new([("cost", "1234")])?)
                .expires_in(DAY);
            let key = site.world.key_of(&site.world.alice, new).await.key;
            site.world.clock.advance(2 * DAY);
            let form = site.get(&format!("/keys/{}/edit", key.id)).await.form();
            assert_eq!(
                site.send(&site.world.alice, &form.with(&[("name", "after")])).await.status,
                303
            );
            let now = site.world.authority.key(&site.world.alice, &key.id).await?.key;
            assert_eq!(now.name.as_str(), "after");
            assert_eq!(now.description, key.description);
            assert_eq!(now.contact, key.contact);
            assert_eq!(now.scopes, key.scopes);
            assert_eq!(now.networks, key.networks);
            assert_eq!((now.rate, &now.metadata), (key.rate, &key.metadata));
            Ok(())
        },
    );
}

#[test]
fn expired_key_can_be_renamed_and_annotated() {
    on_site(all_fields, async |site| {
        let new = NewKey::named("before")?.scopes("invoices:read".parse()?).expires_in(DAY);
        let key = site.world.key_of(&site.world.alice, new).await.key;
        site.world.clock.advance(2 * DAY);
        let form = site.get(&format!("/keys/{}/edit", key.id)).await.form();
        assert!(form.fields.iter().all(|(name, _)| name != "scope" && name != "rate"), "{form:?}");
        let form = form.with(&[("name", "after"), ("description", "ended"), ("custom-cost", "1")]);
        let saved = site.send(&site.world.alice, &form).await;
        assert_eq!(saved.status, 303, "{}", saved.words());
        let now = site.world.authority.key(&site.world.alice, &key.id).await?.key;
        assert_eq!((now.name.as_str(), &now.scopes), ("after", &key.scopes));
        assert_eq!(now.owner, site.world.alice.as_owner());
        Ok(())
    });
}
