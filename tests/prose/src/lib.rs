//! The language of the project: rules that hold it, and counts of it.
//!
//! A [`Project`] is read from a folder or given as texts. [`Project::violations`] lists each place that breaks a rule,
//! and [`Project::counts`] measures a project, this one or another.

mod comments;
mod counts;
mod errors;
mod examples;
mod in_macros;
mod items;
mod links;
mod markdown;
mod project;
mod sentences;
mod summaries;
mod test_names;
mod words;

pub use crate::counts::Counts;
pub use crate::examples::MAIN_TYPES;
pub use crate::project::{File, Project, Rule, Violation};
pub use crate::words::{Group, LIMITS};
