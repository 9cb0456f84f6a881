//! Each option of the page.

use axum::http::request::Parts;
use keywright::http::page::{
    CustomField, ExpiryForm, KeyFields, Layout, Links, Page, Screen, Screens, Text, Texts,
};
use keywright::store::MemoryStore;
use keywright::{Actor, NewKey, Owner};

use common::{DAY, TestResult, World, block_on};

use crate::seed::ATTACKS;
use crate::site::{Site, on_a_site, on_site};

/// The layout of a host, which reads the session that its login has set.
struct Workbase;

impl Layout for Workbase {
    fn wrap(&self, request: &Parts, screen: &Screen<'_>) -> String {
        let actor = request.extensions.get::<Actor>().map(|actor| actor.id().to_string());
        format!(
            "<!DOCTYPE html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{} - Workbase</title>{}</head>\
             <body><header>Workbase of {}</header><main>{}</main></body></html>",
            screen.language(),
            screen.escaped_title(),
            screen.head(),
            actor.as_deref().unwrap_or("nobody"),
            screen.body(),
        )
    }
}

#[test]
fn layout_of_host_wraps_every_screen() -> TestResult {
    block_on(async {
        let world = World::new(MemoryStore::new());
        let mut site = Site::of(&world, |page| page.layout(Workbase))?;
        site.has_own_layout = true;
        let new = NewKey::new(ATTACKS[3].parse()?);
        let key = world.key_of(&world.alice, new).await.key.id;
        for path in ["/", "/new", "/nothing", "/keys/0000000000000000", &format!("/keys/{key}")] {
            site.get(path).await.must_say(&["Workbase of alice"]);
        }
        let made = site.generate(&[]).await;
        made.must_say(&["Workbase of alice", "This is shown only once."]);
        site.ask("GET", "/")
            .unauthenticated()
            .send()
            .await
            .must_say(&["Workbase of nobody", "Log in"]);
        let failed = site.generate(&[("name", "")]).await;
        assert!(
            failed.text.contains("<title>Error: Generate API key - Workbase</title>"),
            "{}",
            failed.text
        );
        Ok(())
    })
}

#[test]
fn texts_read_well_without_a_product() {
    for (texts, lead) in [
        (Texts::english as fn() -> Texts, "A key lets a program use the API in your name."),
        (Texts::german, "Mit einem Schlüssel nutzt ein Programm die API in Ihrem Namen."),
    ] {
        on_site(
            |page| page.texts(move |_| texts()),
            async |site| {
                let shown = site.get("/").await;
                shown.must_say(&[lead]);
                let title = texts().text(Text::OWN_KEYS).to_owned();
                assert!(shown.text.contains(&format!("<title>{title}</title>")), "{}", shown.text);
                Ok(())
            },
        );
    }
}

#[test]
fn product_is_named() {
    on_site(
        |page| page.product("Work & <base>"),
        async |site| {
            let shown = site.get("/").await;
            shown.must_say(&["lets a program use Work & <base> in your name"]);
            assert!(shown.text.contains("<title>Your API keys - Work &amp; &lt;base&gt;</title>"));
            Ok(())
        },
    );
}

#[test]
fn texts_of_host_replace_those_of_page() {
    let texts = |request: &Parts| match request.uri.query() {
        Some("de") => Texts::german(),
        _ => Texts::english()
            .with(Text::OWN_KEYS, "Schlüssel <i>")
            .with(Text::KEY_COUNT, "one|{count} of them"),
    };
    on_site(
        |page| page.texts(texts),
        async |site| {
            site.get("/").await.must_say(&["Schlüssel <i>", "Generate API key"]);
            let german = site.get("/?de").await;
            german.must_say(&["Ihre API-Schlüssel", "API-Schlüssel erzeugen"]);
            assert!(german.text.contains("<html lang=\"de\">"), "{}", german.text);
            Ok(())
        },
    );
}

#[test]
fn screens_of_host_are_the_only_ones() -> TestResult {
    block_on(async {
        let world = crate::seed::world().await?;
        let paths = [
            (Screens::OWN_KEYS, "/"),
            (Screens::ORGANIZATION_KEYS, "/organization"),
            (Screens::ALL_KEYS, "/all"),
        ];
        for (selected, _) in paths {
            let site = Site::of(&world, |page| page.screens(selected))?;
            for (screen, path) in paths {
                let shown = site.ask("GET", path).by(&world.admin).send().await;
                let expected = match (screen == selected, path) {
                    (true, _) => 200,
                    (false, "/") => 303,
                    (false, _) => 404,
                };
                assert_eq!(shown.status, expected, "{path} with {selected:?}");
                shown.must_not_say(if shown.status == 200 {
                    &["Keys of the organization All keys"]
                } else {
                    &[]
                });
            }
        }
        Ok(())
    })
}

#[test]
fn fields_of_host_are_the_only_ones() {
    on_site(
        |page| page.fields(KeyFields::CONTACT),
        async |site| {
            let form = site.new_key(&[]).await;
            let names: Vec<_> = form.fields.iter().map(|(name, _)| &**name).collect();
            assert!(names.contains(&"contact"), "{names:?}");
            for absent in ["description", "networks", "rate", "scope"] {
                assert!(!names.contains(&absent), "{names:?}");
            }
            Ok(())
        },
    );
}

#[test]
fn custom_field_is_stored_as_metadata() {
    let field =
        || CustomField::new("cost_center", "Cost center <b>").hint("Four <i> digits.").required();
    on_site(
        |page| page.custom_field(field()),
        async |site| {
            let opened = site.get("/new").await;
            opened.must_say(&["Cost center <b>", "Four <i> digits."]);
            let made = site.generate(&[("custom-cost_center", ATTACKS[1])]).await;
            let id = &made.token()["acme_live_".len()..][..16];
            let shown = site.get(&format!("/keys/{id}")).await;
            shown.must_say(&["Cost center <b>", ATTACKS[1]]);
            let key = site.world.authority.key(&site.world.alice, &id.parse()?).await?.key;
            assert_eq!(key.metadata.get("cost_center"), Some(ATTACKS[1]));
            Ok(())
        },
    );
}

#[test]
fn token_is_shown_as_id_and_secret() {
    on_site(
        |page| {
            page.show_id_and_secret()
                .environment_variable("ACME_API_KEY")
                .name_examples(["prod-main-app", "staging-api"])
        },
        async |site| {
            site.get("/new").await.must_say(&["Examples: prod-main-app, staging-api."]);
            let made = site.generate(&[]).await;
            let token = made.token();
            let (id, secret) =
                (&token["acme_live_".len()..][..16], &token["acme_live_".len() + 16..]);
            made.must_say(&["Key ID", id, "Key secret", secret, &format!("ACME_API_KEY={token}")]);
            Ok(())
        },
    );
}

#[test]
fn links_of_host_are_shown() -> TestResult {
    block_on(async {
        let world = World::new(MemoryStore::new());
        world.set_policy(|policy| policy.plan.api_access = false).await?;
        let links = Links::new()
            .documentation("/docs/api?a=1&b=2".parse()?)
            .upgrade("https://billing.example/plans".parse()?)
            .support("/help".parse()?);
        let mut site = Site::of(&world, |page| page.links(links))?;
        site.links = vec!["/docs/api", "https://billing.example/plans", "/help"];
        let shown = site.get("/").await;
        shown.must_say(&["Upgrade required", "See the plans", "Read the API documentation"]);
        assert!(shown.text.contains("href=\"/docs/api?a=1&amp;b=2\""), "{}", shown.text);
        site.get("/nothing").await.must_say(&["Contact support"]);
        Ok(())
    })
}

#[test]
fn users_are_named_by_host() {
    on_site(
        |page| {
            page.user_names(|_, user| (user.as_str() == "bob").then(|| "Bob <Builder>".to_owned()))
        },
        async |site| {
            let new = NewKey::named("of-bob")?.owner(Owner::User(site.world.bob.id().clone()));
            let made = site.world.authority.generate(&site.world.admin, new).await?;
            let path = format!("/keys/{}", made.key.id);
            let shown = site.ask("GET", &path).by(&site.world.admin).send().await;
            shown.must_say(&["Bob <Builder>", "by ada"]);
            Ok(())
        },
    );
}

#[test]
fn expiry_form_is_of_the_host() {
    for (form, fields) in [
        (ExpiryForm::Choices, vec!["expires_on", "expiry"]),
        (ExpiryForm::Date, vec!["expires_on"]),
        (ExpiryForm::Days, vec!["lifetime_days", "set_expiry"]),
    ] {
        on_site(
            |page: Page| page.expiry(form),
            async |site| {
                let opened = site.get("/new").await;
                let controls =
                    crate::form::Form::controls_of(&opened, &site.path("/new?owner=user%3Aalice"));
                let mut names: Vec<_> = controls.into_iter().map(|control| control.name).collect();
                names.retain(|name| {
                    ["expiry", "expires_on", "set_expiry", "lifetime_days"].contains(&&**name)
                });
                names.sort();
                assert_eq!(names, fields, "{form:?}");
                Ok(())
            },
        );
    }
}

#[test]
fn expiry_of_each_choice_is_kept() {
    on_a_site(async |site| {
        let now = site.world.now();
        for (fields, lifetime) in [
            (vec![("expiry", "7")], Some(7 * DAY)),
            (vec![("expiry", "365")], Some(365 * DAY)),
            (vec![("expiry", "never")], None),
        ] {
            let made = site.generate(&fields).await;
            let id = made.token()["acme_live_".len()..][..16].parse()?;
            let key = site.world.authority.key(&site.world.alice, &id).await?.key;
            assert_eq!(key.expires_at, lifetime.map(|lifetime| now.saturating_add(lifetime)));
        }
        let made = site.generate(&[("expiry", "date"), ("expires_on", "2031-01-31")]).await;
        made.must_say(&["2031-01-31 23:59 UTC"]);
        Ok(())
    });
}
