//! Every management operation, by its one name, and what it does to a key in which status.

use crate::record::status::KeyStatus;
use crate::value::text_enum::text_enum;

text_enum! {
    /// A management operation. Prints as in events: `key.rotate`.
    pub enum Operation {
        /// Make a key.
        KeyGenerate = "key.generate";
        /// Look at a key, and list keys.
        KeyShow = "key.show";
        /// Change a key's name.
        KeyRename = "key.rename";
        /// Change a key's metadata.
        KeyAnnotate = "key.annotate";
        /// Change a key's scopes, networks or rate.
        KeyEdit = "key.edit";
        /// Stop a key for a while.
        KeyDisable = "key.disable";
        /// Let a disabled key work again.
        KeyEnable = "key.enable";
        /// Replace a key's secret.
        KeyRotate = "key.rotate";
        /// End the overlap of a rotation early.
        KeyFinishRotation = "key.finish_rotation";
        /// Stop a key for good; it stays in the listing.
        KeyRevoke = "key.revoke";
        /// Stop a key for good and remove it from the listing.
        KeyDelete = "key.delete";
        /// Make a service account.
        AccountCreate = "account.create";
        /// Look at an account, and list accounts.
        AccountShow = "account.show";
        /// Change an account's name, role or access.
        AccountEdit = "account.edit";
        /// Stop all keys of an account for a while.
        AccountDisable = "account.disable";
        /// Let a disabled account's keys work again, each as it was.
        AccountEnable = "account.enable";
        /// Remove an account and all its keys.
        AccountDelete = "account.delete";
        /// Look at the tenant's policy.
        PolicyShow = "policy.show";
        /// Change the tenant's policy.
        PolicySet = "policy.set";
        /// Change whether the tenant's plan includes API access.
        PlanSet = "plan.set";
        /// Read and search events.
        EventsShow = "events.show";
        /// Remove dead keys and events past their retention.
        Sweep = "sweep";
    }
    OperationError: "an operation";
}

/// What an operation on a key does in a given status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transition {
    /// It changes the key.
    Yes,
    /// The key is so already: success that changes nothing and says so.
    Unchanged,
    /// It is refused.
    No,
}

impl Operation {
    /// Whether it is done to one existing key, beyond looking at it.
    pub const fn is_of_a_key(self) -> bool {
        matches!(
            self,
            Self::KeyRename
                | Self::KeyAnnotate
                | Self::KeyEdit
                | Self::KeyDisable
                | Self::KeyEnable
                | Self::KeyRotate
                | Self::KeyFinishRotation
                | Self::KeyRevoke
                | Self::KeyDelete
        )
    }

    /// What this operation does with a key in `status`. The table of the guide, and its only home.
    ///
    /// Operations that are not about one existing key are possible in any status.
    pub const fn on(self, status: KeyStatus) -> Transition {
        use KeyStatus::{Active, Disabled, Expired, Revoked, Scheduled};
        use Transition::{No, Unchanged, Yes};
        // One row for each operation, so that it can be held against the table.
        #[expect(clippy::match_same_arms, reason = "rows of a table")]
        match (self, status) {
            (Self::KeyEdit, Expired | Revoked) => No,

            (Self::KeyDisable, Active | Scheduled) => Yes,
            (Self::KeyDisable, Disabled) => Unchanged,
            (Self::KeyDisable, Expired | Revoked) => No,

            (Self::KeyEnable, Active | Scheduled) => Unchanged,
            (Self::KeyEnable, Disabled) => Yes,
            (Self::KeyEnable, Expired | Revoked) => No,

            (Self::KeyRotate, Active | Scheduled) => Yes,
            (Self::KeyRotate, Disabled | Expired | Revoked) => No,

            (Self::KeyFinishRotation, Active | Scheduled | Disabled) => Yes,
            (Self::KeyFinishRotation, Expired | Revoked) => No,

            (Self::KeyRevoke, Active | Scheduled | Disabled) => Yes,
            (Self::KeyRevoke, Expired) => No,
            (Self::KeyRevoke, Revoked) => Unchanged,

            _ => Yes,
        }
    }
}

/// Success: done just now, or so already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome<T> {
    /// Something was changed.
    Done(T),
    /// Nothing was changed: it was so already.
    Unchanged(T),
}

impl<T> Outcome<T> {
    /// What it was about, however it came to be.
    pub fn into_inner(self) -> T {
        match self {
            Self::Done(value) | Self::Unchanged(value) => value,
        }
    }

    /// Whether nothing was changed.
    pub const fn is_unchanged(&self) -> bool {
        matches!(self, Self::Unchanged(_))
    }

    /// The same outcome about something else.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(value) => Outcome::Done(f(value)),
            Self::Unchanged(value) => Outcome::Unchanged(f(value)),
        }
    }
}
