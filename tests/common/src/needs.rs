//! The programs that some tests need, and their paths on this machine.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// A program that a machine need not have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Need {
    /// The server of PostgreSQL, which the tests start.
    Postgres,
    PgBouncer,
    /// Chromium and its driver, which have the same version.
    Chromium,
    /// The script of axe-core, which finds what is not accessible on a page.
    Axe,
}

/// The variable with the programs, separated by commas, that count as absent.
const WITHOUT: &str = "KEYWRIGHT_TESTS_WITHOUT";

impl Need {
    /// Returns the reason why a test that needs this program cannot run, such as `needs PostgreSQL`; `None`
    /// if it can.
    pub fn missing(self) -> Option<String> {
        let name = match self {
            Self::Postgres => "PostgreSQL",
            Self::PgBouncer => "PgBouncer",
            Self::Chromium => "Chromium",
            Self::Axe => "axe-core",
        };
        self.found().is_none().then(|| format!("needs {name}"))
    }

    /// Returns the path of the folder of PostgreSQL's programs, of PgBouncer's program, of Chromium's driver
    /// or of the script of axe-core.
    ///
    /// # Panics
    /// Panics if the program is absent. A test must declare its needs, and then does not run.
    pub fn path(self) -> &'static Path {
        self.found()
            .unwrap_or_else(|| panic!("{self:?} is not installed; name it in `common::test(...)`"))
    }

    fn found(self) -> Option<&'static Path> {
        static POSTGRES: LazyLock<Option<PathBuf>> = LazyLock::new(postgres);
        static PGBOUNCER: LazyLock<Option<PathBuf>> = LazyLock::new(pgbouncer);
        static CHROMIUM: LazyLock<Option<PathBuf>> = LazyLock::new(chromium);
        static AXE: LazyLock<Option<PathBuf>> = LazyLock::new(axe);
        match self {
            Self::Postgres => POSTGRES.as_deref(),
            Self::PgBouncer => PGBOUNCER.as_deref(),
            Self::Chromium => CHROMIUM.as_deref(),
            Self::Axe => AXE.as_deref(),
        }
    }
}

/// Returns the folder of the newest server's programs.
fn postgres() -> Option<PathBuf> {
    let configured = Command::new("pg_config").arg("--bindir").output().ok();
    let configured =
        configured.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<_> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort();
    let all = debian.into_iter().rev().chain(on_path()).chain(configured);
    let programs = ["initdb", "pg_ctl", "pg_basebackup"];
    let has_all = |folder: &PathBuf| programs.iter().all(|program| folder.join(program).exists());
    is_within_reach("postgres").then_some(all)?.find(has_all)
}

/// Returns the path of PgBouncer. Debian installs it in `/usr/sbin`, which is not in most users' PATH.
fn pgbouncer() -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/usr/bin"].map(PathBuf::from).into_iter().chain(on_path());
    let mut programs = folders.map(|folder| folder.join("pgbouncer"));
    is_within_reach("pgbouncer").then(|| programs.find(|program| program.exists()))?
}

/// Returns the path of Chromium's driver, if the browser is there too.
fn chromium() -> Option<PathBuf> {
    let find = |program: &str| on_path().into_iter().map(|f| f.join(program)).find(|p| p.exists());
    is_within_reach("chromium").then(|| find("chromium"))??;
    find("chromedriver")
}

/// Returns the path of axe-core, which `scripts/setup` downloads.
fn axe() -> Option<PathBuf> {
    let script = crate::root().join("target/axe-core/axe.min.js");
    (is_within_reach("axe") && script.exists()).then_some(script)
}

fn on_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

fn is_within_reach(program: &str) -> bool {
    !env::var(WITHOUT).is_ok_and(|without| without.split(',').any(|word| word == program))
}
