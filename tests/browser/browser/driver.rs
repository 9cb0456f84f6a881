//! A Chromium with an empty profile, and the driver that starts it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use common::TestResult;
use common::needs::Need;

/// The name that the browser finds on this machine. It is no secure context over plain HTTP.
pub(crate) const LAN: &str = "lan.test";

const ARGUMENTS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A driver and its browser. Dropping it ends both and removes the profile.
pub(crate) struct Driver {
    process: Child,
    /// Held, because the driver ends if it cannot print.
    output: BufReader<ChildStdout>,
    profile: TempDir,
    pub(crate) url: String,
}

impl Driver {
    /// Starts a driver on a free port. A port that another process took in that moment is an error of the
    /// driver, so that there is a second try and a third.
    pub(crate) fn start() -> TestResult<Self> {
        let mut said = String::new();
        for _ in 0..5 {
            let driver = Self::try_start(&mut said)?;
            if !driver.url.is_empty() {
                return Ok(driver);
            }
        }
        Err(format!("the driver named no port: {said}").into())
    }

    /// Starts a driver, whose URL is empty if it ended at once.
    fn try_start(said: &mut String) -> TestResult<Self> {
        let profile = tempfile::Builder::new().prefix("keywright-chromium-").tempdir()?;
        let mut driver = Command::new(Need::Chromium.path());
        driver.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = driver.process_group(0).spawn()?;
        let output = BufReader::new(process.stdout.take().ok_or("no output")?);
        let mut driver = Self { process, output, profile, url: String::new() };
        let mut line = String::new();
        while driver.url.is_empty() && driver.output.read_line(&mut line)? > 0 {
            let port = line.trim().strip_prefix("ChromeDriver was started successfully on port ");
            if let Some(port) = port {
                driver.url = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
            }
            said.push_str(&line);
            line.clear();
        }
        Ok(driver)
    }

    pub(crate) fn profile(&self) -> PathBuf {
        self.profile.path().to_owned()
    }

    pub(crate) fn capabilities(&self) -> Map<String, Value> {
        let mut arguments: Vec<_> = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", self.profile.path().display()));
        arguments.push(format!("--host-resolver-rules=MAP {LAN} 127.0.0.1"));
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
            "unhandledPromptBehavior": "ignore",
        });
        capabilities.as_object().cloned().unwrap_or_default()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.process.wait();
        // The browser's processes end a moment later than the driver, and may still write until then.
        for _ in 0..100 {
            let _ = fs::remove_dir_all(self.profile.path());
            if !self.profile.path().exists() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}
