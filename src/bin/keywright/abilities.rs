//! `keywright abilities`: shows what the acting user may do, before it is tried.

use serde_json::Value;

use crate::failure::Failure;
use crate::output::Reply;
use crate::read::{Read, pattern, period};
use crate::session::Session;
use crate::target::call::Call;
use crate::values::OwnerSpec;

pub(crate) async fn run(session: &Session, owner: Option<OwnerSpec>) -> Result<Reply, Failure> {
    let owner: Vec<_> = owner.map(|owner| ("owner", owner.0.to_string())).into_iter().collect();
    let abilities = session.target.call(Call::get("abilities").query(&owner)).await?;
    Ok(Reply::fields(rows(&abilities), abilities))
}

fn rows(abilities: &Value) -> Vec<(String, String)> {
    let mut rows = vec![
        ("owner", abilities.text("/owner", "")),
        ("can generate", abilities.text("/can_generate", "")),
    ];
    let obstacles = abilities.list("/obstacles").iter();
    rows.extend(obstacles.map(|obstacle| ("obstacle", obstacle.text("/detail", ""))));
    if abilities["keys"].is_object() {
        rows.push(("live keys", abilities.text("/keys/live", "")));
        rows.push(("max keys", abilities.text("/keys/max", "no limit")));
        rows.push(("all keys", abilities.text("/keys/all", "")));
    }
    if abilities["choices"].is_object() {
        rows.extend(rows_of_choices(&abilities["choices"]));
    }
    rows.push(("owner kinds", abilities.text("/owner_kinds", "none")));
    rows.push(("operations", abilities.text("/operations", "none")));
    rows.push(("for any owner", abilities.text("/operations_for_any", "none")));
    rows.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn rows_of_choices(choices: &Value) -> Vec<(&'static str, String)> {
    let without = if choices.is("/never_expires") { "never expires" } else { "must be given" };
    let scope = |(name, found): (&String, &Value)| {
        let text = found["description"].as_str().map(|text| format!(": {text}"));
        ("scope", format!("{name} ({}){}", found.text("/access", ""), text.unwrap_or_default()))
    };
    let scopes = choices["scopes"].as_object().into_iter().flatten();
    let mut rows: Vec<_> = scopes.map(scope).collect();
    rows.extend([
        ("default scopes", choices.text("/default_scopes", "none: such a key allows nothing")),
        ("access", choices.text("/access", "")),
        ("default lifetime", period(&choices["default_lifetime"], without)),
        ("max lifetime", period(&choices["max_lifetime"], "none")),
        ("max overlap", period(&choices["max_overlap"], "none")),
        ("default rate", choices.text("/default_rate", "no limit")),
        ("max rate", choices.text("/max_rate", "no limit")),
        ("name pattern", pattern(&choices["name_pattern"], "none")),
    ]);
    rows
}
