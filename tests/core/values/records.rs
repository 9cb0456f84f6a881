//! Stored records: a missing field differs from `null`, and versions fit into a bigint.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use keywright::store::{
    Batch, Change, KeyRecord, KeyStore, MemoryStore, StoreErrorKind, TenantPolicy, Usage,
};
use keywright::{
    Event, Key, KeyEdit, Name, NewAccount, Plan, Role, RoleName, ScopeSet, ServiceAccount,
    Settings, SettingsEdit, User, VerifyError,
};

use common::{World, admin, block_on, named, tenant};

/// The largest version.
const LAST: u64 = i64::MAX as u64;

type Reader = fn(Value) -> Result<(), serde_json::Error>;

fn reader<T: DeserializeOwned>(record: Value) -> Result<(), serde_json::Error> {
    serde_json::from_value::<T>(record).map(drop)
}

fn key() -> Value {
    json!({
        "id": "4fQ2xk9ZrT7bWm1c", "tenant": "globex", "owner": "user:alice", "name": "prod-a",
        "prefix": "acme_live", "scopes": ["invoices:read"], "networks": ["10.0.0.0/8"], "rate": "1/1s",
        "admin_limits": { "scopes": true, "networks": true, "rate": true },
        "description": "Sends invoices", "contact": "ops@example.com",
        "metadata": { "team": "billing" }, "created_at": "2026-01-01T09:00:00Z",
        "created_by": "alice", "updated_at": "2026-01-01T09:00:00Z",
        "not_before": "2026-01-01T09:00:00Z", "expires_at": "2027-01-01T00:00:00Z",
        "disabled": true, "revoked_at": "2026-02-01T00:00:00Z", "rotated_at": "2026-01-02T00:00:00Z",
        "overlap_ends_at": "2026-01-03T00:00:00Z", "secret_number": 2, "version": 3,
    })
}

fn plan() -> Value {
    json!({
        "api_access": false,
        "scopes": { "invoices:read": { "description": "Shows invoices", "access": "read-only" } },
        "default_scopes": ["invoices:read"],
        "roles": { "analyst": { "description": "Reads", "scopes": ["invoices:read"] } },
        "max_rate": "1/60s", "max_keys_per_user": 1, "max_keys_per_account": 1,
        "max_keys_of_organization": 1, "require_expiry": true, "max_lifetime": 60,
        "max_overlap": 0, "name_pattern": { "environments": ["prod"] }, "min_alert_period": 60,
        "max_retention": 0, "min_event_retention": 86400, "max_event_retention": 86400,
        "version": 1,
    })
}

fn settings() -> Value {
    json!({
        "api_enabled": false, "require_expiry": true, "default_lifetime": 60,
        "max_lifetime": 60, "max_keys_per_user": 1, "max_overlap": 0,
        "name_pattern": { "environments": ["prod"] }, "default_rate": "1/60s",
        "extensive_use": "1/60s", "suspicious_use": "1/60s", "retention": 0, "event_retention": 86400, "version": 1,
    })
}

/// Returns every stored record that serde reads, with a value in each field.
fn records() -> Vec<(&'static str, Value, Reader)> {
    let digest = format!("1.0.{}", "ab".repeat(32));
    vec![
        ("Key", key(), reader::<Key>),
        ("KeyRecord", json!({ "key": key(), "digest": digest }), reader::<KeyRecord>),
        (
            "ServiceAccount",
            json!({
                "id": "4fQ2xk9ZrT7bWm1c", "tenant": "globex", "name": "nightly",
                "role": "analyst", "access": "read-only", "enabled": false,
                "created_at": "2026-01-01T09:00:00Z", "updated_at": "2026-01-01T09:00:00Z",
                "version": 1,
            }),
            reader::<ServiceAccount>,
        ),
        (
            "TenantPolicy",
            json!({ "plan": plan(), "settings": settings(), "version": 1 }),
            reader::<TenantPolicy>,
        ),
        ("Plan", plan(), reader::<Plan>),
        ("Settings", settings(), reader::<Settings>),
        (
            "User",
            json!({
                "id": "alice", "tenant": "globex", "display_name": "Alice Jones",
                "suspended": true, "updated_at": "2026-01-01T09:00:00Z", "version": 1,
            }),
            reader::<User>,
        ),
        (
            "Usage",
            json!({
                "uses": 2, "last_used_at": "2026-01-01T09:00:00Z",
                "by_secret": [{ "secret_number": 1, "at": "2026-01-01T09:00:00Z" }, null],
                "refused": 1, "last_refused_at": "2026-01-01T09:00:00Z",
                "windows": [null, null],
                "refused_windows": [
                    {
                        "starts_at": "2026-01-01T09:00:00Z", "period_seconds": 60, "uses": 1,
                        "last_used_at": "2026-01-01T09:00:00Z", "reported": false,
                    },
                    null,
                ],
            }),
            reader::<Usage>,
        ),
        (
            "Event",
            json!({
                "sequence": 1, "tenant": "globex", "at": "2026-01-01T09:00:00Z",
                "actor": "user:alice", "kind": "key.revoke", "key": "4fQ2xk9ZrT7bWm1c",
                "account": "4fQ2xk9ZrT7bWm1c", "previous_account": "8PzAq0LdVh3sKyNe",
                "source_address": "203.0.113.7", "outcome": "done",
                "details": {},
            }),
            reader::<Event>,
        ),
    ]
}

/// PostgreSQL stores no NUL, and a control character can forge a line of a log.
#[test]
fn plan_descriptions_are_visible_text() {
    let mut plan = Plan::allowing("invoices:read".parse().expect("a scope"), ScopeSet::empty());
    plan.roles.insert(RoleName::new("clerk").expect("a role"), Role::new(ScopeSet::empty()));
    let plan = serde_json::to_value(plan).expect("a plan");
    for place in ["/scopes/invoices:read/description", "/roles/clerk/description"] {
        for (text, reads) in [
            (json!(null), true),
            (json!("Reads\ninvoices"), true),
            (json!("x".repeat(1_000)), true),
            (json!("x".repeat(1_001)), false),
            (json!(""), false),
            (json!("a\0b"), false),
            (json!("a\u{1b}[31mb"), false),
            (json!("a\u{202e}b"), false),
        ] {
            let mut plan = plan.clone();
            *plan.pointer_mut(place).expect("the field") = text.clone();
            let read = serde_json::from_value::<Plan>(plan);
            assert_eq!(read.is_ok(), reads, "{place}: {text}");
        }
    }
}

/// Collects the paths of all fields, including those of inner records. Metadata, roles and scopes
/// are maps, not records, and so are their entries here.
fn fields(place: &str, record: &Value, found: &mut Vec<String>) {
    match record {
        Value::Object(object) => {
            for (name, value) in object {
                found.push(format!("{place}/{name}"));
                if name != "metadata" && name != "roles" && name != "scopes" {
                    fields(&format!("{place}/{name}"), value, found);
                }
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                fields(&format!("{place}/{number}"), item, found);
            }
        }
        _ => {}
    }
}

#[test]
fn missing_field_of_stored_record_is_refused() {
    let mut tried = 0;
    for (kind, record, read) in records() {
        read(record.clone()).unwrap_or_else(|error| panic!("{kind}: {error}"));
        let mut places = Vec::new();
        fields("", &record, &mut places);
        for place in places {
            let (outer, name) = place.rsplit_once('/').expect("a place");
            let mut without = record.clone();
            let object = without.pointer_mut(outer).and_then(Value::as_object_mut);
            object.expect("an object").remove(name);
            let error = read(without).err().unwrap_or_else(|| panic!("{kind} without {place}"));
            assert!(error.to_string().contains(name), "{kind} without {place}: {error}");
            tried += 1;
        }
    }
    assert!(tried > 70, "{tried}");
}

#[test]
fn null_means_an_absent_value() {
    let optional: [(&str, &[&str]); 7] = [
        (
            "Key",
            &[
                "description",
                "contact",
                "rate",
                "not_before",
                "expires_at",
                "revoked_at",
                "rotated_at",
                "overlap_ends_at",
            ],
        ),
        ("TenantPolicy", &["plan", "settings"]),
        (
            "Plan",
            &[
                "max_rate",
                "max_keys_per_account",
                "max_keys_of_organization",
                "max_lifetime",
                "name_pattern",
                "max_retention",
                "max_event_retention",
            ],
        ),
        (
            "Settings",
            &[
                "api_enabled",
                "require_expiry",
                "default_lifetime",
                "max_lifetime",
                "max_keys_per_user",
                "max_overlap",
                "name_pattern",
                "default_rate",
                "extensive_use",
                "suspicious_use",
                "retention",
                "event_retention",
            ],
        ),
        ("User", &["display_name"]),
        ("Usage", &["last_used_at", "last_refused_at"]),
        ("Event", &["key", "account", "previous_account", "source_address", "detail"]),
    ];
    for (kind, names) in optional {
        let all = records();
        let (_, record, read) = all.iter().find(|(known, ..)| *known == kind).expect("a record");
        for name in record.as_object().expect("an object").keys() {
            let mut record = record.clone();
            record[name] = Value::Null;
            assert_eq!(read(record).is_ok(), names.contains(&name.as_str()), "{kind} {name}");
        }
    }
}

#[test]
fn t_a14_version_beyond_bigint_is_refused() {
    let numbers = [
        ("Key", "/version"),
        ("KeyRecord", "/key/version"),
        ("ServiceAccount", "/version"),
        ("TenantPolicy", "/version"),
        ("Plan", "/version"),
        ("Settings", "/version"),
        ("User", "/version"),
        ("Event", "/sequence"),
    ];
    for (kind, place) in numbers {
        let all = records();
        let (_, record, read) = all.iter().find(|(known, ..)| *known == kind).expect("a record");
        for (number, is_possible) in [(0, true), (LAST, true), (LAST + 1, false), (u64::MAX, false)]
        {
            let mut record = record.clone();
            *record.pointer_mut(place).expect("the number") = number.into();
            let read = read(record);
            assert_eq!(read.is_ok(), is_possible, "{kind} {number}");
            if let Err(error) = read {
                assert!(error.to_string().contains("9223372036854775807"), "{error}");
            }
        }
    }
}

/// Builds a store with one key of alice's that has the largest version and the largest secret
/// number.
async fn world_with_old_key() -> (World, keywright::Issued) {
    let world = World::in_memory();
    let issued = world.key().await;
    let mut record = world.stored(&issued.key.id).await;
    record["key"]["version"] = LAST.into();
    record["key"]["secret_number"] = u32::MAX.into();
    let record: KeyRecord = serde_json::from_value(record).expect("a record");
    let store = MemoryStore::new();
    let tenant = record.key().tenant.clone();
    let batch = Batch { changes: vec![Change::InsertKey(record)], ..Batch::of(tenant) };
    store.commit(batch).await.expect("a batch");
    (World::on(store), issued)
}

#[test]
fn key_of_last_version_can_be_revoked() {
    block_on(async {
        let (world, issued) = world_with_old_key().await;
        let (authority, id) = (&world.authority, &issued.key.id);
        let edit = KeyEdit::new().name(Name::new("prod-b").expect("a name"));
        authority.edit(&admin(), id, edit).await.expect_err("there is no version for it");
        authority.rotate(&admin(), id, common::HOUR).await.expect_err("nor for this");
        authority.disable(&admin(), id).await.expect_err("nor for this");
        let edit = KeyEdit::new().name(Name::new("prod-b").expect("a name"));
        authority.edit(&admin(), id, edit.if_version(u64::MAX)).await.expect_err("stale");
        let shown = authority.key(&admin(), id).await.expect("the key").key;
        assert_eq!((shown.version, shown.name.as_str()), (LAST, "prod-main-app"));
        assert!(world.verifier.verify(issued.token.expose()).await.is_ok());
        authority.revoke(&admin(), id).await.expect("a revocation needs no version");
        let refused = world.verifier.verify(issued.token.expose()).await;
        assert!(matches!(refused, Err(VerifyError::Denied(_))), "{refused:?}");
    });
}

#[test]
fn account_and_plan_of_last_version_stay() {
    block_on(async {
        let world = World::in_memory();
        let role = RoleName::new("analyst").expect("a role");
        let new = NewAccount::new(Name::new("nightly").expect("a name"), role);
        let mut account =
            world.authority.create_account(&admin(), new).await.expect("an account").account;
        account.version = LAST;
        let store = MemoryStore::new();
        let insert = Change::InsertAccount(account.clone());
        let batch = Batch { changes: vec![insert], ..Batch::of(account.tenant.clone()) };
        store.commit(batch).await.expect("a batch");
        let world = World::on(store);
        world.authority.disable_account(&admin(), &account.id).await.expect_err("no version");
        // A new plan must carry the version that it replaces, and an edit can name it.
        for version in [1, LAST, u64::MAX] {
            let mut plan = world.policy().await.plan;
            plan.version = version;
            world.authority.set_plan(&admin(), plan).await.expect_err("stale");
            let edit = SettingsEdit::new().api_enabled(Some(false)).if_version(version);
            world.authority.edit_settings(&admin(), edit).await.expect_err("stale");
        }
        world.key_of(&admin(), named("prod-a")).await;
    });
}

#[test]
fn store_refuses_versions_it_cannot_read() {
    block_on(async {
        let world = World::in_memory();
        let role = RoleName::new("analyst").expect("a role");
        let new = NewAccount::new(Name::new("nightly").expect("a name"), role);
        let mut account =
            world.authority.create_account(&admin(), new).await.expect("an account").account;
        let batch = Batch::of(account.tenant.clone());
        let commit = async |store: &MemoryStore, change| {
            store.commit(Batch { changes: vec![change], ..batch.clone() }).await
        };
        for version in [LAST + 1, u64::MAX] {
            account.version = version;
            let insert = Change::InsertAccount(account.clone());
            let error = commit(&MemoryStore::new(), insert).await.expect_err("too large");
            assert_eq!(error.kind(), StoreErrorKind::Unsupported, "{error}");
        }
        let store = MemoryStore::new();
        account.version = LAST;
        commit(&store, Change::InsertAccount(account.clone())).await.expect("the last one");
        account.version = LAST + 1;
        let error = commit(&store, Change::UpdateAccount(account)).await.expect_err("too large");
        assert_eq!(error.kind(), StoreErrorKind::Unsupported, "{error}");
        for version in [0, 2, LAST, u64::MAX] {
            let policy = TenantPolicy { version, ..TenantPolicy::default() };
            let put = Change::PutPolicy { tenant: tenant(), policy };
            let error = commit(&store, put).await.expect_err("not the first");
            assert_eq!(error.kind(), StoreErrorKind::Conflict, "{error}");
        }
    });
}
