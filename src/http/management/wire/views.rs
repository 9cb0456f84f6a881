//! The records in the form that clients see. Each view destructures its record by field name, so
//! that a new field of a record is never sent by accident.

use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use crate::authority::{AccountEntry, KeyEntry, Overlap};
use crate::decision::Reason;
use crate::record::account::ServiceAccount;
use crate::record::admin_limits::AdminLimits;
use crate::record::event::{Event, EventActor, EventDetails, EventKind, EventOutcome};
use crate::record::key::{Key, Owner};
use crate::record::operation::Operation;
use crate::record::role::RoleName;
use crate::record::status::KeyStatus;
use crate::record::user::User;
use crate::store::{Cursor, Listed, Page};
use crate::value::id::{AccountId, KeyId, TenantId, UserId};
use crate::value::metadata::Metadata;
use crate::value::name::Name;
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
    /// The number of items on all pages, if the request asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

impl<T> PageView<T> {
    pub(crate) fn with_total(self, total: Option<u64>) -> Self {
        Self { total, ..self }
    }
}

impl<T: Listed, V: From<T>> From<Page<T>> for PageView<V> {
    fn from(page: Page<T>) -> Self {
        let next = page.next_cursor();
        Self { next, items: page.items.into_iter().map(V::from).collect(), total: None }
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
    owner_name: Option<Name>,
    scopes: ScopeSet,
    access: Access,
    rate: Option<Rate>,
    status: KeyStatus,
    uses: u64,
    last_used_at: Option<Timestamp>,
    refused: u64,
    last_refused_at: Option<Timestamp>,
    overlap: Option<OverlapView>,
    refused_because: Option<Reason>,
    actions: Vec<Operation>,
}

impl From<KeyEntry> for KeyEntryView {
    fn from(entry: KeyEntry) -> Self {
        let KeyEntry {
            key,
            prefix,
            owner_name,
            scopes,
            access,
            rate,
            status,
            uses,
            last_used_at,
            refused,
            last_refused_at,
            overlap,
            refused_because,
            actions,
        } = entry;
        Self {
            key: Arc::unwrap_or_clone(key).into(),
            prefix,
            owner_name,
            scopes,
            access,
            rate,
            status,
            uses,
            last_used_at,
            refused,
            last_refused_at,
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
struct AccountView {
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

/// A view of [`AccountEntry`].
#[derive(Serialize)]
pub(crate) struct AccountEntryView {
    account: AccountView,
    scopes: ScopeSet,
    live_keys: Option<u64>,
    max_keys: Option<u16>,
    all_keys: Option<u64>,
    keys: Vec<KeyEntryView>,
    refused_because: Option<Reason>,
    actions: Vec<Operation>,
}

impl From<AccountEntry> for AccountEntryView {
    fn from(entry: AccountEntry) -> Self {
        let AccountEntry {
            account,
            scopes,
            live_keys,
            max_keys,
            all_keys,
            keys,
            refused_because,
            actions,
        } = entry;
        Self {
            account: account.into(),
            scopes,
            live_keys,
            max_keys,
            all_keys,
            keys: keys.into_iter().map(KeyEntryView::from).collect(),
            refused_because,
            actions,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct EventView {
    sequence: u64,
    tenant: TenantId,
    at: Timestamp,
    actor: EventActor,
    kind: EventKind,
    key: Option<KeyId>,
    account: Option<AccountId>,
    previous_account: Option<AccountId>,
    source_address: Option<IpAddr>,
    outcome: EventOutcome,
    details: EventDetails,
}

same_fields!(Event as EventView:
    sequence tenant at actor kind key account previous_account source_address outcome details
);

#[derive(Serialize)]
pub(crate) struct UserView {
    id: UserId,
    tenant: TenantId,
    display_name: Option<Name>,
    suspended: bool,
    updated_at: Timestamp,
    version: u64,
}

same_fields!(User as UserView: id tenant display_name suspended updated_at version);
