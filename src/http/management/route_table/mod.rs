//! The routes as data: one row each. The router serves these rows and the document describes them.

pub(super) mod names;
pub(super) mod route;

use self::names::{Parameter, RouteId, Schema, Tag};
use self::route::{Method, Route, Subject, Success};
use crate::http::management::wire::problem::Code;
use crate::record::operation::Operation;

/// Problems of every new key.
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
/// Problems of every change of a key.
const CHANGE_KEY: &[Code] = &[Code::PermissionDenied, Code::KeyNotFound, Code::Contended];
/// Problems of every change of an account.
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
/// An action on a key that needs no settings.
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
/// An action on an account that needs no settings.
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
        summary: "Make a key of your own. Its token is shown this once.",
        operation: Some(Operation::KeyGenerate),
        body: Some(Schema::NewKey),
        success: Success::Created(Schema::Issued),
        problems: &[GENERATE],
        ..KEYS
    },
    Route {
        id: RouteId::ListKeys,
        summary: "A page of keys: all that you may see.",
        operation: Some(Operation::KeyShow),
        parameters: &[
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
        ],
        success: Success::Body(Schema::KeyPage),
        problems: &[&[Code::PermissionDenied]],
        ..KEYS
    },
    Route {
        id: RouteId::ShowKey,
        summary: "A key, its usage, and what you can do with it.",
        operation: Some(Operation::KeyShow),
        success: Success::Tagged(Schema::KeyEntry),
        problems: &[&[Code::KeyNotFound]],
        ..KEY
    },
    Route {
        id: RouteId::EditKey,
        method: Method::Patch,
        summary: "Change what is named, in one step; the rest stays.",
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
        summary: "End a key and remove it, for good. Its events stay.",
        operation: Some(Operation::KeyDelete),
        problems: &[CHANGE_KEY],
        ..KEY
    },
    Route {
        id: RouteId::DisableKey,
        path: "/keys/{id}/disable",
        summary: "Stop a key for a while.",
        operation: Some(Operation::KeyDisable),
        ..KEY_ACTION
    },
    Route {
        id: RouteId::EnableKey,
        path: "/keys/{id}/enable",
        summary: "Let a disabled key work again.",
        operation: Some(Operation::KeyEnable),
        ..KEY_ACTION
    },
    Route {
        id: RouteId::RotateKey,
        path: "/keys/{id}/rotate",
        summary: "Replace the secret. The new token is shown this once.",
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
        summary: "End the overlap: the old secret stops at once.",
        operation: Some(Operation::KeyFinishRotation),
        ..KEY_ACTION
    },
    Route {
        id: RouteId::RevokeKey,
        path: "/keys/{id}/revoke",
        summary: "Stop a key for good; it stays listed.",
        operation: Some(Operation::KeyRevoke),
        ..KEY_ACTION
    },
    Route {
        id: RouteId::RevokeKeys,
        method: Method::Post,
        path: "/keys/revoke",
        summary: "Revoke many keys, each by itself. Each has its result, in order: the key, or the \
            problem with it. 503 only if none could be revoked or looked at.",
        operation: Some(Operation::KeyRevoke),
        body: Some(Schema::RevokeKeys),
        success: Success::Body(Schema::Results),
        ..KEYS
    },
    Route {
        id: RouteId::GenerateAccountKey,
        method: Method::Post,
        path: "/accounts/{id}/keys",
        summary: "Make a key of a service account.",
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
        summary: "Make a service account.",
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
        summary: "A page of service accounts, oldest first.",
        operation: Some(Operation::AccountShow),
        parameters: &[Parameter::Search, Parameter::Limit, Parameter::Cursor],
        success: Success::Body(Schema::AccountPage),
        problems: &[&[Code::PermissionDenied]],
        ..ACCOUNTS
    },
    Route {
        id: RouteId::ShowAccount,
        summary: "A service account.",
        operation: Some(Operation::AccountShow),
        success: Success::Tagged(Schema::Account),
        problems: &[&[Code::PermissionDenied, Code::AccountNotFound]],
        ..ACCOUNT
    },
    Route {
        id: RouteId::EditAccount,
        method: Method::Patch,
        summary: "Change what is named, for all its keys at once.",
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
        summary: "Delete an account and all its keys, for good.",
        operation: Some(Operation::AccountDelete),
        problems: &[CHANGE_ACCOUNT],
        ..ACCOUNT
    },
    Route {
        id: RouteId::DisableAccount,
        path: "/accounts/{id}/disable",
        summary: "Stop all its keys at once.",
        operation: Some(Operation::AccountDisable),
        ..ACCOUNT_ACTION
    },
    Route {
        id: RouteId::EnableAccount,
        path: "/accounts/{id}/enable",
        summary: "Let its keys work again, each as it was.",
        operation: Some(Operation::AccountEnable),
        ..ACCOUNT_ACTION
    },
    Route {
        id: RouteId::ShowPolicy,
        summary: "The tenant's policy; its version is the entity tag.",
        operation: Some(Operation::PolicyShow),
        success: Success::Tagged(Schema::Policy),
        problems: &[&[Code::PermissionDenied]],
        ..POLICY
    },
    Route {
        id: RouteId::SetPolicy,
        method: Method::Put,
        summary: "Replace the policy as it was read, all of it.",
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
        summary: "A page of events, newest first. It may be short or empty and have a `next`: go on to `null`.",
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
        summary: "This document.",
        tag: Tag::Api,
        success: Success::Body(Schema::Document),
        ..KEYS
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_have_one_id() {
        for (place, route) in ROUTES.iter().enumerate() {
            let is_new = ROUTES[..place].iter().all(|earlier| earlier.id != route.id);
            assert!(is_new, "{}", route.id.as_str());
        }
    }

    #[test]
    fn path_has_id_of_its_subject() {
        for route in ROUTES {
            assert_eq!(route.path.contains("{id}"), route.subject.is_some(), "{}", route.path);
        }
    }

    #[test]
    fn only_document_needs_no_login() {
        let open = ROUTES.iter().filter(|route| route.operation.is_none());
        assert_eq!(open.map(|route| route.id).collect::<Vec<_>>(), [RouteId::ShowDocument]);
    }
}
