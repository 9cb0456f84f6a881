//! The answer of a check, as far as it is observed.

use crate::value::id::{KeyId, TenantId};

/// The answer of a check. Its codes come from closed sets.
#[cfg_attr(
    not(all(feature = "metrics", feature = "tracing")),
    expect(dead_code, reason = "spans show the ids, and metrics the numbers")
)]
pub(crate) enum Verdict<'a> {
    /// The key is accepted.
    Accepted { key: &'a KeyId, tenant: &'a TenantId },
    /// The request is denied for this reason, with its number among all codes. The id is the
    /// presented one, unless the credential is malformed.
    Denied { key: Option<KeyId>, reason: &'static str, number: usize },
    /// The credential could not be checked.
    Unavailable(&'static str),
}
