//! The paths of the page's own screens, below the path under which the host mounted it.

use axum::extract::OriginalUri;
use axum::http::request::Parts;

use super::texts::Text;
use crate::record::key::Owner;
use crate::value::id::{AccountId, KeyId};

/// The path under which the host mounted the page, without a slash at its end.
#[derive(Clone, Debug)]
pub(super) struct Urls {
    base: String,
    /// The path and the query of the request.
    here: String,
}

impl Urls {
    /// Computes the base from the path that the client asked for and the part that the router sees.
    pub(super) fn of(request: &Parts) -> Self {
        let original = request.extensions.get::<OriginalUri>().map_or(&request.uri, |uri| &uri.0);
        let (whole, inner) = (original.path(), request.uri.path());
        let base = whole.strip_suffix(inner).unwrap_or(whole).trim_end_matches('/').to_owned();
        let here = original.path_and_query().map_or(whole, |both| both.as_str()).to_owned();
        Self { base, here }
    }

    /// Returns the path and the query of the request.
    pub(super) fn here(&self) -> &str {
        &self.here
    }

    /// Returns a path below the base. The path begins with a slash.
    pub(super) fn to(&self, path: &str) -> String {
        match (&*self.base, path) {
            ("", path) => path.to_owned(),
            (base, "/") => base.to_owned(),
            (base, path) => format!("{base}{path}"),
        }
    }

    pub(super) fn key(&self, key: &KeyId) -> String {
        self.to(&format!("/keys/{key}"))
    }

    /// Returns the path of a form about a key.
    pub(super) fn of_key(&self, key: &KeyId, action: &str) -> String {
        self.to(&format!("/keys/{key}/{action}"))
    }

    /// Returns the path of a screen about an owner among the tenant's keys.
    pub(super) fn of_owner(&self, path: &str, owner: &Owner) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("owner", &owner.to_string());
        format!("{}?{}", self.to(path), query.finish())
    }

    pub(super) fn account(&self, account: &AccountId) -> String {
        self.to(&format!("/accounts/{account}"))
    }

    /// Returns the path of a form about a service account.
    pub(super) fn of_account(&self, account: &AccountId, action: &str) -> String {
        self.to(&format!("/accounts/{account}/{action}"))
    }
}

/// Returns a path with the text of what was just done, which its screen shows.
pub(super) fn done(path: &str, text: Text) -> String {
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}done={}", text.name())
}
