//! Prints what breaks a rule of the project's language, or counts.
//!
//! `prose FOLDER [PATH]` lists the violations in files whose path contains `PATH`. `prose --counts FOLDER` prints a
//! table.

use std::path::Path;
use std::process::ExitCode;

use keywright_test_prose::Project;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (is_counts, rest) = match arguments.split_first() {
        Some((first, rest)) if first == "--counts" => (true, rest),
        _ => (false, &*arguments),
    };
    let folder = rest.first().map_or(".", String::as_str);
    let filter = rest.get(1).map_or("", String::as_str);
    let project = match Project::read(Path::new(folder)) {
        Ok(project) => project,
        Err(error) => {
            eprintln!("{folder}: {error}");
            return ExitCode::FAILURE;
        }
    };
    if is_counts {
        print!("{}", project.counts());
        return ExitCode::SUCCESS;
    }
    let found = project.violations();
    let shown: Vec<_> = found.into_iter().filter(|one| one.path.contains(filter)).collect();
    for violation in &shown {
        println!("{violation}");
    }
    if shown.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
