//! The schemas of bodies, by their names.

mod abilities;
mod objects;
mod policy;
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
        Schema::NewAccountKey => requests::new_account_key(),
        Schema::KeyEdit => requests::key_edit(),
        Schema::Rotate => requests::rotate(),
        Schema::RevokeKeys => requests::revoke_keys(),
        Schema::TransferKey | Schema::OwnerOfKeys => requests::owner_of_keys(),
        Schema::HandOver => requests::hand_over(),
        Schema::UserEdit => requests::user_edit(),
        Schema::NewAccount => requests::new_account(),
        Schema::AccountEdit => requests::account_edit(),
        Schema::Key => responses::key(),
        Schema::Overlap => responses::overlap(),
        Schema::KeyEntry => responses::key_entry(),
        Schema::KeyPage => responses::key_page(),
        Schema::KeyChange => responses::key_change(),
        Schema::KeysChange => responses::keys_change(),
        Schema::Abilities => abilities::abilities(),
        Schema::Issued => responses::issued(),
        Schema::Results => responses::results(),
        Schema::Account => responses::account(),
        Schema::AccountEntry => responses::account_entry(),
        Schema::AccountPage => responses::account_page(),
        Schema::AccountChange => responses::account_change(),
        Schema::User => responses::user(),
        Schema::UserChange => responses::user_change(),
        Schema::Event => responses::event(),
        Schema::EventPage => responses::event_page(),
        Schema::NamePattern => policy::name_pattern(),
        Schema::Policy => policy::policy(),
        Schema::Plan => policy::plan(),
        Schema::PlanChange => policy::plan_change(),
        Schema::Settings => policy::settings(),
        Schema::SettingsEdit => policy::settings_edit(),
        Schema::SettingsChange => policy::settings_change(),
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
