//! Routes and their descriptions, registered in one step: no route without one, and none described
//! that is not there.

use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use serde_json::{Map, Value, json};

use super::document::schema;
use super::errors::unavailable;
use super::problem::{Code, Unasked};
use super::request::PathId;
use crate::authority::Authority;
use crate::record::actor::Actor;
use crate::record::operation::Operation;

/// The router and the document as they grow, route by route.
#[derive(Default)]
pub(super) struct Api {
    pub(super) router: Router<Authority>,
    /// As in the document: by path, then by method.
    pub(super) paths: Map<String, Value>,
    /// The answers that operations refer to, by name.
    pub(super) responses: Map<String, Value>,
}

impl Api {
    #[expect(clippy::needless_pass_by_value, reason = "it is written where it is passed")]
    pub(super) fn on<H, T>(mut self, path: &'static str, handler: H, doc: Doc) -> Self
    where
        H: Handler<T, Authority>,
        T: 'static,
    {
        let about = About { operation: doc.operation, is_of_a_key: is_of_a_key(path) };
        let handler = async move |State(authority): State<Authority>, request: Request| {
            about.answer(handler.clone(), authority, request).await
        };
        self.router = self.router.route(path, on(doc.filter, handler));
        let method = doc.method;
        let operation = self.describe(path, &doc);
        let methods = self.paths.entry(path).or_insert_with(|| json!({}));
        methods[method] = operation;
        self
    }

    fn describe(&mut self, path: &str, doc: &Doc) -> Value {
        let mut parameters: Vec<Value> = Vec::new();
        if path.contains("{id}") {
            let of = if is_of_a_key(path) { "KeyId" } else { "AccountId" };
            parameters.push(json!({ "$ref": format!("#/components/parameters/{of}") }));
        }
        let named = doc.parameters.iter();
        parameters
            .extend(named.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })));
        let mut operation = json!({
            "operationId": doc.id,
            "summary": doc.summary,
            "tags": [doc.tag],
            "responses": self.answers(doc),
        });
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some(body) = doc.body {
            operation["requestBody"] = json!({
                "required": true,
                "content": { "application/json": { "schema": schema(body) } },
            });
        }
        operation
    }

    /// The success, and one answer for each status of the problems.
    fn answers(&mut self, doc: &Doc) -> Value {
        let mut success = json!({ "description": doc.gives.unwrap_or("Done.") });
        if let Some(gives) = doc.gives {
            success["content"] = json!({ "application/json": { "schema": schema(gives) } });
        }
        for header in &doc.headers {
            success["headers"][header] =
                json!({ "$ref": format!("#/components/headers/{header}") });
        }
        let mut answers = json!({ doc.status: success });
        let problems = doc.all_problems();
        for code in &problems {
            let alike: Vec<&str> = Code::ALL
                .iter()
                .filter(|other| other.status() == code.status() && problems.contains(other))
                .map(|code| code.as_str())
                .collect();
            let name = alike.join(".");
            answers[code.status().as_str()] =
                json!({ "$ref": format!("#/components/responses/{name}") });
            self.responses.entry(name).or_insert_with(|| problem(*code, &alike));
        }
        answers
    }
}

/// Whether the id in a path is a key's. Otherwise it is an account's.
fn is_of_a_key(path: &str) -> bool {
    path.starts_with("/keys")
}

/// The subject of a route's requests.
#[derive(Clone, Copy)]
struct About {
    operation: Option<Operation>,
    is_of_a_key: bool,
}

impl About {
    /// Answers a request. One of an actor that is refused unread is recorded before it is answered;
    /// one without an actor is not, since a stranger must not make the store write.
    async fn answer<H, T>(self, handler: H, authority: Authority, request: Request) -> Response
    where
        H: Handler<T, Authority>,
        T: 'static,
    {
        let (mut parts, body) = request.into_parts();
        let actor = parts.extensions.get::<Actor>().cloned();
        let Ok(id) = PathId::from_request_parts(&mut parts, &authority).await;
        let request = Request::from_parts(parts, body);
        let response = handler.call(request, authority.clone()).await;
        let unasked = response.extensions().get::<Unasked>();
        let (Some(actor), Some(operation), Some(&Unasked(code))) = (actor, self.operation, unasked)
        else {
            return response;
        };
        let key = id.parse().filter(|_| self.is_of_a_key);
        let account = id.parse().filter(|_| !self.is_of_a_key);
        let problem = code.as_str();
        match authority.record_malformed(&actor, operation, key, account, problem).await {
            Ok(()) => response,
            Err(_) => unavailable().into_response(),
        }
    }
}

fn problem(code: Code, alike: &[&str]) -> Value {
    let mut response = json!({
        "description": alike.join(", "),
        "content": { "application/problem+json": { "schema": schema("Problem") } },
    });
    let header = match code {
        Code::LoginRequired => Some("WWW-Authenticate"),
        Code::Unavailable | Code::Contended | Code::RandomSourceFailed => Some("Retry-After"),
        _ => None,
    };
    if let Some(header) = header {
        response["headers"][header] = json!({ "$ref": format!("#/components/headers/{header}") });
    }
    response
}

/// What the document says of one operation.
pub(super) struct Doc {
    filter: MethodFilter,
    method: &'static str,
    id: &'static str,
    summary: &'static str,
    tag: &'static str,
    parameters: &'static [&'static str],
    body: Option<&'static str>,
    status: &'static str,
    gives: Option<&'static str>,
    headers: Vec<&'static str>,
    problems: Vec<Code>,
    open: bool,
    operation: Option<Operation>,
}

impl Doc {
    fn new(
        filter: MethodFilter,
        method: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            filter,
            method,
            id,
            summary,
            tag: "api",
            parameters: &[],
            body: None,
            status: "204",
            gives: None,
            headers: Vec::new(),
            problems: Vec::new(),
            open: false,
            operation: None,
        }
    }

    pub(super) fn get(id: &'static str, summary: &'static str) -> Self {
        Self::new(MethodFilter::GET, "get", id, summary)
    }

    pub(super) fn post(id: &'static str, summary: &'static str) -> Self {
        Self::new(MethodFilter::POST, "post", id, summary)
    }

    pub(super) fn put(id: &'static str, summary: &'static str) -> Self {
        Self::new(MethodFilter::PUT, "put", id, summary)
    }

    pub(super) fn patch(id: &'static str, summary: &'static str) -> Self {
        Self::new(MethodFilter::PATCH, "patch", id, summary)
    }

    pub(super) fn delete(id: &'static str, summary: &'static str) -> Self {
        Self::new(MethodFilter::DELETE, "delete", id, summary)
    }

    pub(super) fn tag(self, tag: &'static str) -> Self {
        Self { tag, ..self }
    }

    /// Parameters of the query and headers, by their names in the document.
    pub(super) fn takes(self, parameters: &'static [&'static str]) -> Self {
        Self { parameters, ..self }
    }

    pub(super) fn body(self, schema: &'static str) -> Self {
        Self { body: Some(schema), ..self }
    }

    pub(super) fn gives(self, schema: &'static str) -> Self {
        Self { status: "200", gives: Some(schema), ..self }
    }

    pub(super) fn creates(self, schema: &'static str) -> Self {
        let headers = vec!["ETag", "Location"];
        Self { status: "201", gives: Some(schema), headers, ..self }
    }

    pub(super) fn etag(self) -> Self {
        Self { headers: vec!["ETag"], ..self }
    }

    /// More that can stand in the way.
    pub(super) fn problems(mut self, codes: &[Code]) -> Self {
        self.problems.extend(codes);
        self
    }

    /// Sets the operation of the route. A request that can't be read is recorded as this operation, refused.
    pub(super) fn does(self, operation: Operation) -> Self {
        Self { operation: Some(operation), ..self }
    }

    /// No login is asked for.
    pub(super) fn open(self) -> Self {
        Self { open: true, ..self }
    }

    /// With those that follow from what the operation takes.
    fn all_problems(&self) -> Vec<Code> {
        let mut all = self.problems.clone();
        all.push(Code::InvalidQuery);
        if !self.open {
            all.extend([Code::LoginRequired, Code::Unavailable]);
        }
        if self.parameters.iter().any(|name| name.ends_with("IfMatch")) {
            all.push(Code::InvalidPrecondition);
        }
        if self.method != "get" {
            all.push(Code::PreconditionNotSupported);
        }
        if self.body.is_some() {
            all.extend([
                Code::MalformedJson,
                Code::BodyTooLarge,
                Code::UnsupportedMediaType,
                Code::InvalidBody,
            ]);
        }
        all
    }
}
