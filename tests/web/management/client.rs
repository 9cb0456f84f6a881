//! A host with the router, called like a client would. The client checks every answer: the status,
//! type and body must match the OpenAPI document, and the answer must not be cacheable.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use futures_lite::future::block_on;
use http_body_util::BodyExt;
use keywright::http::management;
use keywright::store::MemoryStore;
use keywright::{Actor, Authority, Operator};
use serde_json::{Value, json};
use tower::ServiceExt;

use common::faults::Faults;
use common::{TestResult, World};

/// The host mounts the API under a path parameter with the same name as the router's own.
const MOUNT: &str = "/api/{id}/keys-admin";

pub(crate) struct Host {
    pub(crate) world: World,
    pub(crate) faulty: Faults,
    router: Router,
    document: Value,
}

/// A parsed answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// Null if there is no body.
    pub(crate) json: Value,
    /// The error behind a 503 with its sources, which the response carries for the host.
    pub(crate) cause: Option<String>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("visible ASCII"))
    }

    /// Returns the status and the code of a problem. The code is empty for other answers.
    pub(crate) fn problem(&self) -> (u16, &str) {
        (self.status, self.json["code"].as_str().unwrap_or_default())
    }

    /// Returns the field that a problem names, with its value and the bound.
    pub(crate) fn limit(&self) -> (&str, Value, Value) {
        let member = |name: &str| self.json[name].clone();
        (self.json["field"].as_str().unwrap_or_default(), member("value"), member("bound"))
    }

    pub(crate) fn text_at(&self, pointer: &str) -> &str {
        let value = self.json.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("no text at {pointer}: {}", self.status))
    }
}

/// A request under construction.
pub(crate) struct Ask<'a> {
    host: &'a Host,
    actor: Option<&'a Actor>,
    operator: Option<&'a Operator>,
    method: &'a str,
    path: String,
    headers: Vec<(&'a str, String)>,
    body: Vec<u8>,
}

/// Runs a test on a new host over a store in memory.
#[expect(clippy::needless_pass_by_value, reason = "the callers pass closures")]
#[track_caller]
pub(crate) fn on_a_host(test: impl AsyncFn(&Host) -> TestResult) {
    let done = block_on(async {
        let world = World::new(MemoryStore::new());
        test(&Host::of(&world)?).await
    });
    if let Err(error) = done {
        panic!("a step failed: {error} ({error:?})");
    }
}

impl Host {
    pub(crate) fn of(world: &World) -> TestResult<Self> {
        let (world, faulty) = world.with_faults()?;
        let authority = world.authority.clone();
        Ok(Self { router: mounted(authority), document: document()?, world, faulty })
    }

    /// Builds the host over another authority.
    pub(crate) fn over(world: &World, authority: Authority) -> TestResult<Self> {
        Ok(Self { router: mounted(authority), ..Self::of(world)? })
    }

    /// Builds the host of the operator's router.
    pub(crate) fn of_operators(world: &World) -> TestResult<Self> {
        let host = Self::of(world)?;
        let routes = management::operator_router(host.world.authority.clone());
        Ok(Self {
            router: Router::new().nest(MOUNT, routes),
            document: operator_document()?,
            ..host
        })
    }

    /// Begins a request by the administrator.
    pub(crate) fn ask<'a>(&'a self, method: &'a str, path: &str) -> Ask<'a> {
        Ask {
            host: self,
            actor: Some(&self.world.admin),
            operator: None,
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path).json(body).send().await
    }

    /// Generates a key for the administrator, and returns its id and token.
    pub(crate) async fn key(&self, name: &str) -> (String, String) {
        let made = self.post("/keys", json!({ "name": name })).await;
        (made.text_at("/key/id").to_owned(), made.text_at("/token").to_owned())
    }

    /// Creates an analyst account, and returns its id.
    pub(crate) async fn account(&self, name: &str) -> String {
        let body = json!({ "name": name, "role": "analyst" });
        self.post("/accounts", body).await.text_at("/account/id").to_owned()
    }

    /// Returns the document's operation for a request, if there is one.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let path = path.split('?').next().unwrap_or_default();
        let paths = self.document["paths"].as_object().expect("paths");
        let exact = paths.get(path);
        let of = |template: &str| {
            let (given, known) = (path.split('/'), template.split('/'));
            given.clone().count() == known.clone().count()
                && given.zip(known).all(|(a, b)| a == b || b == "{id}" && !a.is_empty())
        };
        let fits = paths.iter().find(|(template, _)| of(template)).map(|(_, item)| item);
        let method = if method == "HEAD" { "GET" } else { method };
        exact.or(fits)?.get(method.to_lowercase())
    }

    /// Returns the names of the parameters of a route, and of the fields of its body.
    pub(crate) fn inputs(&self, method: &str, path: &str) -> BTreeSet<&str> {
        let operation = self.operation(method, path).expect("a route");
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.filter_map(|parameter| parameter["name"].as_str());
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let fields = self.resolved(body)["properties"].as_object().into_iter().flatten();
        parameters.chain(fields.map(|(name, _)| name.as_str())).collect()
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => {
                let found = self.document.pointer(reference.trim_start_matches('#'));
                found.unwrap_or_else(|| panic!("the document has no {reference}"))
            }
            None => value,
        }
    }

    /// Asserts that a value matches a schema of the document.
    #[track_caller]
    pub(crate) fn must_fit(&self, schema: &Value, value: &Value) {
        let mut root = schema.clone();
        root["components"] = self.document["components"].clone();
        let validator = jsonschema::validator_for(&root).expect("a schema");
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{} (at {})", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }

    /// Asserts that an answer is not cacheable and matches the document.
    #[track_caller]
    fn hold_against_document(&self, ask: &Ask<'_>, answer: &Answer) {
        let request = format!("{} {} gave {}", ask.method, ask.path, answer.status);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{request}");
        if answer.status >= 400 && ask.method != "HEAD" {
            self.must_fit(
                &json!({ "$ref": "#/components/schemas/KeywrightProblem" }),
                &answer.json,
            );
            assert_eq!(answer.json["status"], answer.status, "{request}");
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        }
        let Some(operation) = self.operation(ask.method, &ask.path) else {
            assert!([404, 405].contains(&answer.status), "{request}: no operation");
            return;
        };
        let described = &operation["responses"][answer.status.to_string()];
        assert!(described.is_object(), "{request}: not documented");
        let described = self.resolved(described);
        for (name, _) in described["headers"].as_object().into_iter().flatten() {
            assert!(answer.header(name).is_some(), "{request}: no {name}");
        }
        if let Some(code) = answer.json["code"].as_str() {
            let codes = described["description"].as_str().expect("a description");
            let listed = codes.strip_prefix("Problems: ").and_then(|c| c.strip_suffix('.'));
            let mut listed = listed.expect("a list of codes").split(", ");
            assert!(listed.any(|c| c == code), "{request}: {code} is not in {codes}");
        }
        if ask.method == "HEAD" {
            return;
        }
        match described["content"].as_object().and_then(|content| content.iter().next()) {
            Some((kind, content)) => {
                assert_eq!(answer.header("content-type"), Some(kind.as_str()), "{request}");
                self.must_fit(&content["schema"], &answer.json);
            }
            None => assert_eq!(answer.text, "", "{request}: the body is not documented"),
        }
        // An accepted body must match the document too.
        if answer.status < 300 && !ask.body.is_empty() {
            let body = serde_json::from_slice(&ask.body).expect("JSON was taken");
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            self.must_fit(schema, &body);
        }
    }
}

/// Mounts the API without a login, because the tests set the actor themselves.
fn mounted(authority: Authority) -> Router {
    Router::new().nest(MOUNT, management::router(authority))
}

pub(crate) fn document() -> TestResult<Value> {
    Ok(serde_json::to_value(management::openapi())?)
}

pub(crate) fn operator_document() -> TestResult<Value> {
    Ok(serde_json::to_value(management::operator_openapi())?)
}

impl<'a> Ask<'a> {
    /// Sends the request as this actor.
    pub(crate) fn by(self, actor: &'a Actor) -> Self {
        Self { actor: Some(actor), operator: None, ..self }
    }

    /// Sends the request as this operator.
    pub(crate) fn by_operator(self, operator: &'a Operator) -> Self {
        Self { actor: None, operator: Some(operator), ..self }
    }

    /// Sends the request without an actor.
    pub(crate) fn unauthenticated(self) -> Self {
        Self { actor: None, ..self }
    }

    pub(crate) fn header(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn if_match(self, tag: impl Into<String>) -> Self {
        self.header("if-match", tag)
    }

    #[expect(clippy::needless_pass_by_value, reason = "the callers pass json!()")]
    pub(crate) fn json(self, body: Value) -> Self {
        self.header("content-type", "application/json").bytes(body.to_string())
    }

    pub(crate) fn bytes(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    #[track_caller]
    pub(crate) fn send(self) -> impl Future<Output = Answer> {
        let mount = MOUNT.replace("{id}", "globex");
        let mut request =
            Request::builder().method(self.method).uri(format!("{mount}{}", self.path));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(operator) = self.operator {
            request = request.extension(operator.clone());
        }
        if let Some(actor) = self.actor {
            request = request.extension(actor.clone());
        }
        let request = request.body(Body::from(self.body.clone())).expect("a request");
        async move {
            let Ok(response) = self.host.router.clone().oneshot(request).await;
            let (parts, body) = response.into_parts();
            let bytes = body.collect().await.expect("a body").to_bytes();
            let text = String::from_utf8(bytes.to_vec()).expect("text");
            let json = serde_json::from_str(&text).unwrap_or(Value::Null);
            let cause = parts.extensions.get::<management::Cause>().map(|cause| {
                let (mut texts, mut next) = (Vec::new(), Some(cause.error()));
                while let Some(error) = next {
                    texts.push(error.to_string());
                    next = error.source();
                }
                texts.join(": ")
            });
            let status = parts.status.as_u16();
            let answer = Answer { status, headers: parts.headers, text, json, cause };
            self.host.hold_against_document(&self, &answer);
            answer
        }
    }
}
