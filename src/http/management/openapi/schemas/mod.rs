//! The schemas of bodies, by their names.

mod objects;
mod requests;
mod responses;
mod tenants;

use serde_json::Value;

use crate::http::management::route_table::names::Schema;

/// Describes the schema of this name.
pub(super) fn describe(schema: Schema) -> Value {
    match schema {
        Schema::Nothing => requests::nothing(),
        Schema::NewKey => requests::new_key(),
        Schema::KeyEdit => requests::key_edit(),
        Schema::Rotate => requests::rotate(),
        Schema::RevokeKeys => requests::revoke_keys(),
        Schema::NewAccount => requests::new_account(),
        Schema::AccountEdit => requests::account_edit(),
        Schema::Key => responses::key(),
        Schema::Overlap => responses::overlap(),
        Schema::KeyEntry => responses::key_entry(),
        Schema::KeyPage => responses::key_page(),
        Schema::KeyChange => responses::key_change(),
        Schema::Issued => responses::issued(),
        Schema::Results => responses::results(),
        Schema::Account => responses::account(),
        Schema::AccountPage => responses::account_page(),
        Schema::AccountChange => responses::account_change(),
        Schema::Event => responses::event(),
        Schema::EventPage => responses::event_page(),
        Schema::NamePattern => responses::name_pattern(),
        Schema::Policy => responses::policy(),
        Schema::PolicyChange => responses::policy_change(),
        Schema::Problem => responses::problem(),
        Schema::Document => responses::document(),
        Schema::Tenant => tenants::tenant(),
        Schema::TenantPage => tenants::tenant_page(),
        Schema::Owner => tenants::owner_body(),
        Schema::AnyTenantResults => tenants::any_tenant_results(),
        Schema::OwnerResults => tenants::owner_results(),
        Schema::SweepResults => tenants::sweep_results(),
    }
}
