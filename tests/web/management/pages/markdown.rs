//! The calls and the table of a page of the guide.

use std::fs;

use serde_json::Value;

/// A page of the guide on one page of a host.
pub(super) struct GuidePage {
    /// The blocks of HTTP calls, in order.
    pub(super) blocks: Vec<Vec<Call>>,
    /// The first table, without its header.
    pub(super) rows: Vec<Row>,
}

/// A call in a block, such as `POST /keys {"name": "prod-main-app"}`, and its answer if the page shows one.
pub(super) struct Call {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: Value,
    /// The status, and members of the answer.
    pub(super) answer: Option<(u16, Value)>,
}

/// A row of the table: a column of the host's page, or a button if its label is bold.
pub(super) struct Row {
    pub(super) label: String,
    pub(super) is_button: bool,
    /// The names in the cell of fields.
    pub(super) fields: Vec<String>,
    /// The methods of the authority.
    pub(super) calls: Vec<String>,
    pub(super) route: String,
}

impl GuidePage {
    pub(super) fn read(name: &str) -> Self {
        let path = common::root().join(format!("src/guide/{name}.md"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let blocks = text.split("```http\n").skip(1).filter_map(|rest| rest.split("```").next());
        let table = text.lines().skip_while(|line| !line.starts_with("| column or button |"));
        let rows = table.skip(2).take_while(|line| line.starts_with('|'));
        Self { blocks: blocks.map(calls).collect(), rows: rows.map(row).collect() }
    }
}

fn calls(block: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for line in block.lines().filter(|line| !line.is_empty()) {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim_start();
        if let Ok(status) = first.parse() {
            let call = calls.last_mut().expect("an answer follows its call");
            call.answer = Some((status, json(rest)));
        } else {
            let (path, body) = rest.split_once(' ').unwrap_or((rest, ""));
            let (method, path, body) = (first.to_owned(), path.to_owned(), json(body.trim_start()));
            calls.push(Call { method, path, body, answer: None });
        }
    }
    calls
}

fn json(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [label, fields, call, route] = cells[..] else { panic!("four cells: {line}") };
    let codes = |cell: &str| cell.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect();
    Row {
        label: label.trim_matches('*').to_owned(),
        is_button: label.starts_with("**"),
        fields: codes(fields),
        calls: codes(call),
        route: route.trim_matches('`').to_owned(),
    }
}
