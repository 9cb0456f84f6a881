//! The forms of the output: tables for people, JSON and CSV for programs, and no color.

use serde_json::Value;

use crate::desk::{Desk, NO_KEY, id_of, ran};

#[test]
fn every_command_has_csv_output() {
    let desk = Desk::open();
    let account = desk.done(&["account", "create", "nightly", "--role", "analyst"]);
    let account = account.trim_end();
    let (token, id) = desk.generate(&["prod-main-app"]);
    let headers: [(&[&str], &str); 22] = [
        (&["key", "list"], "name,prefix,owner,status,uses,last_used,expires,actions"),
        (
            &["key", "list", "--all-tenants"],
            "tenant,name,prefix,owner,status,uses,last_used,expires,actions",
        ),
        (&["key", "show", &id], "field,value"),
        (&["key", "rename", &id, "prod-b"], "id,outcome"),
        (&["key", "rotate", &id, "--overlap", "1d"], "token,key_id,key_secret"),
        (&["account", "list"], "name,id,role,access,state,live_keys,max_keys,created"),
        (&["account", "show", account], "field,value"),
        (&["account", "disable", account], "id,outcome"),
        (&["tenant", "list"], "tenant,live_keys,keys,accounts,events"),
        (&["events"], "sequence,at,actor,from,kind,of,outcome,details"),
        (&["user", "suspend", "alice"], "id,outcome"),
        (&["user", "show", "alice"], "field,value"),
        (&["owner", "transfer", "user:zoe", "organization"], "id,owner"),
        (&["policy", "show"], "field,value"),
        (&["plan", "set", "--max-keys-per-user", "9"], "field,value"),
        (&["abilities"], "field,value"),
        (&["sweep"], "tenant,keys,events,problem"),
        (&["key", "revoke", &id], "id,outcome"),
        (&["key", "revoke", &id, NO_KEY, "--all-tenants"], "id,tenant,outcome"),
        (&["key", "delete", &id], "id,outcome"),
        (&["check"], "outcome"),
        (&["compact"], "bytes_before,bytes"),
    ];
    for (args, header) in headers {
        let csv = desk.run(&[&["--output", "csv"], args].concat());
        assert_eq!(csv.out.lines().next(), Some(header), "{args:?}: {csv:?}");
    }
    let rows = ran(desk.command(&["-o", "csv", "events", "--all"]).env("COLUMNS", "20")).out;
    let kinds = rows.lines().filter(|row| row.contains(",key.generate,")).count();
    assert_eq!(kinds, 1, "{rows}");
    assert_eq!(desk.verify(&token, &["--output", "csv"]).out, "");
}

#[test]
fn cell_is_no_formula_of_a_spreadsheet() {
    let desk = Desk::open();
    let formula = "=HYPERLINK(\"https://evil.example\")";
    let (_, id) = desk.generate(&["prod-main-app", "--description", formula]);
    let csv = desk.done(&["--output", "csv", "key", "show", &id]);
    assert!(csv.contains("description,\"'=HYPERLINK(\"\"https://evil.example\"\")\""), "{csv}");
    assert_eq!(desk.json(&["key", "show", &id])["key"]["description"], formula);
}

#[test]
fn json_is_that_of_the_management_api() {
    let desk = Desk::open();
    let issued = desk.json(&["key", "generate", "prod-main-app"]);
    let id = id_of(issued["token"].as_str().expect("a token"));
    let shown = desk.json(&["key", "show", &id]);
    let listed = desk.json(&["key", "list"]);
    assert_eq!(listed["items"][0], shown);
    assert_eq!((&listed["next"], &shown["key"]["id"]), (&Value::Null, &id.as_str().into()));
    let document = keywright::http::management::openapi();
    let document = serde_json::to_value(&document).expect("JSON");
    let entry = &document["components"]["schemas"]["KeywrightKeyEntry"];
    let required = entry["required"].as_array().expect("the members");
    let members = shown.as_object().expect("an object");
    assert!(required.len() > 10, "{entry}");
    for member in required {
        assert!(members.contains_key(member.as_str().expect("a name")), "{member}");
    }
}

#[test]
fn output_in_a_pipe_has_no_color() {
    let desk = Desk::open();
    let commands: [&[&str]; 4] =
        [&["--help"], &["key", "list"], &["key"], &["key", "show", NO_KEY]];
    for args in commands {
        for name in ["NO_COLOR", "CLICOLOR"] {
            let ran = ran(desk.command(args).env(name, "1"));
            assert!(!format!("{}{}", ran.out, ran.err).contains('\u{1b}'), "{args:?}: {ran:?}");
        }
    }
}
