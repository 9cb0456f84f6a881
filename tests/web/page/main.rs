//! The page through its router, as a browser without scripts uses it. Each answer is held to the same
//! rules.

mod cross_site;
mod edits;
mod event_words;
mod failures;
mod fields;
mod form;
mod inputs;
mod many;
mod marked;
mod options;
mod owners;
mod pasted;
mod product_accounts;
mod products;
mod rules;
mod seed;
mod sent_twice;
mod site;
mod walker;
mod walks;
