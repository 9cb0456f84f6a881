//! The program at a pseudo terminal, as a person uses it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::open;
use rustix::termios::{LocalModes, tcgetattr};

/// The longest wait for an output of the program.
const LONGEST: Duration = Duration::from_secs(60);

/// A stream of the program that is no terminal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Piped {
    Input,
    Output,
    Errors,
}

/// A terminal and the program at it.
pub(crate) struct Terminal {
    device: File,
    child: Child,
    chunks: Receiver<Vec<u8>>,
    shown: String,
}

/// The results of a program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The text on the terminal.
    pub(crate) shown: String,
    /// The text of the streams that are piped.
    pub(crate) out: String,
    pub(crate) err: String,
    /// Whether the terminal shows typed text after the end.
    pub(crate) has_echo: bool,
}

impl Terminal {
    /// Starts the program with all streams at a terminal of this width, except one.
    pub(crate) fn start(command: Command, columns: u16, piped: Option<Piped>) -> Self {
        let (pty, program_side) = open().expect("a pseudo terminal");
        pty.resize(Size::new(50, columns)).expect("a size");
        let mut command = pty_process::blocking::Command::from(command).env("TERM", "xterm");
        command = match piped {
            None => command,
            Some(Piped::Input) => command.stdin(Stdio::piped()),
            Some(Piped::Output) => command.stdout(Stdio::piped()),
            Some(Piped::Errors) => command.stderr(Stdio::piped()),
        };
        let child = command.spawn(program_side).expect("the program starts");
        let device = File::from(OwnedFd::from(pty));
        let mut screen = device.try_clone().expect("a second handle");
        let (send, chunks) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4_096];
            // On Linux, the read fails when the program has ended.
            while let Ok(count @ 1..) = screen.read(&mut buffer) {
                if send.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { device, child, chunks, shown: String::new() }
    }

    /// Waits until the terminal shows a text.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + LONGEST;
        while !self.shown.contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            match self.chunks.recv_timeout(left) {
                Ok(chunk) => self.shown.push_str(&String::from_utf8_lossy(&chunk)),
                Err(error) => panic!("{text:?} is not shown ({error}): {:?}", self.shown),
            }
        }
    }

    /// Waits until the terminal shows a prompt for a secret, and no typed text any more.
    #[track_caller]
    pub(crate) fn wait_for_secret(&mut self, prompt: &str) {
        self.wait_for(prompt);
        let end = Instant::now() + LONGEST;
        while has_echo(&self.device) {
            assert!(Instant::now() < end, "typed text is shown: {:?}", self.shown);
            thread::yield_now();
        }
    }

    /// Types a text at the terminal.
    pub(crate) fn write(&mut self, text: &str) {
        // A program that has ended reads nothing.
        let _ = self.device.write_all(text.as_bytes());
    }

    /// Writes a text to the piped input, and closes it.
    pub(crate) fn pipe(&mut self, text: &str) {
        let mut stdin = self.child.stdin.take().expect("the input is piped");
        // A program that does not read has closed the pipe.
        let _ = stdin.write_all(text.as_bytes());
    }

    /// Waits for the end of the program.
    pub(crate) fn end(mut self) -> Ended {
        let output = self.child.wait_with_output().expect("the program ends");
        let has_echo = has_echo(&self.device);
        self.shown
            .extend(self.chunks.iter().map(|chunk| String::from_utf8_lossy(&chunk).into_owned()));
        let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
        Ended {
            status: output.status,
            shown: self.shown,
            out: text(output.stdout),
            err: text(output.stderr),
            has_echo,
        }
    }
}

fn has_echo(terminal: &File) -> bool {
    tcgetattr(terminal).expect("the modes").local_modes.contains(LocalModes::ECHO)
}
