//! Tokens in texts: to find them, to hide them, and to teach other scanners what they look like.
//!
//! A [`Scanner`] finds the tokens in a text, by their grammar and their checksum. It needs no store,
//! so it finds the tokens of every service that uses this crate, unless you name your own prefixes.
//!
//! ```
//! use keywright::scan::Scanner;
//!
//! # use keywright::{Actor, Keywright, NewKey, Policy, Prefix, UserId, store::MemoryStore};
//! # futures_lite::future::block_on(async {
//! # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
//! # let builder = Keywright::builder(MemoryStore::new()).default_policy(policy);
//! # let keywright = builder.prefix(Prefix::new("acme_live")?).build()?;
//! # let alice = Actor::developer(UserId::new("alice")?);
//! # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
//! # let issued = keywright.authority().generate(&alice, new).await?;
//! # let line = format!("GET /invoices?key={} 200", issued.token.expose());
//! let scanner = Scanner::new();
//! for found in scanner.find(&line) {
//!     println!("bytes {:?}: revoke the key {}", found.range, found.token.key_id());
//! #   assert_eq!(found.token.key_id(), issued.key.id);
//! }
//! // GET /invoices?key=acme_live_4fQ2xk9ZrT7bWm1c[redacted] 200
//! println!("{}", scanner.redact(&line));
//! # assert_eq!(
//! #     scanner.redact(&line),
//! #     format!("GET /invoices?key={}[redacted] 200", issued.key.display_prefix()),
//! # );
//! # Ok::<(), keywright::Error>(())
//! # }).unwrap();
//! ```
//!
//! See [Leaked keys](crate::guide::leaks) in the guide.

mod checksum;
pub(crate) mod places;
mod redact;
mod redactor;
mod scanner;
mod stream;

pub use self::redactor::Redactor;
pub use self::scanner::{Found, Matches, Scanner};
pub use self::stream::{ReadTokens, Stream};
