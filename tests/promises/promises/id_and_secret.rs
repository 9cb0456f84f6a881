//! F: a key as an id and a secret that is disabled and enabled, regenerated and deleted.

use std::time::Duration;

use keywright::store::{Batch, Change, StoreErrorKind};
use keywright::{
    AccessRequest, Actor, GenerateError, KeyEdit, KeyError, KeyStatus, Name, NewKey, Permissions,
    Reason, Requirement, RuleError, UserId,
};

use common::{DAY, MOMENT, TestResult, World, missing};

#[common::test(each_store)]
async fn f1_key_is_presented_as_id_and_secret(world: &World) -> TestResult {
    let old = world.generate(NewKey::named("prod-main-app")?).await?;
    let new = world.authority.rotate(&world.alice, &old.key.id, DAY).await?;
    for issued in [&old, &new] {
        let (id, secret) = (issued.token.key_id(), issued.token.expose_key_secret());
        assert_eq!(issued.token.expose(), format!("acme_live_{id}{secret}"));
        assert_eq!(world.check_request(&AccessRequest::parts(id.as_str(), secret)).await, Ok(()));
    }
    world.authority.revoke(&world.alice, &old.key.id).await?;
    let parts = AccessRequest::parts(new.key.id.as_str(), new.token.expose_key_secret());
    assert_eq!(world.check_request(&parts).await, Err(Reason::Revoked));
    Ok(())
}

#[common::test(each_store)]
async fn f1_both_parts_are_needed(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let other = world.generate(NewKey::named("prod-main-app")?).await?;
    let (id, secret) = (issued.key.id.as_str(), issued.token.expose_key_secret());
    let token = issued.token.expose();
    let malformed = [
        (id, ""),
        ("", secret),
        (id, id),
        (secret, id),
        (id, token),
        (token, secret),
        (token, ""),
        (id, &secret[..37]),
    ];
    for (id, secret) in malformed {
        let verdict = world.check_request(&AccessRequest::parts(id, secret)).await;
        assert_eq!(verdict, Err(Reason::Malformed), "{id}, {secret}");
    }
    let others = [(other.key.id.as_str(), secret), (id, other.token.expose_key_secret())];
    for (id, secret) in others {
        let verdict = world.check_request(&AccessRequest::parts(id, secret)).await;
        assert_eq!(verdict, Err(Reason::Unrecognized), "{id}, {secret}");
    }
    for alone in [id, secret] {
        let verdict = world.check_request(&AccessRequest::token(alone)).await;
        assert_eq!(verdict, Err(Reason::Malformed), "{alone}");
    }
    Ok(())
}

#[common::test(each_store)]
async fn f1_parts_are_as_secret_as_the_token(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let secret = issued.token.expose_key_secret();
    assert_eq!(issued.token.key_id(), issued.key.id);
    assert_eq!(secret.len(), 38);
    // The secret part is a view of the token, which is wiped on drop. No output shows it.
    let inside = issued.token.expose().as_bytes().as_ptr_range();
    assert!(inside.contains(&secret.as_ptr()), "it is a copy");
    let request = AccessRequest::parts(issued.key.id.as_str(), secret);
    let entry = world.authority.key(&world.alice, &issued.key.id).await?;
    let shown = format!("{issued:?} {:?} {request:?} {entry:?}", issued.token);
    assert!(!shown.contains(&secret[..6]), "Debug shows the secret");
    assert!(!serde_json::to_string(&entry)?.contains(&secret[..6]), "the listing shows the secret");
    Ok(())
}

#[common::test(each_store)]
async fn f2_lifetime_is_given_in_days(world: &World) -> TestResult {
    let new = || NewKey::named("prod-main-app");
    for days in [1, 30, 365] {
        let issued = world.generate(new()?.expires_in_days(days)).await?;
        let end = world.later(days * DAY);
        assert_eq!(issued.key.expires_at, Some(end));
        world.clock.set(end.saturating_sub(MOMENT));
        assert_eq!(world.check(&issued).await, Ok(()));
        world.clock.set(end);
        assert_eq!(world.check(&issued).await, Err(Reason::Expired));
    }
    assert_eq!(world.generate(new()?).await?.key.expires_at, None, "it is optional");
    let none = world.generate(new()?.expires_in_days(0)).await;
    assert!(matches!(none, Err(GenerateError::Rule(RuleError::ZeroLifetime))), "{none:?}");
    let endless = world.generate(new()?.expires_in_days(u32::MAX)).await;
    let overflow = matches!(endless, Err(GenerateError::Rule(RuleError::LifetimeOverflow(_))));
    assert!(overflow, "{endless:?}");
    Ok(())
}

#[common::test(each_store)]
async fn f3_key_is_disabled_and_enabled_repeatedly(world: &World) -> TestResult {
    let old = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = &old.key.id;
    let new = world.authority.rotate(&world.alice, id, DAY).await?;
    assert_eq!(world.status(id).await?, KeyStatus::Active);
    assert!(world.authority.enable(&world.alice, id).await?.is_unchanged());
    for _ in 0..10 {
        for issued in [&old, &new] {
            assert_eq!(world.check(issued).await, Ok(()));
        }
        assert!(!world.authority.disable(&world.alice, id).await?.is_unchanged());
        for issued in [&old, &new] {
            assert_eq!(world.check(issued).await, Err(Reason::Disabled));
        }
        assert!(world.authority.disable(&world.alice, id).await?.is_unchanged());
        assert!(!world.authority.enable(&world.alice, id).await?.is_unchanged());
    }
    Ok(())
}

#[common::test(each_store)]
async fn f4_regenerate_replaces_the_secret_at_once(world: &World) -> TestResult {
    let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
    let first = world.generate(new.expires_in_days(30)).await?;
    let id = &first.key.id;
    let second = world.authority.rotate(&world.alice, id, DAY).await?;
    let third = world.authority.rotate(&world.alice, id, Duration::ZERO).await?;
    for gone in [&first, &second] {
        assert_eq!(world.check(gone).await, Err(Reason::Unrecognized));
    }
    assert_eq!(world.check(&third).await, Ok(()));
    let key = &third.key;
    assert_eq!((&key.id, &key.owner), (id, &world.alice.as_owner()));
    assert_eq!((&key.name, &key.scopes), (&first.key.name, &first.key.scopes));
    assert_eq!((key.created_at, key.expires_at), (first.key.created_at, first.key.expires_at));
    assert_eq!(world.authority.key(&world.alice, id).await?.overlap, None);
    assert_ne!(third.token.expose_key_secret(), first.token.expose_key_secret());
    Ok(())
}

#[common::test(each_store)]
async fn f4_disabled_key_regenerates_and_stays_disabled(world: &World) -> TestResult {
    let leaked = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = &leaked.key.id;
    // An overlap is in progress, in which the secret before the leaked one works too.
    let newer = world.authority.rotate(&world.alice, id, DAY).await?;
    world.authority.disable(&world.alice, id).await?;
    let before = world.shown(id).await?;
    for overlap in [MOMENT, DAY, Duration::MAX] {
        let refused = world.authority.rotate(&world.alice, id, overlap).await;
        let Err(KeyError::OverlapWhileDisabled { overlap: given }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(given, overlap);
    }
    assert_eq!(world.shown(id).await?, before, "a refused rotation changes nothing");
    let fresh = world.authority.rotate(&world.alice, id, Duration::ZERO).await?;
    assert_eq!((fresh.key.disabled, fresh.key.overlap_ends_at), (true, None));
    assert_eq!(world.status(id).await?, KeyStatus::Disabled);
    assert_eq!(world.check(&fresh).await, Err(Reason::Disabled));
    for old in [&leaked, &newer] {
        assert_eq!(world.check(old).await, Err(Reason::Unrecognized));
    }
    world.authority.enable(&world.alice, id).await?;
    assert_eq!(world.check(&fresh).await, Ok(()));
    for old in [&leaked, &newer] {
        assert_eq!(
            world.check(old).await,
            Err(Reason::Unrecognized),
            "also after the key is enabled"
        );
    }
    let kinds: Vec<_> = world.events_of(id).await?.iter().map(|e| e.kind.to_string()).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "key.rotate").count(), 5, "{kinds:?}");
    Ok(())
}

#[common::test(each_store)]
async fn f4_disabled_scheduled_key_has_no_overlap(world: &World) -> TestResult {
    let begin = world.later(DAY);
    let new = NewKey::named("prod-main-app")?.not_before(begin);
    let old = world.generate(new).await?;
    let id = &old.key.id;
    world.authority.disable(&world.alice, id).await?;
    let refused = world.authority.rotate(&world.alice, id, DAY).await;
    assert!(matches!(refused, Err(KeyError::OverlapWhileDisabled { .. })), "{refused:?}");
    let fresh = world.authority.rotate(&world.alice, id, Duration::ZERO).await?;
    world.authority.enable(&world.alice, id).await?;
    assert_eq!(world.status(id).await?, KeyStatus::Scheduled);
    world.clock.set(begin);
    assert_eq!(world.check(&fresh).await, Ok(()));
    assert_eq!(world.check(&old).await, Err(Reason::Unrecognized));
    Ok(())
}

#[common::test(each_store)]
async fn f5_deleted_key_never_comes_back(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = &issued.key.id;
    let record = world.store.key(world.tenant(), id).await?.ok_or("it is stored")?.record;
    world.authority.delete(&world.alice, id).await?;
    let (authority, admin) = (&world.authority, &world.admin);
    let attempts = [
        authority.enable(admin, id).await.map(drop),
        authority.rotate(admin, id, DAY).await.map(drop),
        authority.rename(admin, id, Name::new("prod-other")?).await.map(drop),
        authority.edit(admin, id, KeyEdit::new().rate(None)).await.map(drop),
        authority.revoke(admin, id).await.map(drop),
    ];
    for attempt in attempts {
        assert!(matches!(attempt, Err(KeyError::NotFound(gone)) if gone == *id), "{attempt:?}");
    }
    // A writer with a copy of the record cannot restore the key either.
    let tenant = record.key().tenant.clone();
    let insert = Batch { changes: vec![Change::InsertKey(record)], ..Batch::of(tenant) };
    let refused = world.store.commit(insert).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(StoreErrorKind::AlreadyExists));
    assert_eq!(world.check(&issued).await, Err(Reason::Unrecognized));
    Ok(())
}

#[common::test(each_store)]
async fn f6_only_administrators_manage_keys(world: &World) -> TestResult {
    let (authority, admin) = (&world.authority, &world.admin);
    let owner = world.bob.as_owner();
    let new = || NewKey::named("prod-main-app");
    // An actor without permissions cannot change anything, including their own keys.
    let user =
        Actor::new(world.bob.id().clone(), Permissions::NONE).in_tenant(world.tenant().clone());
    let refused = authority.generate(&user, new()?.owner(owner.clone())).await;
    assert!(missing(&refused).contains(&Requirement::Permission), "{refused:?}");
    let issued = authority.generate(admin, new()?.owner(owner.clone())).await?;
    let id = &issued.key.id;
    let attempts = [
        authority.disable(&user, id).await.map(drop),
        authority.enable(&user, id).await.map(drop),
        authority.rotate(&user, id, Duration::ZERO).await.map(drop),
        authority.revoke(&user, id).await.map(drop),
        authority.delete(&user, id).await,
        authority.key(&user, id).await.map(drop),
    ];
    for attempt in attempts {
        assert!(matches!(attempt, Err(KeyError::NotFound(_))), "{attempt:?}");
    }
    assert_eq!(world.check(&issued).await, Ok(()));
    // The administrator can do all of it with every key.
    assert_eq!(issued.key.created_by, UserId::new("ada")?);
    authority.disable(admin, id).await?;
    authority.enable(admin, id).await?;
    let regenerated = authority.rotate(admin, id, Duration::ZERO).await?;
    assert_eq!(regenerated.key.owner, owner);
    authority.delete(admin, id).await?;
    assert_eq!(world.check(&regenerated).await, Err(Reason::Unrecognized));
    Ok(())
}
