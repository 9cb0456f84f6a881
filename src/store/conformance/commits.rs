//! Rules of the order of commits, and of the changes that a cache asks for.

use super::test_tenants::{Space, at, batch, next_account, policy, renamed};
use crate::record::key::Owner;
use crate::store::{Batch, Change, Epoch, StoreErrorKind, Subject};

pub(super) async fn epochs_always_increase(space: &Space<'_>) {
    let mut last = space.done("asking for changes", space.store.changes(Epoch(0)).await).epoch;
    let key = space.key();
    let mut version = key.clone();
    for n in 0..5 {
        let change = if n == 0 {
            Change::InsertKey(key.clone())
        } else {
            version = renamed(&version, &format!("name {n}"));
            Change::UpdateKey(version.clone())
        };
        let epoch = space.put([change]).await;
        let what = format!("{epoch:?} is not greater than the one before, {last:?}");
        space.holds(what, epoch > last);
        last = epoch;
    }
    let events = Batch { events: vec![space.event("alone")], ..Batch::default() };
    let epoch = space.done("a commit of only an event", space.store.commit(events).await);
    space.holds(format!("{epoch:?} is not greater than the one before, {last:?}"), epoch > last);
    let told = space.done("asking for changes", space.store.changes(Epoch(0)).await).epoch;
    let what = format!("`changes` ends at {told:?}, but {epoch:?} was acknowledged");
    space.holds(what, told >= epoch);
}

pub(super) async fn changes_report_every_touched_subject(space: &Space<'_>) {
    let account = space.account();
    let mine = space.key();
    let of_account = space.key_of(&Owner::Account(account.id));
    let (id, other_id) = (*mine.id(), *of_account.id());
    let tenant = || space.tenant.clone();
    let put = |version| Change::PutPolicy { tenant: tenant(), policy: policy(version) };
    let begin = space.done("asking for changes", space.store.changes(Epoch(0)).await).epoch;
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
        let epoch = space.put(changes).await;
        past.push((epoch, touched.len()));
        for (since, known) in &past {
            let told = space.done("asking for changes", space.store.changes(*since).await);
            let what = format!("`changes` since {since:?} ends at {:?}", told.epoch);
            space.holds(format!("{what}, but {epoch:?} was acknowledged"), told.epoch >= epoch);
            // A store need not know changes that are this old.
            let Some(told) = told.touched else { continue };
            for subject in &touched[*known..] {
                let what = format!("`changes` since {since:?} leaves out {subject:?}");
                space.holds(what, told.contains(subject));
            }
        }
    }
    let stale = batch([Change::UpdateKey(mine)]);
    let said = space.store.commit(stale).await;
    space.refused("an update of a deleted key", said, StoreErrorKind::Conflict);
}

pub(super) async fn changes_end_at_newest_commit(space: &Space<'_>) {
    let committed = space.put([Change::InsertKey(space.key())]).await;
    // No store reaches these epochs while other rules run.
    for since in [Epoch(committed.0.saturating_add(1 << 40)), Epoch(u64::MAX)] {
        let told = space.done("asking for changes", space.store.changes(since).await).epoch;
        let what = format!("`changes` since {since:?}, which no commit has, ends at {told:?}");
        space.holds(format!("{what}, but {committed:?} was acknowledged"), told >= committed);
        space.holds(format!("{what}, so a cache cannot see that commits were lost"), told < since);
    }
}
