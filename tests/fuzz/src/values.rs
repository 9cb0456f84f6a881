//! Any text as any value: it is refused with a short error, or prints a text that parses as the same value.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use keywright::scan::{Scanner, Tool};
use keywright::store::{Cursor, Subject};
use keywright::{
    AccountId, Contact, Description, EventActor, EventKind, EventOutcome, KeyId, Name, Network,
    Networks, Owner, Prefix, Rate, RoleName, Scope, ScopeSet, TenantId, Ticket, Timestamp,
    UseAlert, UserId,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The longest error about a text of any length, in bytes.
const LONGEST_ERROR: usize = 1_000;

/// The values, with whether each is printed exactly as it was written.
const KINDS: &[fn(&str)] = &[
    |text| in_json::<Prefix>(text, true),
    |text| in_json::<KeyId>(text, true),
    |text| in_json::<AccountId>(text, true),
    |text| in_json::<TenantId>(text, true),
    |text| in_json::<UserId>(text, true),
    |text| in_json::<Ticket>(text, true),
    |text| in_json::<Rate>(text, true),
    |text| in_json::<UseAlert>(text, true),
    |text| in_json::<Scope>(text, true),
    |text| in_json::<RoleName>(text, true),
    |text| in_json::<Owner>(text, true),
    |text| in_json::<EventActor>(text, true),
    |text| in_json::<EventKind>(text, true),
    |text| in_json::<EventOutcome>(text, true),
    |text| in_json::<Cursor>(text, true),
    |text| in_json::<Timestamp>(text, false),
    |text| in_json::<Network>(text, false),
    |text| in_json::<Name>(text, false),
    |text| in_json::<Description>(text, false),
    |text| in_json::<Contact>(text, false),
    |text| {
        if let Ok(networks) = text.parse::<Networks>() {
            let printed: Vec<_> = networks.iter().map(ToString::to_string).collect();
            assert_eq!(printed.join(" ").parse(), Ok(networks));
        }
    },
    |text| in_text_alone::<ScopeSet>(text, false),
    |text| in_text_alone::<Subject>(text, true),
    |text| in_text_alone::<Tool>(text, true),
];

/// The first byte chooses the value.
pub(crate) fn run(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    KINDS[usize::from(*kind) % KINDS.len()](text);
}

fn in_text<T>(text: &str, has_one_spelling: bool) -> Option<T>
where
    T: Debug + Display + FromStr<Err: Display> + PartialEq,
{
    let value = match text.parse::<T>() {
        Ok(value) => value,
        Err(error) => {
            let error = error.to_string();
            assert!(error.len() <= LONGEST_ERROR, "an error of {} bytes", error.len());
            assert_eq!(Scanner::new().find(&error).count(), 0, "the error has a token");
            return None;
        }
    };
    let printed = value.to_string();
    if has_one_spelling {
        assert_eq!(printed, text);
    }
    let again = printed.parse::<T>().ok();
    assert_eq!(again.as_ref(), Some(&value), "{printed:?} is another value");
    assert_eq!(again.map(|again| again.to_string()), Some(printed));
    Some(value)
}

/// A value that serde writes in another form, or not at all.
fn in_text_alone<T>(text: &str, has_one_spelling: bool)
where
    T: Debug + Display + FromStr<Err: Display> + PartialEq,
{
    let _ = in_text::<T>(text, has_one_spelling);
}

fn in_json<T>(text: &str, has_one_spelling: bool)
where
    T: Debug + DeserializeOwned + Display + FromStr<Err: Display> + PartialEq + Serialize,
{
    let value = in_text::<T>(text, has_one_spelling);
    let read = serde_json::from_value::<T>(Value::from(text));
    assert_eq!(read.ok(), value, "serde and parse differ");
    if let Some(value) = value {
        let written = serde_json::to_value(&value).expect("a value is written as text");
        assert_eq!(written, Value::from(value.to_string()));
    }
}
