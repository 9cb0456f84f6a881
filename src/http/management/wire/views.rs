//! The records in the form that clients see. Each view destructures its record by field name, so
//! that a new field of a record is never sent by accident.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::Serialize;

use crate::authority::{KeyEntry, Overlap};
use crate::decision::Reason;
use crate::record::account::ServiceAccount;
use crate::record::admin_limits::AdminLimits;
use crate::record::event::{Event, EventActor, EventDetails, EventKind, EventOutcome};
use crate::record::key::{Key, Owner};
use crate::record::operation::Operation;
use crate::record::policy::{Policy, RoleName};
use crate::record::status::KeyStatus;
use crate::store::{Cursor, Listed, Page};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::metadata::Metadata;
use crate::value::name::{Name, NamePattern};
use crate::value::network::Networks;
use crate::value::note::{Contact, Description};
use crate::value::rate::Rate;
use crate::value::scope::{Access, ScopeSet};
use crate::value::time::Timestamp;
use crate::value::token::Prefix;

#[derive(Serialize)]
pub(crate) struct PageView<T> {
    items: Vec<T>,
    next: Option<Cursor>,
}

impl<T: Listed, V: From<T>> From<Page<T>> for PageView<V> {
    fn from(page: Page<T>) -> Self {
        Self { next: page.next_cursor(), items: page.items.into_iter().map(V::from).collect() }
    }
}

#[derive(Serialize)]
pub(crate) struct KeyView {
    id: KeyId,
    tenant: TenantId,
    owner: Owner,
    name: Name,
    prefix: Prefix,
    scopes: ScopeSet,
    networks: Networks,
    rate: Option<Rate>,
    admin_limits: AdminLimits,
    description: Option<Description>,
    contact: Option<Contact>,
    metadata: Metadata,
    created_at: Timestamp,
    created_by: UserId,
    updated_at: Timestamp,
    not_before: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    disabled: bool,
    revoked_at: Option<Timestamp>,
    rotated_at: Option<Timestamp>,
    overlap_ends_at: Option<Timestamp>,
    secret_number: u32,
    pub(crate) version: u64,
}

/// Converts a record into a view with the same fields. Every field is named.
macro_rules! same_fields {
    ($record:ident as $view:ident: $($field:ident)*) => {
        impl From<$record> for $view {
            fn from(record: $record) -> Self {
                let $record { $($field,)* } = record;
                Self { $($field,)* }
            }
        }
    };
}

same_fields!(Key as KeyView:
    id tenant owner name prefix scopes networks rate admin_limits description contact metadata created_at
    created_by updated_at not_before expires_at disabled revoked_at rotated_at overlap_ends_at secret_number version
);

#[derive(Serialize)]
pub(crate) struct KeyEntryView {
    key: KeyView,
    prefix: String,
    account: Option<Name>,
    status: KeyStatus,
    uses: u64,
    last_used_at: Option<Timestamp>,
    overlap: Option<OverlapView>,
    refused_because: Option<Reason>,
    actions: Vec<Operation>,
}

impl From<KeyEntry> for KeyEntryView {
    fn from(entry: KeyEntry) -> Self {
        let KeyEntry {
            key,
            prefix,
            account,
            status,
            uses,
            last_used_at,
            overlap,
            refused_because,
            actions,
        } = entry;
        Self {
            key: key.into(),
            prefix,
            account,
            status,
            uses,
            last_used_at,
            overlap: overlap.map(OverlapView::from),
            refused_because,
            actions,
        }
    }
}

#[derive(Serialize)]
struct OverlapView {
    overlap_ends_at: Timestamp,
    old_last_used_at: Option<Timestamp>,
    new_last_used_at: Option<Timestamp>,
    safe_to_finish: bool,
}

same_fields!(Overlap as OverlapView: overlap_ends_at old_last_used_at new_last_used_at safe_to_finish);

#[derive(Serialize)]
pub(crate) struct AccountView {
    id: AccountId,
    tenant: TenantId,
    name: Name,
    role: RoleName,
    access: Access,
    enabled: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u64,
}

same_fields!(ServiceAccount as AccountView:
    id tenant name role access enabled created_at updated_at version
);

#[derive(Serialize)]
pub(crate) struct EventView {
    sequence: u64,
    tenant: TenantId,
    at: Timestamp,
    actor: EventActor,
    kind: EventKind,
    key: Option<KeyId>,
    account: Option<AccountId>,
    outcome: EventOutcome,
    details: EventDetails,
}

same_fields!(Event as EventView:
    sequence tenant at actor kind key account outcome details
);

/// A policy without its version, which is the entity tag. `PUT /policy` accepts the same body.
#[derive(Serialize)]
pub(crate) struct PolicyView {
    api_in_plan: bool,
    api_enabled: bool,
    require_expiry: bool,
    default_lifetime: Option<u64>,
    max_lifetime: Option<u64>,
    max_keys_per_owner: u16,
    max_overlap: u64,
    name_pattern: Option<NamePattern>,
    scope_ceiling: ScopeSet,
    roles: BTreeMap<RoleName, ScopeSet>,
    default_rate: Option<Rate>,
    extensive_use: Option<NonZeroU64>,
    retention: u64,
    event_retention: u64,
}

impl From<Policy> for PolicyView {
    fn from(policy: Policy) -> Self {
        let Policy {
            api_in_plan,
            api_enabled,
            require_expiry,
            default_lifetime,
            max_lifetime,
            max_keys_per_owner,
            max_overlap,
            name_pattern,
            scope_ceiling,
            roles,
            default_rate,
            extensive_use,
            retention,
            event_retention,
            version: _,
        } = policy;
        Self {
            api_in_plan,
            api_enabled,
            require_expiry,
            default_lifetime: default_lifetime.map(|lifetime| lifetime.as_secs()),
            max_lifetime: max_lifetime.map(|lifetime| lifetime.as_secs()),
            max_keys_per_owner,
            max_overlap: max_overlap.as_secs(),
            name_pattern,
            scope_ceiling,
            roles,
            default_rate,
            extensive_use,
            retention: retention.as_secs(),
            event_retention: event_retention.as_secs(),
        }
    }
}
