//! The prefixes of a setup: the one of its new keys, and those of the keys that it accepts.

use std::sync::Arc;

use super::token::{Prefix, UsualPrefix};

/// The prefix of new keys, and the prefixes of the keys that are accepted.
#[derive(Clone, Debug)]
pub(crate) struct Prefixes {
    own: Prefix,
    usual: UsualPrefix,
    /// `None` accepts every prefix.
    accepted: Option<Arc<[Prefix]>>,
}

impl Prefixes {
    /// Creates the prefixes of a setup. Returns `None` if its own prefix is not accepted.
    pub(crate) fn new(own: Prefix, accepted: Option<Arc<[Prefix]>>) -> Option<Self> {
        let usual = UsualPrefix::new(own.clone());
        let prefixes = Self { own, usual, accepted };
        prefixes.accept(&prefixes.own).then_some(prefixes)
    }

    /// Returns the prefix of new keys.
    pub(crate) fn own(&self) -> &Prefix {
        &self.own
    }

    /// Returns the prefix that most credentials have.
    pub(crate) fn usual(&self) -> &UsualPrefix {
        &self.usual
    }

    /// Returns whether keys with this prefix are accepted.
    pub(crate) fn accept(&self, prefix: &Prefix) -> bool {
        self.accepted.as_ref().is_none_or(|accepted| accepted.contains(prefix))
    }
}
