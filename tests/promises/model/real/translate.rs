//! Converts the crate's types to plain data and back. A value without a plain form fails the test.

use std::time::Duration;

use keywright::store::{EventQuery, KeyQuery, KeySort};
use keywright::{
    Access, AccountEntry, AccountError, AccountId, Actor, DetailField, Event, EventKind,
    EventOutcome, Grant, Key, KeyEdit, KeyEntry, KeyError, KeyId, KeyStatus, Metadata, NameError,
    Networks, NewKey, Outcome, Owner as RealOwner, Permissions, Rate, Reason, Scope, ScopeSet,
    SecretUsed, TenantId, Timestamp, User, UserError, UserId,
};

use super::errors;
use crate::plain::{
    AccountData, Answer, By, Edit, EntryData, EventData, EventFilter, Expiry, Granted, KeyData,
    METADATA, NAMES, NETWORKS, New, Owner, Query, RATES, ROLES, SCOPES, Sort, Span, TENANTS, Time,
    UserData, Who, refused,
};
use crate::policy::Uses;

pub(super) fn actor(by: By) -> Actor {
    let id = UserId::new(by.who.user()).expect("a user id");
    let tenant = TenantId::new(TENANTS[by.tenant]).expect("a tenant id");
    match by.who {
        Who::Admin => Actor::administrator(id).in_tenant(tenant),
        Who::TenantAdmin => Actor::tenant_admin(id).in_tenant(tenant),
        Who::Alice | Who::Bob => Actor::developer(id).in_tenant(tenant),
        Who::Carol => Actor::developer(id).in_tenant(tenant).without_license(),
        Who::Auditor => Actor::auditor(id).in_tenant(tenant),
        Who::Nobody => Actor::new(id, Permissions::NONE).in_tenant(tenant),
    }
}

pub(super) fn owner(owner: &Owner) -> RealOwner {
    match owner {
        Owner::User(user) => RealOwner::User(user_id(user)),
        Owner::Account(id) => RealOwner::Account(account_id(id)),
        Owner::Organization => RealOwner::Organization,
    }
}

pub(super) fn key_id(id: &str) -> KeyId {
    id.parse().expect("a key id")
}

pub(super) fn account_id(id: &str) -> AccountId {
    id.parse().expect("an account id")
}

pub(super) fn user_id(id: &str) -> UserId {
    UserId::new(id).expect("a user id")
}

pub(super) fn access(read_only: bool) -> Access {
    if read_only { Access::ReadOnly } else { Access::ReadWrite }
}

pub(super) fn scopes(bits: u8) -> ScopeSet {
    let asked = SCOPES.iter().enumerate().filter(|(place, _)| bits & (1 << place) != 0);
    ScopeSet::new(asked.map(|(_, scope)| Scope::new(scope).expect("a scope")))
        .expect("a few scopes")
}

pub(super) fn uses(rate: Rate) -> Uses {
    let seconds = i64::try_from(rate.per().as_secs()).expect("a short time");
    (i64::from(rate.uses()), seconds)
}

pub(super) fn rate(rate: Option<Uses>) -> Option<Rate> {
    rate.map(|(uses, seconds)| format!("{uses}/{seconds}s").parse().expect("a rate"))
}

/// Parses a list of networks. The empty list allows every address.
fn networks(list: &str) -> Networks {
    if list.is_empty() { Networks::anywhere() } else { list.parse().expect("networks") }
}

pub(super) fn metadata(entries: &[(&str, &str)]) -> Metadata {
    Metadata::new(entries.iter().copied()).expect("metadata")
}

pub(super) fn new_key(new: &New) -> Result<NewKey, NameError> {
    let mut key = NewKey::named(NAMES[new.name].0)?
        .scopes(scopes(new.scopes))
        .networks(networks(NETWORKS[new.networks]))
        .metadata(metadata(METADATA[new.metadata]));
    if let Some(rate) = rate(RATES[new.rate]) {
        key = key.rate(rate);
    }
    if let Some(begin) = new.not_before {
        key = key.not_before(time(begin));
    }
    Ok(match new.expiry {
        Expiry::Default => key,
        Expiry::Never => key.never_expires(),
        Expiry::At(end) => key.expires_at(time(end)),
        Expiry::In(lifetime) => key.expires_in(span(lifetime)),
    })
}

pub(super) fn key_edit(edit: &Edit) -> KeyEdit {
    let mut to_be = KeyEdit::new();
    if let Some(bits) = edit.scopes {
        to_be = to_be.scopes(scopes(bits));
    }
    if let Some(number) = edit.networks {
        to_be = to_be.networks(networks(NETWORKS[number]));
    }
    if let Some(number) = edit.rate {
        to_be = to_be.rate(rate(RATES[number]));
    }
    if let Some(number) = edit.metadata {
        to_be = to_be.metadata(metadata(METADATA[number]));
    }
    to_be
}

pub(super) fn time(micros: Time) -> Timestamp {
    Timestamp::from_unix_micros(micros).expect("a time in range")
}

pub(super) fn span(micros: Span) -> Duration {
    Duration::from_micros(micros.unsigned_abs())
}

pub(super) fn key_query(query: &Query) -> KeyQuery {
    let mut asked = KeyQuery::new().limit(query.limit).sort(match query.sort {
        Sort::Created => KeySort::Created,
        Sort::Updated => KeySort::Updated,
        Sort::Name => KeySort::Name,
        Sort::Expires => KeySort::Expires,
        Sort::LastUsed => KeySort::LastUsed,
    });
    for status in &query.statuses {
        let known = KeyStatus::ALL.into_iter().find(|known| known.as_str() == *status);
        asked = asked.status(known.expect("a status"));
    }
    if let Some(text) = &query.search {
        asked = asked.search(text);
    }
    if let Some(of) = &query.owner {
        asked = asked.owner(owner(of));
    }
    if let Some(period) = query.expiring_within {
        asked = asked.expiring_within(span(period));
    }
    if let Some(since) = query.unused_since {
        asked = asked.unused_since(time(since));
    }
    if query.never_used {
        asked = asked.never_used();
    }
    if query.descending { asked.descending() } else { asked }
}

pub(super) fn event_query(filter: &EventFilter) -> EventQuery {
    let mut asked = EventQuery::new().limit(filter.limit);
    if let Some(key) = &filter.key {
        asked = asked.key(key_id(key));
    }
    if let Some(kind) = filter.kind {
        asked = asked.kind(kind.parse::<EventKind>().expect("a kind"));
    }
    if let Some(since) = filter.since {
        asked = asked.since(time(since));
    }
    if filter.oldest_first { asked.oldest_first() } else { asked }
}

pub(super) fn changed(answer: Result<Outcome<Key>, KeyError>) -> Answer {
    match answer {
        Ok(Outcome::Done(key)) => Answer::Done(key_data(&key)),
        Ok(Outcome::Unchanged(key)) => Answer::Unchanged(key_data(&key)),
        Err(error) => refused(errors::key_error(&error)),
    }
}

pub(super) fn account_changed(answer: Result<Outcome<AccountEntry>, AccountError>) -> Answer {
    match answer {
        Ok(outcome) => Answer::Account(outcome.is_unchanged(), account_data(&outcome.into_inner())),
        Err(error) => refused(errors::account_error(&error)),
    }
}

pub(super) fn user_changed(answer: Result<Outcome<User>, UserError>) -> Answer {
    match answer {
        Ok(outcome) => Answer::User(outcome.is_unchanged(), user_data(&outcome.into_inner())),
        Err(error) => refused(errors::user_error(&error)),
    }
}

fn micros(time: Timestamp) -> Time {
    time.unix_micros()
}

/// Returns the position of the value that equals `seen`.
#[track_caller]
pub(super) fn place<T: PartialEq + std::fmt::Debug>(
    mut known: impl Iterator<Item = T>,
    seen: &T,
) -> usize {
    known.position(|known| known == *seen).unwrap_or_else(|| panic!("{seen:?} was never given in"))
}

fn tenant(id: &TenantId) -> usize {
    place(TENANTS.into_iter(), &id.as_str())
}

fn user(id: &UserId) -> &'static str {
    const USERS: [&str; 7] = ["ada", "tara", "alice", "bob", "audrey", "nobody", "carol"];
    USERS[place(USERS.into_iter(), &id.as_str())]
}

fn name(text: &str) -> usize {
    place(NAMES.into_iter().map(|(name, ..)| name), &text)
}

pub(super) fn bits(set: &ScopeSet) -> u8 {
    let bit = |scope: &Scope| 1_u8 << place(SCOPES.into_iter(), &scope.as_str());
    set.iter().map(bit).fold(0, |all, bit| all | bit)
}

pub(super) fn key_data(key: &Key) -> KeyData {
    KeyData {
        id: key.id.to_string(),
        tenant: tenant(&key.tenant),
        owner: match &key.owner {
            RealOwner::User(id) => Owner::User(user(id)),
            RealOwner::Account(id) => Owner::Account(id.to_string()),
            RealOwner::Organization => Owner::Organization,
        },
        name: name(key.name.as_str()),
        scopes: bits(&key.scopes),
        networks: place(NETWORKS.into_iter().map(networks), &key.networks),
        rate: place(RATES.into_iter().map(rate), &key.rate),
        of_admin: [key.admin_limits.scopes, key.admin_limits.networks, key.admin_limits.rate],
        metadata: place(METADATA.into_iter().map(metadata), &key.metadata),
        created_at: micros(key.created_at),
        created_by: user(&key.created_by),
        updated_at: micros(key.updated_at),
        not_before: key.not_before.map(micros),
        expires_at: key.expires_at.map(micros),
        disabled: key.disabled,
        revoked_at: key.revoked_at.map(micros),
        rotated_at: key.rotated_at.map(micros),
        overlap_ends_at: key.overlap_ends_at.map(micros),
        secret_number: key.secret_number,
        version: key.version,
    }
}

pub(super) fn entry_data(entry: &KeyEntry) -> EntryData {
    assert_eq!(entry.prefix, format!("{}_{}", super::PREFIX, entry.key.id));
    EntryData {
        key: key_data(&entry.key),
        owner_name: entry.owner_name.as_ref().map(|shown| name(shown.as_str())),
        scopes: bits(&entry.scopes),
        write: entry.access == Access::ReadWrite,
        rate: entry.rate.map(uses),
        status: entry.status.as_str(),
        uses: entry.uses,
        last_used_at: entry.last_used_at.map(micros),
        refused: entry.refused,
        last_refused_at: entry.last_refused_at.map(micros),
        overlap: entry.overlap.as_ref().map(|overlap| {
            let (old, new) = (overlap.old_last_used_at, overlap.new_last_used_at);
            let end = micros(overlap.overlap_ends_at);
            (end, old.map(micros), new.map(micros), overlap.safe_to_finish)
        }),
        refused_because: entry.refused_because.as_ref().map(Reason::code),
        actions: entry.actions.iter().map(|operation| operation.as_str()).collect(),
    }
}

pub(super) fn account_data(entry: &AccountEntry) -> AccountData {
    let account = &entry.account;
    AccountData {
        id: account.id.to_string(),
        tenant: tenant(&account.tenant),
        name: name(account.name.as_str()),
        role: place(ROLES.into_iter(), &account.role.as_str()),
        read_only: account.access == Access::ReadOnly,
        enabled: account.enabled,
        created_at: micros(account.created_at),
        updated_at: micros(account.updated_at),
        version: account.version,
    }
}

pub(super) fn user_data(found: &User) -> UserData {
    UserData {
        id: user(&found.id),
        tenant: tenant(&found.tenant),
        display_name: found.display_name.as_ref().map(|shown| name(shown.as_str())),
        suspended: found.suspended,
        updated_at: micros(found.updated_at),
        version: found.version,
    }
}

pub(super) fn granted(grant: &Grant) -> Granted {
    for scope in SCOPES.map(|scope| Scope::new(scope).expect("a scope")) {
        assert_eq!(grant.allows(&scope), grant.scopes().contains(&scope), "{scope}");
        assert_eq!(grant.allows(&scope), grant.require(&scope).is_ok(), "{scope}");
    }
    Granted {
        key: grant.key_id().to_string(),
        retiring: grant.secret_used() == SecretUsed::Retiring,
        scopes: bits(&grant.scopes()),
        write: grant.access() == Access::ReadWrite,
    }
}

pub(super) fn event_data(event: &Event) -> EventData {
    EventData {
        sequence: event.sequence,
        tenant: tenant(&event.tenant),
        at: micros(event.at),
        actor: event.actor.to_string(),
        kind: event.kind.to_string(),
        key: event.key.map(|key| key.to_string()),
        account: event.account.map(|account| account.to_string()),
        outcome: match &event.outcome {
            EventOutcome::Done => "done",
            EventOutcome::Unchanged => "unchanged",
            EventOutcome::Refused(_) => "refused",
            other => panic!("an outcome without a plain form: {other:?}"),
        },
        refusals: event.details.get_number(DetailField::Refusals).unwrap_or_default(),
    }
}
