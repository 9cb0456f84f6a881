//! Rules of dropped futures: a dropped call takes effect completely or not at all.

use std::slice;

use super::run::polled;
use super::test_tenants::{Space, alerting, at, delta};
use crate::record::event::{DetailField, Event};
use crate::record::key::Owner;
use crate::store::{
    AccountQuery, Batch, Change, EventQuery, Freshness, KeyQuery, Marker, StoreErrorKind,
    TenantQuery,
};

/// A rule drops a future after 0 polls, after 1, and so on, up to this number or until a future ends
/// first.
const MOST_POLLS: usize = 64;

fn is_marked(event: &Event, mark: &str) -> bool {
    event.details.get_text(DetailField::Name) == Some(mark)
}

pub(super) async fn dropped_commit_is_atomic(space: &Space<'_>) {
    for polls in 0..MOST_POLLS {
        let account = space.account();
        let [user, owned] = [space.key(), space.key_of(&Owner::Account(account.id))];
        let changes = [
            Change::InsertKey(user.clone()),
            Change::InsertAccount(account.clone()),
            Change::InsertKey(owned.clone()),
        ];
        let mark = user.id().to_string();
        let events = vec![space.event(mark.clone())];
        let whole = Batch { events, ..space.batch(changes) };
        let ended = polled(space.store.commit(whole.clone()), polls).await.is_some();
        let what = format!("after a commit that was dropped at poll {polls}");
        // The commit may take effect while these reads run. A visible part stays visible, so once one
        // read sees its part, all later ones must. The event is visible no later than the changes, so
        // it is last.
        let seen = [
            space.stored(owned.id()).await.is_some(),
            space.done("a lookup", space.store.account(&space.tenant, &account.id).await).is_some(),
            space.stored(user.id()).await.is_some(),
            space.events_of(&space.tenant).await.iter().any(|event| is_marked(event, &mark)),
        ];
        space.holds(
            format!("{what}, of its four parts these are visible: {seen:?}"),
            seen.is_sorted(),
        );
        // Repeats the commit: either the dropped one took effect, or this one does.
        match space.store.commit(whole).await {
            Ok(()) => space.holds(format!("{what}, the same commit succeeded again"), !ended),
            Err(error) => {
                let what = format!("{what}, the error of the same commit");
                space.same(what, &error.kind(), &StoreErrorKind::AlreadyExists);
            }
        }
        let told = space.events_of(&space.tenant).await;
        let times = told.iter().filter(|event| is_marked(event, &mark)).count();
        space.same(format!("{what} and repeated, the number of its events"), &times, &1);
        for key in [&user, &owned] {
            space.found(key.id()).await;
        }
        if ended {
            return;
        }
    }
}

pub(super) async fn dropped_usage_is_atomic(space: &Space<'_>) {
    for polls in 0..MOST_POLLS {
        let [one, other] = [0, 1].map(|_| space.key());
        space.put([&one, &other].map(|key| Change::InsertKey(key.clone()))).await;
        let before = space.events_of(&space.tenant).await.len();
        let alert = alerting(one.id(), 2, at(9), 1);
        let usage = space.usage([alert, delta(other.id(), 3, at(9))]);
        let ended = polled(space.store.add_usage(&usage), polls).await.is_some();
        let what = format!("after a usage batch that was dropped at poll {polls}");
        let seen = [
            space.found(one.id()).await.usage.uses() == 2,
            space.found(other.id()).await.usage.uses() == 3,
        ];
        space.holds(
            format!("{what}, of its two parts these are visible: {seen:?}"),
            seen.is_sorted(),
        );
        space.done("the same usage again", space.store.add_usage(&usage).await);
        let seen = (
            space.found(one.id()).await.usage.uses(),
            space.found(other.id()).await.usage.uses(),
            space.events_of(&space.tenant).await.len() - before,
        );
        space.same(
            format!("{what} and repeated, the uses of both keys and the alerts"),
            &seen,
            &(2, 3, 1),
        );
        if ended {
            return;
        }
    }
}

pub(super) async fn dropped_read_leaves_nothing(space: &Space<'_>) {
    let (store, tenant) = (&space.store, &space.tenant);
    let (key, account) = (space.key(), space.account());
    space.put([Change::InsertKey(key.clone()), Change::InsertAccount(account.clone())]).await;
    let (keys, accounts, events) = (KeyQuery::new(), AccountQuery::new(), EventQuery::new());
    let (tenants, owners) = (TenantQuery::new(), [key.key().owner.clone()]);
    for polls in 0..MOST_POLLS {
        let ended = [
            polled(store.resolve(key.id(), Freshness::StoreDefault), polls).await.is_some(),
            polled(store.key(tenant, key.id()), polls).await.is_some(),
            polled(store.account(tenant, &account.id), polls).await.is_some(),
            polled(store.policies(slice::from_ref(tenant)), polls).await.is_some(),
            polled(store.keys(tenant, &keys, at(1)), polls).await.is_some(),
            polled(store.owned_keys(tenant, &owners, 9, at(1)), polls).await.is_some(),
            polled(store.count_keys(tenant, &keys, at(1)), polls).await.is_some(),
            polled(store.accounts(tenant, &accounts), polls).await.is_some(),
            polled(store.events(tenant, &events), polls).await.is_some(),
            polled(store.keys_of_all_tenants(&keys, at(1)), polls).await.is_some(),
            polled(store.tenants(&tenants, at(1)), polls).await.is_some(),
            polled(store.changes(&Marker::default()), polls).await.is_some(),
        ];
        // This would wait for a lock that a dropped read still holds.
        space.put([Change::InsertKey(space.key())]).await;
        space.found(key.id()).await;
        if ended.iter().all(|ended| *ended) {
            return;
        }
    }
}
