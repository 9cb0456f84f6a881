//! The guide: what one should know before, while and after putting keywright into a service.
//!
//! * [Concepts](concepts): tenants, actors, owners, keys, and who holds what
//! * [States](states): what is possible with a key in each status
//! * [Actors](actors): who may do what
//! * [Tokens](tokens): the string, what is stored of it, and why a fast hash
//! * [Policies](policies): what a tenant can rule, the defaults and their reasons
//! * [On axum](axum), [on actix-web](actix), [on tonic, hyper and tower](tonic): from `cargo add` to a protected route
//! * [In a web service](web): credentials, answers, logs and proxies, the same on each framework
//! * [The management API](management): routes on which users manage their keys
//! * [Rotation](rotation): replacing a secret without downtime
//! * [Choosing a store](stores): memory, one file, or PostgreSQL
//! * [A store of your own](custom_store): the contract, and the tests for it
//! * [Moving stores](moving_stores): from memory or a file to PostgreSQL with the same keys
//! * [Many nodes](nodes): PostgreSQL with a cache, and the bound on how old an answer can be
//! * [The format of the store file](mod@format): every byte of it, for readers in other languages
//! * [Running keywright day by day](operating): stale keys, audit events, backups, growth, clocks
//! * [Incidents](incidents): leaks, a wrong pepper, a lost database, a full disk
//! * [Threat model](threat_model): what it withstands, and what it does not
//! * [Promises](promises): every promise, and the test that holds it
//! * [Figures](figures): what things cost, and how to measure it

macro_rules! pages {
    ($($page:ident),* $(,)?) => {$(
        #[allow(clippy::doc_markdown, reason = "tables name operations as events do")]
        #[doc = include_str!(concat!(stringify!($page), ".md"))]
        pub mod $page {}
    )*};
}

pages!(
    concepts,
    states,
    actors,
    tokens,
    policies,
    rotation,
    stores,
    moving_stores,
    format,
    nodes,
    operating,
    incidents,
    threat_model,
    promises,
    figures,
);
// Their examples need servers: `examples/servers` compiles and runs them.
#[cfg(not(doctest))]
pages!(actix, axum, management, tonic, web);

#[allow(clippy::doc_markdown, reason = "tables name operations as events do")]
#[doc = include_str!("custom_store.md")]
///
/// ```
#[doc = include_str!("../../examples/custom_store/store.rs")]
/// ```
pub mod custom_store {}
