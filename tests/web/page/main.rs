//! The page through its router, as a browser without scripts uses it. Each answer is held to the same
//! rules.

mod form;
mod marked;
mod rules;
mod seed;
mod site;
mod walker;
mod walks;
