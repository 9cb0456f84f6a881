//! The management API through its router. These tests check every answer against the document.

mod abilities;
mod answers;
mod bodies;
mod client;
mod csrf;
mod document;
mod key_lifecycle;
mod malformed;
mod operator;
mod outages;
mod owners;
mod pages;
mod permissions;
mod policy;
mod preconditions;
mod problems;
mod queries;
mod refusals;
mod tries;
