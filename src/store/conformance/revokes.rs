//! Rules of revoking and deleting keys: no older change undoes either.

use super::test_tenants::{Space, at, delta, next, renamed};
use crate::store::{Change, Freshness, KeyQuery, StoreErrorKind};

pub(super) async fn revoke_needs_no_version(space: &Space<'_>) {
    let first = space.key();
    space.put([Change::InsertKey(first.clone())]).await;
    let second = renamed(&first, "second");
    space.put([Change::UpdateKey(second.clone())]).await;
    space.put([Change::RevokeKey { key: *first.id(), at: at(9) }]).await;
    let stored = space.found(first.id()).await;
    space.same("the key after its revoke", stored.record.key(), second.revoked(at(9)).key());
}

pub(super) async fn older_update_cannot_undo_revoke(space: &Space<'_>) {
    let first = space.key();
    space.put([Change::InsertKey(first.clone())]).await;
    let read_before = renamed(&first, "an edit of what was read before");
    space.put([Change::RevokeKey { key: *first.id(), at: at(9) }]).await;
    let said = space.store.commit(space.batch([Change::UpdateKey(read_before)])).await;
    space.refused("an update of the version before a revoke", said, StoreErrorKind::Conflict);
    let stored = space.found(first.id()).await;
    space.same(
        "the revocation after a stale update",
        &stored.record.key().revoked_at,
        &Some(at(9)),
    );

    // An update of the revoked version is valid.
    let renamed = next(&stored.record, |key| key.name = super::test_tenants::name("renamed"));
    space.put([Change::UpdateKey(renamed)]).await;
    let stored = space.found(first.id()).await;
    space.same("the revocation after an update", &stored.record.key().revoked_at, &Some(at(9)));
}

pub(super) async fn first_revoke_keeps_its_time(space: &Space<'_>) {
    let first = space.key();
    space.put([Change::InsertKey(first.clone())]).await;
    space.put([Change::RevokeKey { key: *first.id(), at: at(9) }]).await;
    for time in [8, 9, 10] {
        let again = space.batch([Change::RevokeKey { key: *first.id(), at: at(time) }]);
        let said = space.store.commit(again).await;
        space.refused("a second revoke", said, StoreErrorKind::Conflict);
    }
    let stored = space.found(first.id()).await;
    let expected = first.revoked(at(9));
    space.same("the key after a second revoke", stored.record.key(), expected.key());
}

pub(super) async fn revoke_of_absent_key_conflicts(space: &Space<'_>) {
    let id = space.key_id();
    let said = space.store.commit(space.batch([Change::RevokeKey { key: id, at: at(9) }])).await;
    space.refused("a revoke of an absent key", said, StoreErrorKind::Conflict);
    space.holds("a revoke created a key", space.stored(&id).await.is_none());
}

pub(super) async fn delete_is_final(space: &Space<'_>) {
    let first = space.key();
    let id = *first.id();
    space.put([Change::InsertKey(first.clone())]).await;
    let usage = space.usage([delta(&id, 3, at(5))]);
    space.done("adding usage", space.store.add_usage(&usage).await);
    space.put([Change::UpdateKey(renamed(&first, "second"))]).await;
    space.put([Change::DeleteKey(id)]).await;
    for change in [
        Change::UpdateKey(renamed(&first, "back")),
        Change::UpdateKey(next(&first, |key| key.version = 3)),
        Change::RevokeKey { key: id, at: at(9) },
        Change::DeleteKey(id),
    ] {
        let what = format!("{change:?} of a deleted key");
        let said = space.store.commit(space.batch([change])).await;
        space.refused(what, said, StoreErrorKind::Conflict);
    }
    space.holds("a deleted key is found by a lookup", space.stored(&id).await.is_none());
    let resolved = space.done("resolving", space.store.resolve(&id, Freshness::StoreDefault).await);
    space.holds("a deleted key is resolved", resolved.is_none());
    let page = space.store.keys(&space.tenant, &KeyQuery::new(), at(9)).await;
    let page = space.done("listing keys", page);
    space.holds("a deleted key is listed", page.items.is_empty());
}
