//! The paths of the page, and the screen behind each.

use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::extract::RawPathParams;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use axum::routing::{any, get};

use super::address::without_tokens;
use super::assets;
use super::options::{Page, SharedPage};
use super::screens::accounts::{
    account, confirm as confirm_account, edit as edit_account, list as accounts,
    new as new_account, transfer as transfer_account,
};
use super::screens::owner::{self, Action};
use super::screens::{
    bulk, confirm, edit, events, key, new, owned, owner_actions, rotate, settings, settings_edit,
    settings_switch, tenant_keys, transfer,
};
use super::visit::{Lost, Visit};

/// Makes a handler of a screen, which may have one more argument.
macro_rules! on {
    ($screen:path $(, $argument:expr)?) => {
        async |visit: Visit| {
            let answer = $screen(&visit $(, $argument)?).await;
            visit.finish(answer)
        }
    };
}

/// Makes the handlers of a question before an operation.
macro_rules! asked {
    ($screen:ident, $question:ident) => {
        get(on!($screen::ask, $screen::$question)).post(on!($screen::act, $screen::$question))
    };
}

/// Creates the router of the page.
///
/// The host nests the router under any path. The host's login must insert an
/// [`Actor`](crate::Actor) into the extensions of each request. Without an actor the page answers
/// 401, or redirects to [`Links::login`](super::Links::login).
///
/// A form is refused with 403 unless the browser says that the page itself sent it
/// (`Sec-Fetch-Site`, `Origin`). An address with a token is redirected to the same address with the
/// key id in its place.
///
/// ```
/// use keywright::http::page::{self, Page};
/// # use keywright::{Keywright, store::MemoryStore};
/// # let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
/// let app: axum::Router = axum::Router::new().nest("/keys", page::router(Page::new(authority)));
/// # let _ = app;
/// # Ok::<(), keywright::Error>(())
/// ```
pub fn router<S: Clone + Send + Sync + 'static>(page: Page) -> Router<S> {
    let of_owner = |action| {
        get(async move |visit: Visit| {
            let answer = owner_actions::ask(&visit, action).await;
            visit.finish(answer)
        })
        .post(async move |visit: Visit| {
            let answer = owner_actions::act(&visit, action).await;
            visit.finish(answer)
        })
    };
    let router: Router<SharedPage> = Router::new()
        .route("/", get(on!(owned::own)))
        .route("/organization", get(on!(owned::organization)))
        .route("/new", get(on!(new::form)).post(on!(new::submit)))
        .route("/keys/{id}", get(on!(key::show)))
        .route("/keys/{id}/edit", get(on!(edit::form)).post(on!(edit::submit)))
        .route("/keys/{id}/rotate", get(on!(rotate::form)).post(on!(rotate::submit)))
        .route("/keys/{id}/transfer", get(on!(transfer::form)).post(on!(transfer::submit)))
        .route("/keys/{id}/disable", asked!(confirm, DISABLE))
        .route("/keys/{id}/enable", asked!(confirm, ENABLE))
        .route("/keys/{id}/finish", asked!(confirm, FINISH))
        .route("/keys/{id}/revoke", asked!(confirm, REVOKE))
        .route("/keys/{id}/delete", asked!(confirm, DELETE))
        .route("/accounts", get(on!(accounts::show)))
        .route("/accounts/new", get(on!(new_account::form)).post(on!(new_account::submit)))
        .route("/accounts/{id}", get(on!(account::show)))
        .route("/accounts/{id}/edit", get(on!(edit_account::form)).post(on!(edit_account::submit)))
        .route("/accounts/{id}/disable", asked!(confirm_account, DISABLE))
        .route("/accounts/{id}/enable", asked!(confirm_account, ENABLE))
        .route("/accounts/{id}/revoke", asked!(confirm_account, REVOKE))
        .route("/accounts/{id}/delete", asked!(confirm_account, DELETE))
        .route(
            "/accounts/{id}/transfer",
            get(on!(transfer_account::form)).post(on!(transfer_account::submit)),
        )
        .route("/all", get(on!(tenant_keys::list)))
        .route("/all/revoke", get(on!(bulk::ask)).post(on!(bulk::act)))
        .route("/events", get(on!(events::list)))
        .route("/settings", get(on!(settings::show)))
        .route("/settings/edit", get(on!(settings_edit::form)).post(on!(settings_edit::submit)))
        .route(
            "/settings/on",
            get(on!(settings_switch::ask, true)).post(on!(settings_switch::act, true)),
        )
        .route(
            "/settings/off",
            get(on!(settings_switch::ask, false)).post(on!(settings_switch::act, false)),
        );
    let actions = [owner::SUSPEND, owner::RESTORE, owner::REVOKE, owner::TRANSFER];
    let add = |router: Router<_>, action: Action| router.route(action.path, of_owner(action));
    let router = actions.into_iter().fold(router, add);
    router
        .route(
            "/assets/{name}",
            // The host can mount the page under a parameter of its own, which comes first.
            get(|params: RawPathParams| {
                let file = params.iter().last().and_then(|(_, name)| assets::file(name));
                ready(file.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response()))
            }),
        )
        // A fallback is lost if the host nests the router twice.
        .route("/{*path}", any(|lost: Lost| ready(lost.answer(StatusCode::NOT_FOUND))))
        .method_not_allowed_fallback(|lost: Lost| {
            ready(lost.answer(StatusCode::METHOD_NOT_ALLOWED))
        })
        .with_state(Arc::new(page))
        .layer(from_fn(without_tokens))
}
