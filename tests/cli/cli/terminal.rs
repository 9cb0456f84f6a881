//! The program at a terminal: prompts for secrets, questions, progress and the width of tables.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use crate::desk::{Desk, NO_KEY, in_no_environment, program, ran};
use crate::pty::{Ended, Piped, Terminal};
use crate::service::{self, LOGIN};

/// The columns of most terminals.
const COLUMNS: u16 = 100;
const ESCAPE: char = '\u{1b}';
/// The characters that Ctrl-C and Ctrl-D send.
const INTERRUPT: &str = "\u{3}";
const END: &str = "\u{4}";

/// Returns a command without `--yes`.
fn unasked(desk: &Desk, args: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.arg("--store").arg(&desk.store).args(args);
    in_no_environment(&mut command);
    command
}

/// Runs a command whose streams are all at a terminal, except one, and that reads nothing.
fn at_terminal(command: Command, piped: Option<Piped>) -> Ended {
    Terminal::start(command, COLUMNS, piped).end()
}

#[test]
fn token_is_read_without_echo() {
    let desk = Desk::open();
    let (token, id) = desk.generate(&["prod-main-app"]);
    for piped in [None, Some(Piped::Output), Some(Piped::Errors)] {
        let mut terminal = Terminal::start(desk.command(&["verify"]), COLUMNS, piped);
        terminal.wait_for_secret("Token to check (it is not shown): ");
        terminal.write(&format!("{token}\n"));
        let ended = terminal.end();
        assert_eq!(ended.status.code(), Some(0), "{piped:?}: {ended:?}");
        let told = format!("{}{}{}", ended.shown, ended.out, ended.err);
        // Not even a part of the secret is shown.
        assert!(!told.contains(&token[token.len() - 38..][..6]), "{piped:?}: {ended:?}");
        assert!(told.contains(&id) && ended.has_echo, "{piped:?}: {ended:?}");
        assert!(!format!("{}{}", ended.out, ended.err).contains("Token to check"), "{ended:?}");
    }
}

#[test]
fn login_is_read_without_echo() {
    let desk = service::Desk::open();
    for args in [&["key", "list"][..], &["key", "list", "--login-file", "-"]] {
        let mut command = desk.command(args);
        command.env_remove("KEYWRIGHT_LOGIN");
        let mut terminal = Terminal::start(command, COLUMNS, None);
        terminal.wait_for_secret("Login of the service");
        terminal.write(&format!("{LOGIN}\n"));
        let ended = terminal.end();
        assert_eq!(ended.status.code(), Some(0), "{args:?}: {ended:?}");
        assert!(!ended.shown.contains(&LOGIN[..6]) && ended.has_echo, "{args:?}: {ended:?}");
    }
}

#[test]
fn secret_prompt_can_be_left() {
    let desk = Desk::open();
    let left = |typed: &str| {
        let mut terminal = Terminal::start(desk.command(&["verify"]), COLUMNS, None);
        terminal.wait_for_secret("Token to check");
        terminal.write(typed);
        terminal.end()
    };
    let ended = left(END);
    assert_eq!(ended.status.code(), Some(4), "{ended:?}");
    assert!(ended.shown.contains("cannot read the secret") && ended.has_echo, "{ended:?}");
    let ended = left(&format!("key_{INTERRUPT}"));
    // A process that was started with the signal ignored ends with an error.
    let is_interrupted = ended.status.signal() == Some(2) || ended.status.code() == Some(4);
    assert!(is_interrupted && !ended.shown.contains("key_"), "{ended:?}");
}

#[test]
fn question_is_asked_at_terminal() {
    let desk = Desk::open();
    let (_, id) = desk.generate(&["prod-main-app"]);
    let status = || desk.json(&["key", "show", &id])["status"].clone();
    let question = format!("revoke key {id} permanently? [y/N] ");
    let answer = |typed: &str| {
        let command = unasked(&desk, &["key", "revoke", &id]);
        let mut terminal = Terminal::start(command, COLUMNS, Some(Piped::Output));
        terminal.wait_for(&question);
        terminal.write(typed);
        terminal.end()
    };
    for typed in ["n\n", "\n", "yep\n", "nay\n", "y n\n", END] {
        let ended = answer(typed);
        assert_eq!(ended.status.code(), Some(1), "{typed:?}: {ended:?}");
        assert!(ended.shown.contains("nothing was changed"), "{typed:?}: {ended:?}");
        assert_eq!((ended.out.as_str(), status()), ("", "active".into()), "{typed:?}");
    }
    for (typed, said) in [("y\n", "revoked"), ("YES \n", "already revoked")] {
        let ended = answer(typed);
        assert_eq!(ended.status.code(), Some(0), "{typed:?}: {ended:?}");
        assert_eq!(ended.out, format!("{id} {said}\n"));
        assert_eq!(status(), "revoked");
    }
}

#[test]
fn question_needs_terminal_on_both_sides() {
    let desk = Desk::open();
    let (_, id) = desk.generate(&["prod-main-app"]);
    for piped in [Piped::Input, Piped::Errors] {
        let command = unasked(&desk, &["key", "revoke", &id]);
        let mut terminal = Terminal::start(command, COLUMNS, Some(piped));
        // The program does not read an answer for which it has not asked.
        match piped {
            Piped::Input => terminal.pipe("y\n"),
            _ => terminal.write("y\n"),
        }
        let ended = terminal.end();
        let told = format!("{}{}", ended.shown, ended.err);
        assert_eq!(ended.status.code(), Some(2), "{piped:?}: {ended:?}");
        assert!(told.contains("add --yes") && !told.contains("[y/N]"), "{piped:?}: {ended:?}");
        assert_eq!(desk.json(&["key", "show", &id])["status"], "active", "{piped:?}");
    }
    let done = at_terminal(unasked(&desk, &["key", "revoke", &id, "--yes"]), None);
    assert!(done.status.success() && !done.shown.contains("[y/N]"), "{done:?}");
}

#[test]
fn progress_is_shown_on_stderr_alone() {
    let desk = Desk::open();
    let (_, id) = desk.generate(&["prod-main-app"]);
    let absent: Vec<_> = (0..250).map(|number| format!("{number:016}")).collect();
    let revoke = |options: &[&'static str]| {
        let ids = absent.iter().map(String::as_str).chain([id.as_str()]);
        let args: Vec<_> = ["key", "revoke"].into_iter().chain(ids).collect();
        desk.command(&[options, args.as_slice()].concat())
    };
    let ended = at_terminal(revoke(&[]), Some(Piped::Output));
    assert_eq!((ended.status.code(), ended.out), (Some(5), format!("{id} revoked\n")));
    assert!(ended.shown.contains("revoking") && ended.shown.contains("/251"), "{}", ended.shown);
    let ended = at_terminal(revoke(&[]), Some(Piped::Errors));
    let told = format!("{}{}", ended.shown, ended.err);
    assert!(!told.contains("revoking") && !told.contains(ESCAPE), "{told}");
    for form in ["json", "csv"] {
        let ended = at_terminal(revoke(&["--output", form]), Some(Piped::Output));
        let told = format!("{}{}", ended.shown, ended.out);
        assert!(!told.contains("revoking") && !told.contains(ESCAPE), "{form}: {told}");
    }
}

#[test]
fn output_at_terminal_has_no_color() {
    let desk = Desk::open();
    let (_, id) = desk.generate(&["prod-main-app"]);
    let commands: [&[&str]; 6] = [
        &["key", "list"],
        &["key", "show", &id],
        &["key", "show", NO_KEY],
        &["policy", "show"],
        &["events"],
        &["--output", "json", "key", "show", NO_KEY],
    ];
    for args in commands {
        let ended = at_terminal(desk.command(args), None);
        assert!(!ended.shown.is_empty() && !ended.shown.contains(ESCAPE), "{args:?}: {ended:?}");
    }
    for args in [&["--help"][..], &["key"], &["key", "frobnicate"]] {
        let mut command = desk.command(args);
        command.env("NO_COLOR", "1");
        let ended = at_terminal(command, None);
        assert!(!ended.shown.is_empty() && !ended.shown.contains(ESCAPE), "{args:?}: {ended:?}");
    }
}

#[test]
fn tables_fit_the_terminal() {
    let desk = Desk::open();
    desk.generate(&["prod-main-app", "--description", "words ".repeat(30).trim_end()]);
    for columns in [60, 100, 160] {
        for args in [&["key", "list"][..], &["events"], &["policy", "show"]] {
            let ended = Terminal::start(desk.command(args), columns, None).end();
            let mut lengths = ended.shown.lines().map(|line| line.trim_end().chars().count());
            assert!(lengths.all(|length| length <= usize::from(columns)), "{}", ended.shown);
            let mut command = desk.command(args);
            let same = ran(command.env("COLUMNS", columns.to_string()));
            assert_eq!(ended.shown.replace("\r\n", "\n"), format!("{}{}", same.out, same.err));
        }
    }
}

#[test]
fn token_on_screen_has_a_warning() {
    let desk = Desk::open();
    let generate = || desk.command(&["key", "generate", "prod-main-app"]);
    let warning = "on your screen and in its scrollback";
    assert!(at_terminal(generate(), None).shown.contains(warning));
    let piped = at_terminal(generate(), Some(Piped::Output));
    assert!(!piped.shown.contains(warning), "{piped:?}");
    let (token, _) = desk.generate(&["prod-b"]);
    assert_eq!(piped.out.len(), token.len() + 1, "{piped:?}");
}
