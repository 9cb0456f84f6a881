//! The redactor hides each secret, however the text is divided, and changes nothing else.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, Error, Write};
use std::rc::Rc;

use keywright::scan::{Redactor, Scanner};

use common::{Random, seed};

use super::{overlapping, redacted, reference, token};

#[test]
fn b11_redacted_text_keeps_prefix_and_id() {
    let random = Random::seeded(1);
    let tokens = ["key", "acme_live"].map(|prefix| token(prefix, &random));
    let text = format!("ä {} → \"{}\"\n", tokens[0], tokens[1]);
    let clean = format!("ä {} → \"{}\"\n", redacted(&tokens[0]), redacted(&tokens[1]));
    assert_eq!(Scanner::new().redact(&text), clean);
    assert_eq!(*Scanner::new().redact_bytes(text.as_bytes()), *clean.as_bytes());
    assert!(matches!(Scanner::new().redact(&clean), Cow::Borrowed(same) if same == clean));
    assert!(matches!(Scanner::new().redact_bytes(b"\xFF"), Cow::Borrowed(b"\xFF")));
    assert!(matches!(Scanner::new().redact(""), Cow::Borrowed("")));
}

#[test]
fn b11_writer_redacts_across_writes() {
    let random = Random::seeded(2);
    let (first, second) = overlapping(&random);
    let text = format!("a {first}{} {}!\n", &second[2..], token("key", &random));
    let clean = Scanner::new().redact(&text).into_owned();
    assert!(clean.matches("[redacted]").count() == 3, "{clean}");
    for size in 1..=text.len() {
        for flushes in [true, false] {
            let mut log = Scanner::new().redactor(Vec::new());
            for piece in text.as_bytes().chunks(size) {
                log.write_all(piece).expect("a vector takes all");
                if flushes {
                    log.flush().expect("a vector takes all");
                }
            }
            assert_eq!(String::from_utf8(log.finish().expect("all")).expect("text"), clean);
        }
    }
}

#[test]
fn any_writes_give_the_same_text() {
    let random = Random::seeded(seed());
    for _ in 0..3_000 {
        let text = reference::text(&random);
        let mut log = Scanner::new().redactor(Vec::new());
        let mut rest = &*text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(random.below(rest.len().min(120)) + 1);
            log.write_all(piece).expect("a vector takes all");
            rest = after;
        }
        assert_eq!(log.finish().expect("all"), *Scanner::new().redact_bytes(&text));
    }
}

/// A writer that takes a few bytes, and fails for each second call.
#[derive(Clone, Default)]
struct Failing {
    text: Rc<RefCell<Vec<u8>>>,
    fails: bool,
}

impl Write for Failing {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.fails = !self.fails;
        if self.fails {
            return Err(Error::other("the disk is full"));
        }
        let count = text.len().min(11);
        self.text.borrow_mut().extend_from_slice(&text[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn failed_write_loses_nothing() {
    let random = Random::seeded(3);
    let text = format!("a {} b {} c", token("key", &random), token("a", &random)).repeat(200);
    let clean = Scanner::new().redact(&text).into_owned();
    let inner = Failing::default();
    let mut log = Scanner::new().redactor(inner.clone());
    let mut rest = text.as_bytes();
    let mut errors = 0;
    while !rest.is_empty() {
        match log.write(rest) {
            Ok(count) => rest = &rest[count..],
            Err(_) => errors += 1,
        }
    }
    while log.flush().is_err() {}
    assert!(errors > 10, "only {errors} writes failed");
    let written = String::from_utf8(inner.text.borrow().clone()).expect("text");
    assert_eq!(written, clean[..clean.len() - 1], "the last word is held back");
}

#[test]
fn flush_holds_back_the_last_word() {
    let random = Random::seeded(4);
    let token = token("acme_live", &random);
    let write = |log: &mut Redactor<Failing>, text: &str| {
        while log.write_all(text.as_bytes()).is_err() {}
        while log.flush().is_err() {}
    };
    let inner = Failing::default();
    let mut log = Scanner::new().redactor(inner.clone());
    let shown = || String::from_utf8(inner.text.borrow().clone()).expect("text");
    write(&mut log, "line\n");
    assert_eq!(shown(), "line\n");
    write(&mut log, "word");
    assert_eq!(shown(), "line\n");
    write(&mut log, ": ");
    assert_eq!(shown(), "line\nword: ");
    write(&mut log, &token[..40]);
    assert_eq!(shown(), "line\nword: ");
    write(&mut log, &token[40..]);
    assert_eq!(shown(), format!("line\nword: {}", redacted(&token)));
    write(&mut log, &"x".repeat(100));
    assert_eq!(shown().len(), 5 + 6 + 26 + 10 + 14);
}

/// A writer whose text can be read after its drop.
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn dropped_writer_writes_its_rest() {
    let random = Random::seeded(5);
    let token = token("acme_live", &random);
    let text = Rc::new(RefCell::new(Vec::new()));
    {
        let mut log = Scanner::new().redactor(Shared(Rc::clone(&text)));
        write!(log, "{token} and {}", &token[..40]).expect("a vector takes all");
    }
    let written = String::from_utf8(text.borrow().clone()).expect("text");
    // A token that is cut off is none.
    assert_eq!(written, format!("{} and {}", redacted(&token), &token[..40]));
}
