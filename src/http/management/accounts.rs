//! Service accounts: the routes and what each does.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::answer::{account_changed, created, tagged};
use super::api::{Api, Doc};
use super::bodies::{AccountEditBody, NewAccountBody, Nothing};
use super::document::parameters::{ACCOUNT_LIST, IF_MATCH};
use super::json::Body;
use super::problem::{Code, Problem};
use super::query::{NoParams, Params};
use super::request::{Caller, PathId, Precondition, Unconditional};
use super::views::{AccountView, PageView};
use crate::authority::Authority;
use crate::record::operation::Operation;
use crate::store::AccountQuery;

type Answer = Result<Response, Problem>;

const CHANGE: &[Code] = &[Code::PermissionDenied, Code::AccountNotFound, Code::Contended];

pub(super) fn add(api: Api) -> Api {
    let action = |operation, name: &'static str, summary: &'static str| {
        let doc =
            Doc::post(name, summary).does(operation).body("Nothing").gives("AccountChange").etag();
        doc.problems(CHANGE).tag("accounts")
    };
    api.on(
        "/accounts",
        create,
        Doc::post("create_account", "Make a service account.")
            .does(Operation::AccountCreate)
            .tag("accounts")
            .body("NewAccount")
            .creates("Account")
            .problems(&[
                Code::PermissionDenied,
                Code::UnknownRole,
                Code::RandomSourceFailed,
                Code::Contended,
            ]),
    )
    .on(
        "/accounts",
        list,
        Doc::get("list_accounts", "A page of service accounts, oldest first.")
            .does(Operation::AccountShow)
            .tag("accounts")
            .takes(ACCOUNT_LIST)
            .gives("AccountPage")
            .problems(&[Code::PermissionDenied]),
    )
    .on(
        "/accounts/{id}",
        show,
        Doc::get("show_account", "A service account.")
            .does(Operation::AccountShow)
            .tag("accounts")
            .gives("Account")
            .etag()
            .problems(&[Code::PermissionDenied, Code::AccountNotFound]),
    )
    .on(
        "/accounts/{id}",
        edit,
        Doc::patch("edit_account", "Change what is named, for all its keys at once.")
            .does(Operation::AccountEdit)
            .tag("accounts")
            .takes(IF_MATCH)
            .body("AccountEdit")
            .gives("AccountChange")
            .etag()
            .problems(CHANGE)
            .problems(&[Code::Stale, Code::UnknownRole]),
    )
    .on(
        "/accounts/{id}",
        delete,
        Doc::delete("delete_account", "Delete an account and all its keys, for good.")
            .does(Operation::AccountDelete)
            .tag("accounts")
            .problems(CHANGE),
    )
    .on(
        "/accounts/{id}/disable",
        disable,
        action(Operation::AccountDisable, "disable_account", "Stop all its keys at once."),
    )
    .on(
        "/accounts/{id}/enable",
        enable,
        action(
            Operation::AccountEnable,
            "enable_account",
            "Let its keys work again, each as it was.",
        ),
    )
}

async fn create(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    _: (NoParams, Unconditional),
    Body(new): Body<NewAccountBody>,
) -> Answer {
    let account = authority.create_account(&actor, new.into_new()).await?;
    let place = format!("accounts/{}", account.id);
    Ok(created(&place, tagged(account.version, Json(AccountView::from(account)))))
}

async fn list(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    mut params: Params,
) -> Answer {
    let mut query = AccountQuery::new();
    if let Some(text) = params.search()? {
        query = query.search(text);
    }
    if let Some(limit) = params.number("limit")? {
        query = query.limit(limit);
    }
    query = params.cursor(query, AccountQuery::after)?;
    params.end()?;
    let page = authority.accounts(&actor, &query).await?;
    Ok(Json(PageView::<AccountView>::from(page)).into_response())
}

async fn show(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: NoParams,
) -> Answer {
    let id = id.account(&actor, Operation::AccountShow)?;
    let account = authority.account(&actor, &id).await?;
    Ok(tagged(account.version, Json(AccountView::from(account))))
}

async fn edit(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: NoParams,
    precondition: Precondition,
    Body(edit): Body<AccountEditBody>,
) -> Answer {
    let mut edit = edit.into_edit()?;
    if let Some(version) = precondition.version() {
        edit = edit.if_version(version);
    }
    let id = id.account(&actor, Operation::AccountEdit)?;
    Ok(account_changed(authority.edit_account(&actor, &id, edit).await?))
}

async fn disable(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
    Body(Nothing {}): Body<Nothing>,
) -> Answer {
    let id = id.account(&actor, Operation::AccountDisable)?;
    Ok(account_changed(authority.disable_account(&actor, &id).await?))
}

async fn enable(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
    Body(Nothing {}): Body<Nothing>,
) -> Answer {
    let id = id.account(&actor, Operation::AccountEnable)?;
    Ok(account_changed(authority.enable_account(&actor, &id).await?))
}

async fn delete(
    State(authority): State<Authority>,
    Caller(actor): Caller,
    id: PathId,
    _: (NoParams, Unconditional),
) -> Answer {
    let id = id.account(&actor, Operation::AccountDelete)?;
    authority.delete_account(&actor, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
