//! The main function of test binaries whose tests declare the programs that they need.
//!
//! A test whose programs are missing is shown as ignored, with the reason. If `CI` is set, it fails.

use std::env;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use libtest_mimic::{Arguments, Completion, Conclusion, Failed, Trial};

use crate::TestResult;
use crate::needs::Need;
use crate::stores::StoreKind;

/// A test as `common::test` registers it.
pub struct Test {
    /// The path of the test function, beginning with the crate's name.
    pub path: &'static str,
    pub needs: &'static [Need],
    pub run: Run,
}

/// The function of a test.
#[derive(Clone, Copy)]
pub enum Run {
    Plain(fn()),
    Async(fn() -> Pin<Box<dyn Future<Output = ()>>>),
    OnStores(&'static [StoreKind], fn(StoreKind)),
}

inventory::collect!(Test);

/// A result of a test.
pub trait Ends {
    /// Panics if the test ended with an error.
    ///
    /// # Panics
    /// Panics if the test ended with an error.
    fn check(self);
}

impl Ends for () {
    fn check(self) {}
}

impl Ends for TestResult {
    fn check(self) {
        if let Err(error) = self {
            panic!("a step failed: {error} ({error:?})");
        }
    }
}

/// The names of the tests that were not run, with the reasons.
static NOT_RUN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Runs the registered tests of a binary and `more`. `folder` is Cargo's folder for the files of tests.
pub fn run(binary: &str, folder: &str, more: Vec<Trial>) -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = more;
    trials.extend(inventory::iter::<Test>().flat_map(Test::trials));
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    let is_whole = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    if is_whole {
        leave_word(binary, Path::new(folder), &conclusion);
    }
    conclusion.exit_code()
}

/// Creates a test that runs if the programs that it needs are installed.
pub fn trial(
    name: impl Into<String>,
    needs: &'static [Need],
    test: impl FnOnce() + Send + 'static,
) -> Trial {
    let name = name.into();
    let told = name.clone();
    Trial::ignorable_test(name, move || {
        let missing: Vec<_> = needs.iter().filter_map(|need| need.missing()).collect();
        let Some(reason) = missing.first() else {
            test();
            return Ok(Completion::Completed);
        };
        if is_ci() {
            return Err(Failed::from(format!("{reason}: every test must run if CI is set")));
        }
        not_run().push(format!("{told} {reason}"));
        Ok(Completion::ignored_with(format!("{reason}: run scripts/setup")))
    })
}

impl Test {
    fn trials(&self) -> Vec<Trial> {
        let name = self.path.split_once("::").map_or(self.path, |(_, name)| name);
        let needs = self.needs;
        match self.run {
            Run::Plain(test) => vec![trial(name, needs, test)],
            Run::Async(test) => vec![trial(name, needs, move || on_tokio(test()))],
            Run::OnStores(kinds, test) => {
                let on = |kind: &StoreKind| {
                    let kind = *kind;
                    trial(format!("{kind}::{name}"), kind.needs(), move || test(kind))
                };
                kinds.iter().map(on).collect()
            }
        }
    }
}

fn on_tokio(test: Pin<Box<dyn Future<Output = ()>>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(test);
}

fn is_ci() -> bool {
    env::var("CI").is_ok_and(|ci| !ci.is_empty() && ci != "false")
}

fn not_run() -> std::sync::MutexGuard<'static, Vec<String>> {
    NOT_RUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints one line about the tests that were not run, and saves their names for [`words_left`].
fn leave_word(binary: &str, folder: &Path, conclusion: &Conclusion) {
    let file = word_of(binary, folder);
    let mut tests = not_run().clone();
    if tests.is_empty() {
        // The file exists only if tests were not run last time.
        let _ = fs::remove_file(file);
        return;
    }
    tests.sort();
    let all = tests.len() as u64 + conclusion.num_passed + conclusion.num_failed;
    println!(
        "{} of {all} tests were not run: scripts/setup installs what they need\n",
        tests.len()
    );
    fs::create_dir_all(file.parent().expect("a folder")).expect("the folder is made");
    fs::write(file, tests.join("\n")).expect("the file is written");
}

fn word_of(binary: &str, folder: &Path) -> PathBuf {
    folder.join("not-run").join(binary)
}

/// Returns the tests that no binary has run since the last call, one line for each, beginning with its
/// binary.
pub fn words_left(folder: &str) -> Vec<String> {
    let folder = word_of("", Path::new(folder));
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let binary = entry.file_name().to_string_lossy().into_owned();
        let tests = fs::read_to_string(entry.path()).expect("text");
        lines.extend(tests.lines().map(|test| format!("{binary}: {test}")));
        fs::remove_file(entry.path()).expect("the file is there");
    }
    lines.sort();
    lines
}
