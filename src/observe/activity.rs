//! The pieces of work that are observed, and the ways in which one ends.

use std::error::Error;

use crate::record::operation::Operation;

/// A piece of work with a span of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Activity {
    /// A management operation.
    Operation(Operation),
    /// A question for the abilities of an actor.
    AbilitiesShow,
    /// An operator's list of tenants.
    TenantsShow,
    /// A report that a token was found in the open.
    LeakReport,
    /// A flush of the counted uses.
    Flush,
    /// A sync of a cache with its store.
    #[cfg(feature = "cached")]
    CacheSync,
    /// The first step of moving a store.
    #[cfg(feature = "postgres")]
    TransferBegin,
    /// A step that copies rows while a store is moved.
    #[cfg(feature = "postgres")]
    TransferCopy,
    /// The last step of moving a store.
    #[cfg(feature = "postgres")]
    TransferFinish,
}

impl Activity {
    /// Returns the name of the activity, such as `key.rotate` or `flush`.
    #[cfg_attr(
        not(any(feature = "metrics", feature = "tracing")),
        expect(dead_code, reason = "only spans and metrics have names")
    )]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Operation(operation) => operation.as_str(),
            Self::AbilitiesShow => "abilities.show",
            Self::TenantsShow => "tenants.show",
            Self::LeakReport => "leak.report",
            Self::Flush => "flush",
            #[cfg(feature = "cached")]
            Self::CacheSync => "cache.sync",
            #[cfg(feature = "postgres")]
            Self::TransferBegin => "transfer.begin",
            #[cfg(feature = "postgres")]
            Self::TransferCopy => "transfer.copy",
            #[cfg(feature = "postgres")]
            Self::TransferFinish => "transfer.finish",
        }
    }
}

/// The way in which a piece of work ended.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "only spans show errors"))]
pub(crate) enum Ending<'e> {
    /// The work changed something.
    Done,
    /// There was nothing to change.
    Unchanged,
    /// Permissions, rules or the state of a record forbid the work. The code comes from a closed set.
    Refused(&'static str),
    /// The work could not be done. The code comes from a closed set.
    Failed(&'static str, &'e dyn Error),
}

#[cfg(any(feature = "metrics", feature = "tracing"))]
impl Ending<'_> {
    /// Returns the outcome as one word.
    pub(super) const fn outcome(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unchanged => "unchanged",
            Self::Refused(_) => "refused",
            Self::Failed(..) => "failed",
        }
    }

    /// Returns the code of the refusal or failure.
    #[cfg(feature = "tracing")]
    pub(super) const fn code(self) -> Option<&'static str> {
        match self {
            Self::Done | Self::Unchanged => None,
            Self::Refused(code) | Self::Failed(code, _) => Some(code),
        }
    }
}
