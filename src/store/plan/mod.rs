//! The rules of a commit, as pure functions of a batch and the stored rows.
//!
//! Use this module to write a store. A commit has four steps, in one transaction or under one lock:
//!
//! 1. Compute the rows that the batch needs, with [`ReadSet::of`]. A store that has its tables in
//!    memory skips this step.
//! 2. Read these rows into [`Rows`], or implement [`View`] on the tables.
//! 3. Plan the batch with [`batch`]. It returns the [`Effects`], or the error that the commit
//!    returns.
//! 4. Write all effects or none of them.
//!
//! The effects are complete: records, usage, alerts and the sequence numbers of events. The last
//! step only writes them. A store that plans on [`Rows`] also removes outdated
//! [deleted ids and writers](Effects#deleted-ids-and-writers).
//!
//! [`usage`] plans a batch of usage in the same way, with the rows of [`ReadSet::of_alerts`].
//!
//! ```
//! use keywright::store::plan::{self, ReadSet, Rows};
//! use keywright::TenantId;
//! use keywright::store::{Batch, Change, TenantPolicy};
//!
//! let globex = TenantId::new("globex")?;
//! let policy = TenantPolicy { version: 1, ..TenantPolicy::default() };
//! let change = Change::PutPolicy { tenant: globex.clone(), policy };
//! let batch = Batch { changes: vec![change], ..Batch::of(globex.clone()) };
//!
//! // Read these rows in the transaction that will write.
//! let wanted = ReadSet::of(&batch);
//! assert_eq!(wanted.policies, [globex.clone()]);
//! let mut rows = Rows::default();
//!
//! // Plan, and write the effects.
//! let effects = plan::batch(&rows, batch.clone())?;
//! rows.policies.extend(effects.policies);
//!
//! // The same batch again names a version that is no longer the stored one.
//! assert!(plan::batch(&rows, batch).is_err_and(|error| error.is_conflict()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The crate's example `custom_store` is a complete store that works this way.

mod changes;
mod checks;
mod deleted;
mod effects;
mod event_numbers;
mod of_tenant;
mod read_set;
mod rows;
mod uses;
mod view;

pub use self::changes::batch;
pub use self::deleted::{DeletedId, Tombstone};
pub use self::effects::{Effects, Writer};
pub use self::read_set::{OwnerKeys, ReadSet};
pub use self::rows::Rows;
#[cfg(feature = "file")]
pub(in crate::store) use self::uses::WRITER_KEPT;
pub use self::uses::{alerts_due, usage};
pub use self::view::View;
