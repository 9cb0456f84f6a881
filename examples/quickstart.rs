//! The whole life of an API key, on a real file.
//!
//! ```text
//! cargo run --example quickstart [FOLDER]
//! ```
//!
//! The store is created in FOLDER, which must not contain one, or in a temporary folder. The clock
//! is set by hand, so that 90 days pass at once. The program asserts everything that it prints.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, process};

use keywright::store::{EventQuery, FileStore, KeyQuery, KeySort};
use keywright::{
    Actor, Authority, Clock, GenerateError, KeyStatus, Keywright, ManualClock, Name, NewAccount,
    NewKey, Operation, Owner, PepperRing, Plan, Prefix, Reason, Role, RoleName, Scope, SecretUsed,
    SettingsEdit, TenantId, UserId, VerifyError,
};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn main() -> Result<(), Box<dyn Error>> {
    futures_lite::future::block_on(whole_life())
}

#[expect(clippy::too_many_lines, reason = "the steps are read from top to bottom")]
async fn whole_life() -> Result<(), Box<dyn Error>> {
    let given = env::args_os().nth(1).map(PathBuf::from);
    let temporary = env::temp_dir().join(format!("keywright-quickstart-{}", process::id()));
    let folder = given.as_ref().unwrap_or(&temporary);
    fs::create_dir_all(folder)?;
    let file = folder.join("keys.db");
    println!("The store is {}\n", file.display());

    let clock = ManualClock::at("2026-01-01T09:00:00Z".parse()?);
    let store = FileStore::open(&file).await?;
    let keywright = Keywright::builder(store.clone())
        .prefix(Prefix::new("acme_live")?)
        .peppers(PepperRing::none().with(1, [42; 32])?)
        .clock(clock.clone())
        .build()?;
    let authority = keywright.authority();
    let verifier = keywright.verifier();

    let globex = TenantId::new("globex")?;
    let admin = Actor::administrator(UserId::new("ada")?).in_tenant(globex.clone());
    let alice = Actor::developer(UserId::new("alice")?).in_tenant(globex.clone());

    step("The host sets the plan of a tenant: scopes, roles and limits");
    let host = Actor::administrator(UserId::new("host")?).in_tenant(globex.clone());
    let mut plan = Plan::allowing("invoices:read reports:read".parse()?, "invoices:write".parse()?);
    plan.roles.insert(RoleName::new("analyst")?, Role::new("invoices:read reports:read".parse()?));
    plan.max_lifetime = Some(365 * DAY);
    authority.set_plan(&host, plan).await?;

    step("API access is off until the tenant's admin turns it on");
    let new_key = || NewKey::named("prod-main-app");
    let refused = authority.generate(&alice, new_key()?).await;
    let Err(error @ GenerateError::Missing(_)) = refused else { panic!("{refused:?}") };
    println!("alice is refused: {error}");
    let edit = SettingsEdit::new().api_enabled(Some(true)).default_lifetime(Some(90 * DAY));
    let settings = authority.edit_settings(&admin, edit).await?.into_inner();
    println!("settings version {}: API access on, keys live 90 days", settings.version);

    step("A service account for the nightly job, and a key for each owner");
    let role = RoleName::new("analyst")?;
    let nightly = NewAccount::new(Name::new("nightly-report")?, role).read_only();
    let nightly = authority.create_account(&admin, nightly).await?.account;
    let owner = Owner::Account(nightly.id);
    let job = authority
        .generate(&admin, NewKey::named("prod-nightly-report")?.owner(owner.clone()))
        .await?;
    let scopes = "invoices:read".parse()?;
    let app = authority.generate(&alice, new_key()?.scopes(scopes)).await?;
    println!("shown once, to alice: {}", app.token.expose());
    println!("in two parts: id {} secret {}", app.token.key_id(), app.token.expose_key_secret());
    println!("nightly-report has the key {}", job.key.id);

    step("Verify");
    let read = Scope::new("invoices:read")?;
    let write = Scope::new("invoices:write")?;
    let grant = verifier.verify(app.token.expose()).await?;
    assert!(grant.allows(&read) && !grant.allows(&write));
    println!("accepted: key {} of {}, scopes: {}", grant.key_id(), grant.owner(), grant.scopes());
    let mut wrong = app.token.expose().to_owned();
    wrong.replace_range(30..31, if &wrong[30..31] == "x" { "y" } else { "x" });
    let denial = denied(verifier.verify(&wrong).await);
    assert_eq!(denial, Reason::Malformed);
    println!("one character changed: {denial}");

    step("The listing");
    clock.advance(HOUR);
    verifier.verify(job.token.expose()).await?;
    verifier.flush().await?;
    let uses = show_keys(&authority, &admin).await?;
    assert_eq!(uses, [("prod-main-app".into(), 1), ("prod-nightly-report".into(), 1)]);

    step("Rotate with an overlap of one day");
    let rotated = authority.rotate(&alice, &app.key.id, DAY).await?;
    let old = verifier.verify(app.token.expose()).await?;
    let new = verifier.verify(rotated.token.expose()).await?;
    assert_eq!(old.secret_used(), SecretUsed::Retiring);
    assert_eq!(new.secret_used(), SecretUsed::Current);
    println!("both the old and the new secret work");
    clock.advance(2 * HOUR);
    verifier.verify(rotated.token.expose()).await?;
    verifier.flush().await?;
    let entry = authority.key(&alice, &app.key.id).await?;
    let overlap = entry.overlap.ok_or("the overlap has not ended")?;
    assert!(overlap.safe_to_finish);
    println!(
        "the old secret was last used at {}, the new one at {}: safe to finish",
        overlap.old_last_used_at.ok_or("it was used")?,
        overlap.new_last_used_at.ok_or("it was used")?,
    );
    authority.finish_rotation(&alice, &app.key.id).await?;
    let denial = denied(verifier.verify(app.token.expose()).await);
    assert_eq!(denial, Reason::Unrecognized);
    println!("finished; the old secret is now refused: {denial}");

    step("Disable and enable the account");
    authority.disable_account(&admin, &nightly.id).await?;
    let denial = denied(verifier.verify(job.token.expose()).await);
    assert_eq!(denial, Reason::AccountDisabled);
    println!("disabled: {denial}");
    authority.enable_account(&admin, &nightly.id).await?;
    verifier.verify(job.token.expose()).await?;
    println!("enabled: the key works as before");

    step("Suspend and restore a user, and hand the key to the organization");
    authority.suspend_user(&admin, alice.id()).await?;
    let denial = denied(verifier.verify(rotated.token.expose()).await);
    assert_eq!(denial, Reason::UserSuspended);
    println!("suspended: {denial}");
    authority.restore_user(&admin, alice.id()).await?;
    authority.transfer_key(&admin, &app.key.id, &Owner::Organization).await?;
    let grant = verifier.verify(rotated.token.expose()).await?;
    assert_eq!(*grant.owner(), Owner::Organization);
    println!("restored and handed over: the same token works for the {}", grant.owner());

    step("Revoke");
    authority.revoke(&admin, &app.key.id).await?;
    let denial = denied(verifier.verify(rotated.token.expose()).await);
    assert_eq!(denial, Reason::Revoked);
    println!("the operator sees: {denial}");
    let public = verifier.verify(rotated.token.expose()).await.expect_err("revoked").to_string();
    assert_eq!(public, "the API key is not accepted");
    println!("the caller sees:   {public}");

    step("90 days later");
    clock.advance(90 * DAY);
    let denial = denied(verifier.verify(job.token.expose()).await);
    assert_eq!(denial, Reason::Expired);
    println!("at {}: {denial}", clock.now());
    let refused = authority.rotate(&admin, &job.key.id, DAY).await.expect_err("expired");
    println!("an expired key cannot be rotated: {refused}");

    step("The audit trail");
    verifier.flush().await?;
    let before = show_events(&authority, &admin).await?;

    step("Close the store and open it again: nothing is lost");
    store.close().await?;
    let unavailable = verifier.verify(job.token.expose()).await;
    assert!(matches!(unavailable, Err(VerifyError::Unavailable(_))));
    let store = FileStore::open(&file).await?;
    let authority = Keywright::builder(store.clone()).clock(clock).build()?.authority();
    let uses = show_keys(&authority, &admin).await?;
    assert_eq!(uses, [("prod-main-app".into(), 5), ("prod-nightly-report".into(), 2)]);
    let app = authority.key(&admin, &app.key.id).await?;
    assert_eq!(app.status, KeyStatus::Revoked);
    let events = authority.events(&admin, &EventQuery::new()).await?;
    assert_eq!(events.items.len(), before);
    println!("{before} events");
    store.close().await?;
    if given.is_none() {
        fs::remove_dir_all(temporary)?;
    }
    Ok(())
}

fn step(title: &str) {
    println!("\n== {title}");
}

/// Returns the operator's reason for a denial.
fn denied(verified: Result<keywright::Grant, VerifyError>) -> Reason {
    match verified {
        Err(VerifyError::Denied(denial)) => denial.reason().clone(),
        other => panic!("a denial was expected: {other:?}"),
    }
}

/// Prints the listing, and returns the name and the uses of each key, sorted by name.
async fn show_keys(
    authority: &Authority,
    actor: &Actor,
) -> Result<Vec<(String, u64)>, keywright::Error> {
    let page = authority.keys(actor, &KeyQuery::new().sort(KeySort::Name)).await?;
    let date = |time: Option<keywright::Timestamp>, none: &str| {
        time.map_or(none.to_owned(), |time| time.to_string().chars().take(10).collect())
    };
    for entry in &page.items {
        let actions: Vec<_> = entry
            .actions
            .iter()
            .filter(|action| !matches!(action, Operation::KeyAnnotate | Operation::KeyEdit))
            .map(|action| action.as_str().trim_start_matches("key."))
            .collect();
        println!(
            "{:<20} {} {:<24} {:<8} {} uses, last {}, until {}",
            entry.key.name.as_str(),
            entry.prefix,
            entry.key.owner.to_string(),
            entry.status.to_string(),
            entry.uses,
            date(entry.last_used_at, "never"),
            date(entry.key.expires_at, "revoked"),
        );
        println!("    actions: {}", actions.join(", "));
    }
    Ok(page.items.iter().map(|entry| (entry.key.name.to_string(), entry.uses)).collect())
}

/// Prints the events, oldest first, and returns their number.
async fn show_events(authority: &Authority, actor: &Actor) -> Result<usize, keywright::Error> {
    let page = authority.events(actor, &EventQuery::new().oldest_first()).await?;
    for event in &page.items {
        println!(
            "{:>3}  {}  {:<10}  {:<20}  {:<16}  {}",
            event.sequence,
            event.at,
            event.actor.to_string(),
            event.kind.to_string(),
            event.key.map_or_else(|| "-".to_owned(), |key| key.to_string()),
            event.outcome,
        );
    }
    Ok(page.items.len())
}
