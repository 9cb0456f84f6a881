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
//! * [Choosing a store](stores): memory, file, your own; the file's format
//! * [Many nodes](nodes): PostgreSQL, a cache with a bound, and moving there
//! * [The format of the store file](mod@format): every byte of it, for readers in other languages
//! * [Operations](operations): the first key, flushing, shutting down, sweeping, leaks, backups
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
    format,
    nodes,
    operations,
    threat_model,
    promises,
    figures,
);
// Their examples need servers: `examples/servers` compiles and runs them.
#[cfg(not(doctest))]
pages!(actix, axum, management, tonic, web);
