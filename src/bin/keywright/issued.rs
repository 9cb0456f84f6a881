//! A new token. No other file shows one.

use serde_json::Value;

use crate::output::Reply;
use crate::read::Read;

const ONCE: &str = "This token is shown only once. Its last 38 characters are the key secret.";

/// Returns the reply with the token, and with its two parts if they are wanted.
pub(crate) fn handed_out(issued: Value, parts: bool, note: String) -> Reply {
    let columns = ["token", "key_id", "key_secret"];
    let cells = columns.map(|name| issued[name].as_str().unwrap_or_default().to_owned());
    let text = if parts {
        let lines = columns.iter().zip(&cells).map(|(name, cell)| format!("{name}={cell}"));
        lines.collect::<Vec<_>>().join("\n")
    } else {
        cells[0].clone()
    };
    let id = issued.text("/key/id", "");
    Reply::text(text, &columns, vec![cells.to_vec()], issued)
        .with_token_of(id)
        .note(note)
        .note(ONCE)
}
