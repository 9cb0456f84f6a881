//! Rules under concurrency, with several threads and with several tasks on one thread.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::run::turn;
use super::test_tenants::{Space, alerting, at, delta, next, next_account, policy, renamed, said};
use crate::record::account::ServiceAccount;
use crate::record::event::DetailField;
use crate::record::key::{KeyRecord, Owner};
use crate::store::{
    Age, Batch, Change, Condition, Freshness, KeyQuery, StoreError, StoreErrorKind, UsageBatch,
};

/// The number of concurrent threads or tasks.
pub(super) const RACERS: usize = 6;

/// The number of times that each race runs on threads.
const ROUNDS: usize = 12;

/// Runs a race once with tasks on one thread, and [`ROUNDS`] times with threads.
///
/// `prepare` creates what the racers share, `run` is one racer, and `judge` checks the results of all.
#[expect(clippy::needless_pass_by_value, reason = "a closure reads better without a reference")]
pub(super) fn race<T, S>(
    space: &Space<'_>,
    prepare: impl AsyncFn() -> S,
    run: impl AsyncFn(&S, usize) -> T + Sync,
    judge: impl AsyncFn(&S, Vec<T>),
) where
    T: Send,
    S: Sync,
{
    let start = space.run(prepare());
    let ended = space.in_turns(RACERS, async |n| run(&start, n).await);
    space.run(judge(&start, ended));
    for _ in 0..ROUNDS {
        let start = space.run(prepare());
        let ended = space.on_threads(RACERS, async |n| run(&start, n).await);
        space.run(judge(&start, ended));
    }
}

/// Checks that exactly one call succeeded and that all others failed with `kind`.
fn one_won(
    space: &Space<'_>,
    what: &str,
    ended: Vec<Result<(), StoreError>>,
    kind: StoreErrorKind,
) {
    let won = ended.iter().filter(|said| said.is_ok()).count();
    space.same(format!("how many of {} concurrent {what}s succeeded", ended.len()), &won, &1);
    for error in ended.into_iter().filter_map(Result::err) {
        space.same(format!("the error of a refused {what}"), &error.kind(), &kind);
    }
}

async fn a_key(space: &Space<'_>) -> KeyRecord {
    let key = space.key();
    space.put([Change::InsertKey(key.clone())]).await;
    key
}

fn with_event(space: &Space<'_>, n: usize, changes: impl IntoIterator<Item = Change>) -> Batch {
    Batch { events: vec![space.event(n.to_string())], ..space.batch(changes) }
}

pub(super) fn one_concurrent_insert_wins(space: &Space<'_>) {
    race(
        space,
        async || space.key(),
        async |key, n| {
            let key = next(key, |key| {
                key.version = 1;
                key.disabled = n % 2 == 0;
            });
            space.store.commit(space.batch([Change::InsertKey(key)])).await
        },
        async |_, ended| one_won(space, "insert", ended, StoreErrorKind::AlreadyExists),
    );
}

pub(super) fn one_concurrent_update_wins(space: &Space<'_>) {
    race(
        space,
        async || (a_key(space).await, space.events_of(&space.tenant).await.len()),
        async |(key, _), n| {
            let update = Change::UpdateKey(renamed(key, &n.to_string()));
            space.store.commit(with_event(space, n, [update])).await
        },
        async |(key, before), ended| {
            let winner = ended.iter().position(Result::is_ok).unwrap_or(RACERS).to_string();
            one_won(space, "update", ended, StoreErrorKind::Conflict);
            let stored = space.found(key.id()).await.record;
            space.same(
                "the name from the update that succeeded",
                &stored.key().name.as_str(),
                &winner.as_str(),
            );
            let events = space.events_of(&space.tenant).await.split_off(*before);
            let told: Vec<_> = events.iter().map(said).collect();
            space.same("the events of updates", &told, &vec![winner]);
        },
    );
}

pub(super) fn limit_is_exact_under_concurrency(space: &Space<'_>) {
    const LIMIT: u16 = 3;
    race(
        space,
        async || {
            let account = space.account();
            space.put([Change::InsertAccount(account.clone())]).await;
            account
        },
        async |account: &ServiceAccount, _| {
            let owner = Owner::Account(account.id);
            let insert = space.batch([Change::InsertKey(space.key_of(&owner))]);
            let tenant = space.tenant.clone();
            let below = Condition::LiveKeysBelow { tenant, owner, limit: LIMIT, at: at(1) };
            space.store.commit(Batch { conditions: vec![below], ..insert }).await
        },
        async |account, ended| {
            let query = KeyQuery::new().owner(Owner::Account(account.id));
            let page = space.store.keys(&space.tenant, &query, at(1)).await;
            let held = space.done("listing keys", page).items.len();
            let what = format!(
                "the number of keys after {RACERS} concurrent inserts with a limit of {LIMIT}"
            );
            space.same(what, &held, &usize::from(LIMIT));
            for error in ended.into_iter().filter_map(Result::err) {
                let kind = error.kind();
                space.same("the error of a refused insert", &kind, &StoreErrorKind::LimitReached);
            }
        },
    );
}

/// Updates the stored key several times. A conflict is expected; any other error breaks the rule.
async fn keep_updating(space: &Space<'_>, key: &KeyRecord) {
    for n in 0..4 {
        let Some(stored) = space.stored(key.id()).await else { return };
        turn().await;
        let update =
            space.batch([Change::UpdateKey(renamed(&stored.record, &format!("edit {n}")))]);
        match space.store.commit(update).await {
            Err(error) if !error.is_conflict() => {
                space.broken(format!("an update failed: {error:?}"))
            }
            _ => {}
        }
    }
}

pub(super) fn revoke_wins_over_updates(space: &Space<'_>) {
    race(
        space,
        async || a_key(space).await,
        async |key, n| {
            if n > 0 {
                return keep_updating(space, key).await;
            }
            // If the racers are tasks, the others have now read the key and begun to write.
            turn().await;
            turn().await;
            space.put([Change::RevokeKey { key: *key.id(), at: at(9) }]).await;
            let stored = space.found(key.id()).await;
            space.same(
                "the revocation right after a revoke",
                &stored.record.key().revoked_at,
                &Some(at(9)),
            );
        },
        async |key, _| {
            let stored = space.found(key.id()).await;
            let revoked = stored.record.key().revoked_at;
            space.same("the revocation after concurrent updates", &revoked, &Some(at(9)));
        },
    );
}

pub(super) fn delete_wins_over_updates(space: &Space<'_>) {
    race(
        space,
        async || a_key(space).await,
        async |key, n| {
            if n > 0 {
                return keep_updating(space, key).await;
            }
            // If the racers are tasks, the others have now read the key and begun to write.
            turn().await;
            turn().await;
            space.put([Change::DeleteKey(*key.id())]).await;
        },
        async |key, _| {
            let stored = space.stored(key.id()).await;
            space.holds("a deleted key is back after concurrent updates", stored.is_none());
            let resolved = space
                .done("resolving", space.store.resolve(key.id(), Freshness::StoreDefault).await);
            space.holds("a deleted key is resolved after concurrent updates", resolved.is_none());
        },
    );
}

pub(super) fn concurrent_usage_adds_up(space: &Space<'_>) {
    const BATCHES: u64 = 4;
    race(
        space,
        async || a_key(space).await,
        async |key, n| {
            let mut batch = space.usage([delta(key.id(), n as u64 + 1, at(10))]);
            for sequence in 1..=BATCHES {
                batch = UsageBatch { sequence, ..batch };
                for _ in 0..2 {
                    space.done("adding usage", space.store.add_usage(&batch).await);
                    turn().await;
                }
            }
        },
        async |key, _| {
            let each: u64 = (1..=RACERS as u64).sum();
            let uses = space.found(key.id()).await.usage.uses();
            space.same("the uses that concurrent writers added", &uses, &(BATCHES * each));
        },
    );
}

pub(super) fn concurrent_uses_raise_one_alert(space: &Space<'_>) {
    const BATCHES: u64 = 4;
    race(
        space,
        async || a_key(space).await,
        async |key, n| {
            let writer = space.usage([]);
            for sequence in 1..=BATCHES {
                // The racers add to one hour and the next one in turns.
                let second = if (n as u64 + sequence).is_multiple_of(2) { 10 } else { 3_610 };
                let deltas = vec![alerting(key.id(), 1, at(second), 3)];
                let batch = UsageBatch { sequence, deltas, ..writer.clone() };
                space.done("adding usage", space.store.add_usage(&batch).await);
                turn().await;
            }
        },
        async |key, _| {
            let events = space.events_of(&space.tenant).await;
            let of_key = events.iter().filter(|event| event.key == Some(*key.id()));
            let mut seen: Vec<_> = of_key
                .map(|event| {
                    let start = event.details.get_text(DetailField::WindowStart);
                    (start.map(str::to_owned), event.details.get_number(DetailField::Uses))
                })
                .collect();
            seen.sort();
            let expected = [0, 3_600].map(|start| (Some(at(start).to_string()), Some(4)));
            space.same("the alerts of two periods", &seen, &expected.to_vec());
        },
    );
}

pub(super) fn events_follow_commit_order(space: &Space<'_>) {
    race(
        space,
        async || (a_key(space).await, space.events_of(&space.tenant).await.len()),
        async |(key, _), n| {
            // The versions of the key have the order of the commits.
            let mut left = 3;
            while left > 0 {
                let stored = space.found(key.id()).await.record;
                let version = stored.version() + 1;
                let update = Change::UpdateKey(renamed(&stored, &version.to_string()));
                let number = usize::try_from(version).unwrap_or(usize::MAX);
                if n % 2 == 0 {
                    // Others change the key after this read.
                    turn().await;
                }
                match space.store.commit(with_event(space, number, [update])).await {
                    Ok(()) => left -= 1,
                    said => space.refused("an update", said, StoreErrorKind::Conflict),
                }
            }
        },
        async |(_, before), _| {
            let events = space.events_of(&space.tenant).await;
            let numbers: Vec<_> = events.iter().map(|event| event.sequence).collect();
            let expected = (1..=events.len() as u64).collect();
            space.same("the numbers of events from concurrent commits", &numbers, &expected);
            let told = events.iter().skip(*before).map(said).collect::<Vec<_>>();
            let expected: Vec<_> = (2..2 + 3 * RACERS).map(|version| version.to_string()).collect();
            space.same("the events of updates, in the order of the versions", &told, &expected);
        },
    );
}

/// Writes a key, the account that owns it, and the policy. Each batch of the rule changes all three.
pub(super) async fn a_trio(space: &Space<'_>) -> (KeyRecord, ServiceAccount, u64) {
    let account = space.account();
    let key = space.key_of(&Owner::Account(account.id));
    let stored = space.policy_of(&space.tenant).await;
    let rules = stored.map_or(0, |policy| policy.version) + 1;
    let put = Change::PutPolicy { tenant: space.tenant.clone(), policy: policy(rules) };
    let inserts = [Change::InsertAccount(account.clone()), Change::InsertKey(key.clone())];
    space.put(inserts.into_iter().chain([put])).await;
    (key, account, rules)
}

/// Changes key, account and policy together, [`STEPS`] times, and notes each acknowledged version.
pub(super) async fn change_trio(
    space: &Space<'_>,
    (key, account, rules): (&KeyRecord, &ServiceAccount, u64),
    acknowledged: &AtomicU64,
) {
    let (mut key, mut account) = (key.clone(), account.clone());
    for step in 1..=STEPS {
        key = renamed(&key, "changed");
        account = next_account(&account, |_| {});
        let policy = policy(rules + step);
        let put = Change::PutPolicy { tenant: space.tenant.clone(), policy };
        let updates = [Change::UpdateKey(key.clone()), Change::UpdateAccount(account.clone())];
        space.put(updates.into_iter().chain([put])).await;
        acknowledged.store(key.version(), Ordering::SeqCst);
        turn().await;
    }
}

/// Tells the readers to end when their writer ends, even by a panic.
pub(super) struct SetAtEnd<'a>(pub(super) &'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The number of times that the writer changes its records.
pub(super) const STEPS: u64 = 6;

pub(super) fn resolve_shows_one_moment(space: &Space<'_>) {
    let start = || async { (a_trio(space).await, AtomicU64::new(1), AtomicBool::new(false)) };
    race(
        space,
        async || start().await,
        async |((key, account, rules), acknowledged, ended), n| {
            if n > 0 {
                let mut last = 0;
                while !ended.load(Ordering::SeqCst) {
                    let said = acknowledged.load(Ordering::SeqCst);
                    let found = space.done(
                        "resolving",
                        space.store.resolve(key.id(), Freshness::StoreDefault).await,
                    );
                    let Some(found) = found else { space.broken("a key was absent for a moment") };
                    let of_key = found.record().version();
                    let of_account = found.account().map_or(0, |account| account.version);
                    let of_policy = found.policy().map_or(0, |policy| policy.version);
                    let seen = (of_account, of_policy.saturating_sub(rules - 1));
                    let what = "the versions of account and policy that come with the key";
                    space.same(what, &seen, &(of_key, of_key));
                    // An answer from a cache may be older than an earlier answer, but never older than
                    // the last change that this node acknowledged.
                    let newest = if found.age == Age::NONE { said.max(last) } else { said };
                    let what =
                        format!("version {of_key} of a key was resolved after version {newest}");
                    space.holds(what, of_key >= newest);
                    last = last.max(of_key);
                    turn().await;
                }
                return;
            }
            let _end = SetAtEnd(ended);
            change_trio(space, (key, account, *rules), acknowledged).await;
        },
        async |_, _| {},
    );
}

pub(super) fn readers_never_see_partial_batches(space: &Space<'_>) {
    race(
        space,
        async || {
            // Each round has a name of its own for the two keys that change together.
            let pair = [0, 1].map(|_| space.key());
            space.put(pair.iter().cloned().map(Change::InsertKey)).await;
            let owner = crate::record::key::Owner::Account(space.account().id);
            (pair, owner.to_string(), AtomicBool::new(false))
        },
        async |(pair, mark, ended), n| {
            if n > 0 {
                while !ended.load(Ordering::SeqCst) {
                    let query = KeyQuery::new().search(mark);
                    let page = space.store.keys(&space.tenant, &query, at(1)).await;
                    let seen = space.done("listing keys", page).items.len();
                    let what = format!("{seen} of two keys that one batch renamed are listed");
                    space.holds(what, seen.is_multiple_of(2));
                    turn().await;
                }
                return;
            }
            let _end = SetAtEnd(ended);
            let mut keys = pair.clone();
            for step in 0..STEPS {
                let text = if step % 2 == 0 { mark.as_str() } else { "something else" };
                keys = keys.map(|key| renamed(&key, text));
                space.put(keys.iter().cloned().map(Change::UpdateKey)).await;
                turn().await;
            }
        },
        async |_, _| {},
    );
}
