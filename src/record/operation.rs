//! Every management operation, by its one name, and what it does to a key in which status.

use crate::record::status::KeyStatus;
use crate::value::text_enum::text_enum;

text_enum! {
    /// A management operation. Prints as in events: `key.rotate`.
    pub enum Operation {
        /// Generate a key.
        KeyGenerate = "key.generate";
        /// Look at a key, and list keys.
        KeyShow = "key.show";
        /// Change a key's name.
        KeyRename = "key.rename";
        /// Change a key's metadata.
        KeyAnnotate = "key.annotate";
        /// Change a key's scopes, networks or rate.
        KeyEdit = "key.edit";
        /// Disable a key.
        KeyDisable = "key.disable";
        /// Enable a disabled key.
        KeyEnable = "key.enable";
        /// Replace a key's secret.
        KeyRotate = "key.rotate";
        /// End the overlap of a rotation early.
        KeyFinishRotation = "key.finish_rotation";
        /// Revoke a key; it stays in the listing.
        KeyRevoke = "key.revoke";
        /// Delete a key; it leaves the listing.
        KeyDelete = "key.delete";
        /// Create a service account.
        AccountCreate = "account.create";
        /// Look at an account, and list accounts.
        AccountShow = "account.show";
        /// Change an account's name, role or access.
        AccountEdit = "account.edit";
        /// Disable an account, and so all its keys.
        AccountDisable = "account.disable";
        /// Enable a disabled account; its keys work again, each as it was.
        AccountEnable = "account.enable";
        /// Delete an account and all its keys.
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

/// What an operation on a key does in a status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transition {
    /// It changes the key.
    Yes,
    /// Nothing is to be changed: a success that says so.
    Unchanged,
    /// It is refused.
    No,
}

impl Operation {
    /// Returns whether the operation changes one existing key.
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

    /// Returns what this operation does with a key in `status`. This is the only home of the
    /// guide's table.
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

/// A success, and whether it changed anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome<T> {
    /// Something was changed.
    Done(T),
    /// Nothing was to be changed.
    Unchanged(T),
}

impl<T> Outcome<T> {
    /// Returns the value in either case.
    pub fn into_inner(self) -> T {
        match self {
            Self::Done(value) | Self::Unchanged(value) => value,
        }
    }

    /// Returns whether nothing was changed.
    pub const fn is_unchanged(&self) -> bool {
        matches!(self, Self::Unchanged(_))
    }

    /// Applies `f` to the value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(value) => Outcome::Done(f(value)),
            Self::Unchanged(value) => Outcome::Unchanged(f(value)),
        }
    }
}
