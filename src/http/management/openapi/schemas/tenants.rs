//! The schemas of the operator's bodies, which are about several tenants.

use serde_json::{Value, json};

use super::objects::{boolean, page, record};
use crate::http::management::openapi::references::schema_ref;
use crate::http::management::openapi::value_schemas::{count, host_id, id, or_null, owner};
use crate::http::management::route_table::names::Schema;

pub(super) fn tenant() -> Value {
    record(&json!({
        "tenant": host_id(),
        "live_keys": count(),
        "keys": count(),
        "accounts": count(),
        "last_event": count(),
    }))
}

pub(super) fn tenant_page() -> Value {
    page(Schema::Tenant)
}

pub(super) fn owner_body() -> Value {
    record(&json!({ "owner": owner() }))
}

pub(super) fn any_tenant_results() -> Value {
    results(
        &json!({
            "id": id(), "tenant": host_id(), "key": schema_ref(Schema::Key), "unchanged": boolean(),
        }),
        &json!({ "id": id(), "tenant": or_null(host_id()), "problem": schema_ref(Schema::Problem) }),
    )
}

pub(super) fn owner_results() -> Value {
    results(&json!({ "tenant": host_id(), "revoked": ids() }), &failed_tenant())
}

pub(super) fn sweep_results() -> Value {
    let swept = json!({ "tenant": host_id(), "keys": ids(), "events": count() });
    results(&swept, &failed_tenant())
}

fn failed_tenant() -> Value {
    json!({ "tenant": host_id(), "problem": schema_ref(Schema::Problem) })
}

fn ids() -> Value {
    json!({ "type": "array", "items": id() })
}

/// Builds the schema of many results, each of which succeeded or failed.
fn results(done: &Value, failed: &Value) -> Value {
    let items = json!({ "oneOf": [record(done), record(failed)] });
    record(&json!({ "results": { "type": "array", "items": items } }))
}
