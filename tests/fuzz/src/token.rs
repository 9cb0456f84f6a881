//! Any text as a token: the crate finds exactly the grammar with a valid checksum.

use common::check;
use common::slow_search::is_token;
use keywright::scan::Scanner;

/// Takes the text as it is.
pub(crate) fn run(data: &[u8]) {
    let found = Scanner::new().recognize(data);
    assert_eq!(found.is_some(), is_token(data), "the scanner and the grammar differ");
    let Some(found) = found else { return };
    let text = found.token.expose();
    let (shown, secret) = text.split_at(text.len() - 38);
    assert_eq!(text.as_bytes(), data);
    assert_eq!(found.display_prefix(), shown);
    assert_eq!(found.token.expose_key_secret(), secret);
    assert_eq!(shown.rsplit_once('_').map(|(_, id)| id), Some(found.token.key_id().as_str()));
}

/// Adds the right checksum, which mutations alone do not find.
pub(crate) fn run_with_checksum(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        run(format!("{text}{}", check(text)).as_bytes());
    }
}
