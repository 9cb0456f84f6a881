//! `keywright settings`: shows the tenant's own rules, or sets some of them.

use keywright::{Outcome, Settings, SettingsEdit};
use serde_json::json;

use crate::Session;
use crate::failure::Failure;
use crate::output::{Reply, changed_rows, in_words, or_none, outcome_word, switch};
use crate::policy_args::{SettingsChange, SettingsCommand};
use crate::tables::fields;
use crate::values::Period;

pub(crate) async fn run(session: &Session, command: SettingsCommand) -> Result<Reply, Failure> {
    let Session { authority, actor, .. } = session;
    let current = authority.policy(actor).await?.settings;
    let change = match command {
        SettingsCommand::Show => return Ok(Reply::new(fields(&rows(&current)), json!(current))),
        SettingsCommand::Set(change) => change,
    };
    // The edit sets each field to a given value, so it suits any version.
    let set = authority.edit_settings(actor, change.into_edit()).await?;
    let outcome = outcome_word(&set);
    let (text, settings) = match set {
        Outcome::Unchanged(settings) => {
            let version = settings.version;
            (format!("unchanged: the settings are still at version {version}"), settings)
        }
        Outcome::Done(settings) => (changed_rows(&rows(&current), &rows(&settings)), settings),
    };
    Ok(Reply::new(text, json!({ "outcome": outcome, "settings": settings })))
}

impl SettingsChange {
    fn into_edit(self) -> SettingsEdit {
        let mut edit = SettingsEdit::new();
        macro_rules! set {
            ($($field:ident $(as $part:tt)?;)*) => {$(
                if let Some(value) = self.$field {
                    edit = edit.$field(value.0$(.map(|value| value.$part))?);
                }
            )*};
        }
        set! {
            api_enabled as 0;
            require_expiry as 0;
            default_lifetime as 0;
            max_lifetime as 0;
            max_keys_per_user;
            max_overlap as 0;
            name_pattern as 0;
            default_rate;
            extensive_use;
            suspicious_use;
            retention as 0;
            event_retention as 0;
        }
        edit
    }
}

/// Returns all settings, by the names of the options that set them.
fn rows(settings: &Settings) -> Vec<(&'static str, String)> {
    const UNSET: &str = "default";
    let pattern = settings.name_pattern.as_ref().map(in_words);
    let time = |time: Option<std::time::Duration>| or_none(time.map(Period), UNSET);
    vec![
        ("api-enabled", or_none(settings.api_enabled.map(switch), UNSET)),
        ("require-expiry", or_none(settings.require_expiry.map(switch), UNSET)),
        ("default-lifetime", time(settings.default_lifetime)),
        ("max-lifetime", time(settings.max_lifetime)),
        ("max-keys-per-user", or_none(settings.max_keys_per_user, UNSET)),
        ("max-overlap", time(settings.max_overlap)),
        ("name-pattern", or_none(pattern, UNSET)),
        ("default-rate", or_none(settings.default_rate, UNSET)),
        ("extensive-use", or_none(settings.extensive_use, UNSET)),
        ("suspicious-use", or_none(settings.suspicious_use, UNSET)),
        ("retention", time(settings.retention)),
        ("event-retention", time(settings.event_retention)),
        ("version", settings.version.to_string()),
    ]
}
