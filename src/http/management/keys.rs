//! Keys: the routes and what each does. Whose key it is to be comes from the login or the path.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::answer::{created, issued, key_changed, results, tagged};
use super::api::{Api, Doc};
use super::bodies::{KeyEditBody, NewKeyBody, Nothing, RevokeBody, RotateBody};
use super::document::parameters::{IF_MATCH, KEY_LIST};
use super::json::Body;
use super::problem::{Code, Problem};
use super::query::{NoParams, Params};
use super::request::{Caller, PathId, Precondition, Unconditional};
use super::views::{KeyEntryView, PageView};
use crate::authority::Authority;
use crate::record::key::Owner;
use crate::record::operation::Operation;
use crate::store::KeyQuery;
use crate::value::id::KeyId;

type Answer = Result<Response, Problem>;

/// What can stand in the way of a new key.
const GENERATE: &[Code] = &[
    Code::UpgradeRequired,
    Code::PermissionDenied,
    Code::AccessOff,
    Code::TooManyKeys,
    Code::InvalidName,
    Code::ExpiryRequired,
    Code::ExpiryPassed,
    Code::ZeroLifetime,
    Code::LifetimeOverflow,
    Code::LifetimeTooLong,
    Code::NeverValid,
    Code::ScopeOutsideCeiling,
    Code::RateAboveLimit,
    Code::RandomSourceFailed,
    Code::Contended,
];
/// What can stand in the way of a change that asks nothing of the key's status.
const CHANGE: &[Code] = &[Code::PermissionDenied, Code::KeyNotFound, Code::Contended];

pub(super) fn add(api: Api) -> Api {
    add_actions(add_records(api))
}

fn add_records(api: Api) -> Api {
    let tagged = |doc: Doc| doc.tag("keys");
    api.on(
        "/keys",
        generate,
        tagged(
            Doc::post("generate_key", "Make a key of your own. Its token is shown this once.")
                .does(Operation::KeyGenerate),
        )
        .body("NewKey")
        .creates("Issued")
        .problems(GENERATE),
    )
    .on(
        "/keys",
        list,
        tagged(
            Doc::get("list_keys", "A page of keys: all that you may see.").does(Operation::KeyShow),
        )
        .takes(KEY_LIST)
        .gives("KeyPage")
        .problems(&[Code::PermissionDenied]),
    )
    .on(
        "/keys/{id}",
        show,
        tagged(
            Doc::get("show_key", "A key, its usage, and what you can do with it.")
                .does(Operation::KeyShow),
        )
        .gives("KeyEntry")
        .etag()
        .problems(&[Code::KeyNotFound]),
    )
    .on(
        "/keys/{id}",
        edit,
        tagged(
            Doc::patch("edit_key", "Change what is named, in one step; the rest stays.")
                .does(Operation::KeyEdit),
        )
        .takes(IF_MATCH)
        .body("KeyEdit")
        .gives("KeyChange")
        .etag()
        .problems(CHANGE)
        .problems(&[
            Code::WrongStatus,
            Code::Stale,
            Code::InvalidName,
            Code::ScopeOutsideCeiling,
            Code::RateAboveLimit,
            Code::SetByAdministrator,
        ]),
    )
    .on(
        "/keys/{id}",
        delete,
        tagged(
            Doc::delete("delete_key", "End a key and remove it, for good. Its events stay.")
                .does(Operation::KeyDelete),
        )
        .problems(CHANGE),
    )
}

/// Adds the routes that act on a key without editing its record, and on many keys.
fn add_actions(api: Api) -> Api {
    let tagged = |doc: Doc| doc.tag("keys");
    let action = |operation, name: &'static str, summary: &'static str| {
        let doc =
            Doc::post(name, summary).does(operation).body("Nothing").gives("KeyChange").etag();
        doc.problems(CHANGE).problems(&[Code::WrongStatus]).tag("keys")
    };
    api.on(
        "/keys/{id}/disable",
        disable,
        action(Operation::KeyDisable, "disable_key", "Stop a key for a while."),
    )
    .on(
        "/keys/{id}/enable",
        enable,
        action(Operation::KeyEnable, "enable_key", "Let a disabled key work again."),
    )
    .on(
        "/keys/{id}/rotate",
        rotate,
        tagged(
            Doc::post("rotate_key", "Replace the secret. The new token is shown this once.")
                .does(Operation::KeyRotate),
        )
        .body("Rotate")
        .gives("Issued")
        .etag()
        .problems(CHANGE)
        .problems(&[Code::WrongStatus, Code::OverlapTooLong, Code::RandomSourceFailed]),
    )
    .on(
        "/keys/{id}/finish-rotation",
        finish_rotation,
        action(
            Operation::KeyFinishRotation,
            "finish_rotation",
            "End the overlap: the old secret stops at once.",
        ),
    )
    .on(
        "/keys/{id}/revoke",
        revoke,
        action(Operation::KeyRevoke, "revoke_key", "Stop a key for good; it stays listed."),
    )
    .on(
        "/keys/revoke",
        revoke_many,
        tagged(
            Doc::post(
                "revoke_keys",
                "Revoke many keys, each by itself. Each has its result, in order: the key, or the \
                 problem with it. 503 only if none could be revoked or looked at.",
            )
            .does(Operation::KeyRevoke),
        )
        .body("RevokeKeys")
        .gives("Results"),
    )
    .on(
        "/accounts/{id}/keys",
        generate_for_account,
        tagged(
            Doc::post("generate_account_key", "Make a key of a service account.")
                .does(Operation::KeyGenerate),
        )
        .body("NewKey")
        .creates("Issued")
        .problems(GENERATE)
        .problems(&[Code::AccountNotFound, Code::AccountDisabled]),
    )
}

async fn generate(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: (NoParams, Unconditional),
    Body(new): Body<NewKeyBody>,
) -> Answer {
    let new = new.into_new()?;
    let made = authority.generate(&actor, new).await?;
    Ok(created(&format!("keys/{}", made.key.id), issued(&made)))
}

async fn generate_for_account(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
    Body(new): Body<NewKeyBody>,
) -> Answer {
    let new = new.into_new()?;
    let owner = Owner::Account(id.account(&actor, Operation::KeyGenerate)?);
    let made = authority.generate(&actor, new.owner(owner.clone())).await?;
    Ok(created(&format!("../../keys/{}", made.key.id), issued(&made)))
}

async fn list(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    mut params: Params,
) -> Answer {
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
    let page = authority.keys(&actor, &query).await?;
    Ok(Json(PageView::<KeyEntryView>::from(page)).into_response())
}

async fn show(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: NoParams,
) -> Answer {
    let entry = authority.key(&actor, &id.key()?).await?;
    Ok(tagged(entry.key.version, Json(KeyEntryView::from(entry))))
}

async fn edit(
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
    Ok(key_changed(authority.edit(&actor, &id.key()?, edit).await?))
}

async fn delete(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
) -> Answer {
    authority.delete(&actor, &id.key()?).await?;
    Ok(axum::http::StatusCode::NO_CONTENT.into_response())
}

async fn rotate(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
    Body(body): Body<RotateBody>,
) -> Answer {
    let rotated = authority.rotate(&actor, &id.key()?, body.overlap()).await?;
    Ok(issued(&rotated))
}

async fn revoke_many(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: (NoParams, Unconditional),
    Body(body): Body<RevokeBody>,
) -> Answer {
    let ids: Vec<KeyId> = body.into_ids()?;
    results(authority.revoke_many(&actor, &ids).await)
}

/// The actions that differ in nothing but the method of the authority.
macro_rules! actions {
    ($($name:ident)*) => {$(
        async fn $name(
            State(authority): State<Authority>,
            Caller(actor): Caller,
            id: PathId,
            _: (NoParams, Unconditional),
            Body(Nothing {}): Body<Nothing>,
        ) -> Answer {
            Ok(key_changed(authority.$name(&actor, &id.key()?).await?))
        }
    )*};
}

actions!(disable enable finish_rotation revoke);
