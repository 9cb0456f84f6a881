//! The handlers of keys, of one or of all keys of an owner.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::authority::{Authority, KeyError};
use crate::http::management::extract::caller::Caller;
use crate::http::management::extract::json_body::{Body, NoBody};
use crate::http::management::extract::path_id::PathId;
use crate::http::management::extract::precondition::{Precondition, Unconditional};
use crate::http::management::extract::query::{NoParams, Params};
use crate::http::management::wire::problem::Problem;
use crate::http::management::wire::request_bodies::{
    HandOverBody, KeyEditBody, NewKeyBody, OwnerBody, RevokeBody, RotateBody, TransferBody,
};
use crate::http::management::wire::responses::{
    created, issued, key_changed, keys_changed, results, tagged,
};
use crate::http::management::wire::views::{KeyEntryView, PageView};
use crate::record::actor::Actor;
use crate::record::key::{Key, Owner};
use crate::record::operation::{Operation, Outcome};
use crate::record::rotation::Rotation;
use crate::store::KeyQuery;
use crate::value::id::KeyId;

type Answer = Result<Response, Problem>;

pub(super) async fn generate(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: (NoParams, Unconditional),
    Body(new): Body<NewKeyBody>,
) -> Answer {
    let new = new.into_new()?;
    let made = authority.generate(&actor, new).await?;
    Ok(created(&format!("keys/{}", made.key.id), issued(&made)))
}

pub(super) async fn generate_for_account(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
    Body(new): Body<NewKeyBody>,
) -> Answer {
    let owner = Owner::Account(id.account(&actor, Operation::KeyGenerate)?);
    let made = authority.generate(&actor, new.into_new_of(owner)?).await?;
    Ok(created(&format!("../../keys/{}", made.key.id), issued(&made)))
}

pub(super) async fn list(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    mut params: Params,
) -> Answer {
    let is_counted = params.switch("count")?;
    let query = key_query(params)?;
    let page = authority.keys(&actor, &query).await?;
    let total = if is_counted { Some(authority.count_keys(&actor, &query).await?) } else { None };
    Ok(Json(PageView::<KeyEntryView>::from(page).with_total(total)).into_response())
}

/// Parses the filters, the order and the page of a list of keys.
pub(super) fn key_query(mut params: Params) -> Result<KeyQuery, Problem> {
    let mut query = KeyQuery::new();
    if let Some(text) = params.search()? {
        query = query.search(text);
    }
    for status in params.words("status")? {
        query = query.status(status);
    }
    if let Some(owner) = params.value("owner")? {
        query = query.owner(owner);
    }
    if let Some(kind) = params.value("owner_kind")? {
        query = query.owner_kind(kind);
    }
    if let Some(contact) = params.value("contact")? {
        query = query.contact(contact);
    }
    for (key, value) in params.entries("metadata")? {
        query = query.metadata(key, value);
    }
    if let Some(prefix) = params.value("prefix")? {
        query = query.prefix(prefix);
    }
    if let Some(period) = params.seconds("expiring_within")? {
        query = query.expiring_within(period);
    }
    if let Some(time) = params.value("unused_since")? {
        query = query.unused_since(time);
    }
    if params.switch("never_used")? {
        query = query.never_used();
    }
    if let Some(sort) = params.word("sort")? {
        query = query.sort(sort);
    }
    if params.switch("descending")? {
        query = query.descending();
    }
    if let Some(limit) = params.number("limit")? {
        query = query.limit(limit);
    }
    query = params.cursor(query, KeyQuery::after)?;
    params.end()?;
    Ok(query)
}

pub(super) async fn show(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: NoParams,
) -> Answer {
    let entry = authority.key(&actor, &id.key()?).await?;
    Ok(tagged(entry.key.version, Json(KeyEntryView::from(entry))))
}

pub(super) async fn edit(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: NoParams,
    precondition: Precondition,
    Body(edit): Body<KeyEditBody>,
) -> Answer {
    let mut edit = edit.into_edit()?;
    if let Some(version) = precondition.version() {
        edit = edit.if_version(version);
    }
    let edited = authority.edit(&actor, &id.key()?, edit).await?;
    changed(&authority, &actor, edited).await
}

pub(super) async fn delete(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
) -> Answer {
    authority.delete(&actor, &id.key()?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn rotate(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: NoParams,
    precondition: Precondition,
    Body(body): Body<RotateBody>,
) -> Answer {
    let mut rotation = Rotation::new(body.overlap());
    if let Some(version) = precondition.version() {
        rotation = rotation.if_version(version);
    }
    let rotated = authority.rotate(&actor, &id.key()?, rotation).await?;
    Ok(issued(&rotated))
}

pub(super) async fn revoke_many(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: (NoParams, Unconditional),
    Body(body): Body<RevokeBody>,
) -> Answer {
    let ids: Vec<KeyId> = body.into_ids()?;
    let answers = authority.revoke_many(&actor, &ids).await;
    let revoked: Vec<KeyId> =
        answers.iter().filter(|(_, answer)| answer.is_ok()).map(|(id, _)| *id).collect();
    results(answers, authority.entries_after(&actor, &revoked).await)
}

pub(super) async fn transfer(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
    Body(TransferBody { owner }): Body<TransferBody>,
) -> Answer {
    let handed = authority.transfer_key(&actor, &id.key()?, &owner).await?;
    changed(&authority, &actor, handed).await
}

pub(super) async fn revoke_owned(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: (NoParams, Unconditional),
    Body(OwnerBody { owner }): Body<OwnerBody>,
) -> Answer {
    let revoked = authority.revoke_owned(&actor, &owner).await?;
    all_changed(&authority, &actor, &owner, &revoked).await
}

pub(super) async fn transfer_owned(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: (NoParams, Unconditional),
    Body(HandOverBody { from, to }): Body<HandOverBody>,
) -> Answer {
    let handed = authority.transfer_owned(&actor, &from, &to).await?;
    all_changed(&authority, &actor, &to, &handed).await
}

/// Answers a change of one key with its entry.
async fn changed(authority: &Authority, actor: &Actor, outcome: Outcome<Key>) -> Answer {
    let unchanged = outcome.is_unchanged();
    let entry = authority.entry_after(actor, outcome.into_inner()).await.map_err(KeyError::from)?;
    Ok(key_changed(entry, unchanged))
}

/// Answers a change of several keys of an owner with their entries.
async fn all_changed(authority: &Authority, actor: &Actor, owner: &Owner, keys: &[Key]) -> Answer {
    let entries = authority.entries_of(actor, owner, keys).await;
    Ok(keys_changed(entries.map_err(KeyError::from)?))
}

/// Defines the handlers of actions that differ only in the method of the authority.
macro_rules! actions {
    ($($name:ident)*) => {$(
        pub(super) async fn $name(
            State(authority): State<Authority>,
            Caller(actor): Caller,
            id: PathId,
            _: (NoParams, Unconditional),
            _: NoBody,
        ) -> Answer {
            let done = authority.$name(&actor, &id.key()?).await?;
            changed(&authority, &actor, done).await
        }
    )*};
}

actions!(disable enable finish_rotation revoke);
