//! The tables of the guide name exactly what is recorded, and the dashboard uses only these names.

use std::collections::{BTreeMap, BTreeSet};

use keywright::Operation;
use serde_json::Value;

use crate::metrics::everything;

const PAGE: &str = "src/guide/observing.md";
const SPANS: &str = "src/observe/spans.rs";

fn read(path: &str) -> String {
    let path = common::root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the rows of the first table below a heading, as cells without backticks.
fn rows_below(heading: &str) -> Vec<Vec<String>> {
    let page = read(PAGE);
    let (_, section) = page.split_once(heading).unwrap_or_else(|| panic!("no {heading}"));
    let rows = section.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().replace('`', "")).collect();
    rows.map(cells).collect()
}

/// Returns the first cells of the first table below a heading.
fn names_below(heading: &str) -> BTreeSet<String> {
    let names = rows_below(heading).into_iter().map(|mut row| row.remove(1));
    names.filter(|name| !name.is_empty()).collect()
}

/// Returns the levels of the names in the first table below a heading.
fn levels_below(heading: &str) -> BTreeMap<String, String> {
    rows_below(heading).into_iter().map(|mut row| (row.remove(1), row.remove(1))).collect()
}

/// Returns the words of a text that begin like a name of the crate.
fn names_in<'t>(text: &'t str, start: &str) -> BTreeSet<&'t str> {
    let of_name = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
    text.split(|c| !of_name(c)).filter(|word| word.starts_with(start)).collect()
}

/// Returns the metrics of queries. A histogram is queried by its buckets.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let names = names_in(text, "keywright_").into_iter();
    names.map(|name| name.trim_end_matches("_bucket").to_owned()).collect()
}

#[test]
fn b22_guide_lists_every_span() {
    let source = read(SPANS);
    let mut spans = BTreeMap::new();
    for level in ["debug", "info"] {
        // In the table of the macro, and in the span of a check.
        for form in [format!("{level}_span "), format!("{level}_span!(")] {
            for part in source.split(&form).skip(1) {
                if let Some(name) = part.trim_start().strip_prefix('"') {
                    let (name, _) = name.split_once('"').expect("the end of a name");
                    spans.insert(name.to_owned(), level.to_uppercase());
                }
            }
        }
    }
    assert_eq!(levels_below("## Spans"), spans);
    for operation in Operation::ALL {
        assert!(spans.contains_key(&format!("keywright.{operation}")), "{operation}");
    }
}

#[test]
fn b22_guide_lists_every_event() {
    let source = read(SPANS);
    let events: BTreeMap<_, _> = source
        .split("name: \"")
        .skip(1)
        .map(|part| {
            let (name, after) = part.split_once('"').expect("the end of a name");
            let (_, level) = after.split_once("Level::").expect("a level");
            let (level, _) = level.split_once(',').expect("the end of a level");
            (name.to_owned(), level.to_owned())
        })
        .collect();
    assert_eq!(levels_below("## Events"), events);
}

#[test]
fn b22_guide_lists_every_field() {
    let source = read(SPANS);
    let mut used = names_in(&source, "keywright.");
    used.extend(names_in(&source, "error."));
    used.extend(names_in(&source, "otel."));
    let page = read(PAGE);
    let listed = ["## Spans", "## Fields of spans", "## Events"].map(names_below);
    let listed: BTreeSet<_> = listed.iter().flatten().map(String::as_str).collect();
    // The fields of events are in the text of their table.
    let of_events = ["keywright.operation", "error.message"];
    assert!(of_events.iter().all(|field| page.contains(&format!("`{field}`"))));
    // The method of an error is no field.
    used.retain(|name| !of_events.contains(name) && *name != "error.source");
    assert_eq!(used, listed);
}

#[test]
fn b22_guide_lists_every_metric() {
    let listed: BTreeSet<_> = rows_below("## Metrics")
        .into_iter()
        .filter(|row| !row[1].contains("_pool_") && !row[1].contains("_store_"))
        .map(|row| {
            let labels = row[3].split(", ").filter(|label| !label.is_empty()).map(str::to_owned);
            let mut labels: Vec<_> = labels.collect();
            labels.sort();
            (row[1].clone(), row[2].clone(), labels)
        })
        .collect();
    // The metrics of a database are compared in the tests of PostgreSQL.
    let shapes = everything().shapes.into_iter();
    let recorded: BTreeSet<_> =
        shapes.map(|(name, kind, labels)| (name, kind.to_owned(), labels)).collect();
    assert_eq!(listed, recorded);
}

#[test]
fn b22_dashboard_and_alerts_use_listed_metrics() {
    let listed = names_below("## Metrics");
    let dashboard: Value =
        serde_json::from_str(&read("examples/servers/grafana.json")).expect("well-formed JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let queries: Vec<_> = targets.map(|target| target["expr"].as_str().expect("a query")).collect();
    let shown: BTreeSet<_> = queries.iter().flat_map(|query| metrics_in(query)).collect();
    assert_eq!(shown, listed, "the dashboard shows each metric");
    let page = read(PAGE);
    let (_, alerts) = page.split_once("## Alerts").expect("a section");
    let (alerts, _) = alerts.split_once("\n## ").expect("a next section");
    let named = metrics_in(alerts);
    assert!(named.len() > 4);
    let unknown: Vec<_> = named.difference(&listed).collect();
    assert_eq!(unknown, Vec::<&String>::new());
}
