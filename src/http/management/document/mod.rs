//! The OpenAPI document: what stands around the routes. The routes describe themselves.

pub(super) mod parameters;
mod schemas;
mod values;

use serde_json::{Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::{OpenApi, RefOr, Schema, Server};

use super::api::Api;

/// A reference to a schema by its name.
pub(super) fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// It declares no security scheme: the login is the host's, and one that is made up would be untrue.
/// A host can add its own to what it gets.
pub(super) fn document(api: &Api) -> OpenApi {
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "API key management",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Keys, service accounts, policy and events of one tenant: that of the \
                login, which is the application's that serves this API: how one logs in is for it \
                to say, and an API key never is a login here. What is another tenant's, or can't \
                be seen, is answered as absent. No answer is to be stored. Times are RFC 3339, durations whole seconds.",
        },
        "tags": [
            { "name": "keys" },
            { "name": "accounts" },
            { "name": "policy" },
            { "name": "events" },
            { "name": "api" },
        ],
        "paths": api.paths,
        "components": {
            "schemas": schemas::all(),
            "parameters": parameters::all(),
            "headers": headers(),
            "responses": api.responses,
        },
    });
    let lookup = document["components"].clone();
    make_mergeable(&mut document, &lookup);
    document["components"] = json!({
        "schemas": prefixed(&document["components"]["schemas"]),
        "responses": prefixed(&document["components"]["responses"]),
    });
    let mut document: OpenApi =
        serde_json::from_value(document).expect("it is an OpenAPI document");
    add_keywords(&mut document);
    document
}

/// The document as it is served. Its paths begin where it lies itself.
pub(super) fn served(mut document: OpenApi) -> OpenApi {
    let mut beside = Server::new(".");
    beside.description = Some("Beside this document.".to_owned());
    document.servers = Some(vec![beside]);
    document
}

/// In front of every component's name: in a host's own document there may be a `Key` too.
const PREFIX: &str = "Keywright";

/// Puts parameters and headers where they are referred to, since merging documents with utoipa loses
/// them, and refers to everything else by its prefixed name.
fn make_mergeable(value: &mut Value, components: &Value) {
    if let Some(path) = value.get("$ref").and_then(Value::as_str) {
        let mut parts = path.rsplit('/');
        let (name, kind) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if let "parameters" | "headers" = kind {
            *value = components[kind][name].clone();
            make_mergeable(value, components);
        } else {
            *value = json!({ "$ref": format!("#/components/{kind}/{PREFIX}{name}") });
        }
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| make_mergeable(item, components)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| make_mergeable(field, components));
        }
        _ => {}
    }
}

fn prefixed(components: &Value) -> Value {
    let named = components.as_object().into_iter().flatten();
    named.map(|(name, component)| (format!("{PREFIX}{name}"), component.clone())).collect()
}

/// Keywords of JSON Schema that the type of the document has no field for.
fn add_keywords(document: &mut OpenApi) {
    let schemas = document.components.as_mut().map(|components| &mut components.schemas);
    let new_key = schemas.and_then(|schemas| schemas.get_mut(&format!("{PREFIX}NewKey")));
    if let Some(RefOr::T(Schema::Object(new_key))) = new_key {
        let pairs = [
            ["expires_at", "expires_in"],
            ["expires_at", "never_expires"],
            ["expires_in", "never_expires"],
        ];
        let pairs = pairs.map(|pair| json!({ "required": pair }));
        new_key.extensions = Some(Extensions::from_iter([("not", json!({ "anyOf": pairs }))]));
    }
}

fn headers() -> Value {
    json!({
        "ETag": {
            "description": "The version, for If-Match.",
            "schema": { "type": "string", "pattern": "^\"[0-9]+\"$" },
        },
        "Location": {
            "description": "What was made, relative to the URL of the request.",
            "schema": { "type": "string", "format": "uri-reference" },
        },
        "Retry-After": {
            "description": "In seconds.",
            "schema": { "type": "integer", "minimum": 1 },
        },
        "WWW-Authenticate": {
            "description": "Names no scheme of keys: a key manages nothing.",
            "schema": { "type": "string" },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::management::routes;

    /// What stays of a part of the document in the type of it.
    fn kept<T: serde::de::DeserializeOwned + serde::Serialize>(name: &str, part: &Value) {
        let read: Result<T, _> = serde_json::from_value(part.clone());
        let read = read.unwrap_or_else(|error| panic!("{name}: {error}\n{part:#}"));
        assert_eq!(serde_json::to_value(&read).expect("JSON"), *part, "{name}");
    }

    #[test]
    fn nothing_is_lost_in_the_type_of_the_document() {
        use utoipa::openapi::path::{Operation, Parameter};
        use utoipa::openapi::{Header, Response};

        let api = routes();
        let members = |value: &Value| value.as_object().cloned().into_iter().flatten();
        for (name, part) in members(&schemas::all()) {
            kept::<Schema>(&name, &part);
        }
        for (name, part) in members(&parameters::all()) {
            kept::<Parameter>(&name, &part);
        }
        for (name, part) in members(&headers()) {
            kept::<Header>(&name, &part);
        }
        for (name, part) in api.responses {
            kept::<Response>(&name, &part);
        }
        for (path, item) in api.paths {
            for (method, operation) in members(&item) {
                kept::<Operation>(&format!("{method} {path}"), &operation);
            }
        }
    }
}
