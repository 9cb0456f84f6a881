//! Bars and spinners for long work, on standard error if it is a terminal.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Format;

/// A bar or a spinner. It disappears when it is dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows that work of unknown length is under way.
    pub(crate) fn spinner(format: Format, what: &'static str) -> Self {
        let progress = Self::hidden_or(format, ProgressBar::new_spinner());
        let style = ProgressStyle::with_template("{spinner} {msg}");
        progress.0.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        progress.0.set_message(what);
        progress.0.enable_steady_tick(Duration::from_millis(100));
        progress
    }

    /// Shows how much of some work is done.
    pub(crate) fn bar(format: Format, what: &'static str, all: u64) -> Self {
        let progress = Self::hidden_or(format, ProgressBar::new(all));
        let style = ProgressStyle::with_template("{msg:<16} {wide_bar} {pos}/{len} {eta}");
        progress.0.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        progress.0.set_message(what);
        progress
    }

    fn hidden_or(format: Format, bar: ProgressBar) -> Self {
        if format != Format::Table || !stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self(bar)
    }

    /// Shows the number of items so far, whose end is not known.
    pub(crate) fn count(&self, what: &str, items: usize) {
        self.0.set_message(format!("{what}: {items}"));
    }

    /// Shows the work on another kind of things.
    pub(crate) fn at(&self, what: &'static str, done: u64, all: u64) {
        self.0.set_message(what);
        self.0.set_length(all);
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
