//! Five pages of the guide, each on how to build one page of a host.
//!
//! The calls that a guide page shows are made on a server in memory, in order, and every row of its table is
//! looked up: the route in the OpenAPI document, the fields in the answers. A page's data needs at most two calls.

mod calls;
mod markdown;
mod page;

use keywright::{Actor, NamePattern, Owner, Permissions, Policy};

use common::{DAY, tenant, user};

use self::page::Page;

/// Returns Ada with these permissions. Her events have a source address.
fn ada(permissions: Permissions) -> Actor {
    let address = "203.0.113.7".parse().expect("an address");
    Actor::new(user("ada"), permissions).in_tenant(tenant()).source_address(address)
}

fn default_scopes(policy: &mut Policy) {
    policy.plan.default_scopes = "invoices:read".parse().expect("scopes");
}

#[test]
fn organization_keys_page_is_complete() {
    let manage_all = Permissions::SHOW_ANY
        | Permissions::GENERATE_ANY
        | Permissions::EDIT_ANY
        | Permissions::DELETE_ANY;
    let page = Page {
        guide: "organization_keys",
        actor: ada(manage_all),
        owner: Owner::Organization,
        policy: |policy| {
            default_scopes(policy);
            policy.plan.max_lifetime = Some(365 * DAY);
            policy.plan.max_keys_of_organization = Some(10);
        },
        columns: &[
            "3 of 10 keys",
            "Notice instead of the button",
            "Longest lifetime, in the form",
            "Name",
            "Key",
            "Created by",
            "Created",
            "Expires",
            "Status",
            "Token, shown once",
        ],
        buttons: &["Generate key", "Rename", "Delete"],
    };
    page.hold();
}

#[test]
fn user_keys_page_is_complete() {
    let page = Page {
        guide: "user_keys",
        actor: common::developer("alice"),
        owner: Owner::User(user("alice")),
        policy: |policy| {
            default_scopes(policy);
            policy.settings.require_expiry = Some(true);
            policy.settings.name_pattern = Some(NamePattern::default());
        },
        columns: &[
            "3 of 10 keys",
            "\"Upgrade required\"",
            "Expiry and overlaps, in the forms",
            "Name pattern, in the form",
            "Name",
            "Description",
            "Contact",
            "Key",
            "Uses",
            "Last used",
            "Expires",
            "Status",
            "Old secret works until",
            "Old secret last used",
            "Safe to finish",
            "Token, shown once",
            "New token, shown once",
        ],
        buttons: &[
            "Filter: unused",
            "Filter: expiring",
            "Generate key",
            "Edit",
            "Rotate",
            "Finish rotation",
            "Revoke",
        ],
    };
    page.hold();
}

#[test]
fn key_id_and_secret_page_is_complete() {
    let manage_all = Permissions::SHOW_ANY
        | Permissions::GENERATE_ANY
        | Permissions::EDIT_ANY
        | Permissions::ROTATE_ANY
        | Permissions::DELETE_ANY;
    let page = Page {
        guide: "key_id_and_secret",
        actor: ada(manage_all),
        owner: Owner::User(user("alice")),
        policy: |policy| {
            default_scopes(policy);
            policy.settings.max_keys_per_user = Some(3);
        },
        columns: &[
            "Key id",
            "Name",
            "Owner",
            "Created",
            "Expires",
            "Status",
            "Key id and key secret, shown once",
            "New key secret, shown once",
        ],
        buttons: &["Generate key", "Disable", "Enable", "Regenerate", "Delete"],
    };
    page.hold();
}

#[test]
fn service_accounts_page_is_complete() {
    let page = Page {
        guide: "service_accounts",
        actor: ada(Permissions::ADMINISTRATOR),
        owner: Owner::Account("0000000000000000".parse().expect("an id")),
        policy: |policy| policy.plan.max_keys_per_account = Some(2),
        columns: &[
            "Account: name",
            "Account: role",
            "Account: access",
            "Account: status",
            "Account: keys",
            "Key: name",
            "Key: prefix",
            "Key: status",
            "Key: last used",
            "Roles, in the forms",
            "Token, shown once",
        ],
        buttons: &[
            "New account",
            "Edit",
            "Disable",
            "Enable",
            "Delete account",
            "Generate key",
            "Delete key",
        ],
    };
    page.hold();
}

#[test]
fn tenant_console_page_is_complete() {
    let page = Page {
        guide: "tenant_console",
        actor: ada(Permissions::TENANT_ADMIN | Permissions::DEVELOPER),
        owner: Owner::User(user("ada")),
        policy: |policy| {
            default_scopes(policy);
            policy.plan.max_keys_per_user = 100;
            policy.settings.max_lifetime = Some(90 * DAY);
            policy.settings.extensive_use = Some("5/60s".parse().expect("an alert"));
            policy.settings.suspicious_use = Some("5/60s".parse().expect("an alert"));
        },
        columns: &[
            "Switch",
            "Longest lifetime",
            "Keys per user",
            "Alerts",
            "Number of keys in the list",
            "3 of 10 keys of an owner",
            "Missing for a new key",
            "Name",
            "Id",
            "Owner",
            "Updated",
            "Created",
            "Expires",
            "Status",
            "Event: time",
            "Event: actor",
            "Event: kind",
            "Event: source address",
            "Event: key",
            "Event: outcome",
        ],
        buttons: &[
            "Save the settings",
            "Search",
            "Filter by status or owner",
            "Revoke selected",
            "Generate key",
            "Rename",
            "Rotate",
            "Delete",
            "Search events by key",
        ],
    };
    page.hold();
}
