//! The OpenAPI document, generated from the table of routes.

mod headers;
mod operation;
mod parameters;
mod references;
mod schemas;
mod value_schemas;

use serde_json::{Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::{OpenApi, RefOr, Schema, Server};

use self::operation::Operations;
use self::references::schema_name;
use super::route_table::ROUTES;
use super::route_table::names::{Schema as Name, Tag};

/// Generates the document.
///
/// It declares no security scheme, because the login belongs to the host. The host can add its
/// scheme.
pub(super) fn document() -> OpenApi {
    let Operations { paths, responses } = Operations::of(ROUTES);
    let tags = Tag::ALL.iter().map(|tag| json!({ "name": tag.as_str() }));
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "API key management",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Manages the API keys, service accounts, policy and events of one tenant. \
                The application that serves this API defines the login, and the login determines the \
                user and the tenant. An API key is never a login here. A record of another tenant, or \
                a key that the user cannot see, is answered as absent. No response may be cached. \
                Times are in RFC 3339, durations in whole seconds.",
        },
        "tags": tags.collect::<Vec<_>>(),
        "paths": paths,
        "components": { "schemas": schemas(), "responses": responses },
    });
    let mut document: OpenApi =
        serde_json::from_value(document).expect("it is an OpenAPI document");
    add_keywords(&mut document);
    document
}

/// Adds the server of the document as it is served: the path of the document itself.
pub(super) fn served(mut document: OpenApi) -> OpenApi {
    let mut beside = Server::new(".");
    beside.description = Some("The path of this document.".to_owned());
    document.servers = Some(vec![beside]);
    document
}

fn schemas() -> Value {
    Name::ALL.iter().map(|name| (schema_name(*name), schemas::describe(*name))).collect()
}

/// Adds the JSON Schema keywords that the type of the document has no field for.
fn add_keywords(document: &mut OpenApi) {
    let schemas = document.components.as_mut().map(|components| &mut components.schemas);
    let new_key = schemas.and_then(|schemas| schemas.get_mut(&schema_name(Name::NewKey)));
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

#[cfg(test)]
mod tests {
    use utoipa::openapi::Response;
    use utoipa::openapi::path::Operation;

    use super::*;

    /// Asserts that a part of the document survives the conversion into its type.
    fn assert_kept<T: serde::de::DeserializeOwned + serde::Serialize>(name: &str, part: &Value) {
        let read: Result<T, _> = serde_json::from_value(part.clone());
        let read = read.unwrap_or_else(|error| panic!("{name}: {error}\n{part:#}"));
        assert_eq!(serde_json::to_value(&read).expect("JSON"), *part, "{name}");
    }

    #[test]
    fn document_type_loses_nothing() {
        for name in Name::ALL {
            assert_kept::<Schema>(name.as_str(), &schemas::describe(*name));
        }
        let Operations { paths, responses } = Operations::of(ROUTES);
        for (name, response) in responses {
            assert_kept::<Response>(&name, &response);
        }
        for (path, item) in paths {
            for (method, operation) in item.as_object().expect("operations") {
                assert_kept::<Operation>(&format!("{method} {path}"), operation);
            }
        }
    }
}
