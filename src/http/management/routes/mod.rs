//! The routers, with one handler for each row of their tables.

mod abilities;
mod accounts;
mod document;
mod events;
mod keys;
mod operator;
mod policy;
mod serve;
mod users;

use axum::Router;
use axum::routing::MethodRouter;

use self::serve::{serve, serve_operator};
use super::route_table::names::RouteId;
use super::route_table::route::Route;
use crate::authority::Authority;

/// Creates the router for all rows of a table.
pub(super) fn router(table: &'static [Route]) -> Router<Authority> {
    table.iter().fold(Router::new(), |router, route| router.route(route.path, handler(route)))
}

fn handler(route: &'static Route) -> MethodRouter<Authority> {
    match route.id {
        RouteId::GenerateKey => serve(route, keys::generate),
        RouteId::ListKeys => serve(route, keys::list),
        RouteId::ShowKey => serve(route, keys::show),
        RouteId::EditKey => serve(route, keys::edit),
        RouteId::DeleteKey => serve(route, keys::delete),
        RouteId::DisableKey => serve(route, keys::disable),
        RouteId::EnableKey => serve(route, keys::enable),
        RouteId::RotateKey => serve(route, keys::rotate),
        RouteId::FinishRotation => serve(route, keys::finish_rotation),
        RouteId::RevokeKey => serve(route, keys::revoke),
        RouteId::RevokeKeys => serve(route, keys::revoke_many),
        RouteId::TransferKey => serve(route, keys::transfer),
        RouteId::RevokeOwned => serve(route, keys::revoke_owned),
        RouteId::TransferOwned => serve(route, keys::transfer_owned),
        RouteId::GenerateAccountKey => serve(route, keys::generate_for_account),
        RouteId::ShowAbilities => serve(route, abilities::show),
        RouteId::CreateAccount => serve(route, accounts::create),
        RouteId::ListAccounts => serve(route, accounts::list),
        RouteId::ShowAccount => serve(route, accounts::show),
        RouteId::EditAccount => serve(route, accounts::edit),
        RouteId::DeleteAccount => serve(route, accounts::delete),
        RouteId::DisableAccount => serve(route, accounts::disable),
        RouteId::EnableAccount => serve(route, accounts::enable),
        RouteId::ShowPolicy => serve(route, policy::show),
        RouteId::ShowPlan => serve(route, policy::show_plan),
        RouteId::SetPlan => serve(route, policy::set_plan),
        RouteId::ShowSettings => serve(route, policy::show_settings),
        RouteId::EditSettings => serve(route, policy::edit_settings),
        RouteId::ShowUser => serve(route, users::show),
        RouteId::EditUser => serve(route, users::edit),
        RouteId::SuspendUser => serve(route, users::suspend),
        RouteId::RestoreUser => serve(route, users::restore),
        RouteId::ListEvents => serve(route, events::list),
        RouteId::ShowDocument => serve(route, document::show),
        RouteId::ListTenants => serve_operator(route, operator::tenants),
        RouteId::ListAllKeys => serve_operator(route, operator::keys),
        RouteId::FindKey => serve_operator(route, operator::find_key),
        RouteId::RevokeInAnyTenant => serve_operator(route, operator::revoke_keys),
        RouteId::RevokeOwnedInAllTenants => serve_operator(route, operator::revoke_owned),
        RouteId::SweepAllTenants => serve_operator(route, operator::sweep),
        RouteId::ShowOperatorDocument => serve_operator(route, document::show_for_operators),
    }
}
