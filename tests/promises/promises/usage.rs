//! B6: uses are counted exactly once, without a write for each use.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_lite::future::block_on;
use keywright::store::Marker;
use keywright::{Issued, NewKey};

use common::faults::Fault;
use common::{HOUR, TestResult, World};

#[common::test(each_store)]
async fn b6_request_writes_nothing(world: &World) -> TestResult {
    let (world, faults) = world.with_faults()?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let marker = world.store.changes(&Marker::default()).await?.at;
    faults.set(Fault::WritesLost);
    for _ in 0..100 {
        assert_eq!(world.check(&issued).await, Ok(()));
    }
    faults.set(None);
    assert_eq!(world.store.changes(&marker).await?.at, marker);
    assert_eq!(uses(&world, &issued).await?, 0, "nothing was flushed yet");
    world.verifier.flush().await?;
    assert_eq!(uses(&world, &issued).await?, 100);
    Ok(())
}

#[common::test(each_store)]
async fn b6_failed_flush_loses_no_use(world: &World) -> TestResult {
    let (world, faults) = world.with_faults()?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    for fault in [Fault::WritesLost, Fault::Down] {
        for _ in 0..3 {
            world.verifier.verify(issued.token.expose()).await?;
            faults.set(fault);
            assert!(world.verifier.flush().await.is_err());
            faults.set(None);
        }
    }
    let last = world.now();
    world.clock.advance(HOUR);
    assert_eq!(uses(&world, &issued).await?, 0);
    world.verifier.flush().await?;
    assert_eq!(uses(&world, &issued).await?, 6);
    let entry = world.authority.key(&world.alice, &issued.key.id).await?;
    assert_eq!(entry.last_used_at, Some(last));
    Ok(())
}

#[common::test(each_store)]
async fn b6_unacknowledged_flush_counts_once(world: &World) -> TestResult {
    let (world, faults) = world.with_faults()?;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    for round in 1..=3 {
        for _ in 0..5 {
            world.verifier.verify(issued.token.expose()).await?;
        }
        faults.set(Fault::AnswersLost);
        for _ in 0..2 {
            assert!(world.verifier.flush().await.is_err());
        }
        // A use between the failure and the retry is in neither batch.
        world.verifier.verify(issued.token.expose()).await?;
        faults.set(None);
        world.verifier.flush().await?;
        world.verifier.flush().await?;
        assert_eq!(uses(&world, &issued).await?, round * 6);
    }
    Ok(())
}

#[common::test(each_store)]
async fn b6_concurrent_uses_are_counted_once(world: &World) -> TestResult {
    const THREADS: u64 = 4;
    const USES: u64 = 500;
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let (verifier, token) = (&world.verifier, issued.token.expose());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let flushing = scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                block_on(verifier.flush()).expect("the store is up");
            }
        });
        // A changed key gets a new record and keeps its counts.
        let changing = scope.spawn(|| {
            let mut number = 0;
            while !done.load(Ordering::SeqCst) {
                number += 1;
                let name = keywright::Name::new(format!("prod-{number}")).expect("a name");
                let renamed = world.authority.rename(&world.alice, &issued.key.id, name);
                block_on(renamed).expect("it is renamed");
            }
        });
        let using = || (0..USES).all(|_| block_on(verifier.verify(token)).is_ok());
        let users: Vec<_> = (0..THREADS).map(|_| scope.spawn(using)).collect();
        let accepted = users.into_iter().all(|thread| thread.join().expect("no panic"));
        done.store(true, Ordering::SeqCst);
        flushing.join().expect("no panic");
        changing.join().expect("no panic");
        assert!(accepted, "each use was accepted");
    });
    world.verifier.flush().await?;
    assert_eq!(uses(world, &issued).await?, THREADS * USES);
    Ok(())
}

#[cfg(feature = "file")]
#[common::test]
fn b6_clean_stop_loses_nothing() -> TestResult {
    use keywright::store::{FileStore, KeyStore};

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("keys.db");
    block_on(async {
        let store = FileStore::open(&file).await?;
        let world = World::new(store.clone());
        let issued = world.generate(NewKey::named("prod-main-app")?).await?;
        for _ in 0..7 {
            world.verifier.verify(issued.token.expose()).await?;
        }
        world.verifier.flush().await?;
        store.close().await?;

        let store = FileStore::open(&file).await?;
        let stored = store.key(world.tenant(), &issued.key.id).await?.ok_or("it is stored")?;
        assert_eq!((stored.usage.uses(), stored.usage.last_used_at()), (7, Some(world.now())));
        store.close().await?;
        Ok(())
    })
}

async fn uses(world: &World, issued: &Issued) -> TestResult<u64> {
    Ok(world.authority.key(&world.alice, &issued.key.id).await?.uses)
}
