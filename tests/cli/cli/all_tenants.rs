//! The commands for all tenants, and that they are for the operator alone.

use serde_json::{Value, json};

use crate::desk::{Desk, NO_KEY, READS, error_of};

/// Opens a desk with a key of alice in each of three tenants, and returns the ids of the keys.
fn three_tenants() -> (Desk, [String; 3]) {
    let desk = Desk::bare();
    let keys = ["acme", "default", "globex"].map(|tenant| {
        let role = "analyst=invoices:read";
        desk.done(&["--tenant", tenant, "init", "--reads", READS, "--role", role]);
        let args =
            ["--tenant", tenant, "key", "generate", "prod-main-app", "--owner", "user:alice"];
        let token = desk.done(&[&args[..], &["--expires-in", "10d"]].concat());
        crate::desk::id_of(token.trim_end())
    });
    (desk, keys)
}

fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("a list").iter();
    items.map(|item| item["key"]["id"].as_str().expect("an id")).collect()
}

#[test]
fn tenants_are_listed_with_numbers() {
    let (desk, _) = three_tenants();
    let page = desk.json(&["tenant", "list"]);
    let first =
        json!({ "tenant": "acme", "live_keys": 1, "keys": 1, "accounts": 0, "last_event": 3 });
    assert_eq!((&page["items"][0], page["items"].as_array().map(Vec::len)), (&first, Some(3)));
    let some = desk.json(&["tenant", "list", "--starting-with", "glo"]);
    assert_eq!(some["items"][0]["tenant"], "globex");
    let one = desk.run(&["tenant", "list", "--limit", "1"]);
    assert!(one.err.contains("--after tenant.acme"), "{one:?}");
    let shown = desk.done(&["tenant", "list", "--all"]);
    assert_eq!(shown.lines().count(), 4, "{shown}");
}

#[test]
fn keys_of_all_tenants_are_listed() {
    let (desk, keys) = three_tenants();
    let list = ["key", "list", "--all-tenants", "--never-used", "--expiring-within", "11d"];
    assert_eq!(ids(&desk.json(&list)), keys);
    assert_eq!(ids(&desk.json(&[&list[..], &["--descending"]].concat())).first(), Some(&&*keys[2]));
    let shown = desk.done(&list);
    for text in ["tenant", "acme", "default", "globex"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let found = desk.json(&["key", "find", &keys[2]]);
    assert_eq!(found["key"]["tenant"], "globex");
    assert_eq!(desk.run(&["key", "show", &keys[2]]).code, 3, "the key is in another tenant");
    let absent = desk.run(&["--output", "json", "key", "find", NO_KEY]);
    assert_eq!((absent.code, error_of(&absent).0.as_str()), (3, "key_not_found"));
}

#[test]
fn keys_are_revoked_in_all_tenants() {
    let (desk, keys) = three_tenants();
    let both = desk.run(&["--output", "json", "key", "revoke", "--all-tenants", &keys[0], NO_KEY]);
    let results: Value = serde_json::from_str(&both.out).expect("JSON");
    let first = &results["results"][0];
    assert_eq!(
        (both.code, &first["tenant"], &first["unchanged"]),
        (5, &json!("acme"), &json!(false))
    );
    assert_eq!(results["results"][1]["problem"]["code"], "key_not_found");

    let here = desk.json(&["key", "revoke", "--owner", "user:alice"]);
    assert_eq!(here["keys"][0]["key"]["id"], json!(keys[1]));
    let rest = desk.json(&["key", "revoke", "--owner", "user:alice", "--all-tenants"]);
    let revoked: Vec<_> = rest["results"].as_array().into_iter().flatten().collect();
    let globex = json!({ "tenant": "globex", "revoked": [keys[2]] });
    assert!(revoked.contains(&&globex), "{rest}");
    let events = desk.json(&["--tenant", "globex", "events", "--actor", "operator:operator"]);
    assert_eq!(events["items"][0]["kind"], "key.revoke");
    assert_eq!(desk.run(&["key", "revoke"]).code, 2);
    assert_eq!(desk.run(&["key", "revoke", &keys[0], "--owner", "user:alice"]).code, 2);
}

#[test]
fn sweep_reaches_every_tenant() {
    let (desk, keys) = three_tenants();
    for tenant in ["acme", "globex"] {
        desk.done(&["--tenant", tenant, "settings", "set", "--retention", "0s"]);
    }
    desk.done(&["key", "revoke", "--owner", "user:alice", "--all-tenants"]);
    let nothing = json!({ "tenant": "default", "keys": [], "events": 0 });
    assert_eq!(desk.json(&["sweep"]), json!({ "results": [nothing] }));
    let swept = desk.json(&["sweep", "--all-tenants"]);
    let one = |tenant, key: &String| json!({ "tenant": tenant, "keys": [key], "events": 0 });
    let all = json!([one("acme", &keys[0]), nothing, one("globex", &keys[2])]);
    assert_eq!(swept, json!({ "results": all }));
    let again = desk.run(&["sweep", "--all-tenants"]);
    assert_eq!((again.out.as_str(), again.err.trim_end()), ("", "3 tenants swept"));
}

#[test]
fn all_tenants_are_for_operators_alone() {
    let (desk, keys) = three_tenants();
    let commands: [&[&str]; 6] = [
        &["tenant", "list"],
        &["key", "list", "--all-tenants"],
        &["key", "find", &keys[0]],
        &["key", "revoke", "--all-tenants", &keys[0]],
        &["key", "revoke", "--all-tenants", "--owner", "user:alice"],
        &["sweep", "--all-tenants"],
    ];
    for command in commands {
        for role in ["tenant-admin", "developer", "auditor"] {
            let actor = format!("ada:{role}");
            let refused = desk.run(&[&["--output", "json", "--as", &actor], command].concat());
            let code = error_of(&refused).0;
            assert_eq!((refused.code, code.as_str()), (1, "permission_denied"), "{command:?}");
        }
        let both = desk.run(&[&["--output", "json", "--tenant", "acme"], command].concat());
        assert_eq!((both.code, error_of(&both).0.as_str()), (2, "usage"), "{command:?}");
    }
    let live = desk.json(&["key", "list", "--all-tenants", "--status", "active"]);
    assert_eq!(ids(&live).len(), 3);
}

#[test]
fn edit_changes_the_given_fields() {
    let desk = Desk::open();
    let (_, id) =
        desk.generate(&["prod-main-app", "--scopes", READS, "--metadata", "team=billing"]);
    let args = ["--scopes", "invoices:read", "--networks", "203.0.113.0/24", "--rate", "5/60s"];
    let edited = desk.json(&[&["key", "edit", &id], &args[..]].concat());
    let key = &edited["key"];
    assert_eq!((&edited["unchanged"], &key["scopes"]), (&json!(false), &json!(["invoices:read"])));
    assert_eq!((&key["rate"], &key["metadata"]["team"]), (&json!("5/60s"), &json!("billing")));
    let edited = desk.json(&["key", "edit", &id, "--networks", "none", "--rate", "none"]);
    assert_eq!((&edited["key"]["networks"], &edited["key"]["rate"]), (&json!([]), &Value::Null));
    let same = desk.json(&["key", "edit", &id, "--name", "prod-main-app"]);
    assert_eq!(same["unchanged"], true);
    assert_eq!(desk.run(&["key", "edit", &id]).code, 2);
}
