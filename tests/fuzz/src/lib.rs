//! Targets for coverage-guided fuzzing. Each takes any bytes and panics if the crate breaks a promise about them.
//!
//! `scripts/fuzz` runs them under libFuzzer, and the test `corpora` repeats the inputs that it has kept.

#![allow(clippy::missing_panics_doc, reason = "a target panics where the crate is wrong")]

#[cfg(feature = "wide")]
#[path = "../../promises/model/compare.rs"]
mod compare;
mod control;
#[cfg(feature = "values")]
mod credentials;
#[cfg(feature = "values")]
mod cursors;
#[cfg(feature = "wide")]
#[expect(dead_code, reason = "the tests with power cuts use the rest")]
#[path = "../../stores/crash/disk.rs"]
mod disk;
#[cfg(feature = "wide")]
#[path = "../../promises/model/draw/mod.rs"]
mod draw;
#[cfg(feature = "wide")]
mod file;
#[cfg(feature = "wide")]
mod headers;
#[cfg(feature = "wide")]
mod management;
#[cfg(feature = "wide")]
mod operations;
#[cfg(feature = "wide")]
#[path = "../../promises/model/plain.rs"]
mod plain;
#[cfg(feature = "wide")]
#[path = "../../promises/model/policy.rs"]
mod policy;
#[cfg(feature = "wide")]
#[path = "../../promises/model/real/mod.rs"]
mod real;
#[cfg(feature = "values")]
mod records;
#[cfg(feature = "wide")]
#[path = "../../promises/model/reference/mod.rs"]
mod reference;
mod scanner;
mod token;
#[cfg(feature = "values")]
mod values;

/// A target: any bytes at one door of the crate.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name, which is also the folder of the corpus.
    pub name: &'static str,
    /// Panics if the crate breaks a promise.
    pub run: fn(&[u8]),
}

/// The target with a planted fault, by which `scripts/fuzz` sees that faults are found.
pub const CONTROL: Target = Target { name: "control", run: control::run };

/// All targets but the control.
pub const TARGETS: &[Target] = &[
    Target { name: "token", run: token::run },
    Target { name: "checked_token", run: token::run_with_checksum },
    #[cfg(feature = "values")]
    Target { name: "credentials", run: credentials::run },
    #[cfg(feature = "values")]
    Target { name: "values", run: values::run },
    Target { name: "scanner", run: scanner::run },
    #[cfg(feature = "values")]
    Target { name: "cursors", run: cursors::run },
    #[cfg(feature = "values")]
    Target { name: "records", run: records::run },
    #[cfg(feature = "wide")]
    Target { name: "headers", run: headers::run },
    #[cfg(feature = "wide")]
    Target { name: "management", run: management::run },
    #[cfg(feature = "wide")]
    Target { name: "operations", run: operations::run },
    #[cfg(feature = "wide")]
    Target { name: "file", run: file::run },
];

/// Returns the target with this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().chain([&CONTROL]).find(|target| target.name == name).copied()
}
