//! The rows of the operator's routes, for all tenants.

use super::base::{KEY_FILTERS, KEYS};
use super::names::{Parameter, RouteId, Schema, Tag};
use super::route::{Method, Route, Subject, Success};
use crate::http::management::wire::problem::Code;
use crate::record::operation::Operation;

/// A change in several tenants, whose response has a result for each.
const CHANGE: Route = Route { method: Method::Post, ..KEYS };

pub(crate) static OPERATOR_ROUTES: &[Route] = &[
    Route {
        id: RouteId::ListTenants,
        path: "/tenants",
        summary: "List the tenants by id, each with the numbers of its keys, accounts and events.",
        tag: Tag::Tenants,
        operation: Some(Operation::KeyShow),
        parameters: &[Parameter::StartingWith, Parameter::Limit, Parameter::Cursor],
        success: Success::Body(Schema::TenantPage),
        ..KEYS
    },
    Route {
        id: RouteId::ListAllKeys,
        summary: "List the keys of all tenants in one order. Each key names its tenant.",
        operation: Some(Operation::KeyShow),
        parameters: KEY_FILTERS,
        success: Success::Body(Schema::KeyPage),
        ..KEYS
    },
    Route {
        id: RouteId::FindKey,
        path: "/keys/{id}",
        subject: Some(Subject::Key),
        summary: "Show a key of any tenant.",
        operation: Some(Operation::KeyShow),
        success: Success::Tagged(Schema::KeyEntry),
        problems: &[&[Code::KeyNotFound]],
        ..KEYS
    },
    Route {
        id: RouteId::RevokeInAnyTenant,
        path: "/keys/revoke",
        summary: "Revoke up to 100 keys of any tenants, each one separately. The response has a result \
            for each key: its tenant, and the key or a problem. It is 503 only if the result of every \
            key is `unavailable`.",
        operation: Some(Operation::KeyRevoke),
        body: Some(Schema::RevokeKeys),
        success: Success::Body(Schema::AnyTenantResults),
        ..CHANGE
    },
    Route {
        id: RouteId::RevokeOwnedInAllTenants,
        path: "/owners/revoke",
        summary: "Revoke all live keys of an owner in every tenant. The response has a result for each \
            tenant in which the owner had live keys.",
        operation: Some(Operation::KeyRevoke),
        body: Some(Schema::Owner),
        success: Success::Body(Schema::OwnerResults),
        ..CHANGE
    },
    Route {
        id: RouteId::SweepAllTenants,
        path: "/sweep",
        summary: "Remove the dead keys and the events of every tenant whose retention has passed. The \
            response has a result for each tenant.",
        tag: Tag::Tenants,
        operation: Some(Operation::Sweep),
        body: Some(Schema::Nothing),
        success: Success::Body(Schema::SweepResults),
        ..CHANGE
    },
    Route {
        id: RouteId::ShowOperatorDocument,
        path: "/openapi.json",
        summary: "Show this document.",
        tag: Tag::Api,
        success: Success::Body(Schema::Document),
        ..KEYS
    },
];
