//! `keywright init`: from nothing to the first accepted key.

use crate::desk::{Desk, READS, WRITES, id_of};

#[test]
fn init_makes_store_and_first_key() {
    let desk = Desk::bare();
    let made = desk.run(&["init", "--reads", READS, "--writes", WRITES, "--key", "prod-main-app"]);
    assert_eq!(made.code, 0, "{made:?}");
    let token = made.out.strip_suffix('\n').expect("a line");
    assert!(made.err.contains("the store is ready") && made.err.contains("API access is on"));
    assert!(made.err.contains("verify") && !made.err.contains(token), "{made:?}");
    assert_eq!(desk.verify(token, &["--scope", WRITES, "--write"]).code, 0);
    assert_eq!(desk.json(&["key", "show", &id_of(token)])["key"]["name"], "prod-main-app");
}

#[test]
fn init_names_the_next_command() {
    let desk = Desk::bare();
    let bare = desk.json(&["init"]);
    let next = |answer: &serde_json::Value| answer["next"].as_str().expect("a text").to_owned();
    assert!(next(&bare).contains(" plan set --reads "), "{bare}");
    let told = desk.json(&["init", "--reads", READS]);
    let next = next(&told);
    assert!(next.contains("key generate prod-main-app --scopes invoices:read"), "{told}");
    let words: Vec<_> = next.split(' ').skip_while(|word| *word != "key").collect();
    let token = desk.done(&words);
    assert_eq!(desk.verify(token.trim_end(), &["--scope", READS]).code, 0);
}

#[test]
fn repeated_init_keeps_what_is_there() {
    let desk = Desk::bare();
    desk.done(&["init", "--reads", READS, "--role", "analyst=invoices:read"]);
    let plan = desk.json(&["plan", "show"]);
    let (token, _) = desk.generate(&["prod-main-app"]);
    let again = desk.run(&["init"]);
    assert!(again.code == 0 && !again.err.contains("API access is on"), "{again:?}");
    assert_eq!(desk.json(&["plan", "show"]), plan);
    assert_eq!(desk.verify(&token, &[]).code, 0);
}
