//! A6 and B1: rotation, from the first secret to the end of the overlap.

use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::KeyQuery;
use keywright::{Issued, KeyError, KeyStatus, NewKey, Overlap, Reason, SecretUsed, VerifyError};

use common::{DAY, HOUR, MOMENT, TestResult, World};

#[common::test(each_store)]
async fn a6_both_secrets_work_during_overlap(world: &World) -> TestResult {
    let old = world.generate(NewKey::named("prod-main-app")?).await?;
    let new = world.authority.rotate(&world.alice, &old.key.id, DAY).await?;
    let end = world.later(DAY);
    assert_eq!(new.key.overlap_ends_at, Some(end));
    for when in [world.now(), end.saturating_sub(MOMENT)] {
        world.clock.set(when);
        assert_eq!(secret_used(world, &old).await?, SecretUsed::Retiring);
        assert_eq!(secret_used(world, &new).await?, SecretUsed::Current);
    }
    world.clock.set(end);
    assert_eq!(world.check(&old).await, Err(Reason::Superseded));
    assert_eq!(world.check(&new).await, Ok(()));
    let entry = world.authority.key(&world.alice, &old.key.id).await?;
    assert_eq!(entry.overlap, None);
    Ok(())
}

#[common::test(each_store)]
async fn a6_listing_shows_use_of_old_secret(world: &World) -> TestResult {
    let old = world.generate(NewKey::named("prod-main-app")?).await?;
    world.verifier.verify(old.token.expose()).await?;
    let before = world.now();
    world.clock.advance(HOUR);
    let new = world.authority.rotate(&world.alice, &old.key.id, DAY).await?;
    // Only the old secret has been used, before the rotation.
    let overlap = overlap(world, &old).await?;
    assert_eq!(overlap.overlap_ends_at, world.later(DAY));
    assert_eq!((overlap.old_last_used_at, overlap.new_last_used_at), (Some(before), None));
    assert!(!overlap.safe_to_finish);
    // The new secret has been used, and the old one has not been used since the rotation.
    world.verifier.verify(new.token.expose()).await?;
    let moved = self::overlap(world, &old).await?;
    assert_eq!((moved.old_last_used_at, moved.new_last_used_at), (Some(before), Some(world.now())));
    assert!(moved.safe_to_finish);
    // The old secret is used again.
    world.clock.advance(HOUR);
    world.verifier.verify(old.token.expose()).await?;
    let straggler = world.now();
    let overlap = self::overlap(world, &old).await?;
    assert_eq!(overlap.old_last_used_at, Some(straggler));
    assert!(!overlap.safe_to_finish);
    world.clock.set(straggler.saturating_add(Overlap::SAFE_AFTER).saturating_sub(MOMENT));
    assert!(!self::overlap(world, &old).await?.safe_to_finish);
    world.clock.set(straggler.saturating_add(Overlap::SAFE_AFTER));
    assert!(self::overlap(world, &old).await?.safe_to_finish);
    Ok(())
}

#[common::test(each_store)]
async fn a6_overlap_is_ended_early(world: &World) -> TestResult {
    let old = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = &old.key.id;
    let new = world.authority.rotate(&world.alice, id, DAY).await?;
    let finished = world.authority.finish_rotation(&world.alice, id).await?;
    assert!(!finished.is_unchanged());
    assert_eq!(finished.into_inner().overlap_ends_at, None);
    assert_eq!(world.check(&old).await, Err(Reason::Unrecognized));
    assert_eq!(world.check(&new).await, Ok(()));
    assert_eq!(world.authority.key(&world.alice, id).await?.overlap, None);
    assert!(world.authority.finish_rotation(&world.alice, id).await?.is_unchanged());
    Ok(())
}

#[common::test(each_store)]
async fn a6_second_rotation_drops_the_oldest_secret(world: &World) -> TestResult {
    let first = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = &first.key.id;
    let second = world.authority.rotate(&world.alice, id, DAY).await?;
    world.verifier.verify(first.token.expose()).await?;
    let third = world.authority.rotate(&world.alice, id, DAY).await?;
    assert_eq!(world.check(&first).await, Err(Reason::Unrecognized));
    // The last use of the first secret does not count as one of the second.
    assert_eq!(overlap(world, &second).await?.old_last_used_at, None);
    assert_eq!(secret_used(world, &second).await?, SecretUsed::Retiring);
    assert_eq!(secret_used(world, &third).await?, SecretUsed::Current);
    assert_eq!(overlap(world, &second).await?.old_last_used_at, Some(world.now()));
    Ok(())
}

#[common::test(each_store)]
async fn a6_overlap_is_bounded_by_the_policy(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.max_overlap = Some(DAY)).await?;
    let old = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = &old.key.id;
    let refused = world.authority.rotate(&world.alice, id, DAY + MOMENT).await;
    let Err(KeyError::OverlapTooLong { overlap, max }) = refused else { panic!("{refused:?}") };
    assert_eq!((overlap, max), (DAY + MOMENT, DAY));
    assert_eq!(secret_used(world, &old).await?, SecretUsed::Current);
    world.authority.rotate(&world.alice, id, DAY).await?;
    assert_eq!(secret_used(world, &old).await?, SecretUsed::Retiring);
    Ok(())
}

#[common::test(each_store)]
async fn b1_overlap_ends_with_the_key(world: &World) -> TestResult {
    for (lifetime, end) in [(HOUR, HOUR), (DAY, DAY), (DAY + MOMENT, DAY), (90 * DAY, DAY)] {
        let old = world.generate(NewKey::named("prod-main-app")?.expires_in(lifetime)).await?;
        let new = world.authority.rotate(&world.alice, &old.key.id, DAY).await?;
        let end = world.later(end);
        assert_eq!(new.key.overlap_ends_at, Some(end));
        world.clock.set(end.saturating_sub(MOMENT));
        assert_eq!(world.check(&old).await, Ok(()));
        world.clock.set(end);
        assert_ne!(world.check(&old).await, Ok(()));
        let expired = lifetime <= DAY;
        let verdict = if expired { Err(Reason::Expired) } else { Ok(()) };
        assert_eq!(world.check(&new).await, verdict);
    }
    Ok(())
}

#[common::test(each_store)]
async fn b1_rotation_makes_no_second_key(world: &World) -> TestResult {
    world.set_policy(|policy| policy.settings.max_keys_per_user = Some(1)).await?;
    let old = world.generate(NewKey::named("prod-main-app")?).await?;
    for _ in 0..3 {
        let new = world.authority.rotate(&world.alice, &old.key.id, DAY).await?;
        assert_eq!(new.key.id, old.key.id);
    }
    let all = world.authority.keys(&world.alice, &KeyQuery::new()).await?;
    assert_eq!(all.items.len(), 1);
    Ok(())
}

#[common::test(each_store)]
async fn b1_concurrent_rotations_leave_two_secrets(world: &World) -> TestResult {
    let first = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = first.key.id;
    let (authority, alice) = (&world.authority, &world.alice);
    let rotated: Vec<Issued> = std::thread::scope(|scope| {
        let rotate = || block_on(authority.rotate(alice, &id, DAY));
        let running: Vec<_> = (0..8).map(|_| scope.spawn(rotate)).collect();
        let joined = running.into_iter().map(|thread| thread.join().expect("no panic"));
        joined.collect::<Result<_, _>>()
    })?;
    let mut used = Vec::new();
    for issued in rotated.iter().chain([&first]) {
        match world.verifier.verify(issued.token.expose()).await {
            Ok(grant) => used.push((issued.key.secret_number, grant.secret_used())),
            Err(VerifyError::Denied(denial)) => {
                assert_eq!(*denial.reason(), Reason::Unrecognized);
            }
            Err(error) => return Err(error.into()),
        }
    }
    used.sort_by_key(|(number, _)| *number);
    assert_eq!(used, [(8, SecretUsed::Retiring), (9, SecretUsed::Current)]);
    Ok(())
}

#[common::test(each_store)]
async fn b1_rotation_racing_revocation_ends_revoked(world: &World) -> TestResult {
    let (authority, alice) = (&world.authority, &world.alice);
    for _ in 0..20 {
        let old = world.generate(NewKey::named("prod-main-app")?).await?;
        let id = old.key.id;
        let rotated = std::thread::scope(|scope| {
            let rotate = scope.spawn(|| block_on(authority.rotate(alice, &id, DAY)));
            block_on(authority.revoke(alice, &id))?;
            Ok::<_, KeyError>(rotate.join().expect("no panic"))
        })?;
        assert_eq!(world.status(&id).await?, KeyStatus::Revoked);
        assert_ne!(world.check(&old).await, Ok(()));
        if let Ok(new) = rotated {
            assert_eq!(world.check(&new).await, Err(Reason::Revoked));
        }
    }
    Ok(())
}

#[common::test(each_store)]
async fn b1_zero_overlap_ends_old_secret_at_once(world: &World) -> TestResult {
    let old = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = &old.key.id;
    let new = world.authority.rotate(&world.alice, id, Duration::ZERO).await?;
    let stored = world.store.key(world.tenant(), id).await?.ok_or("it is stored")?;
    assert!(stored.record.retiring_digest().is_none());
    assert_eq!(new.key.overlap_ends_at, None);
    assert_eq!(world.check(&old).await, Err(Reason::Unrecognized));
    Ok(())
}

async fn secret_used(world: &World, issued: &Issued) -> TestResult<SecretUsed> {
    Ok(world.verifier.verify(issued.token.expose()).await?.secret_used())
}

/// Returns the state of a key's overlap after a flush of all uses.
async fn overlap(world: &World, issued: &Issued) -> TestResult<Overlap> {
    world.verifier.flush().await?;
    let entry = world.authority.key(&world.alice, &issued.key.id).await?;
    Ok(entry.overlap.ok_or("an overlap lasts")?)
}
