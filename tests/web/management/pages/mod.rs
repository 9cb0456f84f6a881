//! Five pages of the guide, each on how to build one page of a host.
//!
//! The calls that a guide page shows are made on a server in memory, in order, and every row of its table is
//! looked up: the route in the OpenAPI document, the fields in the answers. A page's data needs at most two calls.

mod calls;
mod markdown;

use std::collections::BTreeSet;

use keywright::{
    Actor, Contact, Description, NamePattern, NewKey, Operation, Owner, Permissions, Policy,
};
use serde_json::Value;

use common::{DAY, HOUR, TestResult, World, name, named, tenant, user};

use self::calls::assert_call;
use self::markdown::{Call, GuidePage, Row};
use crate::client::{Answer, Host, on_a_host};

/// The key id in examples.
const EXAMPLE_ID: &str = "4fQ2xk9ZrT7bWm1c";

/// A page of a host.
struct Page {
    /// The name of the page of the guide.
    guide: &'static str,
    actor: Actor,
    /// The owner of the keys on the page.
    owner: Owner,
    policy: fn(&mut Policy),
    columns: &'static [&'static str],
    buttons: &'static [&'static str],
}

/// An answer of the server, with the route that gave it.
struct Given {
    route: String,
    json: Value,
}

/// The ids in the last answers, for the paths of later calls.
#[derive(Default)]
struct Ids {
    key: String,
    account: String,
}

impl Page {
    /// Makes every call of the guide page, and looks up every row of its table.
    #[track_caller]
    fn hold(&self) {
        let guide = GuidePage::read(self.guide);
        on_a_host(async |host| {
            host.world.set_policy(self.policy).await?;
            seed(&host.world, &self.owner).await?;
            let mut ids = Ids::default();
            let (data, others) = guide.blocks.split_first().expect("a block of calls");
            assert!((1..=2).contains(&data.len()), "{} calls", data.len());
            assert!(data.iter().all(|call| call.method == "GET"), "the data is read");
            let mut given = Vec::new();
            for call in data.iter().chain(others.iter().flatten()) {
                given.push(self.make(host, call, &mut ids).await);
            }
            let actions = operations(&given[..data.len()]);
            self.hold_labels(&guide.rows);
            for row in &guide.rows {
                hold_row(host, row, &given, &actions);
            }
            Ok(())
        });
    }

    /// Makes a call, and compares its answer with the one that the page shows.
    async fn make(&self, host: &Host, call: &Call, ids: &mut Ids) -> Given {
        let subject = if call.path.starts_with("/accounts") { &ids.account } else { &ids.key };
        let path = call.path.replace("{id}", subject).replace(EXAMPLE_ID, &ids.key);
        let mut ask = host.ask(&call.method, &path).by(&self.actor);
        if !call.body.is_null() {
            let body = call.body.to_string().replace(EXAMPLE_ID, &ids.key);
            ask = ask.json(serde_json::from_str(&body).expect("it was JSON"));
        }
        let answer = ask.send().await;
        hold_answer(call, &answer);
        let text = |pointer| answer.json.pointer(pointer).and_then(Value::as_str);
        if call.method == "POST" {
            ids.key = text("/key/id").unwrap_or(&ids.key).to_owned();
        }
        if (call.method.as_str(), call.path.as_str()) == ("POST", "/accounts") {
            ids.account = text("/id").unwrap_or(&ids.account).to_owned();
        }
        let template = call.path.split('?').next().unwrap_or_default();
        Given { route: format!("{} {template}", call.method), json: answer.json }
    }

    /// Asserts that the table has the columns and buttons of this page, and no others.
    #[track_caller]
    fn hold_labels(&self, rows: &[Row]) {
        for (is_button, expected) in [(false, self.columns), (true, self.buttons)] {
            let rows = rows.iter().filter(|row| row.is_button == is_button);
            let labels: Vec<&str> = rows.map(|row| row.label.as_str()).collect();
            assert_eq!(labels, expected, "{}", self.guide);
        }
    }
}

#[track_caller]
fn hold_answer(call: &Call, answer: &Answer) {
    let request = format!("{} {} {}: {}", call.method, call.path, call.body, answer.text);
    let Some((status, members)) = &call.answer else {
        assert!(answer.status < 300, "{request}");
        return;
    };
    assert_eq!(answer.status, *status, "{request}");
    for (member, value) in members.as_object().into_iter().flatten() {
        assert_eq!(answer.json[member], *value, "{member}: {request}");
    }
}

/// Looks up a row: its methods, its route and its fields.
#[track_caller]
fn hold_row(host: &Host, row: &Row, given: &[Given], actions: &BTreeSet<Operation>) {
    let Row { label, route, .. } = row;
    let (method, path) = route.split_once(' ').expect("a method and a path");
    assert!(host.operation(method, path).is_some(), "{label}: no route {route}");
    assert!(!row.calls.is_empty() && !row.fields.is_empty(), "{label}: an empty cell");
    for call in &row.calls {
        assert_call(call, route);
    }
    for field in &row.fields {
        if let Ok(operation) = field.parse::<Operation>() {
            assert!(row.is_button && actions.contains(&operation), "{label}: no {operation}");
            continue;
        }
        let mut answers = given.iter().filter(|given| given.route == *route);
        let is_in_an_answer = answers.any(|given| has(&given.json, field));
        let is_input = row.is_button && host.inputs(method, path).contains(field.as_str());
        assert!(is_in_an_answer || is_input, "{label}: {route} has no {field}");
    }
}

/// Returns the operations in the `actions` of all records in the answers.
fn operations(given: &[Given]) -> BTreeSet<Operation> {
    let mut found = BTreeSet::new();
    for given in given {
        for path in ["actions", "keys.actions"] {
            let texts = values(&given.json, path).into_iter().filter_map(Value::as_array).flatten();
            let parsed = texts.filter_map(Value::as_str).map(str::parse::<Operation>);
            found.extend(parsed.map(|operation| operation.expect("an operation")));
        }
    }
    found
}

/// Returns whether an answer, or an item of its list, has a value that is not null at a path.
fn has(answer: &Value, path: &str) -> bool {
    values(answer, path).into_iter().any(|value| !value.is_null())
}

/// Returns the values at a path such as `key.name`, in the answer itself and in each item of its list.
fn values<'a>(answer: &'a Value, path: &str) -> Vec<&'a Value> {
    let items = answer["items"].as_array().into_iter().flatten();
    let mut found: Vec<&Value> = std::iter::once(answer).chain(items).collect();
    for member in path.split('.') {
        let members = found.into_iter().filter_map(|value| value.get(member));
        found = members
            .flat_map(|value| match value.as_array() {
                Some(list) if list.iter().any(Value::is_object) => list.iter().collect(),
                _ => vec![value],
            })
            .collect();
    }
    found
}

/// Adds keys of the owner such that every column has a value: one that is used, refused and in an overlap, and
/// one that is disabled.
async fn seed(world: &World, owner: &Owner) -> TestResult {
    let owner = match owner {
        Owner::Account(_) => Owner::Account(world.account("seeded", "analyst").await?.id),
        owner => owner.clone(),
    };
    if let Owner::User(id) = &owner {
        world.authority.set_display_name(&world.admin, id, Some(name("Shown Name"))).await?;
    }
    let new = |text| -> NewKey { named(text).owner(owner.clone()).expires_in(30 * DAY) };
    let described = new("prod-seeded")
        .description(Description::new("Sends the invoices")?)
        .contact(Contact::new("billing-team@example.com")?);
    let key = world.key_of(&world.admin, described).await;
    let rotated = world.authority.rotate(&world.admin, &key.key.id, HOUR).await?;
    for issued in [&key, &rotated] {
        world.check(issued).await.expect("both secrets work");
    }
    world.verifier.flush().await?;
    let disabled = world.key_of(&world.admin, new("dev-seeded")).await;
    world.authority.disable(&world.admin, &disabled.key.id).await?;
    Ok(())
}

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
        | Permissions::DELETE_ANY
        | Permissions::SHOW_POLICY;
    let page = Page {
        guide: "organization_keys",
        actor: ada(manage_all),
        owner: Owner::Organization,
        policy: |policy| {
            default_scopes(policy);
            policy.plan.max_lifetime = Some(365 * DAY);
        },
        columns: &[
            "Name",
            "Key",
            "Created by",
            "Created",
            "Expires",
            "Status",
            "Token, shown once",
            "Longest lifetime, in the form",
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
            "Key: name",
            "Key: prefix",
            "Key: account",
            "Key: status",
            "Key: last used",
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
            "Filter by status",
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
