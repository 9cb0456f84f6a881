//! A page on which users manage their keys in a browser: an axum router of HTML.
//!
//! The host mounts [`router`] under any path, behind its own login, which inserts an
//! [`Actor`](crate::Actor) into the extensions of each request.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> { futures_lite::future::block_on(async {
//! # use axum::body::Body;
//! # use tower_service::Service;
//! use axum::Router;
//! use axum::extract::Request;
//! use axum::middleware::{Next, from_fn};
//! use axum::response::Response;
//! use keywright::http::page::{self, Page, Screens};
//! use keywright::store::MemoryStore;
//! use keywright::{Actor, Keywright, UserId};
//!
//! /// Your login, which knows the user of each session.
//! async fn login(mut request: Request, next: Next) -> Response {
//!     if let Ok(user) = UserId::new("alice") {
//!         request.extensions_mut().insert(Actor::developer(user));
//!     }
//!     next.run(request).await
//! }
//!
//! let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
//! let page = Page::new(authority).product("Workbase").screens(Screens::OWN);
//! let mut app: Router = Router::new().nest("/settings/keys", page::router(page)).layer(from_fn(login));
//!
//! let request = Request::get("/settings/keys").body(Body::empty())?;
//! assert_eq!(app.call(request).await?.status(), 200);
//! # Ok(()) }) }
//! ```

mod address;
mod assets;
mod event_filter;
mod expiry;
mod failure;
mod form;
mod frame;
mod href;
mod key_form;
mod messages;
mod options;
mod refusal;
mod routes;
mod screens;
mod selection;
mod settings_form;
mod shell;
mod texts;
mod typed;
mod units;
mod urls;
mod view;
mod visit;

pub use self::href::{Href, HrefError, Links};
pub use self::options::{CustomField, Page};
pub use self::refusal::Refusal;
pub use self::routes::router;
pub use self::selection::{ExpiryForm, KeyFields, Screens};
pub use self::shell::{Screen, Shell};
pub use self::texts::{Text, Texts};
