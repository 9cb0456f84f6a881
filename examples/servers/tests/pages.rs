//! The commands of the axum server show the data of the five pages that the guide explains how to build.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::printed::Line;
use crate::server::Server;

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/guide");

#[test]
fn data_of_five_pages_is_shown() {
    let server = Server::new("axum_server");
    let lines = server.lines();
    let shown: BTreeSet<&str> =
        lines.iter().filter(|line| line.method == "GET").map(Line::path).collect();
    for page in [
        "organization_keys",
        "user_keys",
        "key_id_and_secret",
        "service_accounts",
        "tenant_console",
    ] {
        assert!(server.printed.contains(&format!("(guide: {page})")));
        let text = fs::read_to_string(Path::new(GUIDE).join(page).with_extension("md"));
        let text = text.expect("a page of the guide");
        let block = text.split("```http\n").nth(1).and_then(|rest| rest.split("```").next());
        let data: Vec<&str> = block.expect("the calls of the page").lines().collect();
        assert!((1..=2).contains(&data.len()), "{page}: {data:?}");
        for call in data {
            let path = call.strip_prefix("GET ").expect("the data is read");
            assert!(shown.contains(&*format!("/manage{path}")), "{page}: {call} is not shown");
        }
    }
}
