//! The rules of visible text, which names and notes share: nothing hides or reorders the text around
//! it, and nothing looks like a token.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use crate::value::redact::looks_like_token;

/// The first rule that a text breaks.
pub(crate) enum Flaw {
    /// The text is empty or only white space.
    Empty,
    /// The length of the text, in characters.
    TooLong(usize),
    /// The first control character that is not allowed.
    Control(char),
    /// The first invisible character.
    Invisible(char),
    /// The text begins or ends with white space.
    OuterSpace,
}

/// Returns the text as it is kept, if it is visible. `is_allowed` names the control characters that it
/// can have.
pub(crate) fn visible(
    text: &str,
    max_chars: usize,
    is_allowed: impl Fn(char) -> bool,
) -> Result<Cow<'_, str>, Flaw> {
    if text.trim().is_empty() {
        return Err(Flaw::Empty);
    }
    // NFC composes at most four characters into one, so a text longer than this stays too long.
    let given = text.chars().count();
    if given > 4 * max_chars {
        return Err(Flaw::TooLong(given));
    }
    let text = composed(text);
    let chars = text.chars().count();
    if chars > max_chars {
        return Err(Flaw::TooLong(chars));
    }
    if let Some(found) = text.chars().find(|c| c.is_control() && !is_allowed(*c)) {
        return Err(Flaw::Control(found));
    }
    if let Some(found) = text.chars().find(|c| is_invisible(*c)) {
        return Err(Flaw::Invisible(found));
    }
    if text.trim() != text {
        return Err(Flaw::OuterSpace);
    }
    Ok(text)
}

/// Returns the text in the normalization form NFC (Unicode Standard Annex 15), in which names
/// and notes are kept.
pub(crate) fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// Returns whether the text looks like a token.
///
/// A token in full-width characters is still a token: NFKC maps it to ASCII.
pub(crate) fn hides_a_token(text: &str) -> bool {
    let compatible = || text.nfkc().collect::<String>();
    looks_like_token(text) || !text.is_ascii() && looks_like_token(&compatible())
}

/// Returns whether a character is invisible or reorders the text around it.
///
/// The list is from Unicode 18: the property `Default_Ignorable_Code_Point`, the general categories
/// Cf (bidirectional and other format controls), Zl and Zp (separators of lines and paragraphs),
/// and the noncharacters. It also has the Braille blank, which has no dots.
pub(crate) fn is_invisible(c: char) -> bool {
    let is_noncharacter = u32::from(c) & 0xFFFE == 0xFFFE;
    is_noncharacter
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{0600}'..='\u{0605}' | '\u{061C}' | '\u{06DD}'
            | '\u{070F}' | '\u{0890}' | '\u{0891}' | '\u{08E2}' | '\u{115F}' | '\u{1160}'
            | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
            | '\u{FDD0}'..='\u{FDEF}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}' | '\u{110BD}' | '\u{110CD}'
            | '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}
