//! Any text as a credential: the verifier refuses it as malformed, or as unknown if its form is right.

use std::sync::OnceLock;

use common::slow_search::is_token;
use common::{ALPHABET, block_on, check};
use keywright::store::MemoryStore;
use keywright::{AccessRequest, Credential, Keywright, Reason, Verifier, VerifyError};

/// Takes the text as a token, with and without the right checksum, and as the two parts of one.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    assert_eq!(refusal(Credential::Token(text)), reason(is_token(data)));
    let checked = format!("{text}{}", check(text));
    assert_eq!(refusal(Credential::Token(&checked)), reason(is_token(checked.as_bytes())));
    if let Some((key_id, key_secret)) = text.split_at_checked(16) {
        let is_plain = |part: &str| part.chars().all(|c| ALPHABET.contains(c));
        let are_parts = key_secret.len() == 38 && is_plain(key_id) && is_plain(key_secret);
        assert_eq!(refusal(Credential::Parts { key_id, key_secret }), reason(are_parts));
    }
}

/// Returns the reason for the refusal of a text in a store without keys.
fn reason(is_well_formed: bool) -> Reason {
    if is_well_formed { Reason::Unrecognized } else { Reason::Malformed }
}

#[track_caller]
fn refusal(credential: Credential<'_>) -> Reason {
    static VERIFIER: OnceLock<Verifier> = OnceLock::new();
    let verifier = VERIFIER.get_or_init(|| {
        Keywright::builder(MemoryStore::new()).build().expect("the default settings").verifier()
    });
    match block_on(verifier.verify_request(&AccessRequest::new(credential))) {
        Err(VerifyError::Denied(denial)) => denial.reason().clone(),
        other => panic!("a store without keys gave {other:?}"),
    }
}
