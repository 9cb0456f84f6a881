//! One page: its calls are made, and its table is looked up.

use std::collections::BTreeSet;

use keywright::{Actor, Contact, Description, NewKey, Operation, Owner, Policy};
use serde_json::Value;

use common::{DAY, HOUR, TestResult, World, name, named};

use super::calls::assert_call;
use super::markdown::{Call, GuidePage, Row};
use crate::client::{Answer, Host, on_a_host};

/// The key id in examples.
const EXAMPLE_ID: &str = "4fQ2xk9ZrT7bWm1c";

/// A page of a host.
pub(super) struct Page {
    /// The name of the page of the guide.
    pub(super) guide: &'static str,
    pub(super) actor: Actor,
    /// The owner of the keys on the page.
    pub(super) owner: Owner,
    pub(super) policy: fn(&mut Policy),
    pub(super) columns: &'static [&'static str],
    pub(super) buttons: &'static [&'static str],
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
    pub(super) fn hold(&self) {
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
            self.hold_labels(&guide.rows);
            for row in &guide.rows {
                hold_row(host, row, &given, &given[..data.len()]);
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
        let made =
            [("/keys", "/key/id", &mut ids.key), ("/accounts", "/account/id", &mut ids.account)];
        for (end, pointer, id) in made.into_iter().filter(|_| call.method == "POST") {
            let found = answer.json.pointer(pointer).and_then(Value::as_str);
            if let Some(found) = found.filter(|_| call.path.ends_with(end)) {
                found.clone_into(id);
            }
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

/// Looks up a row: its methods, its route and its fields. A button can also depend on the page's data.
#[track_caller]
fn hold_row(host: &Host, row: &Row, given: &[Given], data: &[Given]) {
    let Row { label, route, .. } = row;
    let (method, path) = route.split_once(' ').expect("a method and a path");
    assert!(host.operation(method, path).is_some(), "{label}: no route {route}");
    assert!(!row.calls.is_empty() && !row.fields.is_empty(), "{label}: an empty cell");
    for call in &row.calls {
        assert_call(call, route);
    }
    let operations = operations(data);
    for field in &row.fields {
        if let Ok(operation) = field.parse::<Operation>() {
            assert!(row.is_button && operations.contains(&operation), "{label}: no {operation}");
            continue;
        }
        let mut answers = given.iter().filter(|given| given.route == *route);
        let is_in_an_answer = answers.any(|given| has(&given.json, field));
        let is_input = || host.inputs(method, path).contains(field.as_str());
        let is_in_data = || data.iter().any(|given| has(&given.json, field));
        let found = is_in_an_answer || row.is_button && (is_input() || is_in_data());
        assert!(found, "{label}: {route} has no {field}");
    }
}

/// Returns the operations in the answers: those of the actor, and the `actions` of all records.
fn operations(given: &[Given]) -> BTreeSet<Operation> {
    let mut found = BTreeSet::new();
    for given in given {
        for path in ["operations", "actions", "keys.actions"] {
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
        Owner::Account(_) => {
            let disabled = world.account("disabled", "analyst").await?;
            world.authority.disable_account(&world.admin, &disabled.id).await?;
            Owner::Account(world.account("seeded", "analyst").await?.id)
        }
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
