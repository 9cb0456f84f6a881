//! The OpenAPI document, checked without requests.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{document, on_a_host, operator_document};

/// Collects every object in a value, with its place.
fn objects(value: &Value, place: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            found.push((place.to_owned(), value.clone()));
            for (name, member) in members {
                objects(member, &format!("{place}/{name}"), found);
            }
        }
        Value::Array(members) => {
            for (number, member) in members.iter().enumerate() {
                objects(member, &format!("{place}/{number}"), found);
            }
        }
        _ => {}
    }
}

/// Returns the documents of the tenant's and of the operator's routes.
fn documents() -> [Value; 2] {
    [document(), operator_document()].map(|document| document.expect("a document"))
}

fn all_objects(document: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    objects(document, "", &mut found);
    found
}

#[test]
fn router_serves_the_document_openly() {
    on_a_host(async |host| {
        let served = host.ask("GET", "/openapi.json").unauthenticated().send().await;
        assert_eq!(served.header("content-type"), Some("application/json"));
        let mut expected = document()?;
        assert_eq!(expected.get("servers"), None, "the host decides the mount point");
        expected["servers"] = json!([{ "url": ".", "description": "The path of this document." }]);
        assert_eq!(served.json, expected);
        assert_eq!(served.json["openapi"], "3.1.0");
        assert!(served.text.len() < 110_000, "{} bytes", served.text.len());
        Ok(())
    });
}

#[test]
fn document_fits_inside_the_hosts_own() {
    use keywright::http::management::{openapi, utoipa::openapi::OpenApi};

    let own = json!({
        "openapi": "3.1.0",
        "info": { "title": "bookmarks", "version": "1" },
        "paths": {},
        "components": { "schemas": { "Key": { "type": "integer" }, "Problem": { "type": "null" } } },
    });
    let own: OpenApi = serde_json::from_value(own).expect("a document");
    let merged = serde_json::to_value(own.nest("/admin", openapi())).expect("JSON");
    let mut found = Vec::new();
    objects(&merged, "", &mut found);
    let references = found.iter().filter_map(|(_, object)| object.get("$ref")?.as_str());
    for reference in references {
        let (kind, name) = reference.rsplit_once('/').expect("a path");
        assert!(name.starts_with("Keywright"), "{reference}");
        let pointer = format!("{}/{name}", kind.trim_start_matches('#'));
        assert!(merged.pointer(&pointer).is_some(), "{reference} has no target");
    }
    assert_eq!(merged["components"]["schemas"]["Key"], json!({ "type": "integer" }));
    let ours = document().expect("a document");
    for (path, item) in ours["paths"].as_object().expect("paths") {
        let operations = merged["paths"][format!("/admin{path}")].as_object().expect("a path");
        assert_eq!(operations.len(), item.as_object().expect("operations").len(), "{path}");
        for (method, operation) in operations {
            let mut same = operation.clone();
            same["operationId"] = item[method]["operationId"].clone();
            assert_eq!(same, item[method], "{method} {path}");
        }
    }
}

#[test]
fn references_resolve_and_nothing_is_unused() {
    for document in documents() {
        let mut used = BTreeSet::new();
        for (place, object) in all_objects(&document) {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').expect("in this document");
                assert!(document.pointer(pointer).is_some(), "{place}: {reference}");
                used.insert(pointer.to_owned());
            }
        }
        for kind in ["schemas", "responses"] {
            for name in document["components"][kind].as_object().expect("components").keys() {
                let pointer = format!("/components/{kind}/{name}");
                assert!(used.contains(&pointer), "{pointer} is not used");
            }
        }
    }
}

#[test]
fn every_object_of_api_is_closed() {
    for (place, object) in documents().iter().flat_map(all_objects) {
        // OpenAPI defines the schema of the document itself.
        let open = place.ends_with("/schemas/KeywrightDocument") || place.contains("/examples/");
        if object.get("type") == Some(&json!("object")) && !open {
            let others = &object["additionalProperties"];
            assert!(*others == json!(false) || others.is_object(), "{place} is open");
        }
    }
}

#[test]
fn operations_have_id_summary_and_tag() {
    let documents = documents();
    let mut ids = BTreeSet::new();
    let paths = documents.iter().flat_map(|document| document["paths"].as_object().expect("paths"));
    let methods = paths.map(|(_, item)| item.as_object().expect("methods"));
    for operation in methods.flat_map(serde_json::Map::values) {
        let id = operation["operationId"].as_str().expect("an id");
        assert!(ids.insert(id), "{id} occurs twice");
        assert!(operation["summary"].as_str().is_some_and(|s| s.ends_with('.')), "{id}");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{id}");
    }
    assert_eq!(ids.len(), 34 + 7);
}

#[test]
fn schemas_are_unique_with_fitting_examples() {
    on_a_host(async |host| {
        let document = document()?;
        let schemas = document["components"]["schemas"].as_object().expect("schemas");
        let mut examples = 0;
        for (name, schema) in schemas {
            let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
            for example in schema["examples"].as_array().into_iter().flatten() {
                host.must_fit(&reference, example);
                examples += 1;
            }
        }
        assert!(examples >= 6, "only {examples} examples");
        for (place, object) in all_objects(&document) {
            let Some(examples) = object.get("examples").and_then(Value::as_array) else { continue };
            for example in examples {
                let mut schema = object.clone();
                schema.as_object_mut().expect("an object").remove("examples");
                assert!(!example.is_null(), "{place}");
                host.must_fit(&schema, example);
            }
        }
        Ok(())
    });
}

#[test]
fn schema_refuses_two_expiries() {
    let document = document().expect("a document");
    let mut schema = document["components"]["schemas"]["KeywrightNewKey"].clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert!(validator.is_valid(&json!({ "name": "prod-a", "expires_in": 60 })));
    assert!(!validator.is_valid(&json!({ "name": "a", "expires_in": 60, "never_expires": true })));
}
