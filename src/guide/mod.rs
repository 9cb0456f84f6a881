//! The guide: how to build a service with keywright and how to operate it.
//!
//! The pages are in reading order. The first two are enough to start. Most pages begin with the code for one task;
//! the rules and the tables follow.
//!
//! # Start
//!
//! * [First key in ten minutes](crate::guide::first_key): from `cargo new` to a key that is generated, checked, rotated
//!   and revoked, and the mistakes that most people make once
//! * [Concepts](crate::guide::concepts): tenants, actors, owners, keys, tokens and grants, and how they fit together
//!
//! # Keys
//!
//! * [States](crate::guide::states): the life of a key, what you can do with it in each status, and the order in which a
//!   key is checked
//! * [Actors](crate::guide::actors): your users, their permissions, and the table of who may do what
//! * [Policies](crate::guide::policies): the rules of a tenant, the defaults, and the reason for each
//! * [Rotation](crate::guide::rotation): replacing a secret without downtime, and after a leak
//! * [Tokens](crate::guide::tokens): the string that a client presents, what is stored of it, why a fast hash is right, and
//!   how to change a pepper
//! * [Pagination](crate::guide::pagination): listing, searching and sorting keys, accounts and events
//!
//! # In a web service
//!
//! * [In a web service](crate::guide::web): what a guard does, and the answers that all frameworks share
//! * [On axum](crate::guide::axum), [on actix-web](crate::guide::actix), [on tonic](crate::guide::tonic): from `cargo add`
//!   to a protected route
//! * [The page of keys](crate::guide::page): a page to mount, on which your users manage their keys in a browser
//! * [The management API](crate::guide::management): routes for a page of your own
//! * [Background work](crate::guide::background): flushing, shutting down, sweeping, and health checks
//!
//! # Five pages to build
//!
//! [The page of keys](crate::guide::page) has all five built in. For a page of your own, each of these begins with a
//! picture of the page, has the calls in Rust and over HTTP, and a table of every column and button.
//!
//! * [How to build an organization's keys page](crate::guide::organization_keys): name, expiry, rename, delete
//! * [How to build a user's API access page](crate::guide::user_keys): uses, stale keys, rotation with a hand-over
//! * [How to build a page for key ids and key secrets](crate::guide::key_id_and_secret): disable, enable, regenerate
//! * [How to build a service accounts page](crate::guide::service_accounts): roles, a read-only switch, and their keys
//! * [How to build a console for the tenant's admin](crate::guide::tenant_console): settings, limits, alerts, every key and
//!   event
//!
//! # Stores
//!
//! * [Choosing a store](crate::guide::stores): memory, one file, or PostgreSQL
//! * [Many nodes](crate::guide::nodes): PostgreSQL with a cache, and the bound on how old an answer can be
//! * [Moving stores](crate::guide::moving_stores): from a file to PostgreSQL with the same keys
//! * [A store of your own](crate::guide::custom_store): the contract, and the tests for it
//! * [The format of the store file](mod@crate::guide::format): every byte, for readers in other languages
//!
//! # Operating
//!
//! * [The command line](crate::guide::command_line): the program `keywright` on a file, on PostgreSQL and on a service
//! * [Day by day](crate::guide::operating): stale keys, audit events, backups, growth, clocks
//! * [Observing](crate::guide::observing): the span of each check and each change, events, metrics and alerts
//! * [Leaked keys](crate::guide::leaks): finding tokens in texts, and hiding them in logs
//! * [Incidents](crate::guide::incidents): leaks, a wrong pepper, a lost database, a full disk
//! * [Leak reports](crate::guide::leak_reports): a token that was found in the open ends its key, and the owner is told
//! * [Figures](crate::guide::figures): what each operation costs, and how to measure it
//!
//! # For a security review
//!
//! * [For a security review](crate::guide::security): what to read first, the cryptography, and the requirements of OWASP
//!   and NIST with their tests
//! * [Threat model](crate::guide::threat_model): the attacks that keywright withstands, and those that it does not
//! * [Promises](crate::guide::promises): every promise, with the test that holds it
//! * [Dependencies](crate::guide::dependencies): every crate that comes with keywright, with its reason and its license

macro_rules! pages {
    ($($page:ident),* $(,)?) => {$(
        #[allow(clippy::doc_markdown, reason = "tables name operations as events do")]
        #[doc = include_str!(concat!(stringify!($page), ".md"))]
        pub mod $page {}
    )*};
}

pages!(
    first_key,
    concepts,
    states,
    actors,
    policies,
    rotation,
    tokens,
    pagination,
    organization_keys,
    user_keys,
    key_id_and_secret,
    service_accounts,
    tenant_console,
    background,
    stores,
    nodes,
    moving_stores,
    format,
    command_line,
    operating,
    leaks,
    incidents,
    leak_reports,
    security,
    dependencies,
    threat_model,
    promises,
);
// Their examples need servers: `examples/servers` and `examples/products` compile and run them.
#[cfg(not(doctest))]
pages!(web, axum, actix, tonic, management, page, observing);

#[allow(clippy::doc_markdown, reason = "tables name operations as events do")]
#[doc = include_str!("figures.md")]
// Written by `cargo bench -p keywright-benches --bench growth`.
#[doc = include_str!("growth.md")]
pub mod figures {}

#[allow(clippy::doc_markdown, reason = "tables name operations as events do")]
#[doc = include_str!("custom_store.md")]
///
/// ```
#[doc = include_str!("../../examples/custom_store/store.rs")]
/// ```
pub mod custom_store {}
