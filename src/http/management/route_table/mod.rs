//! The tables of routes, of a tenant and of the operator. A router serves the rows of its table, and a
//! document describes them.

mod base;
pub(super) mod names;
pub(super) mod operator;
pub(super) mod route;

use self::base::{
    ACCOUNT, ACCOUNT_ACTION, ACCOUNTS, CHANGE_ACCOUNT, CHANGE_KEY, COUNTED_KEY_FILTERS, GENERATE,
    KEY, KEY_ACTION, KEYS, OWNERS, POLICY, ROTATE, TRANSFER, USER, USER_ACTION,
};
use self::names::{Parameter, RouteId, Schema, Tag};
use self::route::{Method, Route, Success};
use crate::http::management::wire::problem::Code;
use crate::record::operation::Operation;

pub(super) static ROUTES: &[Route] = &[
    Route {
        id: RouteId::GenerateKey,
        method: Method::Post,
        summary: "Generate a key. Only this response shows its token.",
        operation: Some(Operation::KeyGenerate),
        body: Some(Schema::NewKey),
        success: Success::Created(Schema::Issued),
        problems: &[GENERATE, &[Code::AccountNotFound, Code::AccountDisabled, Code::UserSuspended]],
        ..KEYS
    },
    Route {
        id: RouteId::ListKeys,
        summary: "List the keys that you have access to.",
        operation: Some(Operation::KeyShow),
        parameters: COUNTED_KEY_FILTERS,
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
        parameters: &[Parameter::IfMatch],
        body: Some(Schema::Rotate),
        success: Success::Tagged(Schema::Issued),
        problems: &[CHANGE_KEY, ROTATE],
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
        id: RouteId::TransferKey,
        path: "/keys/{id}/transfer",
        summary: "Hand a key to another owner. Its tokens keep working.",
        operation: Some(Operation::KeyTransfer),
        body: Some(Schema::TransferKey),
        problems: &[CHANGE_KEY, &[Code::WrongStatus], TRANSFER],
        ..KEY_ACTION
    },
    Route {
        id: RouteId::RevokeOwned,
        path: "/owners/revoke",
        summary: "Revoke all live keys of an owner in one atomic step.",
        operation: Some(Operation::KeyRevoke),
        body: Some(Schema::OwnerOfKeys),
        problems: &[&[Code::PermissionDenied, Code::Contended]],
        ..OWNERS
    },
    Route {
        id: RouteId::TransferOwned,
        path: "/owners/transfer",
        summary: "Hand all live keys of an owner to another owner in one atomic step.",
        operation: Some(Operation::KeyTransfer),
        body: Some(Schema::HandOver),
        problems: &[&[Code::PermissionDenied, Code::Contended], TRANSFER],
        ..OWNERS
    },
    Route {
        id: RouteId::ShowUser,
        summary: "Show a user. A user without a record has no display name and is not suspended.",
        operation: Some(Operation::UserShow),
        success: Success::Body(Schema::User),
        problems: &[&[Code::PermissionDenied, Code::UserNotFound]],
        ..USER
    },
    Route {
        id: RouteId::EditUser,
        method: Method::Patch,
        summary: "Set the display name of a user, or remove it.",
        operation: Some(Operation::UserName),
        body: Some(Schema::UserEdit),
        ..USER_ACTION
    },
    Route {
        id: RouteId::SuspendUser,
        path: "/users/{id}/suspend",
        summary: "Suspend a user, and so all keys of the user at once.",
        operation: Some(Operation::UserSuspend),
        ..USER_ACTION
    },
    Route {
        id: RouteId::RestoreUser,
        path: "/users/{id}/restore",
        summary: "Restore a suspended user. Each key of the user has the status that it had before.",
        operation: Some(Operation::UserRestore),
        ..USER_ACTION
    },
    Route {
        id: RouteId::GenerateAccountKey,
        method: Method::Post,
        path: "/accounts/{id}/keys",
        summary: "Generate a key that a service account owns.",
        tag: Tag::Keys,
        operation: Some(Operation::KeyGenerate),
        body: Some(Schema::NewAccountKey),
        success: Success::Created(Schema::Issued),
        problems: &[GENERATE, &[Code::AccountNotFound, Code::AccountDisabled]],
        ..ACCOUNT
    },
    Route {
        id: RouteId::ShowAbilities,
        path: "/abilities",
        summary: "Show what you may do: the operations, whether you can generate a key for the owner, \
            and with which values.",
        operation: Some(Operation::KeyShow),
        parameters: &[Parameter::OwnerOfNewKey],
        success: Success::Body(Schema::Abilities),
        ..KEYS
    },
    Route {
        id: RouteId::CreateAccount,
        method: Method::Post,
        summary: "Create a service account.",
        operation: Some(Operation::AccountCreate),
        body: Some(Schema::NewAccount),
        success: Success::Created(Schema::AccountEntry),
        problems: &[&[
            Code::PermissionDenied,
            Code::TicketUsed,
            Code::UnknownRole,
            Code::RandomSourceFailed,
            Code::Contended,
        ]],
        ..ACCOUNTS
    },
    Route {
        id: RouteId::ListAccounts,
        summary: "List the service accounts, oldest first, each with its newest keys.",
        operation: Some(Operation::AccountShow),
        parameters: &[Parameter::Search, Parameter::Limit, Parameter::Cursor],
        success: Success::Body(Schema::AccountPage),
        problems: &[&[Code::PermissionDenied]],
        ..ACCOUNTS
    },
    Route {
        id: RouteId::ShowAccount,
        summary: "Show a service account with its newest keys and possible actions.",
        operation: Some(Operation::AccountShow),
        success: Success::Tagged(Schema::AccountEntry),
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
        summary: "Show the rules that are in force in the tenant, and the plan and settings that they come from.",
        operation: Some(Operation::PolicyShow),
        success: Success::Body(Schema::Policy),
        problems: &[&[Code::PermissionDenied]],
        ..POLICY
    },
    Route {
        id: RouteId::ShowPlan,
        path: "/plan",
        summary: "Show the plan of the tenant. Its version is the entity tag.",
        operation: Some(Operation::PolicyShow),
        success: Success::Tagged(Schema::Plan),
        problems: &[&[Code::PermissionDenied]],
        ..POLICY
    },
    Route {
        id: RouteId::SetPlan,
        method: Method::Put,
        path: "/plan",
        summary: "Replace the whole plan. Only the host has the permission.",
        operation: Some(Operation::PlanSet),
        parameters: &[Parameter::RequiredIfMatch],
        body: Some(Schema::Plan),
        success: Success::Tagged(Schema::PlanChange),
        problems: &[&[
            Code::PermissionDenied,
            Code::Stale,
            Code::InvalidMaxKeys,
            Code::InvalidAlertPeriod,
            Code::ZeroLifetime,
            Code::EventRetentionTooShort,
            Code::TooManyRoles,
            Code::TooManyScopes,
            Code::UnknownScope,
            Code::InvalidNamePattern,
            Code::PreconditionRequired,
        ]],
        ..POLICY
    },
    Route {
        id: RouteId::ShowSettings,
        path: "/settings",
        summary: "Show the settings of the tenant. Their version is the entity tag.",
        operation: Some(Operation::PolicyShow),
        success: Success::Tagged(Schema::Settings),
        problems: &[&[Code::PermissionDenied]],
        ..POLICY
    },
    Route {
        id: RouteId::EditSettings,
        method: Method::Patch,
        path: "/settings",
        summary: "Change the given settings. Null returns a setting to its default.",
        operation: Some(Operation::SettingsEdit),
        parameters: &[Parameter::IfMatch],
        body: Some(Schema::SettingsEdit),
        success: Success::Tagged(Schema::SettingsChange),
        problems: &[&[
            Code::PermissionDenied,
            Code::Stale,
            Code::InvalidMaxKeys,
            Code::InvalidAlertPeriod,
            Code::ZeroLifetime,
            Code::DefaultAboveMax,
            Code::EventRetentionTooShort,
            Code::InvalidNamePattern,
            Code::BeyondPlan,
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
