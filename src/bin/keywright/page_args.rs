//! The options of a listing's page.

use clap::{ArgAction, Args};

#[derive(Args)]
pub(crate) struct Paging {
    /// Maximum number of items on a page, 1 to 500 [default: 50]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(crate) limit: Option<u16>,
    /// Continue after this cursor, in the same order
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
    /// List all pages
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "limit")]
    pub(crate) all: bool,
}
