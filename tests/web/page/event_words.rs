//! The words of audit events: the screen shows no name of a field, of an operation or of a code.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use keywright::http::management;
use keywright::http::page::{Page, Screens, Texts};
use keywright::store::{EventQuery, MemoryStore};
use keywright::{
    Access, AccountEdit, AccountId, Credential, DetailField, Event, EventOutcome, KeyEdit, KeyId,
    LeakReport, NamePattern, Owner, RefusalCode, Settings, SettingsEdit,
};
use scraper::Html;
use tower::ServiceExt;

use common::{DAY, HOUR, SECOND, TestResult, World, block_on, named};

use crate::rules::all;
use crate::site::Site;

/// A lifetime and an overlap that no policy of the world allows.
const TOO_LONG: Duration = Duration::from_hours(24 * 3_000);

#[track_caller]
fn refused<T, E>(result: &Result<T, E>) {
    assert!(result.is_err(), "the call is refused");
}

/// Leaves the events of one key, from its generation to its deletion.
async fn key_events(world: &World, account: AccountId) -> TestResult {
    let (authority, admin, alice) = (&world.authority, &world.admin, &world.alice);
    let key = world.key_of(alice, named("prod-main-app").expires_in(30 * DAY)).await.key.id;
    authority.rename(alice, &key, "prod-other-app".parse()?).await?;
    authority.edit(alice, &key, KeyEdit::new().description(Some("Exports".parse()?))).await?;
    let limits = KeyEdit::new().networks("203.0.113.0/24".parse()?).rate(Some("5/60s".parse()?));
    authority.edit(admin, &key, limits.scopes("invoices:read".parse()?)).await?;
    refused(&authority.edit(alice, &key, KeyEdit::new().rate(Some("9/60s".parse()?))).await);
    refused(&authority.edit(alice, &key, KeyEdit::new().if_version(99)).await);
    refused(&authority.edit(alice, &key, KeyEdit::new().scopes("other:scope".parse()?)).await);
    authority.disable(alice, &key).await?;
    authority.enable(alice, &key).await?;
    authority.rotate(alice, &key, DAY).await?;
    refused(&authority.rotate(alice, &key, TOO_LONG).await);
    authority.finish_rotation(alice, &key).await?;
    authority.transfer_key(admin, &key, &Owner::Account(account)).await?;
    authority.transfer_owned(admin, &Owner::Account(account), &Owner::Organization).await?;
    authority.revoke_owned(admin, &Owner::Organization).await?;
    refused(&authority.rotate(admin, &key, DAY).await);
    authority.delete(admin, &key).await?;
    Ok(())
}

/// Leaves the events of a leaked key.
async fn leak_events(world: &World) -> TestResult {
    let issued = world.key().await;
    let report = LeakReport::new(Credential::Token(issued.token.expose()));
    let report = report.source("a paste").reporter("oncall");
    world.verifier.report_leak(&report.clone().alert_only()).await?;
    world.verifier.report_leak(&report).await?;
    Ok(())
}

/// Leaves the events of new keys that are refused, and of the alerts about a key.
async fn other_key_events(world: &World) -> TestResult {
    let (authority, alice) = (&world.authority, &world.alice);
    world.set_policy(|policy| policy.settings.max_lifetime = Some(90 * DAY)).await?;
    world.set_policy(|policy| policy.settings.default_rate = "10/60s".parse().ok()).await?;
    let reversed = named("reversed").not_before(world.later(2 * DAY)).expires_at(world.later(DAY));
    refused(&authority.generate(alice, reversed).await);
    refused(&authority.generate(alice, named("too-long").expires_in(TOO_LONG)).await);
    refused(&authority.generate(alice, named("too-fast").rate("99/60s".parse()?)).await);
    refused(&authority.generate(&world.auditor, named("not-allowed")).await);
    world.clock.advance(HOUR);
    let made = world.key_of(alice, named("prod-busy-app")).await;
    let alert = || "1/60s".parse().ok();
    world.set_policy(|policy| policy.settings.extensive_use = alert()).await?;
    world.set_policy(|policy| policy.settings.suspicious_use = alert()).await?;
    for _ in 0..3 {
        world.verifier.verify(made.token.expose()).await?;
    }
    authority.disable(alice, &made.key.id).await?;
    for _ in 0..3 {
        refused(&world.verifier.verify(made.token.expose()).await);
    }
    world.verifier.flush().await?;
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(1)).await?;
    refused(&authority.generate(alice, named("one-too-many")).await);
    Ok(())
}

/// Leaves the events of service accounts and users.
async fn owner_events(world: &World) -> TestResult<AccountId> {
    let (authority, admin) = (&world.authority, &world.admin);
    let id = world.account("nightly", "analyst").await?.id;
    let edit = AccountEdit::new().role("operator".parse()?).access(Access::ReadOnly);
    authority.edit_account(admin, &id, edit).await?;
    authority.disable_account(admin, &id).await?;
    authority.enable_account(admin, &id).await?;
    let other = world.account("weekly", "analyst").await?;
    world.generate_under(&other, named("prod-weekly")).await?;
    authority.delete_account(admin, &other.id).await?;
    let bob = common::user("bob");
    authority.set_display_name(admin, &bob, Some("Bob Builder".parse()?)).await?;
    authority.suspend_user(admin, &bob).await?;
    authority.restore_user(admin, &bob).await?;
    let old = world.key_of(&world.alice, named("prod-old-app")).await.key.id;
    authority.revoke(admin, &old).await?;
    world.set_policy(|policy| policy.settings.retention = Some(DAY)).await?;
    world.clock.advance(2 * DAY);
    authority.sweep(admin).await?;
    Ok(id)
}

/// Leaves the events of a plan and settings in which each field changes, and of those beyond their
/// bounds.
async fn policy_events(world: &World) -> TestResult {
    let (authority, admin) = (&world.authority, &world.admin);
    let mut plan = world.policy().await.plan;
    plan.max_rate = "500/60s".parse().ok();
    plan.default_scopes = "invoices:read".parse()?;
    plan.max_keys_per_user = 100;
    plan.max_keys_per_account = Some(50);
    plan.max_keys_of_organization = Some(50);
    plan.max_lifetime = Some(400 * DAY);
    plan.max_overlap = 30 * DAY;
    plan.min_alert_period = Duration::from_secs(120);
    plan.max_retention = Some(400 * DAY);
    plan.min_event_retention = 100 * DAY;
    plan.max_event_retention = Some(800 * DAY);
    for role in plan.roles.values_mut() {
        role.description = Some("Reads; \"max_rate=1/1s\", and so on".parse()?);
    }
    for scope in plan.scopes.values_mut() {
        scope.description = Some("Opens (a, \"b\"); c".parse()?);
    }
    authority.set_plan(admin, plan).await?;
    let mut plan = world.policy().await.plan;
    (plan.api_access, plan.require_expiry) = (false, true);
    plan.name_pattern = Some(NamePattern::default());
    authority.set_plan(admin, plan.clone()).await?;
    refused(&authority.set_plan(admin, plan).await);
    let mut plan = world.policy().await.plan;
    (plan.api_access, plan.require_expiry, plan.name_pattern) = (true, false, None);
    authority.set_plan(admin, plan).await?;
    let environments = vec!["prod".to_owned(), "test".to_owned()];
    let mut settings = Settings::enabled();
    settings.require_expiry = Some(true);
    settings.default_lifetime = Some(90 * DAY);
    settings.max_lifetime = Some(365 * DAY);
    settings.max_keys_per_user = Some(7);
    settings.max_overlap = Some(DAY);
    settings.name_pattern = Some(NamePattern { environments });
    settings.default_rate = "100/60s".parse().ok();
    settings.extensive_use = "1000/3600s".parse().ok();
    settings.suspicious_use = "20/300s".parse().ok();
    settings.retention = Some(60 * DAY);
    settings.event_retention = Some(400 * DAY);
    world
        .set_policy(|policy| {
            settings.version = policy.settings.version;
            policy.settings = settings;
        })
        .await?;
    for beyond in [
        SettingsEdit::new().retention(Some(500 * DAY)),
        SettingsEdit::new().max_keys_per_user(Some(101)),
        SettingsEdit::new().default_rate("501/60s".parse().ok()),
        SettingsEdit::new().event_retention(Some(SECOND)),
        SettingsEdit::new().max_lifetime(Some(Duration::ZERO)),
        SettingsEdit::new().default_lifetime(Some(366 * DAY)),
    ] {
        refused(&authority.edit_settings(admin, beyond).await);
        world.clock.advance(SECOND);
    }
    world
        .set_policy(|policy| {
            let version = policy.settings.version;
            policy.settings = Settings::enabled();
            policy.settings.version = version;
        })
        .await?;
    Ok(())
}

/// Leaves the events of requests to the management API that could not be read, and of refused calls
/// that are counted together.
async fn request_events(world: &World) -> TestResult {
    let key: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
    let api = management::router(world.authority.clone());
    world.clock.advance(HOUR);
    for (method, path, kind, body) in [
        ("POST", "/keys".to_owned(), "application/json", "{"),
        ("POST", "/keys".to_owned(), "application/json", "{\"name\":7}"),
        ("POST", "/keys".to_owned(), "text/plain", "{}"),
        ("GET", "/keys?limit=many".to_owned(), "application/json", ""),
        ("PATCH", format!("/keys/{key}"), "application/json", "{\"name\":\"\"}"),
        ("PUT", "/plan".to_owned(), "application/json", "{}"),
    ] {
        let request = Request::builder().method(method).uri(path).header("content-type", kind);
        let request = request.extension(world.admin.clone()).body(Body::from(body))?;
        let Ok(response) = api.clone().oneshot(request).await;
        assert!(response.status().is_client_error(), "{body}");
    }
    world.clock.advance(HOUR);
    for _ in 0..2 {
        for _ in 0..15 {
            refused(&world.authority.revoke(&world.auditor, &key).await);
        }
        world.clock.advance(HOUR);
    }
    Ok(())
}

/// Creates a world with events of every kind, with every detail.
async fn world() -> TestResult<World> {
    let world = World::new(MemoryStore::new());
    let account = owner_events(&world).await?;
    key_events(&world, account).await?;
    leak_events(&world).await?;
    world.clock.advance(HOUR);
    other_key_events(&world).await?;
    world.clock.advance(HOUR);
    policy_events(&world).await?;
    request_events(&world).await?;
    Ok(world)
}

fn details(events: &[Event]) -> BTreeSet<DetailField> {
    events.iter().flat_map(|event| event.details.iter().map(|(field, _)| field)).collect()
}

/// Returns the text of each row of all pages.
async fn rows(site: &Site) -> Vec<String> {
    let mut rows = Vec::new();
    let mut next = Some("/events".to_owned());
    while let Some(path) = next {
        let shown = site.ask("GET", &path).by(&site.world.admin).send().await;
        assert_eq!(shown.status, 200, "{}", shown.words());
        let document = Html::parse_document(&shown.text);
        let texts =
            all(&document, "tbody tr").into_iter().map(|row| row.text().collect::<Vec<_>>());
        let words =
            |text: Vec<&str>| text.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        rows.extend(texts.map(words));
        next = all(&document, "a[rel=next]")
            .first()
            .and_then(|link| link.attr("href"))
            .map(|link| link[site.mount.len()..].to_owned());
    }
    rows
}

/// Returns the names of fields and codes in a text: words with an underscore or an equals sign. The
/// descriptions of this test have some in quotes.
fn raw(text: &str) -> Vec<&str> {
    let is_raw = |word: &&str| word.contains('_') || word.contains('=');
    let words = text.split_whitespace().filter(is_raw);
    words.filter(|word| !word.contains("\\\"max_rate=1/1s\\\"")).collect()
}

fn with_texts(texts: fn() -> Texts) -> impl FnOnce(Page) -> Page {
    move |page| page.screens(Screens::EVENTS).texts(move |_| texts())
}

#[test]
fn events_show_no_raw_names() -> TestResult {
    block_on(async {
        let world = world().await?;
        let events = world.events(EventQuery::new()).await?;
        let missing: Vec<_> =
            DetailField::ALL.iter().filter(|field| !details(&events).contains(field)).collect();
        assert!(missing.is_empty(), "no event has the details {missing:?}");
        for (language, texts) in
            [("English", Texts::english as fn() -> Texts), ("German", Texts::german)]
        {
            let site = Site::of(&world, with_texts(texts))?;
            let rows = rows(&site).await;
            assert_eq!(rows.len(), events.len(), "{language}");
            for row in rows {
                assert!(raw(&row).is_empty(), "{language}: {:?} in: {row}", raw(&row));
            }
        }
        Ok(())
    })
}

#[test]
fn every_kind_of_event_has_words() -> TestResult {
    block_on(async {
        let world = world().await?;
        let site = Site::of(&world, with_texts(Texts::english))?;
        let shown = site.ask("GET", "/events").by(&world.admin).send().await;
        let document = Html::parse_document(&shown.text);
        let choices = all(&document, "select[name=kind] option");
        let kinds: Vec<_> = choices.iter().filter_map(|choice| choice.attr("value")).collect();
        assert!(kinds.len() > 20, "{kinds:?}");
        let events = world.events(EventQuery::new()).await?;
        for kind in kinds.into_iter().filter(|kind| !kind.is_empty()) {
            let found = events.iter().any(|event| event.kind.to_string() == kind);
            assert!(found, "the world has no event {kind}");
        }
        let done = events.iter().filter(|event| event.outcome == EventOutcome::Done).count();
        let malformed = EventOutcome::Refused(RefusalCode::Malformed);
        let malformed = events.iter().filter(|event| event.outcome == malformed).count();
        assert!(done > 30 && malformed > 4, "{done} {malformed}");
        Ok(())
    })
}

#[test]
fn details_are_in_words() -> TestResult {
    block_on(async {
        let world = world().await?;
        let english = rows(&Site::of(&world, with_texts(Texts::english))?).await.join("\n");
        for expected in [
            "Changed: Scopes, Networks, Rate",
            "Changed: Require an expiry, Usual lifetime, Longest lifetime",
            "Longest lifetime: 365 days",
            "Rule for names: Lower-case words with hyphens, one of these first: prod, test",
            "Rate of a key: 100 uses in 1 minute",
            "API keys: The default",
            "API access: No",
            "Field: Keep ended keys for Value: 500 days Bound: 400 days",
            "Field: Most keys of a user Value: 101 Bound: 100",
            "Refused: limited by an administrator Field: Rate",
            "Missing: a permission",
            "Problem: the body is not JSON",
            "Access: Read-only",
            "Before: alice After: Account ID",
            "After: The organization",
            "Given: 1 second",
            "invoices:read (Read-only): Opens",
            "Recorded; the key still works",
            "Found at: a paste Reported by: oncall",
        ] {
            assert!(english.contains(expected), "{expected:?} is not in:\n{english}");
        }
        let german = rows(&Site::of(&world, with_texts(Texts::german))?).await.join("\n");
        for expected in [
            "Geändert: Rechte, Netze, Rate",
            "Längste Laufzeit: 365 Tage",
            "API-Schlüssel: Die Vorgabe",
            "Fehlt: eine Berechtigung",
            "Problem: der Inhalt ist kein JSON",
            "Zugriff: Nur Lesen",
            "Nachher: Die Organisation",
            "Angegeben: 1 Sekunde",
            "Vermerkt; der Schlüssel gilt weiter",
            "Fundort: a paste Gemeldet von: oncall",
            "invoices:write (Lesen und Schreiben): Opens",
        ] {
            assert!(german.contains(expected), "{expected:?} is not in:\n{german}");
        }
        Ok(())
    })
}
