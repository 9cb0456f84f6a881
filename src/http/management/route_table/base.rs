//! The parts that several rows of the tables share: routes to begin with, problems and parameters.

use super::names::{Parameter, RouteId, Schema, Tag};
use super::route::{Method, Route, Subject, Success};
use crate::http::management::wire::problem::Code;

/// The problems of a route that generates a key.
pub(super) const GENERATE: &[Code] = &[
    Code::UpgradeRequired,
    Code::PermissionDenied,
    Code::AccessOff,
    Code::TooManyKeys,
    Code::TicketUsed,
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
/// The parameters of a list of keys.
pub(super) const KEY_FILTERS: &[Parameter] = &[
    Parameter::Search,
    Parameter::Status,
    Parameter::Owner,
    Parameter::OwnerKind,
    Parameter::Contact,
    Parameter::Metadata,
    Parameter::Prefix,
    Parameter::ExpiringWithin,
    Parameter::UnusedSince,
    Parameter::NeverUsed,
    Parameter::Sort,
    Parameter::Descending,
    Parameter::Limit,
    Parameter::Cursor,
];
/// The parameters of a tenant's list of keys.
pub(super) const COUNTED_KEY_FILTERS: &[Parameter] = &{
    let mut parameters = [Parameter::Count; KEY_FILTERS.len() + 1];
    let mut n = 0;
    while n < KEY_FILTERS.len() {
        parameters[n] = KEY_FILTERS[n];
        n += 1;
    }
    parameters
};
/// The problems of a route that changes a key.
pub(super) const CHANGE_KEY: &[Code] =
    &[Code::PermissionDenied, Code::KeyNotFound, Code::Contended];
/// The problems of a rotation, apart from those of every change of a key.
pub(super) const ROTATE: &[Code] = &[
    Code::WrongStatus,
    Code::Stale,
    Code::OverlapTooLong,
    Code::OverlapWhileDisabled,
    Code::RandomSourceFailed,
];
/// The problems of a route that changes a service account.
pub(super) const CHANGE_ACCOUNT: &[Code] =
    &[Code::PermissionDenied, Code::AccountNotFound, Code::Contended];

/// The problems of a route that hands keys to another owner.
pub(super) const TRANSFER: &[Code] = &[
    Code::AccountNotFound,
    Code::AccountDisabled,
    Code::UserSuspended,
    Code::TooManyKeys,
    Code::NoScopeLeft,
];

pub(super) const KEYS: Route = Route {
    id: RouteId::ListKeys,
    method: Method::Get,
    path: "/keys",
    summary: "",
    tag: Tag::Keys,
    subject: None,
    operation: None,
    parameters: &[],
    body: None,
    success: Success::Empty,
    problems: &[],
};
pub(super) const KEY: Route = Route { path: "/keys/{id}", subject: Some(Subject::Key), ..KEYS };
/// An action on a key without settings.
pub(super) const KEY_ACTION: Route = Route {
    method: Method::Post,
    body: Some(Schema::Nothing),
    success: Success::Tagged(Schema::KeyChange),
    problems: &[CHANGE_KEY, &[Code::WrongStatus]],
    ..KEY
};
pub(super) const ACCOUNTS: Route = Route { path: "/accounts", tag: Tag::Accounts, ..KEYS };
pub(super) const ACCOUNT: Route =
    Route { path: "/accounts/{id}", subject: Some(Subject::Account), ..ACCOUNTS };
/// An action on a service account without settings.
pub(super) const ACCOUNT_ACTION: Route = Route {
    method: Method::Post,
    body: Some(Schema::Nothing),
    success: Success::Tagged(Schema::AccountChange),
    problems: &[CHANGE_ACCOUNT],
    ..ACCOUNT
};
pub(super) const OWNERS: Route = Route {
    tag: Tag::Owners,
    method: Method::Post,
    success: Success::Body(Schema::KeysChange),
    ..KEYS
};
pub(super) const USER: Route =
    Route { path: "/users/{id}", tag: Tag::Users, subject: Some(Subject::User), ..KEYS };
/// An action on a user without settings.
pub(super) const USER_ACTION: Route = Route {
    method: Method::Post,
    body: Some(Schema::Nothing),
    success: Success::Body(Schema::UserChange),
    problems: &[&[Code::PermissionDenied, Code::UserNotFound, Code::Contended]],
    ..USER
};
pub(super) const POLICY: Route = Route { path: "/policy", tag: Tag::Policy, ..KEYS };
