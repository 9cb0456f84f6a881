//! B8: the pepper can be rotated while all keys keep working.

use keywright::store::{Digest, StoreErrorKind};
use keywright::{Issued, NewKey, PepperRing, Reason, VerifyError};

use common::{DAY, TestResult, World};

const FIRST: [u8; 32] = [1; 32];
const SECOND: [u8; 32] = [2; 32];

#[common::test(each_store)]
async fn b8_keys_move_to_new_pepper_with_use(world: &World) -> TestResult {
    let used = world.generate(NewKey::named("prod-used")?).await?;
    let unused = world.generate(NewKey::named("prod-unused")?).await?;
    let first = PepperRing::none().with(1, FIRST)?;
    let rings = [(1, first.clone()), (2, first.with(2, SECOND)?)];
    let mut before = None;
    for (current, ring) in rings {
        let world = world.with_peppers(ring)?;
        assert_eq!(peppers(&world, &used).await?, [before]);
        assert_eq!(world.check(&used).await, Ok(()));
        assert_eq!(peppers(&world, &used).await?, [before], "not in the request");
        world.verifier.flush().await?;
        assert_eq!(peppers(&world, &used).await?, [Some(current)]);
        assert_eq!(world.check(&used).await, Ok(()));
        assert_eq!(peppers(&world, &unused).await?, [None]);
        assert_eq!(world.check(&unused).await, Ok(()), "an unmoved key works too");
        before = Some(current);
        // The other key's use is never flushed.
    }
    // The pepper moves without a change of the key: `updated_at` and the secret number stay.
    let entry = world.authority.key(&world.alice, &used.key.id).await?;
    assert_eq!((entry.key.updated_at, entry.key.secret_number), (used.key.updated_at, 1));
    Ok(())
}

#[common::test(each_store)]
async fn b8_new_key_uses_the_current_pepper(world: &World) -> TestResult {
    let ring = PepperRing::none().with(1, FIRST)?.with(2, SECOND)?;
    let world = world.with_peppers(ring)?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    assert_eq!(peppers(&world, &issued).await?, [Some(2)]);
    Ok(())
}

#[common::test(each_store)]
async fn b8_both_secrets_of_overlap_move(world: &World) -> TestResult {
    let ring = PepperRing::none().with(1, FIRST)?;
    let old_world = world.with_peppers(ring.clone())?;
    let old = old_world.generate(NewKey::named("prod-main-app")?).await?;
    let new = old_world.authority.rotate(&world.alice, &old.key.id, DAY).await?;
    let world = old_world.with_peppers(ring.with(2, SECOND)?)?;
    for issued in [&old, &new] {
        assert_eq!(world.check(issued).await, Ok(()));
    }
    world.verifier.flush().await?;
    assert_eq!(peppers(&world, &new).await?, [Some(2), Some(2)]);
    let world = world.with_peppers(PepperRing::none().with(2, SECOND)?)?;
    for issued in [&old, &new] {
        assert_eq!(world.check(issued).await, Ok(()));
    }
    Ok(())
}

#[common::test(each_store)]
async fn b8_missing_pepper_is_an_operator_error(world: &World) -> TestResult {
    let peppered = world.with_peppers(PepperRing::none().with(1, FIRST)?)?;
    let issued = peppered.generate(NewKey::named("prod-main-app")?).await?;
    for ring in [PepperRing::none(), PepperRing::none().with(2, SECOND)?] {
        let world = world.with_peppers(ring)?;
        let verified = world.verifier.verify(issued.token.expose()).await;
        let Err(VerifyError::Unavailable(error)) = verified else { panic!("{verified:?}") };
        assert_eq!(error.kind(), StoreErrorKind::Unsupported);
        assert!(error.to_string().contains("pepper 1"), "{error}");
    }
    // Another pepper with the same id computes another digest.
    let wrong = world.with_peppers(PepperRing::none().with(1, SECOND)?)?;
    assert_eq!(wrong.check(&issued).await, Err(Reason::Unrecognized));
    assert_eq!(peppered.check(&issued).await, Ok(()));
    Ok(())
}

#[common::test(each_store)]
async fn b8_dead_secret_does_not_hold_old_pepper(world: &World) -> TestResult {
    let ring = PepperRing::none().with(1, FIRST)?;
    let world = world.with_peppers(ring.clone())?;
    let old = world.generate(NewKey::named("prod-main-app")?).await?;
    let new = world.authority.rotate(&world.alice, &old.key.id, DAY).await?;
    world.clock.advance(DAY);
    // After the overlap only the new secret works, so only its digest can be moved.
    let world = world.with_peppers(ring.with(2, SECOND)?)?;
    assert_eq!(world.check(&old).await, Err(Reason::Superseded));
    assert_eq!(world.check(&new).await, Ok(()));
    world.verifier.flush().await?;
    let world = world.with_peppers(PepperRing::none().with(2, SECOND)?)?;
    let verified = world.verifier.verify(new.token.expose()).await;
    assert!(verified.is_ok(), "{verified:?}");
    Ok(())
}

#[common::test(each_store)]
async fn dead_secret_without_pepper_is_unrecognized(world: &World) -> TestResult {
    let before = world.with_peppers(PepperRing::none().with(1, FIRST)?)?;
    let old = before.generate(NewKey::named("prod-main-app")?).await?;
    let both = world.with_peppers(PepperRing::none().with(1, FIRST)?.with(2, SECOND)?)?;
    let new = both.authority.rotate(&both.alice, &old.key.id, DAY).await?;
    let world = world.with_peppers(PepperRing::none().with(2, SECOND)?)?;
    // During the overlap the old secret could be right, and without its pepper the digest cannot be
    // checked.
    let verified = world.verifier.verify(old.token.expose()).await;
    assert!(matches!(verified, Err(VerifyError::Unavailable(_))), "{verified:?}");
    world.clock.advance(DAY);
    assert_eq!(world.check(&old).await, Err(Reason::Unrecognized));
    assert_eq!(world.check(&new).await, Ok(()));
    Ok(())
}

/// Returns the pepper ids of a key's digests: of the current secret, then of the retiring one if
/// there is one.
async fn peppers(world: &World, issued: &Issued) -> TestResult<Vec<Option<u32>>> {
    let stored = world.store.key(world.tenant(), &issued.key.id).await?.ok_or("it is stored")?;
    let digests = [Some(stored.record.digest()), stored.record.retiring_digest()];
    Ok(digests.into_iter().flatten().map(Digest::pepper).collect())
}
