//! `leak report` finds tokens in a text and ends their keys, and prints no token.

use serde_json::Value;

use crate::desk::Desk;

#[test]
fn leaked_tokens_end_their_keys() {
    let desk = Desk::open();
    let [(first, a), (second, b), (spared, _)] =
        ["prod-a", "prod-b", "prod-c"].map(|name| desk.generate(&[name]));
    let text = format!("API_KEY={first}\n{{\"key\":\"{second}\"}} key_of_no_one {first}\n");
    let watched = desk.pipe(&["leak", "report", "--alert-only"], &text);
    assert_eq!(watched.out, format!("{a} recorded\n{b} recorded\n{a} unchanged\n"));
    assert_eq!(desk.verify(&first, &[]).code, 0, "the key still works");
    let place = ["--source", "https://paste.example/7", "--reporter", "oncall"];
    let ran = desk.pipe(&[&["leak", "report"], &place[..]].concat(), &text);
    assert_eq!(ran.out, format!("{a} revoked\n{b} revoked\n{a} unchanged\n"));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for (token, code) in [(&first, 1), (&second, 1), (&spared, 0)] {
        assert_eq!(desk.verify(token, &[]).code, code);
    }
    let events = desk.json(&["events", "--kind", "key.leak_reported", "--key", &a]);
    let details = &events["items"][0]["details"];
    assert_eq!(details["leak_source"], "https://paste.example/7");
    assert_eq!(details["reporter"], "oncall");
    let json = desk.pipe(&["leak", "report", "--output", "json"], &text);
    let json: Value = serde_json::from_str(&json.out).expect("JSON");
    let expected = serde_json::json!({ "id": a, "prefix": "key", "outcome": "unchanged" });
    assert_eq!(json["results"][0], expected);
}

#[test]
fn text_without_tokens_is_refused() {
    let desk = Desk::open();
    let (token, _) = desk.generate(&["prod-a"]);
    for text in ["", "no token here", &token[1..], &token[..50]] {
        let ran = desk.pipe(&["leak", "report"], text);
        assert_eq!(ran.code, 3, "{text}: {ran:?}");
        assert!(ran.err.contains("the text has no token"), "{ran:?}");
    }
    // A token of another store is no secret of this one.
    let ran = Desk::open().pipe(&["leak", "report"], &token);
    assert_eq!((ran.code, ran.out.ends_with(" unknown\n")), (0, true), "{ran:?}");
}
