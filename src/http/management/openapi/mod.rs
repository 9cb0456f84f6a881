//! The OpenAPI documents, generated from the tables of routes.

mod headers;
mod operation;
mod parameters;
mod references;
mod schemas;
mod value_schemas;

use serde_json::{Map, Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::{OpenApi, RefOr, Schema, Server};

use self::operation::Operations;
use self::references::{schema_name, schema_ref};
use super::route_table::ROUTES;
use super::route_table::names::{Schema as Name, Tag};
use super::route_table::operator::OPERATOR_ROUTES;
use super::route_table::route::Route;

/// The parts of a document that are not generated from its table.
struct About {
    title: &'static str,
    description: &'static str,
}

const TENANT: About = About {
    title: "API key management",
    description: "Manages the API keys, service accounts, policy and events of one tenant. \
        The application that serves this API defines the login, and the login determines the \
        user and the tenant. An API key is never a login here. A record of another tenant, or \
        a key that the user cannot see, is answered as absent. No response may be cached. \
        Times are in RFC 3339, durations in whole seconds.",
};

const OPERATOR: About = About {
    title: "API key operations",
    description: "Lists, revokes and sweeps the API keys of all tenants, for the operators of the \
        application that serves this API. The application defines their login. Neither a user of a \
        tenant nor an API key is accepted here. No response may be cached. Times are in RFC 3339, \
        durations in whole seconds.",
};

/// Generates the document of the routes of a tenant.
pub(super) fn document() -> OpenApi {
    describe(ROUTES, &TENANT)
}

/// Generates the document of the routes of an operator.
pub(super) fn operator_document() -> OpenApi {
    describe(OPERATOR_ROUTES, &OPERATOR)
}

/// Generates a document.
///
/// It declares no security scheme, because the login belongs to the host. The host can add its
/// scheme.
fn describe(routes: &[Route], about: &About) -> OpenApi {
    let Operations { paths, responses } = Operations::of(routes);
    let is_used = |tag: &&Tag| routes.iter().any(|route| route.tag == **tag);
    let tags = Tag::ALL.iter().filter(is_used).map(|tag| json!({ "name": tag.as_str() }));
    let schemas = schemas_of([Value::from(paths.clone()), Value::from(responses.clone())]);
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": about.title,
            "version": env!("CARGO_PKG_VERSION"),
            "description": about.description,
        },
        "tags": tags.collect::<Vec<_>>(),
        "paths": paths,
        "components": { "schemas": schemas, "responses": responses },
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

/// Describes the schemas to which the parts of a document refer, also indirectly.
fn schemas_of(parts: [Value; 2]) -> Map<String, Value> {
    let mut described = Map::new();
    let mut left: Vec<Value> = parts.into();
    while let Some(value) = left.pop() {
        match value {
            Value::Object(members) => {
                let reference = members.get("$ref").and_then(Value::as_str);
                let is_named = |name: &&Name| reference == schema_ref(**name)["$ref"].as_str();
                if let Some(name) = Name::ALL.iter().find(is_named)
                    && !described.contains_key(&schema_name(*name))
                {
                    let schema = schemas::describe(*name);
                    left.push(schema.clone());
                    described.insert(schema_name(*name), schema);
                }
                left.extend(members.into_iter().map(|(_, member)| member));
            }
            Value::Array(members) => left.extend(members),
            _ => {}
        }
    }
    described
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
        for routes in [ROUTES, OPERATOR_ROUTES] {
            let Operations { paths, responses } = Operations::of(routes);
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
}
