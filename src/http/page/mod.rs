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
//! /// Your login: it adds the actor of the session, with the permissions that your application gives.
//! async fn login(mut request: Request, next: Next) -> Response {
//!     if let Some(user) = user_of(&request) {
//!         request.extensions_mut().insert(Actor::developer(user));
//!     }
//!     next.run(request).await
//! }
//!
//! /// Returns the user whom your session layer has found, or `None` without a login.
//! fn user_of(request: &Request) -> Option<UserId> {
//!     request.extensions().get::<UserId>().cloned()
//! }
//!
//! let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
//! let page = Page::new(authority).product("Workbase").screens(Screens::OWN_KEYS);
//! let mut app: Router = Router::new().nest("/settings/keys", page::router(page)).layer(from_fn(login));
//!
//! let without_login = Request::get("/settings/keys").body(Body::empty())?;
//! assert_eq!(app.call(without_login).await?.status(), 401);
//! let of_alice = Request::get("/settings/keys").extension(UserId::new("alice")?).body(Body::empty())?;
//! assert_eq!(app.call(of_alice).await?.status(), 200);
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
mod layout;
mod messages;
mod options;
mod origin;
mod refusal;
mod routes;
mod screens;
mod selection;
mod settings_form;
mod texts;
mod typed;
mod units;
mod urls;
mod view;
mod visit;

pub use self::href::{Href, HrefError, Links};
pub use self::layout::{Layout, Screen};
pub use self::options::{CustomField, Page};
pub use self::origin::{Origin, OriginError};
pub use self::refusal::Refusal;
pub use self::routes::router;
pub use self::selection::{ExpiryForm, KeyFields, Screens};
pub use self::texts::{Text, Texts};
