//! One run of a benchmark: its arguments, and the output of its figures.

use std::cell::RefCell;
use std::fs;
use std::process::{Command, ExitCode};
use std::time::Duration;

use serde_json::{Value, json};

use crate::figure::Figure;
use crate::rounds::{Lane, interleave};

/// A run of a benchmark, from the arguments of the command line.
#[derive(Debug, Default)]
pub struct Run {
    filters: Vec<String>,
    is_json: bool,
    is_quick: bool,
    is_large: bool,
    figures: RefCell<Vec<Value>>,
    notes: RefCell<Vec<String>>,
}

impl Run {
    /// Runs a benchmark as the arguments of the process ask for it. Prints the header first, and the
    /// document at the end, or the usage if an argument is unknown.
    pub fn main(measure: impl FnOnce(&Self)) -> ExitCode {
        match Self::of(std::env::args().skip(1)) {
            Ok(run) => {
                run.print(&Figure::head());
                measure(&run);
                run.end();
                ExitCode::SUCCESS
            }
            Err(usage) => {
                eprintln!("{usage}");
                ExitCode::FAILURE
            }
        }
    }

    fn of(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut run = Self::default();
        for argument in arguments {
            match &*argument {
                // Cargo adds it.
                "--bench" => {}
                "--json" => run.is_json = true,
                "--quick" => run.is_quick = true,
                "--large" => run.is_large = true,
                _ if argument.starts_with('-') => {
                    return Err(format!(
                        "unknown option {argument}; usage: [--json] [--quick] [--large] [PART OF A NAME...]"
                    ));
                }
                _ => run.filters.push(argument),
            }
        }
        Ok(run)
    }

    /// Returns whether the figure is asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter))
    }

    /// Returns whether one of the figures is asked for.
    pub fn wants_one(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.wants(name))
    }

    /// Returns whether the run only shows that everything works.
    pub fn is_quick(&self) -> bool {
        self.is_quick
    }

    /// Returns `full`, or `quick` in a run that only shows that everything works.
    pub fn size(&self, full: usize, quick: usize) -> usize {
        if self.is_quick { quick } else { full }
    }

    /// Returns the number of keys of the large figures: 1,000,000, in a quick run 2,000.
    pub fn many(&self) -> usize {
        self.size(1_000_000, 2_000)
    }

    /// Returns whether 10,000,000 keys are asked for.
    pub fn is_large(&self) -> bool {
        self.is_large
    }

    /// Returns how long one part of a figure is measured, in a quick run a tenth of it.
    pub fn time(&self, full: Duration) -> Duration {
        if self.is_quick { full / 10 } else { full }
    }

    /// Measures lanes in turns: up to 41 rounds within about 15 seconds, in a quick run 3 rounds.
    pub fn rounds<const N: usize>(&self, lanes: [Lane<'_>; N]) -> [Vec<f64>; N] {
        interleave(self.size(41, 3), Duration::from_secs(15), lanes)
    }

    /// Measures lanes that take seconds each: up to 41 rounds within about a minute.
    pub fn long_rounds<const N: usize>(&self, lanes: [Lane<'_>; N]) -> [Vec<f64>; N] {
        interleave(self.size(41, 3), Duration::from_secs(60), lanes)
    }

    /// Prints a figure if it is asked for.
    pub fn show(&self, figure: &Figure) {
        let json = figure.to_json();
        if json["name"].as_str().is_some_and(|name| self.wants(name)) {
            self.print(&figure.to_string());
            self.figures.borrow_mut().push(json);
        }
    }

    /// Prints a line that explains the figures before it.
    pub fn note(&self, note: impl Into<String>) {
        let note = note.into();
        self.print(&format!("  {note}"));
        self.notes.borrow_mut().push(note);
    }

    /// With `--json`, standard output has the document alone.
    fn print(&self, line: &str) {
        if self.is_json { eprintln!("{line}") } else { println!("{line}") }
    }

    fn to_json(&self) -> Value {
        json!({
            "commit": commit(),
            "processor": processor(),
            "threads": std::thread::available_parallelism().map_or(0, usize::from),
            "quick": self.is_quick,
            "figures": *self.figures.borrow(),
            "notes": *self.notes.borrow(),
        })
    }

    /// Ends the run. With `--json`, prints the document.
    fn end(&self) {
        if self.is_json {
            println!("{:#}", self.to_json());
        }
    }
}

/// Returns the short id of the commit that is checked out; `None` outside of a git checkout.
pub fn commit() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| commit.trim().to_owned())
}

fn processor() -> Option<String> {
    let about = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = about.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Unit;

    fn run(arguments: &[&str]) -> Result<Run, String> {
        Run::of(arguments.iter().map(ToString::to_string))
    }

    #[test]
    fn filters_select_figures() {
        let run = run(&["--bench", "--quick", "verify", "page"]).expect("known arguments");
        assert!(run.wants("verify hot") && run.wants("page by name"));
        assert!(!run.wants("generate") && !run.wants_one(&["open", "flush"]));
        assert_eq!((run.size(41, 3), run.many()), (3, 2_000));
        assert!(Run::default().wants("everything"));
    }

    #[test]
    fn unknown_option_is_refused() {
        let error = run(&["--jsn"]).expect_err("no such option");
        assert!(error.contains("--jsn") && error.contains("usage"), "{error}");
    }

    #[test]
    fn document_has_shown_figures() {
        let run = run(&["--json", "verify"]).expect("known arguments");
        for name in ["verify hot", "generate"] {
            run.show(&Figure::alone(name, Unit::Seconds, &[1.0]));
        }
        let document: Value = run.to_json().to_string().parse().expect("well-formed JSON");
        let names: Vec<&Value> =
            document["figures"].as_array().expect("figures").iter().map(|f| &f["name"]).collect();
        assert_eq!(names, ["verify hot"]);
    }
}
