//! The tables of the guide name exactly what is recorded, and the dashboard uses only these names.

use std::collections::BTreeSet;

use common::operations::is_looking;
use keywright::Operation;
use serde_json::Value;

use crate::metrics::everything;

fn read(path: &str) -> String {
    let path = common::root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the first cells of the first table below a heading.
fn names_below(heading: &str) -> BTreeSet<String> {
    let page = read("src/guide/observing.md");
    let (_, section) = page.split_once(heading).unwrap_or_else(|| panic!("no {heading}"));
    let rows = section.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    rows.filter_map(|row| row.split('`').nth(1)).map(str::to_owned).collect()
}

/// Returns the words of a text that begin like a name of the crate.
fn names_in<'t>(text: &'t str, start: &str) -> BTreeSet<&'t str> {
    let of_name = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
    text.split(|c| !of_name(c)).filter(|word| word.starts_with(start)).collect()
}

#[test]
fn b22_guide_lists_every_span() {
    let operations = Operation::ALL.iter().filter(|operation| !is_looking(**operation));
    let changes = operations.map(|operation| format!("keywright.{operation}"));
    let others = ["verify", "flush", "cache.sync"].into_iter();
    let others = others.chain(["transfer.begin", "transfer.copy", "transfer.finish"]);
    let spans: BTreeSet<_> =
        changes.chain(others.map(|name| format!("keywright.{name}"))).collect();
    assert_eq!(names_below("## Spans"), spans);
}

#[test]
fn b22_guide_lists_every_field_and_event() {
    let source = read("src/observe/spans.rs");
    let used = names_in(&source, "keywright.").into_iter().filter(|name| !name.ends_with(".show"));
    // The field of the events that name their operation is in the text of the table.
    let used: BTreeSet<_> = used.filter(|name| *name != "keywright.operation").collect();
    let listed = ["## Spans", "## Fields of spans", "## Events"].map(names_below);
    let listed = listed.iter().flatten().map(String::as_str);
    let listed: BTreeSet<_> = listed.filter(|name| name.starts_with("keywright.")).collect();
    assert_eq!(used, listed);
}

#[test]
fn b22_guide_lists_every_metric() {
    let metrics = everything();
    let mut recorded: BTreeSet<_> = metrics.names().map(str::to_owned).collect();
    // Only a store on PostgreSQL has a pool.
    recorded.extend(
        ["keywright_pool_connections", "keywright_pool_idle_connections"].map(str::to_owned),
    );
    assert_eq!(names_below("## Metrics"), recorded);
}

#[test]
fn b22_dashboard_and_alerts_use_listed_metrics() {
    let listed = names_below("## Metrics");
    let dashboard: Value =
        serde_json::from_str(&read("examples/servers/grafana.json")).expect("well-formed JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let queries: Vec<_> = targets.map(|target| target["expr"].as_str().expect("a query")).collect();
    let shown: BTreeSet<_> =
        queries.iter().flat_map(|query| names_in(query, "keywright_")).collect();
    let shown: BTreeSet<_> =
        shown.into_iter().map(|name| name.trim_end_matches("_bucket").to_owned()).collect();
    assert_eq!(shown, listed, "the dashboard shows each metric");
    let page = read("src/guide/observing.md");
    let (_, alerts) = page.split_once("## Alerts").expect("a section");
    let (alerts, _) = alerts.split_once("\n## ").expect("a next section");
    let named = names_in(alerts, "keywright_");
    assert!(named.len() > 4);
    let unknown: Vec<_> = named.iter().filter(|name| !listed.contains(**name)).collect();
    assert_eq!(unknown, Vec::<&&str>::new());
}
