//! How errors repeat what they were given: shortened, and never a secret.
//!
//! A token lands in the wrong argument sooner or later, and the error about it in a log.

/// The longest text that is repeated, in characters.
const LONGEST: usize = 40;

/// Returns `text` as an error may repeat it.
pub(crate) fn redact(text: &str) -> String {
    if looks_like_token(text) {
        return "(not shown: it looks like a token)".to_owned();
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns whether there is a run of ASCII letters and digits that is too long, or too mixed, to be
/// a word: 32 characters of more than one class (small letters, capitals, digits), or 20 of all
/// three.
pub(crate) fn looks_like_token(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| {
        let has = |class: fn(&u8) -> bool| usize::from(run.as_bytes().iter().any(class));
        let small = has(u8::is_ascii_lowercase);
        let classes = small + has(u8::is_ascii_uppercase) + has(u8::is_ascii_digit);
        run.len() >= 32 && classes >= 2 || run.len() >= 20 && classes == 3
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_repeated_but_not_secrets() {
        assert_eq!(redact("prod main app"), "prod main app");
        assert_eq!(redact(&"a b ".repeat(20)), format!("{}...", "a b ".repeat(10)));
        for secret in ["4fQ2xk9ZrT7bWm1c8PzA", "key=8PzAq0LdVh3sKyNeJ5uGiXo6RtBwYfMC"] {
            assert_eq!(redact(secret), "(not shown: it looks like a token)");
        }
    }
}
