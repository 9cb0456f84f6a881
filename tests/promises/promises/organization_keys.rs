//! W: keys of an organization, from the token that is shown once to the delete that ends all
//! access.

use std::error::Error;

use keywright::store::{EventQuery, Freshness, KeyQuery};
use keywright::{
    Issued, KeyError, KeyStatus, Metadata, Name, NewKey, Operation, Owner, Reason, RoleName,
    TimeError, Timestamp, UserId,
};

use common::operations::{Subjects, perform};
use common::{DAY, HOUR, MOMENT, TestResult, World, secret_of};

#[common::test(each_store)]
async fn w1_key_without_expiry_stays_valid(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    assert_eq!(issued.key.name.as_str(), "prod-main-app");
    assert_eq!(issued.key.expires_at, None);
    world.clock.set(Timestamp::MAX);
    assert_eq!(world.check(&issued).await, Ok(()));
    assert_eq!(world.status(&issued.key.id).await?, KeyStatus::Active);
    Ok(())
}

#[common::test(each_store)]
async fn w1_key_is_valid_until_its_expiry(world: &World) -> TestResult {
    let expires = world.later(90 * DAY);
    let issued = world.generate(NewKey::named("prod-main-app")?.expires_at(expires)).await?;
    assert_eq!(issued.key.expires_at, Some(expires));
    world.clock.set(expires.saturating_sub(MOMENT));
    assert_eq!(world.check(&issued).await, Ok(()));
    world.clock.set(expires);
    assert_eq!(world.check(&issued).await, Err(Reason::Expired));
    Ok(())
}

#[common::test(each_store)]
async fn w2_token_is_shown_only_once(world: &World) -> TestResult {
    let first = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = &first.key.id;
    let second = world.authority.rotate(&world.alice, id, DAY).await?;
    let mut shown = Vec::new();
    let grant = world.verifier.verify(first.token.expose()).await?;
    shown.push(format!("{grant:?} {grant:#?}"));
    shown.push(format!("{:#?}", world.verifier.verify(second.token.expose()).await?));
    world.verifier.flush().await?;
    world.authority.disable(&world.alice, id).await?;
    let denied = world.verifier.verify(first.token.expose()).await;
    shown.push(format!("{denied:?} {}", denied.as_ref().expect_err("it is disabled")));
    let refused = world.authority.rotate(&world.alice, id, DAY).await;
    shown.push(format!("{refused:?} {}", refused.as_ref().expect_err("it is disabled")));

    shown.push(format!("{first:?} {second:#?} {:?}", first.token));
    let page = world.authority.keys(&world.admin, &KeyQuery::new()).await?;
    shown.push(format!("{page:?} {}", serde_json::to_string(&page)?));
    let events = world.authority.events(&world.admin, &EventQuery::new()).await?;
    shown.push(format!("{events:?} {}", serde_json::to_string(&events)?));
    let stored = world.store.key(world.tenant(), id).await?.ok_or("it is stored")?;
    shown.push(format!("{stored:?} {}", serde_json::to_string(&stored.record)?));
    let snapshot = world.store.resolve(id, Freshness::StoreDefault).await?;
    shown.push(format!("{snapshot:#?} {:?}", world.store));
    shown.push(format!("{:?} {:?} {:#?}", world.keywright, world.authority, world.verifier));
    if let Some(file) = &world.file {
        let folder = file.parent().ok_or("it is in a folder")?;
        for entry in std::fs::read_dir(folder)? {
            shown.push(String::from_utf8_lossy(&std::fs::read(entry?.path())?).into_owned());
        }
    }
    for issued in [&first, &second] {
        let leak = shown.iter().find(|text| leaks(text, issued));
        assert_eq!(leak, None, "the secret is {}", secret_of(issued));
    }
    Ok(())
}

#[common::test(each_store)]
async fn w2_no_error_repeats_a_misplaced_token(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let mut leaking = Vec::new();
    for text in [issued.token.expose(), issued.token.expose_key_secret()] {
        for (kind, error) in errors_of_values(text) {
            if leaks(&error, &issued) {
                leaking.push(format!("{kind}: {error}"));
            }
        }
    }
    assert_eq!(leaking, Vec::<String>::new(), "the secret is {}", secret_of(&issued));
    Ok(())
}

#[common::test(each_store)]
async fn w3_key_is_renamed_in_any_status(world: &World) -> TestResult {
    for status in KeyStatus::ALL {
        let issued = world.generate_in(status).await?;
        let name = Name::new(format!("staging-{status}"))?;
        let renamed = world.authority.rename(&world.alice, &issued.key.id, name.clone()).await?;
        assert!(!renamed.is_unchanged());
        let entry = world.authority.key(&world.alice, &issued.key.id).await?;
        assert_eq!((entry.key.name.clone(), entry.status), (name, status));
    }
    Ok(())
}

#[common::test(each_store)]
async fn w4_deleted_key_loses_access_at_once(world: &World) -> TestResult {
    for status in KeyStatus::ALL {
        let old = world.generate(NewKey::named("prod-main-app")?.expires_in(HOUR)).await?;
        let id = &old.key.id;
        let new = world.authority.rotate(&world.alice, id, HOUR).await?;
        match status {
            KeyStatus::Expired => world.clock.advance(HOUR),
            KeyStatus::Disabled => drop(world.authority.disable(&world.alice, id).await?),
            KeyStatus::Revoked => drop(world.authority.revoke(&world.alice, id).await?),
            KeyStatus::Active | KeyStatus::Scheduled => {}
        }
        world.authority.delete(&world.alice, id).await?;
        assert_eq!(world.check(&old).await, Err(Reason::Unrecognized));
        assert_eq!(world.check(&new).await, Err(Reason::Unrecognized));
        let gone = world.authority.key(&world.admin, id).await;
        assert!(matches!(gone, Err(KeyError::NotFound(_))), "{gone:?}");
        let again = world.authority.delete(&world.alice, id).await;
        assert!(matches!(again, Err(KeyError::NotFound(_))), "{again:?}");
    }
    let left = world.authority.keys(&world.admin, &KeyQuery::new()).await?;
    assert!(left.items.is_empty(), "{left:?}");
    Ok(())
}

#[common::test(each_store)]
async fn w5_expired_key_is_never_reactivated(world: &World) -> TestResult {
    let authority = &world.authority;
    for disabled_before in [false, true] {
        let issued = world.generate(NewKey::named("prod-main-app")?.expires_in_days(30)).await?;
        let id = &issued.key.id;
        if disabled_before {
            authority.disable(&world.alice, id).await?;
        }
        world.clock.advance(30 * DAY);
        let refused = [
            authority.enable(&world.admin, id).await.map(drop),
            authority.disable(&world.admin, id).await.map(drop),
            authority.rotate(&world.admin, id, DAY).await.map(drop),
            authority.rotate(&world.admin, id, std::time::Duration::ZERO).await.map(drop),
            authority.finish_rotation(&world.admin, id).await.map(drop),
        ];
        for refused in refused {
            let Err(KeyError::WrongStatus(because)) = &refused else { panic!("{refused:?}") };
            assert_eq!(because.status, KeyStatus::Expired);
        }
        authority.rename(&world.admin, id, Name::new("prod-again")?).await?;
        world
            .set_policy(|policy| {
                policy.settings.max_lifetime = (!disabled_before).then_some(10_000 * DAY);
                policy.settings.default_lifetime = policy.settings.max_lifetime;
            })
            .await?;
        assert_eq!(world.check(&issued).await, Err(Reason::Expired));
        assert_eq!(world.status(id).await?, KeyStatus::Expired);
    }
    Ok(())
}

#[common::test(each_store)]
async fn w6_expiry_of_key_never_changes(world: &World) -> TestResult {
    for expires in [None, Some(world.later(90 * DAY))] {
        let new = NewKey::named("prod-main-app")?;
        let new = match expires {
            Some(time) => new.expires_at(time),
            None => new.never_expires(),
        };
        let issued = world.generate(new).await?;
        let account = world.account("nightly-report", "analyst").await?.id;
        let subjects = Subjects::new(issued.key.id, world.alice.as_owner(), account);
        let of_a_key = Operation::ALL.iter().filter(|operation| operation.is_of_a_key());
        let mut operations: Vec<_> =
            of_a_key.filter(|operation| **operation != Operation::KeyDelete).collect();
        // A revoked key has no other owner.
        operations.sort_by_key(|operation| **operation == Operation::KeyRevoke);
        for operation in operations {
            let done = perform(world, &world.admin, *operation, &subjects).await?;
            assert!(!done.is_unchanged(), "{operation} changed the key");
            let key = world.authority.key(&world.admin, &issued.key.id).await?.key;
            assert_eq!(key.expires_at, expires, "after {operation}");
            world
                .set_policy(|policy| {
                    policy.settings.max_lifetime = Some(DAY);
                    policy.settings.default_lifetime = Some(HOUR);
                    policy.settings.require_expiry = Some(true);
                })
                .await?;
            let key = world.authority.key(&world.admin, &issued.key.id).await?.key;
            assert_eq!(key.expires_at, expires, "after a change of the policy");
            world
                .set_policy(|policy| {
                    policy.settings.max_lifetime = None;
                    policy.settings.default_lifetime = None;
                    policy.settings.require_expiry = Some(false);
                })
                .await?;
        }
    }
    Ok(())
}

/// Returns whether a text contains eight consecutive characters of the secret.
fn leaks(text: &str, issued: &Issued) -> bool {
    let secret = secret_of(issued);
    (0..=secret.len() - 8).any(|at| text.contains(&secret[at..at + 8]))
}

/// Returns the error of each public value type that parses text, for a text that it refuses.
fn errors_of_values(text: &str) -> Vec<(&'static str, String)> {
    fn error<T, E: Error>(parsed: Result<T, E>) -> Option<String> {
        parsed.err().map(|error| format!("{error} {error:?}"))
    }
    let rate = format!("{text}/60s");
    let of_account = format!("account:{text}");
    let event = EventQuery::new();
    let cursor = text.parse().ok();
    let found = [
        ("account id", error(text.parse::<keywright::AccountId>())),
        ("account id in an owner", error(of_account.parse::<Owner>())),
        ("cursor", cursor.and_then(|cursor| error(event.after(&cursor)))),
        ("event actor", error(text.parse::<keywright::EventActor>())),
        ("event kind", error(text.parse::<keywright::EventKind>())),
        ("event outcome", error(text.parse::<keywright::EventOutcome>())),
        ("refusal code", error(text.parse::<keywright::RefusalCode>())),
        ("key id", error(text.parse::<keywright::KeyId>())),
        ("metadata key", error(Metadata::new([(format!("{text}\n"), "")]))),
        ("metadata value", error(Metadata::new([("key", format!("{text}\n"))]))),
        ("name", error(Name::new(text))),
        ("network", error(text.parse::<keywright::Network>())),
        ("networks", error(text.parse::<keywright::Networks>())),
        ("operation", error(text.parse::<Operation>())),
        ("owner", error(text.parse::<Owner>())),
        ("prefix", error(text.parse::<keywright::Prefix>())),
        ("rate", error(text.parse::<keywright::Rate>())),
        ("uses of a rate", error(rate.parse::<keywright::Rate>())),
        ("role name", error(RoleName::new(text))),
        ("scope", error(text.parse::<keywright::Scope>())),
        ("scopes", error(text.parse::<keywright::ScopeSet>())),
        ("timestamp", error::<Timestamp, TimeError>(text.parse())),
        ("user id", error(UserId::new(format!("{text} ")))),
    ];
    found.into_iter().filter_map(|(kind, error)| Some((kind, error?))).collect()
}
