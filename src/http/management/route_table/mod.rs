//! The tables of routes, of a tenant and of the operator. A router serves the rows of its table, and a
//! document describes them.

pub(super) mod names;
pub(super) mod operator;
pub(super) mod route;

use self::names::{Parameter, RouteId, Schema, Tag};
use self::route::{Method, Route, Subject, Success};
use crate::http::management::wire::problem::Code;
use crate::record::operation::Operation;

/// The problems of a route that generates a key.
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
/// The parameters of a list of keys.
const KEY_FILTERS: &[Parameter] = &[
    Parameter::Search,
    Parameter::Status,
    Parameter::Owner,
    Parameter::ExpiringWithin,
    Parameter::UnusedSince,
    Parameter::NeverUsed,
    Parameter::Sort,
    Parameter::Descending,
    Parameter::Limit,
    Parameter::Cursor,
];
/// The problems of a route that changes a key.
const CHANGE_KEY: &[Code] = &[Code::PermissionDenied, Code::KeyNotFound, Code::Contended];
/// The problems of a route that changes a service account.
const CHANGE_ACCOUNT: &[Code] = &[Code::PermissionDenied, Code::AccountNotFound, Code::Contended];

const KEYS: Route = Route {
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
const KEY: Route = Route { path: "/keys/{id}", subject: Some(Subject::Key), ..KEYS };
/// An action on a key without settings.
const KEY_ACTION: Route = Route {
    method: Method::Post,
    body: Some(Schema::Nothing),
    success: Success::Tagged(Schema::KeyChange),
    problems: &[CHANGE_KEY, &[Code::WrongStatus]],
    ..KEY
};
const ACCOUNTS: Route = Route { path: "/accounts", tag: Tag::Accounts, ..KEYS };
const ACCOUNT: Route =
    Route { path: "/accounts/{id}", subject: Some(Subject::Account), ..ACCOUNTS };
/// An action on a service account without settings.
const ACCOUNT_ACTION: Route = Route {
    method: Method::Post,
    body: Some(Schema::Nothing),
    success: Success::Tagged(Schema::AccountChange),
    problems: &[CHANGE_ACCOUNT],
    ..ACCOUNT
};
const POLICY: Route = Route { path: "/policy", tag: Tag::Policy, ..KEYS };

pub(super) static ROUTES: &[Route] = &[
    Route {
        id: RouteId::GenerateKey,
        method: Method::Post,
        summary: "Generate a key that you own. Only this response shows its token.",
        operation: Some(Operation::KeyGenerate),
        body: Some(Schema::NewKey),
        success: Success::Created(Schema::Issued),
        problems: &[GENERATE],
        ..KEYS
    },
    Route {
        id: RouteId::ListKeys,
        summary: "List the keys that you have access to.",
        operation: Some(Operation::KeyShow),
        parameters: KEY_FILTERS,
        success: Success::Body(Schema::KeyPage),
        problems: &[&[Code::PermissionDenied]],
        ..KEYS
    },
    Route {
        id: RouteId::ShowKey,
        summary: "Show a key with its status, usage and possible actions.",
        operation: Some(Operation::KeyShow),
        success: Success::Tagged(Schema::KeyEntry),
        problems: &[&[Code::KeyNotFound]],
        ..KEY
    },
    Route {
        id: RouteId::EditKey,
        method: Method::Patch,
        summary: "Change the given fields of a key in one step.",
        operation: Some(Operation::KeyEdit),
        parameters: &[Parameter::IfMatch],
        body: Some(Schema::KeyEdit),
        success: Success::Tagged(Schema::KeyChange),
        problems: &[
            CHANGE_KEY,
            &[
                Code::WrongStatus,
                Code::Stale,
                Code::InvalidName,
                Code::ScopeOutsideCeiling,
                Code::RateAboveLimit,
                Code::SetByAdministrator,
            ],
        ],
        ..KEY
    },
    Route {
        id: RouteId::DeleteKey,
        method: Method::Delete,
        summary: "Delete a key permanently. Its events are kept.",
        operation: Some(Operation::KeyDelete),
        problems: &[CHANGE_KEY],
        ..KEY
    },
    Route {
        id: RouteId::DisableKey,
        path: "/keys/{id}/disable",
        summary: "Disable a key until it is enabled again.",
        operation: Some(Operation::KeyDisable),
        ..KEY_ACTION
    },
    Route {
        id: RouteId::EnableKey,
        path: "/keys/{id}/enable",
        summary: "Enable a disabled key.",
        operation: Some(Operation::KeyEnable),
        ..KEY_ACTION
    },
    Route {
        id: RouteId::RotateKey,
        path: "/keys/{id}/rotate",
        summary: "Replace the secret of a key. Only this response shows the new token.",
        operation: Some(Operation::KeyRotate),
        body: Some(Schema::Rotate),
        success: Success::Tagged(Schema::Issued),
        problems: &[
            CHANGE_KEY,
            &[Code::WrongStatus, Code::OverlapTooLong, Code::RandomSourceFailed],
        ],
        ..KEY_ACTION
    },
    Route {
        id: RouteId::FinishRotation,
        path: "/keys/{id}/finish-rotation",
        summary: "End the overlap of a rotation. The old secret is refused from now on.",
        operation: Some(Operation::KeyFinishRotation),
        ..KEY_ACTION
    },
    Route {
        id: RouteId::RevokeKey,
        path: "/keys/{id}/revoke",
        summary: "Revoke a key permanently. The list still shows it.",
        operation: Some(Operation::KeyRevoke),
        ..KEY_ACTION
    },
    Route {
        id: RouteId::RevokeKeys,
        method: Method::Post,
        path: "/keys/revoke",
        summary: "Revoke up to 100 keys, each one separately. The response has a result for each key: \
            the key, or a problem. It is 503 only if the result of every key is `unavailable`.",
        operation: Some(Operation::KeyRevoke),
        body: Some(Schema::RevokeKeys),
        success: Success::Body(Schema::Results),
        ..KEYS
    },
    Route {
        id: RouteId::GenerateAccountKey,
        method: Method::Post,
        path: "/accounts/{id}/keys",
        summary: "Generate a key that a service account owns.",
        tag: Tag::Keys,
        operation: Some(Operation::KeyGenerate),
        body: Some(Schema::NewKey),
        success: Success::Created(Schema::Issued),
        problems: &[GENERATE, &[Code::AccountNotFound, Code::AccountDisabled]],
        ..ACCOUNT
    },
    Route {
        id: RouteId::CreateAccount,
        method: Method::Post,
        summary: "Create a service account.",
        operation: Some(Operation::AccountCreate),
        body: Some(Schema::NewAccount),
        success: Success::Created(Schema::Account),
        problems: &[&[
            Code::PermissionDenied,
            Code::UnknownRole,
            Code::RandomSourceFailed,
            Code::Contended,
        ]],
        ..ACCOUNTS
    },
    Route {
        id: RouteId::ListAccounts,
        summary: "List the service accounts, oldest first.",
        operation: Some(Operation::AccountShow),
        parameters: &[Parameter::Search, Parameter::Limit, Parameter::Cursor],
        success: Success::Body(Schema::AccountPage),
        problems: &[&[Code::PermissionDenied]],
        ..ACCOUNTS
    },
    Route {
        id: RouteId::ShowAccount,
        summary: "Show a service account.",
        operation: Some(Operation::AccountShow),
        success: Success::Tagged(Schema::Account),
        problems: &[&[Code::PermissionDenied, Code::AccountNotFound]],
        ..ACCOUNT
    },
    Route {
        id: RouteId::EditAccount,
        method: Method::Patch,
        summary: "Change the given fields of a service account, and so all its keys at once.",
        operation: Some(Operation::AccountEdit),
        parameters: &[Parameter::IfMatch],
        body: Some(Schema::AccountEdit),
        success: Success::Tagged(Schema::AccountChange),
        problems: &[CHANGE_ACCOUNT, &[Code::Stale, Code::UnknownRole]],
        ..ACCOUNT
    },
    Route {
        id: RouteId::DeleteAccount,
        method: Method::Delete,
        summary: "Delete a service account and all its keys permanently.",
        operation: Some(Operation::AccountDelete),
        problems: &[CHANGE_ACCOUNT],
        ..ACCOUNT
    },
    Route {
        id: RouteId::DisableAccount,
        path: "/accounts/{id}/disable",
        summary: "Disable a service account, and so all its keys at once.",
        operation: Some(Operation::AccountDisable),
        ..ACCOUNT_ACTION
    },
    Route {
        id: RouteId::EnableAccount,
        path: "/accounts/{id}/enable",
        summary: "Enable a service account. Each of its keys has the status that it had before.",
        operation: Some(Operation::AccountEnable),
        ..ACCOUNT_ACTION
    },
    Route {
        id: RouteId::ShowPolicy,
        summary: "Show the policy of the tenant. Its version is the entity tag.",
        operation: Some(Operation::PolicyShow),
        success: Success::Tagged(Schema::Policy),
        problems: &[&[Code::PermissionDenied]],
        ..POLICY
    },
    Route {
        id: RouteId::SetPolicy,
        method: Method::Put,
        summary: "Replace the whole policy.",
        operation: Some(Operation::PolicySet),
        parameters: &[Parameter::RequiredIfMatch],
        body: Some(Schema::Policy),
        success: Success::Tagged(Schema::PolicyChange),
        problems: &[&[
            Code::PermissionDenied,
            Code::Stale,
            Code::InvalidMaxKeys,
            Code::ZeroLifetime,
            Code::DefaultAboveMax,
            Code::EventRetentionTooShort,
            Code::TooManyRoles,
            Code::InvalidNamePattern,
            Code::PreconditionRequired,
        ]],
        ..POLICY
    },
    Route {
        id: RouteId::ListEvents,
        path: "/events",
        summary: "List the events, newest first. A page may be short or empty: continue until `next` is null.",
        tag: Tag::Events,
        operation: Some(Operation::EventsShow),
        parameters: &[
            Parameter::EventKey,
            Parameter::EventAccount,
            Parameter::EventActor,
            Parameter::EventKind,
            Parameter::Since,
            Parameter::Until,
            Parameter::OldestFirst,
            Parameter::Limit,
            Parameter::Cursor,
        ],
        success: Success::Body(Schema::EventPage),
        problems: &[&[Code::PermissionDenied]],
        ..KEYS
    },
    Route {
        id: RouteId::ShowDocument,
        path: "/openapi.json",
        summary: "Show this document.",
        tag: Tag::Api,
        success: Success::Body(Schema::Document),
        ..KEYS
    },
];

#[cfg(test)]
mod tests {
    use super::operator::OPERATOR_ROUTES;
    use super::*;

    #[test]
    fn no_two_rows_have_one_id() {
        let rows: Vec<_> = ROUTES.iter().chain(OPERATOR_ROUTES).collect();
        for (place, route) in rows.iter().enumerate() {
            let is_new = rows[..place].iter().all(|earlier| earlier.id != route.id);
            assert!(is_new, "{}", route.id.as_str());
        }
    }

    #[test]
    fn path_has_id_of_its_subject() {
        for route in ROUTES.iter().chain(OPERATOR_ROUTES) {
            assert_eq!(route.path.contains("{id}"), route.subject.is_some(), "{}", route.path);
        }
    }

    #[test]
    fn only_document_needs_no_login() {
        let rows = ROUTES.iter().chain(OPERATOR_ROUTES);
        let open = rows.filter(|route| route.operation.is_none()).map(|route| route.id);
        let documents = [RouteId::ShowDocument, RouteId::ShowOperatorDocument];
        assert_eq!(open.collect::<Vec<_>>(), documents);
    }
}
