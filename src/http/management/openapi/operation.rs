//! The operations of the document, one for each row of the table, and the responses that they
//! share.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::headers::Header;
use super::parameters::parameter;
use super::references::{response_name, response_ref, schema_ref};
use crate::http::management::route_table::names::{Parameter, Schema};
use crate::http::management::route_table::route::{Method, Route, Subject, Success};
use crate::http::management::wire::problem::Code;

/// The paths and responses of a document.
#[derive(Default)]
pub(super) struct Operations {
    /// The operations by path, then by method.
    pub(super) paths: Map<String, Value>,
    /// The shared responses, by name.
    pub(super) responses: Map<String, Value>,
}

impl Operations {
    pub(super) fn of(routes: &[Route]) -> Self {
        let mut operations = Self::default();
        for route in routes {
            let operation = operations.describe(route);
            let methods = operations.paths.entry(route.path).or_insert_with(|| json!({}));
            methods[method(route.method)] = operation;
        }
        operations
    }

    /// Describes the operation of a route.
    fn describe(&mut self, route: &Route) -> Value {
        let id = route.subject.map(|subject| match subject {
            Subject::Key => Parameter::KeyId,
            Subject::Account => Parameter::AccountId,
            Subject::User => Parameter::UserId,
        });
        let parameters = id.into_iter().chain(route.parameters.iter().copied());
        let parameters: Vec<Value> = parameters.map(parameter).collect();
        let mut operation = json!({
            "operationId": route.id.as_str(),
            "summary": route.summary,
            "tags": [route.tag.as_str()],
            "responses": self.responses(route),
        });
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some(body) = route.body {
            operation["requestBody"] = json!({
                "required": !route.needs_no_body(),
                "content": { "application/json": { "schema": schema_ref(body) } },
            });
        }
        operation
    }

    /// Describes the successful response, and one response for each status of the problems.
    fn responses(&mut self, route: &Route) -> Value {
        let (status, success) = success(route.success);
        let mut responses = json!({ status: success });
        let codes: Vec<Code> =
            Code::ALL.iter().copied().filter(|code| route.may_answer(*code)).collect();
        for code in &codes {
            let status = code.status();
            let alike = codes.iter().copied().filter(|other| other.status() == status);
            let alike: Vec<Code> = alike.collect();
            responses[status.as_str()] = response_ref(&alike);
            let name = response_name(&alike);
            self.responses.entry(name).or_insert_with(|| problems(&alike));
        }
        responses
    }
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Put => "put",
        Method::Patch => "patch",
        Method::Delete => "delete",
    }
}

fn success(success: Success) -> (&'static str, Value) {
    let (status, body, headers): (_, _, &[Header]) = match success {
        Success::Empty => return ("204", json!({ "description": "The record is deleted." })),
        Success::Body(body) => ("200", body, &[]),
        Success::Tagged(body) => ("200", body, &[Header::ETag]),
        Success::Created(body) => ("201", body, &[Header::ETag, Header::Location]),
    };
    let mut response = json!({
        "description": description(body),
        "content": { "application/json": { "schema": schema_ref(body) } },
    });
    add_headers(&mut response, headers);
    (status, response)
}

/// Returns the description of a successful response.
fn description(body: Schema) -> &'static str {
    match body {
        Schema::Issued => "The key as the listing shows it, and its token, whole and in two parts.",
        Schema::Abilities => "The operations that you may call, and the values of a new key.",
        Schema::KeyEntry => "The key with its status, usage and possible actions.",
        Schema::KeyPage | Schema::AccountPage | Schema::EventPage | Schema::TenantPage => {
            "One page of the list."
        }
        Schema::KeyChange => "The key after the change, as the listing shows it.",
        Schema::AccountChange => "The service account after the change, as the listing shows it.",
        Schema::KeysChange => "The keys that were changed, after the change.",
        Schema::UserChange => "The user after the change.",
        Schema::PlanChange => "The plan after the change.",
        Schema::SettingsChange => "The settings after the change.",
        Schema::Results | Schema::AnyTenantResults => {
            "One result for each key, in the order of the request."
        }
        Schema::OwnerResults | Schema::SweepResults => "One result for each tenant.",
        Schema::AccountEntry => "The service account with its newest keys and possible actions.",
        Schema::User => "The user.",
        Schema::Policy => "The rules in force, the plan and the settings.",
        Schema::Plan => "The plan.",
        Schema::Settings => "The settings.",
        Schema::Document => "The OpenAPI document.",
        other => other.as_str(),
    }
}

/// Describes the response for problems with the same status, and so the same headers.
fn problems(alike: &[Code]) -> Value {
    let codes: Vec<&str> = alike.iter().map(|code| code.as_str()).collect();
    let mut response = json!({
        "description": format!("Problems: {}.", codes.join(", ")),
        "content": {
            "application/problem+json": { "schema": schema_ref(Schema::Problem) },
        },
    });
    let headers: &[Header] = match alike.first().map(|code| code.status()) {
        Some(StatusCode::UNAUTHORIZED) => &[Header::WwwAuthenticate],
        Some(StatusCode::SERVICE_UNAVAILABLE) => &[Header::RetryAfter],
        _ => &[],
    };
    add_headers(&mut response, headers);
    response
}

/// Adds headers to a response. They are no shared components, because utoipa loses those when it
/// merges documents.
fn add_headers(response: &mut Value, headers: &[Header]) {
    for header in headers {
        response["headers"][header.as_str()] = header.describe();
    }
}
