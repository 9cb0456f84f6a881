//! Rules of usage: a batch is added once, changes no record, and never moves a last use back.

use std::time::Duration;

use super::test_tenants::{Space, alerting, at, delta, renamed};
use crate::record::event::Event;
use crate::record::key::KeyRecord;
use crate::store::{
    AlertDue, Change, Freshness, KeyQuery, StoreErrorKind, Usage, UsageBatch, UsageDelta, UseKind,
};
use crate::value::id::KeyId;
use crate::value::time::Timestamp;

async fn add(space: &Space<'_>, batch: &UsageBatch) {
    space.done("adding usage", space.store.add_usage(batch).await);
}

/// Returns the uses and the last use of a key. Checks that a lookup and a listing show the same usage.
async fn used(space: &Space<'_>, key: &KeyId) -> (u64, Option<Timestamp>) {
    let usage = space.found(key).await.usage;
    let query = KeyQuery::new().search(key.to_string());
    let page = space.done("listing", space.store.keys(&space.tenant, &query, at(0)).await);
    let listed: Vec<Usage> = page.items.iter().map(|stored| stored.usage).collect();
    space.same("the usage in a listing", &listed, &vec![usage]);
    (usage.uses(), usage.last_used_at())
}

pub(super) async fn usage_deltas_add_up(space: &Space<'_>) {
    let [key, other] = [0, 1].map(|_| space.key());
    space.put([&key, &other].map(|key| Change::InsertKey(key.clone()))).await;
    space.same("a key that was never used", &used(space, key.id()).await, &(0, None));
    let kind = UseKind::Accepted { secret_number: 2 };
    let second = UsageDelta { kind, ..delta(key.id(), 5, at(20)) };
    let batch = space.usage([delta(key.id(), 3, at(10)), delta(other.id(), 1, at(1)), second]);
    add(space, &batch).await;
    space.same("the key", &used(space, key.id()).await, &(8, Some(at(20))));
    space.same("the other key", &used(space, other.id()).await, &(1, Some(at(1))));
    let more = UsageBatch { sequence: 2, deltas: vec![delta(key.id(), 1, at(30))], ..batch };
    add(space, &more).await;
    space.same("the key, used again", &used(space, key.id()).await, &(9, Some(at(30))));
    let usage = space.found(key.id()).await.usage;
    space.same("the first secret's last use", &usage.last_use_of(1), &Some(at(30)));
    space.same("the second secret's last use", &usage.last_use_of(2), &Some(at(20)));
}

pub(super) async fn usage_batch_counts_once(space: &Space<'_>) {
    let key = space.key();
    space.put([Change::InsertKey(key.clone())]).await;
    let first = space.usage([delta(key.id(), 3, at(10))]);
    let deltas = vec![delta(key.id(), 4, at(20))];
    let second = UsageBatch { sequence: 2, deltas, ..first.clone() };
    for batch in [&first, &first, &second, &second] {
        add(space, batch).await;
    }
    let expected = (7, Some(at(20)));
    space.same(
        "the key after two batches that were each repeated",
        &used(space, key.id()).await,
        &expected,
    );
    // A writer may skip numbers.
    let deltas = vec![delta(key.id(), 1, at(30))];
    let later = UsageBatch { sequence: 9, deltas, ..first };
    add(space, &later).await;
    add(space, &later).await;
    space.same("the key after a later batch", &used(space, key.id()).await, &(8, Some(at(30))));
}

pub(super) async fn reused_writer_id_is_refused(space: &Space<'_>) {
    let key = space.key();
    space.put([Change::InsertKey(key.clone())]).await;
    let first = space.usage([delta(key.id(), 3, at(10))]);
    let last = UsageBatch { sequence: 5, ..first.clone() };
    add(space, &first).await;
    add(space, &last).await;
    let deltas = || vec![delta(key.id(), 1, at(20))];
    let strangers = [
        ("with the number of the last batch", UsageBatch { deltas: deltas(), ..last.clone() }),
        ("with another time", UsageBatch { at: at(999), ..last.clone() }),
        ("with the number of an earlier batch", UsageBatch { deltas: deltas(), ..first.clone() }),
        (
            "with a number that the writer skipped",
            UsageBatch { sequence: 3, deltas: deltas(), ..last.clone() },
        ),
        ("that was added before the last", first),
    ];
    for (what, batch) in &strangers {
        let refused = space.store.add_usage(batch).await;
        let kind = refused.map_err(|error| error.kind());
        space.same(format!("a batch {what}"), &kind, &Err(StoreErrorKind::Conflict));
    }
    let expected = (6, Some(at(10)));
    space.same("the key after the refused batches", &used(space, key.id()).await, &expected);
    // The writer itself can continue.
    add(space, &last).await;
    add(space, &UsageBatch { sequence: 6, deltas: deltas(), ..last }).await;
    space.same("the key after the next batch", &used(space, key.id()).await, &(7, Some(at(20))));
}

pub(super) async fn usage_writers_are_independent(space: &Space<'_>) {
    let key = space.key();
    space.put([Change::InsertKey(key.clone())]).await;
    let [one, other] = [3, 4].map(|uses| space.usage([delta(key.id(), uses, at(10))]));
    let deltas = vec![delta(key.id(), 5, at(20))];
    let high = UsageBatch { sequence: 50, deltas, ..one.clone() };
    for batch in [&one, &high, &other, &high, &other] {
        add(space, batch).await;
    }
    let expected = (12, Some(at(20)));
    space.same("the key after batches of two writers", &used(space, key.id()).await, &expected);
}

pub(super) async fn writer_is_remembered_for_7_days(space: &Space<'_>) {
    let key = space.key();
    space.put([Change::InsertKey(key.clone())]).await;
    let one = space.usage([delta(key.id(), 3, at(10))]);
    add(space, &one).await;
    // One second less, so that the rule does not make a store forget the writers of other rules.
    let end = one.at.saturating_add(Duration::from_secs(7 * 86_400 - 1));
    for (time, uses) in [(one.at.saturating_add(Duration::from_secs(1)), 4), (end, 5)] {
        let newer = UsageBatch { at: time, ..space.usage([delta(key.id(), 1, at(10))]) };
        for batch in [&newer, &one, &newer] {
            add(space, batch).await;
        }
        let seen = used(space, key.id()).await;
        let what = format!("the key after a batch of another writer at {time}, and repeated ones");
        space.same(what, &seen, &(uses, Some(at(10))));
    }
    let next = UsageBatch { sequence: 2, at: end, ..one };
    add(space, &next).await;
    space.same("the key after the next batch", &used(space, key.id()).await, &(8, Some(at(10))));
}

pub(super) async fn last_use_only_moves_forward(space: &Space<'_>) {
    let key = space.key();
    space.put([Change::InsertKey(key.clone())]).await;
    for (time, expected) in [(10, 10), (5, 10), (11, 11), (1, 11)] {
        add(space, &space.usage([delta(key.id(), 1, at(time))])).await;
        let (_, last) = used(space, key.id()).await;
        space.same(format!("the last use after a use at {}", at(time)), &last, &Some(at(expected)));
        let by_secret = space.found(key.id()).await.usage.last_use_of(1);
        space.same("the last use of the secret", &by_secret, &Some(at(expected)));
    }
}

pub(super) async fn usage_of_absent_keys_is_dropped(space: &Space<'_>) {
    let [key, deleted, late] = [0, 1, 2].map(|_| space.key());
    space.put([&key, &deleted].map(|key| Change::InsertKey(key.clone()))).await;
    space.put([Change::DeleteKey(*deleted.id())]).await;
    let absent = |id: &KeyId| alerting(id, 2, at(9), 1);
    let deltas = [
        absent(deleted.id()),
        delta(key.id(), 3, at(10)),
        absent(late.id()),
        absent(&space.key_id()),
    ];
    add(space, &space.usage(deltas)).await;
    let expected = (3, Some(at(10)));
    space.same("the key that exists", &used(space, key.id()).await, &expected);
    space.holds("usage created a key", space.stored(deleted.id()).await.is_none());
    let resolved =
        space.done("resolving", space.store.resolve(deleted.id(), Freshness::StoreDefault).await);
    space.holds("a deleted key is resolved after usage", resolved.is_none());
    let page = space.store.keys(&space.tenant, &KeyQuery::new(), at(0)).await;
    let listed = space.done("listing keys", page).items.len();
    space.same("the number of listed keys", &listed, &1);
    space.same(
        "the number of events of absent keys",
        &space.events_of(&space.tenant).await.len(),
        &0,
    );
    // A dropped delta is not added later, when a key with its id is inserted.
    space.put([Change::InsertKey(late.clone())]).await;
    space.same("a key that was inserted later", &used(space, late.id()).await, &(0, None));
}

pub(super) async fn usage_changes_no_record(space: &Space<'_>) {
    let key = space.key();
    space.put([Change::InsertKey(key.clone())]).await;
    add(space, &space.usage([delta(key.id(), 3, at(10))])).await;
    let stored = space.found(key.id()).await;
    space.same("the key after usage", stored.record.key(), key.key());
    // So usage conflicts with neither an update nor a revoke.
    space.put([Change::UpdateKey(renamed(&key, "second"))]).await;
    add(space, &space.usage([delta(key.id(), 4, at(11))])).await;
    space.put([Change::RevokeKey { key: *key.id(), at: at(12) }]).await;
    add(space, &space.usage([delta(key.id(), 5, at(13))])).await;
    let stored = space.found(key.id()).await;
    let expected = renamed(&key, "second").revoked(at(12));
    space.same("the key after more usage", stored.record.key(), expected.key());
    let resolved =
        space.done("resolving", space.store.resolve(key.id(), Freshness::StoreDefault).await);
    let resolved = resolved.map(|found| found.record().key().clone());
    space.same("the key as resolved", &resolved.as_ref(), &Some(expected.key()));
    let expected = (12, Some(at(13)));
    space.same("its usage after changes", &used(space, key.id()).await, &expected);
}

/// The deltas of a batch, as uses and seconds, and the alerts that it raises, as the uses of the hour
/// that begins at a second.
type Step = (&'static [(u64, u32)], &'static [(u64, u32)]);

/// Adds the deltas of each step as a batch, twice, and compares the alerts of all steps so far.
async fn alerts_follow(
    space: &Space<'_>,
    delta: impl Fn(u64, u32) -> UsageDelta,
    steps: &[Step],
    key: &KeyRecord,
) {
    let mut expected = Vec::new();
    for (deltas, alerts) in steps {
        // Each step is the first batch of another writer.
        let batch = space.usage(deltas.iter().map(|(uses, second)| delta(*uses, *second)));
        add(space, &batch).await;
        add(space, &batch).await;
        for (uses, start) in *alerts {
            let UsageDelta { kind, alert, .. } = delta(*uses, *start);
            let Some(alert) = alert else { continue };
            let due = AlertDue { kind, alert, window_starts_at: at(*start), uses: *uses };
            let sequence = expected.len() as u64 + 1;
            expected.push(Event { sequence, ..Event::of_alert(key.key(), &due, batch.at) });
        }
        let events = space.events_of(&space.tenant).await;
        space.same(format!("the alerts after the uses {deltas:?}"), &events, &expected);
    }
}

const HOUR: u32 = 3_600;

pub(super) async fn alert_is_due_once_per_window(space: &Space<'_>) {
    let key = space.key();
    space.put([Change::InsertKey(key.clone())]).await;
    let steps: [Step; 6] = [
        (&[(9, 0), (1, 5)], &[]),
        (&[(1, HOUR - 1)], &[(11, 0)]),
        (&[(30, HOUR - 1)], &[]),
        (&[(10, HOUR)], &[]),
        (&[(25, HOUR), (1, HOUR)], &[(35, HOUR)]),
        (&[(7, 2 * HOUR), (7, 2 * HOUR + 1), (11, 3 * HOUR)], &[(14, 2 * HOUR), (11, 3 * HOUR)]),
    ];
    alerts_follow(space, |uses, second| alerting(key.id(), uses, at(second), 10), &steps, &key)
        .await;
}

pub(super) async fn late_uses_count_in_their_window(space: &Space<'_>) {
    let key = space.key();
    space.put([Change::InsertKey(key.clone())]).await;
    let steps: [Step; 4] = [
        (&[(6, HOUR - 1), (6, HOUR)], &[]),
        // A writer whose flush is late, and one with uses of both hours.
        (&[(5, HOUR - 1)], &[(11, 0)]),
        (&[(5, HOUR - 2), (4, HOUR + 1)], &[]),
        (&[(1, HOUR + 1)], &[(11, HOUR)]),
    ];
    alerts_follow(space, |uses, second| alerting(key.id(), uses, at(second), 10), &steps, &key)
        .await;
}

pub(super) async fn replaced_window_stays_closed(space: &Space<'_>) {
    let key = space.key();
    space.put([Change::InsertKey(key.clone())]).await;
    let steps: [Step; 5] = [
        (&[(11, 0)], &[(11, 0)]),
        (&[(1, HOUR), (1, 2 * HOUR)], &[]),
        (&[(99, 1)], &[]),
        (&[(10, HOUR + 1)], &[(11, HOUR)]),
        (&[(10, 2 * HOUR + 1)], &[(11, 2 * HOUR)]),
    ];
    alerts_follow(space, |uses, second| alerting(key.id(), uses, at(second), 10), &steps, &key)
        .await;
    let expected = (132, Some(at(2 * HOUR + 1)));
    space.same("the total", &used(space, key.id()).await, &expected);
}

pub(super) async fn refused_uses_are_counted_apart(space: &Space<'_>) {
    let key = space.key();
    space.put([Change::InsertKey(key.clone())]).await;
    let refused = |uses, second| UsageDelta {
        kind: UseKind::Refused,
        ..alerting(key.id(), uses, at(second), 5)
    };
    add(space, &space.usage([alerting(key.id(), 5, at(10), 5), refused(5, 20)])).await;
    space.same("the accepted uses", &used(space, key.id()).await, &(5, Some(at(10))));
    space.same("the number of alerts", &space.events_of(&space.tenant).await.len(), &0);
    let steps: [Step; 3] =
        [(&[(1, 30)], &[(6, 0)]), (&[(1, 5)], &[]), (&[(6, HOUR)], &[(6, HOUR)])];
    alerts_follow(space, refused, &steps, &key).await;
    let usage = space.found(key.id()).await.usage;
    let seen = (usage.refused(), usage.last_refused_at());
    space.same("the refused uses", &seen, &(13, Some(at(HOUR))));
    let seen = (usage.uses(), usage.last_used_at(), usage.last_use_of(1));
    space.same("the accepted uses after refused ones", &seen, &(5, Some(at(10)), Some(at(10))));
}
