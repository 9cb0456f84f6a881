//! Every public type is recorded, and the types that hold secrets print none of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use keywright::store::{
    AccountQuery, Age, AlertDue, Batch, CacheOptions, CacheState, CachedStore, Change, Condition,
    EventQuery, FileOptions, FileStore, Freshness, GenerationFile, KeyQuery, KeySort, KeyStore,
    ManualMonotonicClock, Marker, MemoryStore, MoveError, MoveOptions, MovingStore, OwnerRecord,
    PostgresOptions, Resolve, SchemaName, Snapshot, StoreError, StoreErrorKind, Subject,
    SystemMonotonicClock, TenantPolicy, TenantQuery, TransferError, TransferSource, Usage,
    UsageBatch, UsageDelta, UseKind,
};
use keywright::{
    Access, AccessRequest, AccountEdit, AccountId, Actor, AdminLimits, Contact, Credential,
    DenialClass, Description, DetailField, Drawn, EventActor, EventDetails, EventKind,
    EventOutcome, ExpiryField, GenerateError, InForce, Issued, KeyLimit, KeyStatus, LeakOutcome,
    LeakReport, ManualClock, Metadata, Name, NamePattern, Network, Networks, NewAccount, NoteField,
    Operation, Operator, Outcome, Owner, OwnerKind, PepperRing, Permissions, PolicyField, Prefix,
    Quantity, Rate, RefusalCode, Requirement, Role, RoleName, Rotation, RuleError, RunOptions,
    Scope, ScopeDefinition, ScopeSet, SecretUsed, SettingsEdit, Source, SystemClock, Ticket,
    Timestamp, Transition, UseAlert,
};

use super::{Heard, errors, lifecycle};
use common::{HOUR, admin, block_on, developer, named, open_policy, start, tenant};

/// Returns the names that a file re-exports, without constants.
pub(super) fn exported(source: &str) -> BTreeSet<String> {
    let code: Vec<&str> =
        source.lines().map(str::trim).filter(|line| !line.starts_with("//")).collect();
    let code = code.join(" ");
    let uses = code.split("pub use ").skip(1).filter_map(|rest| rest.split(';').next());
    let names = uses.flat_map(|path| {
        let listed = path.rsplit("::").next().unwrap_or("").trim_matches(['{', '}', ' ']);
        listed.split(',').map(|name| name.trim().trim_end_matches('}').trim().to_owned())
    });
    let is_type = |name: &String| name.contains(char::is_lowercase);
    names.filter(is_type).collect()
}

#[test]
fn t_l02_no_public_type_prints_a_secret() {
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::open(folder.path().join("keys.db")).await.expect("a store");
        let (world, mut life) = lifecycle::live(store.clone()).await;
        let issued = world.key_of(&developer("alice"), named("prod-main-app")).await;
        let secret = &issued.token.expose_key_secret().as_bytes()[..32];
        life.needles.extend(super::needles_of("secret", secret));
        let heard = &mut life.heard;
        values(heard);
        stores(heard, &store, &issued).await;
        heard.debug(&store);
        heard.debug(&world.builder);
        let token = issued.token.expose();
        heard.debug(&LeakReport::new(Credential::Token(token)).source(token).reporter(token));
        heard.debug(&LeakOutcome::Unknown);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime");
        let started = runtime.block_on(async { world.keywright.start() });
        heard.debug(&started.expect("a runtime"));
        heard.error(&world.keywright.start().expect_err("no runtime"));
        heard.debug(&world.authority.sweep(&admin()).await.expect("a sweep"));
        let old = world.authority.rotate(&admin(), &issued.key.id, HOUR).await.expect("active");
        life.needles
            .extend(super::needles_of("secret", &old.token.expose_key_secret().as_bytes()[..32]));
        let heard = &mut life.heard;
        let entry = world.authority.key(&admin(), &issued.key.id).await.expect("the key");
        heard.json(entry.overlap.as_ref().expect("an overlap"));
        heard.json(&entry);
        heard.debug(&world.authority.all_keys(&admin(), KeyQuery::new()));
        let authority = &world.authority;
        heard.debug(&authority.policy(&admin()).await.expect("the rules in force"));
        let user = authority.user(&admin(), &common::user("alice")).await.expect("a user");
        heard.json(&user);
        heard.debug(&OwnerRecord::User(Arc::new(user)));
        let nobody = Actor::new(common::user("carol"), Permissions::NONE);
        let refused = authority.generate(&nobody, common::named("prod-none")).await;
        let Err(GenerateError::Missing(missing)) = refused else { panic!("{refused:?}") };
        heard.debug(&missing);
        let told = authority.abilities(&nobody, &nobody.as_owner()).await.expect("an answer");
        heard.debug(&told.obstacles[0]);
        let own = admin().as_owner();
        let told = authority.abilities(&admin(), &own).await.expect("an answer");
        heard.debug(&told);
        heard.debug(&told.keys.expect("an administrator sees the numbers"));
        heard.debug(&told.choices.expect("an administrator sees the choices"));
        let operator = Operator::new(common::user("host"));
        heard.debug(&operator);
        let tenants = authority.tenants(&operator, &TenantQuery::new()).await.expect("tenants");
        heard.json(&tenants.items[0]);
        heard.debug(&TenantQuery::new());
        let reports = authority.revoke_in_any_tenant(&operator, &[issued.key.id]).await;
        heard.debug(&reports);
        errors::all(heard);

        let mut public = exported(include_str!("../../../src/lib.rs"));
        public.extend(exported(include_str!("../../../src/store/mod.rs")));
        assert!(public.len() > 90, "only {} public types were found", public.len());
        // Traits, macros and type aliases have no values. A Secret is inside a Token, which is
        // recorded.
        for known in [
            "ChangeHints",
            "Clock",
            "Generations",
            "KeyStore",
            "ListQuery",
            "Listed",
            "Look",
            "Resolved",
            "Secret",
            "MonotonicClock",
            "async_trait",
        ] {
            public.remove(known);
        }
        // These types need a server, and `tests/postgres` records them.
        for known in ["Transfer", "TransferProgress", "PostgresHints", "PostgresStore"] {
            public.remove(known);
        }
        let unheard: Vec<_> = public.difference(&heard.types).collect();
        assert!(unheard.is_empty(), "not recorded: {unheard:?}");
        life.heard.assert_silent_about(&life.needles);
    });
}

fn values(heard: &mut Heard) {
    let policy = open_policy();
    heard.debug(&policy);
    heard.json(&policy.plan);
    heard.json(&policy.settings);
    heard.json(&TenantPolicy::default());
    heard.json(&Role::default());
    heard.json(&ScopeDefinition::new(Access::ReadOnly));
    heard.json(&Source::Plan);
    heard.json(&InForce { value: 1, source: Source::Default });
    heard.debug(&SettingsEdit::new());
    heard.debug(&Requirement::Switch);
    heard.json(&Contact::new("billing@example.com").expect("a contact"));
    heard.json(&Description::new("Imports invoices").expect("a description"));
    heard.error(&Contact::new("two\nlines").expect_err("two lines"));
    heard.debug(&NoteField::Contact);
    heard.debug(&ExpiryField::ExpiresIn);
    heard.json(&OwnerKind::User);
    heard.error(&"x".parse::<OwnerKind>().expect_err("no kind"));
    heard.json(&Quantity::Number(1));
    heard.debug(&RuleError::ZeroLifetime.violation());
    let alert: UseAlert = "10/60s".parse().expect("an alert");
    heard.json(&alert);
    heard.error(&"x".parse::<UseAlert>().expect_err("no alert"));
    let kind = UseKind::Refused;
    heard.debug(&kind);
    heard.debug(&AlertDue { kind, alert, window_starts_at: start(), uses: 11 });
    heard.json(&NamePattern::default());
    heard.json(&KeyStatus::Active);
    heard.json(&KeySort::Name);
    heard.json(&Access::ReadOnly);
    heard.json(&ScopeSet::empty());
    heard.json(&Timestamp::MAX);
    heard.json(&Prefix::default());
    heard.json(&Operation::KeyRotate);
    heard.debug(&Rotation::new(HOUR));
    heard.json(&"4fQ2xk9ZrT7bWm1c8PzAq0".parse::<Ticket>().expect("a ticket"));
    heard.json(&"10.0.0.0/8".parse::<Network>().expect("a network"));
    heard.json(&"10.0.0.0/8".parse::<Networks>().expect("networks"));
    heard.json(&"1/1s".parse::<Rate>().expect("a rate"));
    heard.json(&"invoices:read".parse::<Scope>().expect("a scope"));
    heard.json(&tenant());
    heard.json(&common::user("alice"));
    heard.json(&RoleName::new("analyst").expect("a role"));
    heard.json(&Metadata::default());
    heard.json(&AdminLimits::default());
    heard.debug(&KeyLimit::Networks);
    heard.debug(&PolicyField::MaxOverlap);
    heard.debug(&Drawn::Secret);
    heard.debug(&Permissions::ADMINISTRATOR);
    heard.debug(&developer("alice"));
    heard.debug(&Transition::Unchanged);
    heard.debug(&DenialClass::Invalid);
    heard.debug(&SecretUsed::Retiring);
    heard.debug(&Outcome::Done(()));
    heard.debug(&SystemClock);
    heard.debug(&ManualClock::at(start()));
    heard.debug(&named("app"));
    heard.debug(&AccountEdit::new());
    let role = RoleName::new("analyst").expect("a role");
    let name = Name::new("job").expect("a name");
    heard.json(&name);
    heard.debug(&NewAccount::new(name, role));
    heard.debug(&EventOutcome::Unchanged);
    heard.debug(&EventActor::System);
    heard.debug(&EventKind::ExtensiveUse);
    heard.json(&RefusalCode::Stale);
    heard.error(&"no code".parse::<RefusalCode>().expect_err("it is not one"));
    heard.debug(&DetailField::Name);
    let details: EventDetails = serde_json::from_str(r#"{"name":"a"}"#).expect("details");
    heard.debug(&details.get(DetailField::Name).expect("it is there"));
    heard.json(&details);
}

async fn stores(heard: &mut Heard, store: &impl KeyStore, issued: &Issued) {
    let id = issued.key.id;
    let stored = store.key(&tenant(), &id).await.expect("the store works").expect("a key");
    let record = stored.record.clone();
    let owner = Owner::User(common::user("alice"));
    let limit =
        Condition::LiveKeysBelow { tenant: tenant(), owner: owner.clone(), limit: 1, at: start() };
    let batch = Batch {
        conditions: vec![limit.clone()],
        changes: vec![Change::InsertKey(record.clone()), Change::UpdateKey(record.clone())],
        ..Batch::of(tenant())
    };
    let found = store.owned_keys(&tenant(), std::slice::from_ref(&owner), 1, start()).await;
    heard.debug(&found.expect("the store works")[0]);
    heard.debug(&limit);
    heard.debug(&batch.changes[0]);
    heard.debug(&batch);
    heard.debug(&Resolve::ready(Ok(None)));
    heard.debug(&MemoryStore::new());
    heard.debug(&Marker::new([7]));
    heard.debug(&Subject::Key(id));
    heard.debug(&store.changes(&Marker::default()).await.expect("the store works"));
    heard.debug(&StoreErrorKind::Corrupt);
    let found = store.resolve(&id, Freshness::StoreDefault).await.expect("the store works");
    heard.debug(&found.expect("a key"));
    let mut has_looked = false;
    store.peek(&id, Freshness::StoreDefault, &mut |found| {
        heard.debug(&found.expect("a key"));
        has_looked = true;
    });
    assert!(has_looked, "the store keeps its keys in memory");
    heard.debug(&Freshness::StoreDefault);
    heard.debug(&Age::NONE);
    heard.debug(&SystemMonotonicClock);
    heard.debug(&ManualMonotonicClock::new());
    let options = CacheOptions::new().clock(ManualMonotonicClock::new());
    heard.debug(&options);
    let cache = CachedStore::new(MemoryStore::new(), options.clone()).expect("a cache");
    heard.debug(&cache);
    heard.debug(&CacheState::NotRefreshed);
    heard.debug(&RunOptions::new());
    let refused = CachedStore::new(MemoryStore::new(), options.capacity(0));
    heard.error(&refused.expect_err("no room"));
    heard.debug(&FileOptions::new());
    heard.debug(&GenerationFile::new("keys.generation"));
    heard.debug(&PostgresOptions::new());
    heard.debug(&SchemaName::default());
    heard.error(&SchemaName::new(issued.token.expose()).expect_err("a token is no name"));
    heard.debug(&TransferSource::from(MemoryStore::new()));
    heard.error(&TransferError::InUse);
    heard.debug(&MovingStore::new(MemoryStore::new()));
    heard.debug(&MoveOptions::new());
    heard.error(&MoveError::AlreadyMoved);
    heard.debug(&AccountQuery::new());
    heard.debug(&EventQuery::new().key(id));
    let query = KeyQuery::new().search("prod").limit(1);
    heard.debug(&query);
    heard.debug(&query.position(&record, &stored.usage));
    let behind = query.behind(query.position(&record, &stored.usage));
    heard.json(&behind.cursor().expect("a cursor"));
    let page = store.keys(&tenant(), &query, start()).await.expect("the store works");
    heard.debug(&page);
    heard.json(&Usage::default());
    let delta = UsageDelta {
        key: id,
        kind: UseKind::Accepted { secret_number: 1 },
        uses: 1,
        last_used_at: start(),
        alert: None,
    };
    heard.json(&delta);
    let usage = UsageBatch { writer: [7; 16], sequence: 1, at: start(), deltas: vec![delta] };
    heard.json(&usage.as_last());
    let other = UsageBatch { sequence: 0, ..usage.clone() };
    heard.error(&other.was_added(Some(&usage.as_last())).expect_err("a number that has passed"));
    heard.debug(&usage);
    let snapshot = Snapshot::new(record, None, None).expect("a user's key");
    heard.debug(&Arc::new(snapshot));
    let of_account = store.keys(&tenant(), &KeyQuery::new().search("job"), start()).await;
    let of_account = of_account.expect("the store works").items[0].record.clone();
    heard.error(&Snapshot::new(of_account, None, None).expect_err("its account is missing"));
    heard.error(&StoreError::unavailable("down"));
    let event = store.events(&tenant(), &EventQuery::new()).await.expect("the store works");
    heard.json(&event.items[0]);
    heard.json(&Owner::Account("0000000000000000".parse().expect("an id")));
    heard.json(&id);
    heard.json(&"0000000000000000".parse::<AccountId>().expect("an id"));
}

#[test]
fn t_l02_secret_types_print_only_their_kind() {
    block_on(async {
        let (world, _) = lifecycle::live(MemoryStore::new()).await;
        let issued = world.key().await;
        let (id, token) = (issued.key.id, issued.token.expose());
        let shown = format!("Token {{ key_id: KeyId({id}), text: Secret(..) }}");
        assert_eq!(format!("{:?}", issued.token), shown);
        assert_eq!(format!("{:?}", Credential::Token(token)), "Token(..)");
        let parts = Credential::Parts { key_id: id.as_str(), key_secret: token };
        assert_eq!(format!("{parts:?}"), "Parts(..)");
        assert!(format!("{:?}", AccessRequest::token(token)).contains("credential: Token(..)"));
        let ring = PepperRing::none().with(7, [1; 32]).expect("one").with(9, [2; 32]).expect("two");
        assert_eq!(format!("{ring:?}"), "PepperRing [7, 9]");
        let digest: keywright::store::Digest =
            serde_json::from_value(format!("2.7.{}", "ab".repeat(32)).into()).expect("a digest");
        assert_eq!(format!("{digest:?}"), "Digest { algorithm: 2, pepper: 7 }");
        let grant = world.verifier.verify(token).await.expect("accepted");
        let shown = format!("{grant:?}");
        assert!(shown.starts_with(&format!("Grant {{ key: KeyId({id}), ")), "{shown}");
        assert!(shown.ends_with(", .. }") && !shown.contains("Digest"), "{shown}");
    });
}
