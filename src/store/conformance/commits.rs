//! Rules of the changes that a cache asks for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::races::{RACERS, race};
use super::run::turn;
use super::test_tenants::{Space, at, next_account, policy, renamed};
use crate::record::key::Owner;
use crate::store::{Change, Changes, Freshness, Marker, StoreErrorKind, Subject};
use crate::value::id::KeyId;

/// The number of commits of each writer in a race.
const STEPS: usize = 8;

impl Space<'_> {
    /// Returns the changes since a marker that the store has given. It has lost no commit since.
    pub(super) async fn changes(&self, since: &Marker) -> Changes {
        let told = self.done("asking for changes", self.store.changes(since).await);
        let what = format!("`changes` since {since:?} says that commits were lost");
        self.holds(what, !told.has_lost);
        told
    }
}

pub(super) async fn changes_report_every_touched_subject(space: &Space<'_>) {
    let account = space.account();
    let mine = space.key();
    let of_account = space.key_of(&Owner::Account(account.id));
    let (id, other_id) = (*mine.id(), *of_account.id());
    let tenant = || space.tenant.clone();
    let put = |version| Change::PutPolicy { tenant: tenant(), policy: policy(version) };
    let begin = space.changes(&Marker::default()).await.at;
    let (key, owner, rules) =
        (Subject::Key(id), Subject::Account(account.id), Subject::Policy(tenant()));
    let steps = [
        (vec![Change::InsertKey(mine.clone())], vec![key.clone()]),
        (vec![Change::UpdateKey(renamed(&mine, "second"))], vec![key.clone()]),
        (vec![Change::RevokeKey { key: id, at: at(9) }], vec![key.clone()]),
        (
            vec![Change::InsertAccount(account.clone()), Change::InsertKey(of_account)],
            vec![owner.clone(), Subject::Key(other_id)],
        ),
        (vec![put(1)], vec![rules.clone()]),
        (
            vec![Change::UpdateAccount(next_account(&account, |_| {})), put(2)],
            vec![owner.clone(), rules],
        ),
        (vec![Change::DeleteKey(id)], vec![key]),
        (
            vec![Change::ForgetEvents { tenant: tenant(), through: 1 }],
            vec![Subject::Events(tenant())],
        ),
        (
            vec![Change::DeleteKey(other_id), Change::DeleteAccount(account.id)],
            vec![owner, Subject::Key(other_id)],
        ),
    ];
    let mut past = vec![(begin, 0)];
    let mut touched: Vec<Subject> = Vec::new();
    for (changes, subjects) in steps {
        touched.extend(subjects);
        space.put(changes).await;
        for (since, known) in &past {
            // A store need not know changes that are this old.
            let Some(told) = space.changes(since).await.touched else { continue };
            for subject in &touched[*known..] {
                let what = format!("`changes` since {since:?} leaves out {subject:?}");
                space.holds(what, told.contains(subject));
            }
        }
        let last = past.last().map(|(marker, _)| marker.clone()).unwrap_or_default();
        past.push((space.changes(&last).await.at, touched.len()));
    }
    let stale = space.batch([Change::UpdateKey(mine)]);
    let said = space.store.commit(stale).await;
    space.refused("an update of a deleted key", said, StoreErrorKind::Conflict);
}

/// Counts a writer that ends, even by a panic.
struct CountAtEnd<'a>(&'a AtomicUsize);

impl Drop for CountAtEnd<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Runs writers in two tenants, and a reader that follows the markers.
pub(super) fn concurrent_changes_are_told_once_visible(space: &Space<'_>) {
    race(
        space,
        async || {
            let begin = space.changes(&Marker::default()).await.at;
            (begin, AtomicUsize::new(0))
        },
        async |(begin, ended), n| {
            let mut keys: HashMap<KeyId, bool> = HashMap::new();
            if n > 0 {
                let _end = CountAtEnd(ended);
                let tenant = if n % 2 == 0 { &space.tenant } else { &space.other };
                for _ in 0..STEPS {
                    let key = space.key_with(|key| key.tenant = tenant.clone());
                    keys.insert(*key.id(), true);
                    space.put([Change::InsertKey(key)]).await;
                    turn().await;
                }
                return Some(keys);
            }
            let mut marker = begin.clone();
            loop {
                let is_last = ended.load(Ordering::SeqCst) == RACERS - 1;
                let told = space.changes(&marker).await;
                marker = told.at;
                // A store that does not know its changes makes caches forget everything.
                let told = told.touched?;
                for subject in told {
                    let Subject::Key(key) = subject else { continue };
                    let found = space.store.resolve(&key, Freshness::StoreDefault).await;
                    // The last time counts, because a subject may be told more than once.
                    keys.insert(key, space.done("resolving", found).is_some());
                }
                if is_last {
                    return Some(keys);
                }
                turn().await;
            }
        },
        async |_, mut ended| {
            let Some(told) = ended.remove(0) else { return };
            for (key, _) in ended.into_iter().flatten().flatten() {
                let what = match told.get(&key) {
                    Some(true) => continue,
                    Some(false) => "told of a key before it was visible",
                    None => "from marker to marker left out a key",
                };
                space.broken(format!("`changes` {what}: {key}"));
            }
        },
    );
}

pub(super) async fn unknown_marker_is_no_error(space: &Space<'_>) {
    space.changes(&Marker::default()).await;
    for foreign in [vec![7], vec![0xff; 8], vec![0xff; 513]] {
        space.put([Change::InsertKey(space.key())]).await;
        let marker = Marker::new(&foreign);
        let told = space.done("asking for changes", space.store.changes(&marker).await);
        let what = format!("`changes` since {marker:?}, which no store has given, knows: {told:?}");
        space.holds(what, told.touched.is_none() || told.has_lost);
        // A cache now asks since the new marker.
        let key = space.key();
        space.put([Change::InsertKey(key.clone())]).await;
        if let Some(touched) = space.changes(&told.at).await.touched {
            let what = format!("`changes` since {:?} leaves out a new key", told.at);
            space.holds(what, touched.contains(&Subject::Key(*key.id())));
        }
    }
}
