//! Five products on one server, each with its own page on which its users manage their API keys.
//!
//! Each file of [`products`] sets up one page: its screens, fields, texts, links and layout. Your own
//! service has one of them, and a real login in place of [`login`].

pub mod clock;
pub mod history;
pub mod host_pages;
pub mod layout;
pub mod login;
pub mod product;
pub mod products;
pub mod server;
pub mod step_up;

use std::error::Error;

pub use self::server::Demo;

/// An error of the example.
pub type Failure = Box<dyn Error + Send + Sync>;

// The page of the guide on the page of keys. Its examples are compiled and run here.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../../../src/guide/page.md")]
    mod page {}
}
