//! Completions and man pages, which are generated from the command line.

use std::fs;
use std::process::Command;

use crate::desk::{Desk, program, ran};

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = ran(Command::new(program()).args(["completions", shell]));
        assert_eq!((script.code, script.err.as_str()), (0, ""), "{shell}");
        for word in ["finish-rotation", "all-tenants", "operator-store", "keywright"] {
            assert!(script.out.contains(word), "{shell} lacks {word}");
        }
    }
    assert_eq!(ran(Command::new(program()).args(["completions", "sh"])).code, 2);
}

#[test]
fn man_pages_cover_every_command() {
    let desk = Desk::bare();
    let page = ran(Command::new(program()).arg("man"));
    assert_eq!(page.code, 0, "{page:?}");
    assert!(page.out.starts_with(".ie") || page.out.contains(".TH keywright 1"), "{}", page.out);
    assert!(page.out.contains("Exit codes:"), "{}", page.out);
    let folder = desk.folder.path();
    let written = ran(Command::new(program()).args(["man", "--folder"]).arg(folder));
    assert_eq!(written.code, 0, "{written:?}");
    for name in ["keywright.1", "keywright-key.1", "keywright-key-rotate.1", "keywright-verify.1"] {
        let page = fs::read_to_string(folder.join(name)).expect(name);
        assert!(page.contains(".TH"), "{name}: {page}");
    }
    let absent = ran(Command::new(program()).args(["man", "--folder", "/nowhere"]));
    assert_eq!(absent.code, 4, "{absent:?}");
}
