//! The place of a store, from `--store` or `KEYWRIGHT_STORE`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::args::Context;
use crate::failure::Failure;

/// The place of a store.
pub(crate) enum Place {
    File(PathBuf),
    /// The URL of a PostgreSQL database.
    Database(String),
    /// The URL of the management API of a service.
    Service(String),
}

/// How a store is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Opening {
    /// As it is. A mistyped name must not create an empty store.
    Existing,
    /// Or created, or its tables upgraded.
    Create,
    /// As it is, also if it was moved: the move may have been interrupted.
    Moved,
}

impl Context {
    /// Returns the place of the store. It is checked here because clap cannot require an option that is
    /// also accepted after the command.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        if let Some(place) = &self.store {
            let place = parsed(place.clone())?;
            if let Place::Database(url) = &place {
                has_no_password(url)?;
            }
            return Ok(place);
        }
        match std::env::var_os("KEYWRIGHT_STORE") {
            Some(place) => parsed(place),
            None => Err(Failure::usage(
                "no store: give --store FILE|URL or set KEYWRIGHT_STORE; \
                 `keywright init --store keys.db` makes one",
            )),
        }
    }
}

fn parsed(place: OsString) -> Result<Place, Failure> {
    let text = place.to_str().unwrap_or_default();
    match text.split_once("://") {
        None if place.is_empty() => Err(Failure::usage("the store has no name")),
        None => Ok(Place::File(place.into())),
        Some(("postgres" | "postgresql", _)) => Ok(Place::Database(text.to_owned())),
        Some(("http" | "https", _)) => Ok(Place::Service(text.to_owned())),
        // The rest of the URL may be a password.
        Some((scheme, _)) => Err(Failure::usage(format!(
            "the store must be a file, postgres://USER@HOST/DATABASE or https://HOST/PATH, got {scheme}://"
        ))),
    }
}

/// Refuses a URL with a password among the arguments.
///
/// # Errors
/// A failure of usage that explains the other ways.
pub(crate) fn has_no_password(url: &str) -> Result<(), Failure> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A password may contain an `@`, so the last one ends it.
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    if user.contains(':') || url.contains("password=") {
        return Err(Failure::usage(
            "every user of this machine can read arguments: leave the password out of the URL, and set \
             PGPASSWORD, or use a password file (PGPASSFILE)",
        ));
    }
    Ok(())
}
