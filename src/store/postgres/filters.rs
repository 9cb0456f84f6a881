//! The filters of lists of keys, as conditions of a statement.

use sqlx::{Postgres, QueryBuilder};

use super::database::Database;
use super::schema::SchemaName;
use crate::record::key::OwnerKind;
use crate::record::status::KeyStatus;
use crate::store::query::KeyQuery;
use crate::value::id::TenantId;
use crate::value::time::{NEVER_YET, Timestamp};

/// The kind and the id of an owner, which is `KIND:ID`, in lower case. The organization has no colon.
pub(super) const KIND_AND_ID: &str =
    "(left(k.owner, strpos(k.owner, ':')) || split_part(k.search, chr(10), 3))";

/// Returns the `LIKE` pattern for texts that contain `text`.
pub(super) fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Returns whether PostgreSQL can store the texts. A text with a NUL matches nothing.
pub(super) fn can_be_stored<'a>(texts: impl IntoIterator<Item = &'a String>) -> bool {
    texts.into_iter().all(|text| !text.contains('\0'))
}

/// Returns whether a key can match the texts of the query.
pub(super) fn can_match(query: &KeyQuery) -> bool {
    let metadata = query.metadata.iter().flat_map(|(key, value)| [key, value]);
    can_be_stored(query.search.iter().chain(metadata))
}

impl Database {
    /// Returns whether the server may keep the statement of a query.
    ///
    /// After some calls, it would use one plan for all values of the filters. If few keys match, that plan can
    /// read all keys to find them. A statement that is not kept costs one more round trip.
    pub(super) fn is_kept(&self, query: &KeyQuery) -> bool {
        self.persistent && !query.has_filters()
    }
}

/// Adds conditions that every matching key meets. Other keys may meet them too.
pub(super) fn narrow_keys(
    statement: &mut QueryBuilder<Postgres>,
    schema: &SchemaName,
    tenant: Option<&TenantId>,
    query: &KeyQuery,
    at: Timestamp,
) {
    let now = at.unix_micros();
    if let Some(owner) = &query.owner {
        statement.push(" AND k.owner = ").push_bind(owner.to_string());
    }
    if let Some(kind) = query.owner_kind {
        // An owner is the kind alone, or the kind, a colon, and an id. A range can use an index.
        statement.push(" AND k.owner >= ").push_bind(kind.as_str());
        statement.push(" AND k.owner < ").push_bind(format!("{};", kind.as_str()));
    }
    if let Some(contact) = &query.contact {
        // The expression of the index `keys_contact`.
        statement.push(" AND k.record #>> '{key,contact}' = ").push_bind(contact.to_string());
    }
    for (key, value) in &query.metadata {
        statement.push(" AND k.record #> '{key,metadata}' @> jsonb_build_object(");
        statement.push_bind(key.clone()).push("::text, ").push_bind(value.clone()).push("::text)");
    }
    if let Some(prefix) = &query.prefix {
        statement.push(" AND k.record #>> '{key,prefix}' = ").push_bind(prefix.to_string());
    }
    if let Some(text) = &query.search {
        statement.push(" AND (k.search LIKE ").push_bind(pattern(text)).push(" OR ");
        push_display_prefix(statement, text);
        push_kind_and_id(statement, text);
        push_shown_names(statement, schema, tenant, text);
        statement.push(")");
    }
    if !query.statuses.is_empty() {
        statement.push(" AND (false");
        for status in &query.statuses {
            statement.push(" OR ");
            push_status(statement, *status, now);
        }
        statement.push(")");
    }
    if let Some(period) = query.expiring_within {
        let end = at.saturating_add(period).unix_micros();
        statement.push(" AND NOT k.revoked AND k.expires_at > ").push_bind(now);
        statement.push(" AND k.expires_at <= ").push_bind(end);
    }
    if query.unused_since.is_some() || query.never_used {
        // The index of last uses begins with the tenant.
        statement.push(" AND u.tenant = k.tenant");
    }
    if let Some(since) = query.unused_since {
        statement.push(" AND k.created_at < ").push_bind(since.unix_micros());
        statement.push(" AND u.last_used_at < ").push_bind(since.unix_micros());
    }
    if query.never_used {
        statement.push(" AND u.last_used_at = ").push_bind(NEVER_YET);
    }
}

/// Adds the condition that a text is the beginning of the display prefix, with an `OR` behind it. The column
/// `search` does not have the prefix, which many keys share. It has the id at the beginning of a line.
fn push_display_prefix(statement: &mut QueryBuilder<Postgres>, text: &str) {
    let Some((prefix, id)) = text.rsplit_once('_').filter(|(_, id)| !id.is_empty()) else { return };
    statement.push("(k.record #>> '{key,prefix}' = ").push_bind(prefix.to_owned());
    statement.push(" AND k.search LIKE ").push_bind(pattern(&format!("\n{id}")));
    statement.push(" AND starts_with(lower(k.id), ").push_bind(id.to_owned()).push(")) OR ");
}

/// Adds the condition that the kind and the id of the owner contain a text with a colon, with an `OR` behind
/// it. The column `search` has only the id, at the beginning of a line.
fn push_kind_and_id(statement: &mut QueryBuilder<Postgres>, text: &str) {
    let Some((kind, id)) = text.split_once(':') else { return };
    if OwnerKind::ALL.iter().any(|known| known.as_str().ends_with(kind)) {
        statement.push("(k.search LIKE ").push_bind(pattern(&format!("\n{id}")));
        statement.push(format_args!(" AND {KIND_AND_ID} LIKE ")).push_bind(pattern(text));
        statement.push(") OR ");
    }
}

/// Adds the condition that the shown name of the key's owner contains a text.
///
/// The owners are found first, so that an index can find their keys. The name of an account is the
/// first line of its text. Over all tenants this finds too many: `matches` decides.
pub(super) fn push_shown_names(
    statement: &mut QueryBuilder<Postgres>,
    schema: &SchemaName,
    tenant: Option<&TenantId>,
    text: &str,
) {
    let owners = [
        ("k.owner = ANY (ARRAY(SELECT owner FROM {schema}.users WHERE search", ""),
        (
            " UNION ALL SELECT 'account:' || id FROM {schema}.accounts \
             WHERE split_part(search, chr(10), 1)",
            "))",
        ),
    ];
    for (select, end) in owners {
        statement.push(schema.sql(select).as_str()).push(" LIKE ").push_bind(pattern(text));
        if let Some(tenant) = tenant {
            statement.push(" AND tenant = ").push_bind(tenant.to_string());
        }
        statement.push(end);
    }
}

fn push_status(statement: &mut QueryBuilder<Postgres>, status: KeyStatus, now: i64) {
    match status {
        KeyStatus::Revoked => statement.push("k.revoked"),
        KeyStatus::Expired => {
            statement.push("(NOT k.revoked AND k.expires_at <= ").push_bind(now).push(")")
        }
        KeyStatus::Disabled => statement
            .push("(NOT k.revoked AND k.disabled AND k.expires_at > ")
            .push_bind(now)
            .push(")"),
        KeyStatus::Scheduled => statement
            .push("(NOT k.revoked AND NOT k.disabled AND k.expires_at > ")
            .push_bind(now)
            // The first condition is that of the index `keys_scheduled`.
            .push(" AND k.not_before > 0 AND k.not_before > ")
            .push_bind(now)
            .push(")"),
        KeyStatus::Active => statement
            .push("(NOT k.revoked AND NOT k.disabled AND k.expires_at > ")
            .push_bind(now)
            .push(" AND k.not_before <= ")
            .push_bind(now)
            .push(")"),
    };
}
