//! Rules of events: they are numbered, complete, and visible no later than their changes.

use super::test_tenants::{
    Space, alerting, at, event_in, next, next_account, policy, renamed, said,
};
use crate::record::event::{
    DetailField, Event, EventActor, EventDetails, EventKind, EventOutcome, RefusalCode,
};
use crate::store::{Batch, Change, Condition, EventQuery, StoreErrorKind};
use crate::value::id::{TenantId, UserId};

/// Returns the numbers and texts of a tenant's events.
async fn told(space: &Space<'_>, tenant: &TenantId) -> Vec<(u64, String)> {
    let events = space.events_of(tenant).await;
    events.into_iter().map(|e| (e.sequence, said(&e))).collect()
}

fn numbered(texts: &[&str]) -> Vec<(u64, String)> {
    (1..).zip(texts.iter().map(ToString::to_string)).collect()
}

async fn tell(space: &Space<'_>, tenant: &TenantId, texts: &[&str]) {
    let events = texts.iter().map(|text| event_in(tenant, *text)).collect();
    let batch = Batch { events, ..Batch::of(tenant.clone()) };
    space.done("a commit of only events", space.store.commit(batch).await);
}

pub(super) async fn events_are_numbered_from_1_without_gaps(space: &Space<'_>) {
    let key = space.key();
    let (tenant, id) = (&space.tenant, *key.id());
    let events = vec![space.event("created")];
    let insert = Batch { events, ..space.batch([Change::InsertKey(key.clone())]) };
    space.done("an insert with its event", space.store.commit(insert.clone()).await);
    let said = space.store.commit(insert).await;
    space.refused("the same insert again", said, StoreErrorKind::AlreadyExists);
    tell(space, tenant, &["b", "a", "c"]).await;
    let stale =
        Batch { events: vec![space.event("stale")], ..space.batch([Change::UpdateKey(key)]) };
    let said = space.store.commit(stale).await;
    space.refused("a stale update", said, StoreErrorKind::Conflict);
    // The store ignores a number that the event already has.
    let with_number = Event { sequence: 77, ..space.event("d") };
    let batch = Batch { events: vec![with_number], ..space.batch([]) };
    space.done("an event with a number", space.store.commit(batch).await);
    let alert = alerting(&id, 2, at(5), 1);
    space.done("usage", space.store.add_usage(&space.usage([alert])).await);
    tell(space, tenant, &["e"]).await;
    let start = at(0);
    let alert = format!("uses=2 limit=1 period_seconds=3600 window_starts_at=\"{start}\"");
    let expected = numbered(&["created", "b", "a", "c", "d", &alert, "e"]);
    space.same("the events", &told(space, tenant).await, &expected);
}

pub(super) async fn event_numbers_reveal_no_other_tenant(space: &Space<'_>) {
    let (one, other) = (&space.tenant, &space.other);
    tell(space, one, &["1a"]).await;
    tell(space, other, &["2a", "2b"]).await;
    tell(space, one, &["1b"]).await;
    tell(space, other, &["2c"]).await;
    tell(space, one, &["1c"]).await;
    space.same("one tenant's events", &told(space, one).await, &numbered(&["1a", "1b", "1c"]));
    let expected = numbered(&["2a", "2b", "2c"]);
    space.same("the other tenant's events", &told(space, other).await, &expected);
}

pub(super) async fn events_read_back_unchanged(space: &Space<'_>) {
    let user = UserId::new("user:a'b\"c").expect("the suite's user ids are valid");
    let actors = [EventActor::User(user), EventActor::Possessor, EventActor::System];
    let codes = RefusalCode::ALL.iter().copied().map(EventOutcome::Refused);
    let outcomes = [EventOutcome::Done, EventOutcome::Unchanged].into_iter().chain(codes);
    let outcomes: Vec<EventOutcome> = outcomes.collect();
    let addresses = ["203.0.113.7", "2001:db8::7"].map(|text| text.parse().ok());
    let mut written = Vec::new();
    for (n, kind) in (0..).zip(EventKind::all()) {
        let actor = actors[n % 3].clone();
        let mut event = Event::new(space.tenant.clone(), at(0), actor, kind);
        event.at = at(u32::try_from(n).unwrap_or(0));
        event.outcome = outcomes[n % outcomes.len()];
        event.key = (n % 2 == 0).then(|| space.key_id());
        event.source_address = addresses.get(n % 3).copied().flatten();
        event.account = (n % 4 == 0).then(|| space.account().id);
        event.previous_account = (n % 3 == 0).then(|| space.account().id);
        if n % 5 != 0 {
            event.details = EventDetails::NONE
                .text(DetailField::Name, format!("x\", owner=\"détail {n} \u{1F511}"))
                .value(DetailField::Enabled, n % 2 == 0)
                .value(DetailField::Uses, u64::MAX);
        }
        written.push(event);
    }
    let batch = Batch { events: written.clone(), ..space.batch([]) };
    space.done("a commit of only events", space.store.commit(batch).await);
    for (event, number) in written.iter_mut().zip(1..) {
        event.sequence = number;
    }
    space.same("the events", &space.events_of(&space.tenant).await, &written);
}

pub(super) async fn event_appears_with_its_change(space: &Space<'_>) {
    let [key, of_usage] = [0, 1].map(|_| space.key());
    let (id, account) = (*key.id(), space.account());
    let second = renamed(&key, "second");
    let tenant = || space.tenant.clone();
    let changes = [
        Change::InsertKey(key.clone()),
        Change::UpdateKey(second),
        Change::RevokeKey { key: id, at: at(9) },
        Change::UpdateKey(next(&key, |key| {
            key.version = 4;
            key.revoked_at = Some(at(9));
        })),
        Change::DeleteKey(id),
        Change::InsertAccount(account.clone()),
        Change::UpdateAccount(next_account(&account, |_| {})),
        Change::DeleteAccount(account.id),
        Change::PutPolicy { tenant: tenant(), policy: policy(1) },
        Change::PutPolicy { tenant: tenant(), policy: policy(2) },
    ];
    let mut expected = Vec::new();
    for change in changes {
        let text = format!("{} {change:?}", expected.len());
        let detail: String = text.chars().take(20).collect();
        expected.push(detail.clone());
        let batch = Batch { events: vec![space.event(detail)], ..space.batch([change]) };
        space.done("a change with its event", space.store.commit(batch).await);
        let told: Vec<_> = told(space, &tenant()).await.into_iter().map(|(_, t)| t).collect();
        space.same(format!("the events after {text}"), &told, &expected);
    }
    space.put([Change::InsertKey(of_usage.clone())]).await;
    let alert = alerting(of_usage.id(), 2, at(5), 1);
    space.done("usage", space.store.add_usage(&space.usage([alert])).await);
    let events = space.events_of(&tenant()).await.len();
    space.same("the events after usage with an alert", &events, &(expected.len() + 1));
}

fn forget(tenant: &TenantId, through: u64) -> Change {
    Change::ForgetEvents { tenant: tenant.clone(), through }
}

pub(super) async fn forgotten_events_are_gone(space: &Space<'_>) {
    let (tenant, other) = (&space.tenant, &space.other);
    tell(space, tenant, &["a", "b"]).await;
    tell(space, other, &["x", "y", "z"]).await;
    let key = space.key_id();
    let of_key = ["c", "d", "e"].map(|text| Event { key: Some(key), ..space.event(text) });
    let write = Batch { events: of_key.to_vec(), ..space.batch([]) };
    space.done("a commit of events", space.store.commit(write).await);

    let failing = Condition::PolicyVersion { tenant: tenant.clone(), version: 9 };
    let refused = Batch { conditions: vec![failing], ..space.batch([forget(tenant, 3)]) };
    space.refused(
        "a batch whose condition fails",
        space.store.commit(refused).await,
        StoreErrorKind::Conflict,
    );
    let all = numbered(&["a", "b", "c", "d", "e"]);
    space.same("the events after a batch that failed", &told(space, tenant).await, &all);

    // The second time, there is nothing to remove.
    for _ in 0..2 {
        space.put([forget(tenant, 3)]).await;
        let left = &all[3..];
        space.same("the remaining events", &told(space, tenant).await, &left.to_vec());
        let page = space.store.events(tenant, &EventQuery::new().key(key).limit(1)).await;
        let page = space.done("listing events", page);
        let found: Vec<_> = page.items.iter().map(|event| event.sequence).collect();
        space.same("the newest event of a key", &found, &vec![5]);
        space.holds(
            "the page has no cursor, though the key has an older event",
            page.next.is_some(),
        );
    }
    let more = Batch { events: vec![space.event("f")], ..space.batch([forget(tenant, 4)]) };
    space.done("a batch that forgets events and adds one", space.store.commit(more).await);
    let left = vec![(5, "e".to_owned()), (6, "f".to_owned())];
    space.same("the events after that batch", &told(space, tenant).await, &left);
    let page = space.store.events(tenant, &EventQuery::new().key(key)).await;
    let page = space.done("listing events", page);
    space.same("the number of remaining events of a key", &page.items.len(), &1);
    space.same("another tenant's events", &told(space, other).await, &numbered(&["x", "y", "z"]));
}

pub(super) async fn newest_event_is_kept(space: &Space<'_>) {
    let tenant = &space.tenant;
    space.put([forget(tenant, 7)]).await;
    space.same("the events of a tenant without any", &told(space, tenant).await, &vec![]);
    tell(space, tenant, &["a"]).await;
    for (through, text, newest) in [(1, "b", 2), (u64::MAX, "c", 3), (3, "d", 4)] {
        space.put([forget(tenant, through)]).await;
        tell(space, tenant, &[text]).await;
        let left: Vec<u64> = told(space, tenant).await.iter().map(|(number, _)| *number).collect();
        let what = format!("the events after forgetting up to {through}");
        space.same(what, &left, &vec![newest - 1, newest]);
    }
}

pub(super) async fn deleted_id_is_kept_with_its_event(space: &Space<'_>) {
    let (key, late, account) = (space.key(), space.key(), space.account());
    tell(space, &space.tenant, &["a"]).await;
    let inserts =
        [Change::InsertKey(key.clone()), Change::InsertAccount(account.clone())].into_iter();
    space.put(inserts.chain([Change::InsertKey(late.clone())])).await;
    let deletes = space.batch([Change::DeleteKey(*key.id()), Change::DeleteAccount(account.id)]);
    let deletes = Batch { events: vec![space.event("deleted")], ..deletes };
    space.done("deletes with an event", space.store.commit(deletes).await);
    tell(space, &space.tenant, &["c"]).await;
    // A delete without an event is remembered as long as the tenant's newest event.
    space.put([Change::DeleteKey(*late.id())]).await;
    let is_taken = async |insert: Change, what: &str| {
        let said = space.store.commit(space.batch([insert])).await;
        space.refused(what, said, StoreErrorKind::AlreadyExists);
    };
    space.put([forget(&space.tenant, 1)]).await;
    is_taken(Change::InsertKey(key), "an insert of a deleted key whose event is kept").await;
    is_taken(Change::InsertAccount(account), "an insert of a deleted account whose event is kept")
        .await;
    space.put([forget(&space.tenant, u64::MAX)]).await;
    is_taken(Change::InsertKey(late), "an insert of a key that was deleted after the newest event")
        .await;
}

pub(super) async fn deleted_account_id_stays_taken(space: &Space<'_>) {
    let account = space.account();
    tell(space, &space.tenant, &["a", "b", "c"]).await;
    space.put([Change::InsertAccount(account.clone())]).await;
    // The batch has no event and names no key, so only the account leads to the tenant's newest event.
    space.put([Change::DeleteAccount(account.id)]).await;
    for through in [1, 2, u64::MAX] {
        space.put([forget(&space.tenant, through)]).await;
        let insert = space.batch([Change::InsertAccount(account.clone())]);
        let said = space.store.commit(insert).await;
        let what = format!("an insert of a deleted account after forgetting up to {through}");
        space.refused(what, said, StoreErrorKind::AlreadyExists);
    }
}
