//! What a batch comes to: the rules of every store, as pure functions of a batch and a view of the rows.
//!
//! This is the way to write a store. A commit has four steps, in one transaction or under one lock:
//!
//! 1. Compute which rows the batch needs: [`ReadSet::of`]. A store that has its tables in memory skips
//!    this step.
//! 2. Read these rows into [`Rows`], or implement [`View`] on the tables.
//! 3. Plan with [`batch`]. The answer is either the [`Effects`] or the error that the commit returns.
//! 4. Write the effects down, all of them or none.
//!
//! Nothing is left to decide in the last step: records, usage, alerts and the numbers of events are in the
//! effects. [`usage`] does the same for a batch of usage.
//!
//! ```
//! use keywright::store::plan::{self, ReadSet, Rows};
//! use keywright::store::{Batch, Change};
//! use keywright::{Policy, TenantId};
//!
//! let globex = TenantId::new("globex")?;
//! let mut policy = Policy::default();
//! policy.version = 1;
//! let change = Change::PutPolicy { tenant: globex.clone(), policy };
//! let batch = Batch { changes: vec![change], ..Batch::default() };
//!
//! // Read these rows, in the transaction that writes.
//! let wanted = ReadSet::of(&batch);
//! assert_eq!(wanted.policies, [globex.clone()]);
//! let mut rows = Rows::default();
//!
//! // Plan, and write the effects down.
//! let effects = plan::batch(&rows, batch.clone())?;
//! rows.policies.extend(effects.policies);
//!
//! // The same batch once more replaces a version that is no longer the stored one.
//! assert!(plan::batch(&rows, batch).is_err_and(|error| error.is_conflict()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The example `custom_store` is a whole store that is written this way.

mod changes;
mod checks;
mod deleted;
mod effects;
mod event_numbers;
mod read_set;
mod rows;
mod uses;
mod view;

pub use self::changes::batch;
pub use self::deleted::{DeletedId, Tombstone};
pub use self::effects::{Effects, Writer};
pub use self::read_set::{OwnerKeys, ReadSet};
pub use self::rows::Rows;
pub use self::uses::{alerts_due, usage};
pub use self::view::View;
