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
//! * [The management API](crate::guide::management): routes for your users to manage their keys
//! * [Background work](crate::guide::background): flushing, shutting down, sweeping, and health checks
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
//! * [Day by day](crate::guide::operating): stale keys, audit events, backups, growth, clocks
//! * [Incidents](crate::guide::incidents): leaks, a wrong pepper, a lost database, a full disk
//! * [Figures](crate::guide::figures): what each operation costs, and how to measure it
//!
//! # For a security review
//!
//! * [Threat model](crate::guide::threat_model): the attacks that keywright withstands, and those that it does not
//! * [Promises](crate::guide::promises): every promise, with the test that holds it

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
    background,
    stores,
    nodes,
    moving_stores,
    format,
    operating,
    incidents,
    figures,
    threat_model,
    promises,
);
// Their examples need servers: `examples/servers` compiles and runs them.
#[cfg(not(doctest))]
pages!(web, axum, actix, tonic, management);

#[allow(clippy::doc_markdown, reason = "tables name operations as events do")]
#[doc = include_str!("custom_store.md")]
///
/// ```
#[doc = include_str!("../../examples/custom_store/store.rs")]
/// ```
pub mod custom_store {}

/// Provokes every error that `first_key.md` quotes, and compares the texts.
///
/// ```
/// use std::error::Error;
/// use std::time::Duration;
///
/// use futures_lite::future::block_on;
/// use keywright::store::{FileStore, MemoryStore};
/// use keywright::{
///     AccessRequest, Actor, Keywright, KeyId, Name, NewKey, PepperRing, Policy, Scope, UserId, VerifyError,
/// };
///
/// fn quoted(error: impl Error) {
///     let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/first_key.md"));
///     assert!(page.contains(&error.to_string()), "first_key.md lacks the text: {error}");
///     if let Some(source) = error.source() {
///         assert!(page.contains(&source.to_string()), "first_key.md lacks the text: {source}");
///     }
/// }
///
/// fn why(error: VerifyError) {
///     let Some(denial) = error.denial() else { panic!("{error}") };
///     quoted(denial.clone());
///     let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/first_key.md"));
///     assert!(page.contains(&denial.reason().to_string()), "first_key.md lacks: {}", denial.reason());
/// }
///
/// # fn main() -> Result<(), Box<dyn Error>> { block_on(async {
/// let alice = Actor::developer(UserId::new("alice")?);
/// let ada = Actor::administrator(UserId::new("ada")?);
/// let day = Duration::from_secs(86_400);
///
/// let off = Keywright::builder(MemoryStore::new()).build()?.authority();
/// quoted(off.generate(&alice, NewKey::named("prod-main-app")?).await.expect_err("off"));
///
/// let policy = Policy::allowing("invoices:read invoices:write".parse()?);
/// let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// let new = || NewKey::named("prod-main-app");
/// quoted(authority.generate(&alice, new()?.scopes("invoices:delete".parse()?)).await.expect_err("a scope"));
/// let admin = Actor::tenant_admin(UserId::new("grace")?);
/// quoted(authority.generate(&admin, new()?).await.expect_err("no permission"));
/// quoted(Name::new("alice@example.com").expect_err("an address"));
/// let bound = new()?.scopes("invoices:read".parse()?).networks("203.0.113.0/24".parse()?);
/// let bound = authority.generate(&alice, bound).await?;
/// let issued = authority.generate(&alice, new()?.scopes("invoices:read".parse()?)).await?;
/// for _ in 2..10 {
///     authority.generate(&alice, new()?).await?;
/// }
/// quoted(authority.generate(&alice, new()?).await.expect_err("the limit"));
/// let read = authority.policy(&ada).await?;
/// let mut first = read.clone();
/// first.max_overlap = 7 * day;
/// first.require_expiry = true;
/// authority.set_policy(&ada, first).await?;
/// quoted(authority.set_policy(&ada, read).await.expect_err("stale"));
///
/// let bob = Actor::developer(UserId::new("bob")?);
/// let absent: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
/// quoted(authority.revoke(&bob, &absent).await.expect_err("absent"));
/// quoted(authority.rotate(&alice, &issued.key.id, 8 * day).await.expect_err("too long"));
///
/// let token = issued.token.expose();
/// why(verifier.verify(&format!("{token}\n")).await.expect_err("malformed"));
/// why(verifier.verify(bound.token.expose()).await.expect_err("no source"));
/// let write = Scope::new("invoices:write")?;
/// why(verifier.verify_request(&AccessRequest::token(token).scope(&write)).await.expect_err("a scope"));
/// let _replaced = authority.rotate(&alice, &issued.key.id, Duration::ZERO).await?;
/// why(verifier.verify(token).await.expect_err("unrecognized"));
/// authority.revoke(&alice, &issued.key.id).await?;
/// quoted(authority.rotate(&alice, &issued.key.id, day).await.expect_err("revoked"));
///
/// let store = MemoryStore::new();
/// let policy = Policy::allowing("invoices:read".parse()?);
/// let builder = Keywright::builder(store).default_policy(policy);
/// let peppered = builder.clone().peppers(PepperRing::none().with(1, [7; 32])?).build()?;
/// let issued = peppered.authority().generate(&alice, new()?).await?;
/// let without = builder.build()?.verifier();
/// quoted(without.verify(issued.token.expose()).await.expect_err("no pepper"));
///
/// let folder = std::env::temp_dir().join(format!("keywright-quoted-{}", std::process::id()));
/// std::fs::create_dir(&folder)?;
/// let store = FileStore::open(folder.join("keys.db")).await?;
/// quoted(FileStore::open(folder.join("keys.db")).await.expect_err("open twice"));
/// store.close().await?;
/// let missing = FileStore::open(folder.join("data/keys.db")).await.expect_err("no folder");
/// let mut errors = vec![missing.to_string()];
/// # #[cfg(unix)]
/// # {
/// use std::os::unix::fs::PermissionsExt;
/// std::fs::set_permissions(folder.join("keys.db"), PermissionsExt::from_mode(0o644))?;
/// let shared = FileStore::open(folder.join("keys.db")).await.expect_err("a wide mode");
/// errors.push(shared.to_string());
/// # }
/// std::fs::remove_dir_all(&folder)?;
/// // These texts name a path: the page has the part before the path or after it.
/// let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/first_key.md"));
/// for error in errors {
///     let mut parts = page.split("`... ").skip(1).filter_map(|rest| rest.split('`').next());
///     let is_quoted = parts.any(|part| error.replace('`', "").contains(part.trim_end_matches(" ...")));
///     assert!(is_quoted, "first_key.md lacks the text: {error}");
/// }
/// # Ok(()) }) }
/// ```
#[cfg(doctest)]
pub struct QuotedErrors;
