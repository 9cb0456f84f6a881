//! The rules of the project's language: on the project, and on texts that break them.

mod held;
mod rules;
