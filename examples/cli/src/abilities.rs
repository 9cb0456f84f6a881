//! `keywright abilities`: shows what the acting user may do, before it is tried.

use std::time::Duration;

use keywright::{Abilities, GenerateError, KeyChoices, KeyNumbers, Obstacle};
use serde_json::{Value, json};

use crate::Session;
use crate::failure::Failure;
use crate::output::{Reply, access, in_words, or_none, words};
use crate::tables::fields;
use crate::values::{OwnerSpec, Period};

pub(crate) async fn run(session: &Session, owner: Option<OwnerSpec>) -> Result<Reply, Failure> {
    let owner = owner.map_or_else(|| session.actor.as_owner(), |owner| owner.0);
    let abilities = session.authority.abilities(&session.actor, &owner).await?;
    Ok(Reply::new(fields(&rows(&abilities)), in_json(&abilities)))
}

fn rows(abilities: &Abilities) -> Vec<(&'static str, String)> {
    let can_generate = if abilities.can_generate() { "yes" } else { "no" };
    let mut rows =
        vec![("owner", abilities.owner.to_string()), ("can generate", can_generate.to_owned())];
    rows.extend(abilities.obstacles.iter().map(|obstacle| ("obstacle", obstacle.to_string())));
    if let Some(keys) = &abilities.keys {
        let KeyNumbers { live, max, all, .. } = keys;
        let max = max.map_or_else(|| "without a limit".to_owned(), |max| format!("of {max}"));
        rows.push(("live keys", format!("{live} {max}")));
        rows.push(("all keys", all.to_string()));
    }
    if let Some(choices) = &abilities.choices {
        rows.extend(rows_of_choices(choices));
    }
    rows.push(("owner kinds", words(&abilities.owner_kinds, "none")));
    rows.push(("operations", words(&abilities.operations, "none")));
    rows.push(("for any owner", words(&abilities.operations_for_any, "none")));
    rows
}

fn rows_of_choices(choices: &KeyChoices) -> Vec<(&'static str, String)> {
    let time = |time: Option<Duration>, none: &str| or_none(time.map(Period), none);
    let without = if choices.never_expires { "never expires" } else { "must be given" };
    let scopes = choices.scopes.iter().map(|(scope, found)| {
        let text = found.description.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
        format!("{scope} ({}){text}", access(found.access))
    });
    let mut rows: Vec<_> = scopes.map(|scope| ("scope", scope)).collect();
    rows.extend([
        ("default scopes", words(&choices.default_scopes, "none: such a key allows nothing")),
        ("access", access(choices.access).to_owned()),
        ("default lifetime", time(choices.default_lifetime, without)),
        ("max lifetime", time(choices.max_lifetime, "none")),
        ("max overlap", Period(choices.max_overlap).to_string()),
        ("default rate", or_none(choices.default_rate, "no limit")),
        ("max rate", or_none(choices.max_rate, "no limit")),
        ("name pattern", or_none(choices.name_pattern.as_ref().map(in_words), "none")),
    ]);
    rows
}

fn in_json(abilities: &Abilities) -> Value {
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
    let keys = abilities.keys.as_ref();
    let choices = abilities.choices.as_ref();
    json!({
        "owner": abilities.owner,
        "operations": abilities.operations,
        "operations_for_any": abilities.operations_for_any,
        "owner_kinds": abilities.owner_kinds,
        "can_generate": abilities.can_generate(),
        "obstacles": abilities.obstacles.iter().map(obstacle).collect::<Vec<_>>(),
        "keys": keys.map(|keys| json!({ "live": keys.live, "max": keys.max, "all": keys.all })),
        "choices": choices.map(|choices| json!({
            "scopes": choices.scopes,
            "default_scopes": choices.default_scopes,
            "access": choices.access,
            "never_expires": choices.never_expires,
            "default_lifetime": seconds(choices.default_lifetime),
            "max_lifetime": seconds(choices.max_lifetime),
            "max_overlap": choices.max_overlap.as_secs(),
            "default_rate": choices.default_rate,
            "max_rate": choices.max_rate,
            "name_pattern": choices.name_pattern,
        })),
    })
}

/// Returns the failure that generating a key would end with.
fn obstacle(obstacle: &Obstacle) -> Value {
    let failure = Failure::from(GenerateError::from(obstacle.clone()));
    json!({ "error": failure.code(), "message": failure.message() })
}
