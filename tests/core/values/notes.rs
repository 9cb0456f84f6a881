//! Descriptions and contacts: what they accept, what they refuse, and the error of each refusal.

use keywright::{Contact, Description, NoteError, NoteField, OwnerKind};

use super::{assert_says_something, reads_back, refuses};
use common::World;

const NEED: NoteField = NoteField::Description;
const CONTACT: NoteField = NoteField::Contact;

#[test]
fn notes_read_back_unchanged() {
    let (long, longest) = ("\u{e4}".repeat(200), "\u{1f511}".repeat(1_000));
    let plain =
        ["a", "ops@example.com", "Ops <ops@example.com>, +49 30 1234", "\u{c9}quipe", &long];
    reads_back::<Contact>(&plain);
    reads_back::<Description>(&plain);
    reads_back::<Description>(&[
        "two\nlines",
        "a\n\nparagraph",
        "https://example.com/a?b",
        &longest,
    ]);
    reads_back::<OwnerKind>(&["user", "account"]);
    refuses::<OwnerKind>(&["", "User", "user:alice", "robot"]);
}

#[test]
fn notes_are_kept_in_one_form() -> Result<(), NoteError> {
    assert_eq!(Description::new("a\r\nb\r\nc")?.as_str(), "a\nb\nc");
    assert_eq!(Contact::new("E\u{301}quipe")?, Contact::new("\u{c9}quipe")?);
    // 1000 characters after the line breaks are converted.
    let lines = format!("a{}b", "\r\n".repeat(998));
    assert_eq!(Description::new(lines)?.as_str().chars().count(), Description::MAX_CHARS);
    let accents = "e\u{301}".repeat(Contact::MAX_CHARS);
    assert_eq!(Contact::new(accents)?.as_str().chars().count(), Contact::MAX_CHARS);
    Ok(())
}

#[test]
fn invalid_notes_are_refused() {
    let issued = World::in_memory().issue("prod-main-app");
    let token = issued.token.expose();
    let wide: String = token.chars().map(wide).collect();
    let sentence = format!("the key is {token}.");
    let too_long = "a".repeat(1_001);
    let control = |found| NoteError::Control { field: CONTACT, found };
    let invisible = |found| NoteError::Invisible { field: CONTACT, found };
    let contacts = [
        ("", NoteError::Empty(CONTACT)),
        (" \n", NoteError::Empty(CONTACT)),
        (&too_long[..201], NoteError::TooLong { field: CONTACT, chars: 201 }),
        (&too_long, NoteError::TooLong { field: CONTACT, chars: 1_001 }),
        (" a", NoteError::OuterSpace(CONTACT)),
        ("a\u{a0}", NoteError::OuterSpace(CONTACT)),
        ("a\nb", control('\n')),
        ("a\0b", control('\0')),
        ("\u{1b}[31mred", control('\u{1b}')),
        ("a\u{202e}b", invisible('\u{202e}')),
        ("a\u{200b}b", invisible('\u{200b}')),
        (token, NoteError::LooksLikeToken(CONTACT)),
        (&wide, NoteError::LooksLikeToken(CONTACT)),
        (&sentence, NoteError::LooksLikeToken(CONTACT)),
    ];
    for (text, expected) in contacts {
        let error = Contact::new(text).expect_err(text);
        assert_says_something(&error.to_string());
        assert!(!error.to_string().contains(token), "{error}");
        assert_eq!(error, expected);
        refuses::<Contact>(&[text]);
    }
    let control = |found| NoteError::Control { field: NEED, found };
    let descriptions = [
        ("\n \n", NoteError::Empty(NEED)),
        (&*too_long, NoteError::TooLong { field: NEED, chars: 1_001 }),
        ("a\n", NoteError::OuterSpace(NEED)),
        ("a\tb", control('\t')),
        ("a\rb", control('\r')),
        ("a\u{85}b", control('\u{85}')),
        ("a\u{2028}b", NoteError::Invisible { field: NEED, found: '\u{2028}' }),
        (&sentence, NoteError::LooksLikeToken(NEED)),
    ];
    for (text, expected) in descriptions {
        assert_eq!(Description::new(text), Err(expected), "{text:?}");
        refuses::<Description>(&[text]);
    }
}

/// Returns the full-width form of an ASCII character.
fn wide(c: char) -> char {
    char::from_u32(u32::from(c) + 0xFEE0).expect("a full-width character")
}
