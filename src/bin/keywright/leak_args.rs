//! The options of `keywright leak`.

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum LeakCommand {
    /// Find the tokens in a text from standard input, and revoke the key of each
    Report(LeakArgs),
}

/// The options of `leak report`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  keywright --store keys.db leak report --source https://paste.example/7 --yes < paste.txt"
)]
pub(crate) struct LeakArgs {
    /// Place where the text was found, for the audit trail
    #[arg(long, value_name = "PLACE")]
    pub(crate) source: Option<String>,
    /// Name of the reporter, for the audit trail
    #[arg(long, value_name = "NAME", default_value = "command-line")]
    pub(crate) reporter: String,
    /// Record the leaks, and leave the keys alive
    #[arg(long)]
    pub(crate) alert_only: bool,
}
