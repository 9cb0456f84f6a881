//! Rules of inserts: an id is used only once.

use std::time::Duration;

use super::test_tenants::{SECRET, Space, at, name, next, policy, renamed};
use crate::record::account::ServiceAccount;
use crate::record::key::{Key, KeyRecord, Owner};
use crate::record::plan::Plan;
use crate::record::policy::TenantPolicy;
use crate::record::role::{Role, RoleName};
use crate::record::settings::Settings;
use crate::store::{Batch, Change, Freshness, StoreErrorKind};
use crate::value::digest::PepperRing;
use crate::value::metadata::Metadata;
use crate::value::name::NamePattern;
use crate::value::note::{Contact, Description};
use crate::value::scope::Access;
use crate::value::time::Timestamp;

pub(super) async fn insert_refuses_an_existing_key(space: &Space<'_>) {
    let first = space.key();
    space.put([Change::InsertKey(first.clone())]).await;
    for again in [first.clone(), renamed(&first, "another")] {
        let insert = space.batch([Change::InsertKey(again)]);
        let said = space.store.commit(insert).await;
        space.refused("inserting a key that exists", said, StoreErrorKind::AlreadyExists);
    }
    let stored = space.found(first.id()).await;
    space.same("the key after a refused insert", stored.record.key(), first.key());
}

pub(super) async fn insert_refuses_a_key_of_any_tenant(space: &Space<'_>) {
    let first = space.key();
    space.put([Change::InsertKey(first.clone())]).await;
    let elsewhere = Key { tenant: space.other.clone(), ..first.key().clone() };
    let elsewhere = KeyRecord::new(elsewhere, *first.digest());
    let changes = vec![Change::InsertKey(elsewhere)];
    let insert = Batch { changes, ..Batch::of(space.other.clone()) };
    let said = space.store.commit(insert).await;
    space.refused("inserting another tenant's key", said, StoreErrorKind::AlreadyExists);
    let stored = space.found(first.id()).await;
    space.same("the tenant of the first key", &stored.record.key().tenant, &space.tenant);
    let found = space.done("a lookup", space.store.key(&space.other, first.id()).await);
    space.holds("the refused key is in the other tenant", found.is_none());
}

pub(super) async fn insert_refuses_a_deleted_key(space: &Space<'_>) {
    let first = space.key();
    space.put([Change::InsertKey(first.clone())]).await;
    space.put([Change::DeleteKey(*first.id())]).await;
    for tenant in [&space.tenant, &space.other] {
        let again = Key { tenant: tenant.clone(), ..first.key().clone() };
        let again = KeyRecord::new(again, *first.digest());
        let changes = vec![Change::InsertKey(again)];
        let said = space.store.commit(Batch { changes, ..Batch::of(tenant.clone()) }).await;
        space.refused("inserting a key that was deleted", said, StoreErrorKind::AlreadyExists);
        let found = space.done("a lookup", space.store.key(tenant, first.id()).await);
        space.holds("a deleted key is back after a refused insert", found.is_none());
    }
}

pub(super) async fn insert_refuses_an_existing_account(space: &Space<'_>) {
    let first = space.account();
    space.put([Change::InsertAccount(first.clone())]).await;
    for tenant in [&space.tenant, &space.other] {
        let again =
            ServiceAccount { tenant: tenant.clone(), name: name("another"), ..first.clone() };
        let changes = vec![Change::InsertAccount(again)];
        let said = space.store.commit(Batch { changes, ..Batch::of(tenant.clone()) }).await;
        space.refused("inserting an account that exists", said, StoreErrorKind::AlreadyExists);
    }
    let stored = space.done("a lookup", space.store.account(&space.tenant, &first.id).await);
    space.same("the account after a refused insert", &stored, &Some(first));
}

pub(super) async fn insert_refuses_a_deleted_account(space: &Space<'_>) {
    let first = space.account();
    space.put([Change::InsertAccount(first.clone())]).await;
    space.put([Change::DeleteAccount(first.id)]).await;
    let said = space.store.commit(space.batch([Change::InsertAccount(first.clone())])).await;
    space.refused("inserting an account that was deleted", said, StoreErrorKind::AlreadyExists);
    let stored = space.done("a lookup", space.store.account(&space.tenant, &first.id).await);
    space.same("the account after a refused insert", &stored, &None);
}

pub(super) async fn key_needs_its_owning_account(space: &Space<'_>) {
    let account = space.account();
    let key = space.key_of(&Owner::Account(account.id));
    let alone = space.batch([Change::InsertKey(key.clone())]);
    let said = space.store.commit(alone.clone()).await;
    space.refused("inserting a key of an absent account", said, StoreErrorKind::Conflict);
    space.holds("the refused key was written", space.stored(key.id()).await.is_none());

    let other = Change::InsertAccount(space.account());
    let said = space.store.commit(space.batch([Change::InsertKey(key.clone()), other])).await;
    let what = "inserting a key of an absent account together with another account";
    space.refused(what, said, StoreErrorKind::Conflict);

    let abroad = ServiceAccount { tenant: space.other.clone(), ..space.account() };
    let of_abroad = space.key_of(&Owner::Account(abroad.id));
    space.put([Change::InsertAccount(abroad)]).await;
    let said = space.store.commit(space.batch([Change::InsertKey(of_abroad)])).await;
    space.refused("inserting a key of another tenant's account", said, StoreErrorKind::Conflict);

    // The order within a batch does not matter.
    space.put([Change::InsertKey(key.clone()), Change::InsertAccount(account)]).await;
    space.found(key.id()).await;
}

pub(super) async fn policy_reads_back_unchanged(space: &Space<'_>) {
    let scopes = |text: &str| text.parse().expect("the suite's scopes are valid");
    let hour = Duration::from_secs(3600);
    let mut plan = Plan::allowing(scopes("a:read b:read"), scopes("c:write"));
    for definition in plan.scopes.values_mut() {
        definition.description = Description::new("Shows “päyments”\n\u{1F511}").ok();
    }
    let role =
        Role { description: Description::new("Reads 'only'").ok(), ..Role::new(scopes("a:read")) };
    plan.roles = [(RoleName::new("reader").expect("the suite's roles are valid"), role)].into();
    plan.default_scopes = scopes("b:read");
    plan.max_rate = "7/60s".parse().ok();
    plan.max_keys_per_account = Some(3);
    plan.max_keys_of_organization = Some(4);
    (plan.api_access, plan.require_expiry) = (false, true);
    plan.max_lifetime = Some(hour);
    plan.max_retention = Some(hour);
    plan.max_event_retention = Some(100 * hour);
    plan.version = 7;
    let settings = Settings {
        api_enabled: Some(false),
        require_expiry: Some(true),
        default_lifetime: Some(hour),
        max_lifetime: Some(2 * hour),
        max_keys_per_user: Some(9),
        max_overlap: Some(Duration::ZERO),
        name_pattern: Some(NamePattern::default()),
        default_rate: "6/60s".parse().ok(),
        extensive_use: "5/60s".parse().ok(),
        suspicious_use: "6/60s".parse().ok(),
        retention: Some(hour),
        event_retention: Some(48 * hour),
        version: 3,
    };
    let (plan, settings) = (Some(plan), Some(settings));
    let policies = [
        TenantPolicy { plan: plan.clone(), settings: None, version: 1 },
        TenantPolicy { plan: None, settings: settings.clone(), version: 2 },
        TenantPolicy { plan: plan.clone(), settings: settings.clone(), version: 3 },
        TenantPolicy { plan: None, settings: None, version: 4 },
        TenantPolicy { plan, settings, version: 5 },
    ];
    let key = space.key();
    space.put([Change::InsertKey(key.clone())]).await;
    for policy in policies {
        let put = Change::PutPolicy { tenant: space.tenant.clone(), policy: policy.clone() };
        space.put([put]).await;
        let found =
            space.done("resolving", space.store.resolve(key.id(), Freshness::StoreDefault).await);
        let found = found.and_then(|found| found.policy().cloned());
        space.same("the policy that is resolved with a key", &found, &Some(policy.clone()));
        let found = space.policy_of(&space.tenant).await;
        space.same("the policy", &found, &Some(policy));
    }
}

pub(super) async fn records_read_back_unchanged(space: &Space<'_>) {
    let account = ServiceAccount { access: Access::ReadOnly, enabled: false, ..space.account() };
    let key = space.key_with(|key| {
        key.owner = Owner::Account(account.id);
        key.name = name("pröd \u{1F511} 'quoted\" %_");
        key.scopes = "a:read b:write".parse().expect("the suite's scopes are valid");
        key.networks = "10.0.0.0/8 2001:db8::/32".parse().expect("the suite's networks are valid");
        key.rate = "7/1m".parse().ok();
        key.description = Description::new("Pröd \u{1F511}\n'quoted\" %_\\").ok();
        key.contact = Contact::new("Ops <ops@example.com> 'quoted\" %_\\").ok();
        key.metadata = Metadata::new([("team", "päyments"), ("ticket", "")]).unwrap_or_default();
        key.created_at = Timestamp::MIN;
        key.updated_at = Timestamp::from_unix_micros(1).unwrap_or(Timestamp::MIN);
        key.not_before = Some(at(1));
        key.expires_at = Some(Timestamp::MAX);
        key.disabled = true;
    });
    space.put([Change::InsertAccount(account.clone()), Change::InsertKey(key.clone())]).await;
    let other = PepperRing::none().with(u32::MAX, [7; 32]).expect("a pepper that is long enough");
    let digest = other.digest(key.id(), &SECRET);
    let overlap = Duration::from_secs(5);
    let rotated = key.rotate(digest, overlap, overlap, at(2));
    // A disabled key can't be rotated with an overlap, so it is enabled first.
    let enabled = next(&key, |key| key.disabled = false);
    space.holds("a disabled key could be rotated with an overlap", rotated.is_err());
    space.put([Change::UpdateKey(enabled.clone())]).await;
    let rotated = enabled.rotate(digest, overlap, overlap, at(2));
    let rotated = rotated.expect("an active key can be rotated");
    space.put([Change::UpdateKey(rotated.clone())]).await;
    let mut policy = policy(1);
    policy.plan = Some(Plan::default());
    let put = Change::PutPolicy { tenant: space.tenant.clone(), policy: policy.clone() };
    space.put([put]).await;

    let stored = space.found(key.id()).await.record;
    space.same("the key", stored.key(), rotated.key());
    let matches = |digest: &crate::value::digest::Digest| {
        let current = other.digest(key.id(), &SECRET);
        let same = other.matches(digest, &current, key.id(), &SECRET);
        same.is_ok_and(bool::from)
    };
    space.same("the pepper of its digest", &stored.digest().pepper(), &Some(u32::MAX));
    space.holds("the digest has changed", matches(stored.digest()));
    let retiring = stored.retiring_digest();
    space.holds("the digest of the retiring secret is lost", retiring.is_some_and(matches));
    let found = space.done("a lookup", space.store.account(&space.tenant, &account.id).await);
    space.same("the account", &found, &Some(account));
    let found = space.policy_of(&space.tenant).await;
    space.same("the policy", &found, &Some(policy));
}
