//! Regression tests for bugs that no table and no promise covers.

use std::error::Error as _;
use std::time::Duration;

use keywright::store::conformance::{Answer, Call, Intercept, InterceptedStore};
use keywright::store::{
    EventQuery, KeyQuery, KeySort, KeyStore, MemoryStore, StoreError, async_trait,
};
use keywright::{
    Access, AccessRequest, Actor, Name, NameError, NamePattern, Networks, NewKey, Permissions,
    Reason, RuleError, Scope, ScopeSet, SettingsEdit, UserId,
};

use common::faults::Fault;
use common::stores::on_each_store;
use common::{DAY, HOUR, TestResult, World, block_on, named};

#[test]
fn request_scopes_add_up() {
    on_each_store(async |world| {
        let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
        let issued = world.generate(new).await?;
        let (read, write) = (Scope::new("invoices:read")?, Scope::new("invoices:write")?);
        let both: ScopeSet = "invoices:read invoices:write".parse()?;
        let only: ScopeSet = "invoices:read".parse()?;
        let request = || AccessRequest::token(issued.token.expose());
        assert_eq!(world.check_request(&request().scope(&read).scopes(&only)).await, Ok(()));
        for asking in [
            request().scope(&write).scope(&read),
            request().scope(&read).scope(&write),
            request().scope(&write).scopes(&only),
            request().scopes(&both).scope(&read),
            // More scopes than a request stores without an allocation.
            (0..9).fold(request(), |request, _| request.scope(&read)).scope(&write),
        ] {
            let denied = world.check_request(&asking).await;
            assert_eq!(denied, Err(Reason::MissingScope(write.clone())), "{asking:?}");
        }
        Ok(())
    });
}

#[test]
fn access_given_by_value_counts() {
    on_each_store(async |world| {
        let account = world.account("nightly", "analyst").await?;
        let edit = keywright::AccountEdit::new().access(Access::ReadOnly);
        world.authority.edit_account(&world.admin, &account.id, edit).await?;
        let issued = world.generate_under(&account, NewKey::named("nightly")?).await?;
        let request = |access| AccessRequest::token(issued.token.expose()).access(access);
        assert_eq!(world.check_request(&request(Access::ReadOnly)).await, Ok(()));
        let denied = world.check_request(&request(Access::ReadWrite)).await;
        assert_eq!(denied, Err(Reason::ReadOnly));
        let grant = world.verifier.verify(issued.token.expose()).await?;
        assert_eq!(grant.require_write().expect_err("read-only").reason(), &Reason::ReadOnly);
        Ok(())
    });
}

#[test]
fn t_c07_verifiers_of_one_setup_share_rates() {
    on_each_store(async |world| {
        let new = NewKey::named("prod-main-app")?.rate("2/60s".parse()?);
        let issued = world.generate(new).await?;
        let other = world.keywright.verifier();
        world.verifier.verify(issued.token.expose()).await?;
        other.verify(issued.token.expose()).await?;
        for verifier in [&world.verifier, &other] {
            let denied = verifier.verify(issued.token.expose()).await.expect_err("it is spent");
            let reason = denied.denial().map(|denial| denial.reason().code());
            assert_eq!(reason, Some("rate_limited"));
        }
        Ok(())
    });
}

#[test]
fn outage_keeps_one_usage_batch_waiting() {
    on_each_store(async |world| {
        let (world, faults) = world.with_faults()?;
        let issued = world.generate(NewKey::named("prod-main-app")?).await?;
        for _ in 0..50 {
            world.verifier.verify(issued.token.expose()).await?;
            faults.set(Fault::WritesLost);
            world.verifier.flush().await.expect_err("writes are lost");
            faults.set(None);
        }
        world.verifier.flush().await?;
        assert_eq!(faults.usage_batches(), 2, "the waiting batch and all later uses");
        assert_eq!(world.authority.key(&world.alice, &issued.key.id).await?.uses, 50);
        Ok(())
    });
}

#[test]
fn dead_key_has_no_overlap() {
    on_each_store(async |world| {
        let issued = world.generate(NewKey::named("prod-main-app")?).await?;
        world.authority.rotate(&world.alice, &issued.key.id, DAY).await?;
        let entry = world.authority.key(&world.alice, &issued.key.id).await?;
        assert!(entry.overlap.is_some());
        world.authority.revoke(&world.alice, &issued.key.id).await?;
        assert_eq!(world.authority.key(&world.alice, &issued.key.id).await?.overlap, None);
        Ok(())
    });
}

#[test]
fn search_finds_the_shown_fields() {
    on_each_store(async |world| {
        let issued = world.generate(NewKey::named("prod-main-app")?).await?;
        world.generate(NewKey::named("staging-app")?).await?;
        let shown = world.authority.key(&world.alice, &issued.key.id).await?.prefix;
        let found = async |text: &str| -> TestResult<Vec<String>> {
            let page = world.authority.keys(&world.alice, &KeyQuery::new().search(text)).await?;
            Ok(page.items.iter().map(|entry| entry.key.name.to_string()).collect())
        };
        assert_eq!(found(&shown).await?, ["prod-main-app"]);
        assert_eq!(found(&shown[..shown.len() - 4]).await?, ["prod-main-app"]);
        assert_eq!(found(&world.alice.as_owner().to_string()).await?.len(), 2);
        assert_eq!(found("user:bob").await?.len(), 0);
        let (prefix, _) = shown.rsplit_once('_').ok_or("a prefix")?;
        assert_eq!(
            found(&format!("{prefix}_")).await?.len(),
            0,
            "a prefix without an id finds no key"
        );
        Ok(())
    });
}

#[test]
fn listing_names_the_owning_account() {
    on_each_store(async |world| {
        let account = world.account("nightly", "analyst").await?;
        let issued = world.generate_under(&account, NewKey::named("prod-nightly")?).await?;
        let entry = world.authority.key(&world.admin, &issued.key.id).await?;
        assert_eq!(entry.owner_name, Some(Name::new("nightly")?));
        Ok(())
    });
}

#[test]
fn cursor_overrides_the_order_of_query() {
    on_each_store(async |world| {
        for name in ["b-app", "a-app", "c-app"] {
            world.generate(NewKey::named(name)?).await?;
            world.clock.advance(HOUR);
        }
        let first = KeyQuery::new().sort(KeySort::Name).limit(1);
        let first = world.authority.keys(&world.alice, &first).await?;
        let next = first.next_cursor().ok_or("there is more")?;
        for query in [
            KeyQuery::new().after(&next)?.sort(KeySort::Created).descending(),
            KeyQuery::new().sort(KeySort::Created).descending().after(&next)?,
        ] {
            let page = world.authority.keys(&world.alice, &query).await?;
            let names: Vec<_> = page.items.iter().map(|entry| entry.key.name.as_str()).collect();
            assert_eq!(names, ["b-app", "c-app"]);
        }
        Ok(())
    });
}

#[test]
fn unchanged_name_ignores_later_pattern() {
    on_each_store(async |world| {
        let issued = world.generate(NewKey::named("My app")?).await?;
        world
            .set_policy(|policy| policy.settings.name_pattern = Some(NamePattern::default()))
            .await?;
        let same =
            world.authority.rename(&world.alice, &issued.key.id, Name::new("My app")?).await?;
        assert!(same.is_unchanged());
        let other = world.authority.rename(&world.alice, &issued.key.id, Name::new("Other")?).await;
        assert!(other.is_err_and(|error| error.to_string().contains("such as crm-integration")));
        Ok(())
    });
}

#[test]
fn guesses_about_policy_get_one_answer() {
    on_each_store(async |world| {
        let nobody = Permissions::NONE;
        let nobody = Actor::new(UserId::new("nobody")?, nobody).in_tenant(world.tenant().clone());
        let right = world.policy().await;
        let mut next = right.plan.clone();
        next.api_access = false;
        let mut invalid = right.plan.clone();
        invalid.max_keys_per_user = 0;
        let mut stale = right.plan.clone();
        stale.version += 1;
        for guess in [right.plan, next, invalid, stale] {
            let refused = world.authority.set_plan(&nobody, guess).await;
            let refused = refused.expect_err("the permission is missing");
            assert_eq!(refused.to_string(), "the actor has no permission for plan.set");
        }
        let on = SettingsEdit::new().api_enabled(Some(true));
        for guess in [
            SettingsEdit::new(),
            on.clone(),
            on.if_version(right.settings.version + 1),
            SettingsEdit::new().max_keys_per_user(Some(0)),
            SettingsEdit::new().max_overlap(Some(Duration::MAX)),
        ] {
            let refused = world.authority.edit_settings(&nobody, guess).await;
            let refused = refused.expect_err("the permission is missing");
            assert_eq!(refused.to_string(), "the actor has no permission for settings.edit");
        }
        Ok(())
    });
}

#[test]
fn refusal_is_found_by_the_account() {
    on_each_store(async |world| {
        let account = world.account("nightly", "analyst").await?;
        let issued = world.generate_under(&account, NewKey::named("prod-nightly")?).await?;
        world.authority.rotate(&world.auditor, &issued.key.id, HOUR).await.expect_err("refused");
        let owner = keywright::Owner::Account(account.id);
        world.authority.revoke_owned(&world.auditor, &owner).await.expect_err("refused");
        let events = world.events(EventQuery::new().account(account.id)).await?;
        let refused =
            events.iter().filter(|event| event.outcome.to_string().starts_with("refused"));
        assert_eq!(refused.count(), 2);
        Ok(())
    });
}

#[test]
fn addresses_are_refused_as_names() {
    for name in ["bob_@example.com", "bob+@example.com", "for bob-@x.org", "bob\u{FF20}example.com"]
    {
        assert_eq!(Name::new(name), Err(NameError::LooksLikeEmail), "{name}");
    }
    for name in ["@ night", "night @", "deploy @ night"] {
        assert!(Name::new(name).is_ok(), "{name}");
    }
    assert_eq!(Name::new("\u{2800}"), Err(NameError::Invisible('\u{2800}')));
}

#[test]
fn lifetime_below_clock_step_is_refused() {
    on_each_store(async |world| {
        let new = NewKey::named("prod-main-app")?.expires_in(Duration::from_nanos(1));
        let refused = world.generate(new).await.expect_err("dead when made");
        let cause = refused.source().map_or_else(|| refused.to_string(), ToString::to_string);
        assert_eq!(cause, RuleError::ZeroLifetime.to_string());
        Ok(())
    });
}

#[test]
fn empty_networks_must_be_explicit() {
    assert!("".parse::<Networks>().is_err());
    assert!(" , ".parse::<Networks>().is_err());
    assert!(Networks::anywhere().is_anywhere());
}

#[test]
fn store_can_be_chosen_at_runtime() -> TestResult {
    futures_lite::future::block_on(async {
        let chosen: std::sync::Arc<dyn keywright::store::KeyStore> =
            std::sync::Arc::new(MemoryStore::new());
        let world = World::new(chosen);
        let issued = world.generate(NewKey::named("prod-main-app")?).await?;
        assert_eq!(world.check(&issued).await, Ok(()));
        Ok(())
    })
}

/// A store that ignores the filters of a query.
#[derive(Debug)]
struct Forgetful;

#[async_trait]
impl Intercept for Forgetful {
    async fn intercept(&self, call: Call<'_>, store: &dyn KeyStore) -> Result<Answer, StoreError> {
        let everything = KeyQuery::new();
        let call = match call {
            Call::Keys(tenant, _, at) => Call::Keys(tenant, &everything, at),
            other => other,
        };
        call.pass_on(store).await
    }
}

#[test]
fn unfiltered_store_ends_no_foreign_key() {
    block_on(async {
        let world = World::on(InterceptedStore::new(MemoryStore::new(), Forgetful));
        let mine = world.key_of(&world.alice, named("prod-mine")).await;
        let theirs = world.key_of(&world.bob, named("prod-theirs")).await;
        let owner = world.alice.as_owner();
        let ended = world.authority.revoke_owned(&world.admin, &owner).await.expect("revoked");
        assert_eq!(ended.iter().map(|key| key.id).collect::<Vec<_>>(), [mine.key.id]);
        world.verifier.verify(theirs.token.expose()).await.expect("another owner's key works");
    });
}
