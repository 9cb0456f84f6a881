//! A pass of a transfer: comparing both sides in the order of their ids, and writing the
//! differences.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use serde_json::{Value, json};

use super::export::{Export, ExportedKey, ExportedKeys};
use super::source::TransferSource;
use super::tables::{ACCOUNTS, DELETED, KEYS, POLICIES, TENANTS, Table, USERS, WRITERS};
use super::target::Target;
use crate::store::error::StoreError;
use crate::store::postgres::{
    AccountRow, DeletedRow, Failure, KeyRow, PolicyRow, UserRow, last_used_at,
};
use crate::store::query::{EventQuery, MAX_LIMIT};
use crate::value::id::{AccountId, KeyId, TenantId};
use crate::value::text::hex;

/// The number of rows that are compared and written together.
const CHUNK: usize = 1_000;

/// The progress of a transfer within one table.
///
/// ```no_run
/// # // It needs a PostgreSQL server.
/// # async fn transfer(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
/// # use keywright::store::{MemoryStore, PostgresOptions, Transfer};
/// # let mut transfer = Transfer::begin(MemoryStore::new(), PostgresOptions::new(), pool).await?;
/// // Prints lines such as `keys: 3000 of 5120, 12 written`.
/// transfer.copy(|progress| eprintln!("{progress}")).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TransferProgress {
    /// The kind of rows that are being compared, such as `keys` or `events`.
    pub what: &'static str,
    /// The number of rows that have been compared.
    pub done: u64,
    /// The number of rows in the source.
    pub all: u64,
    /// The number of rows that differed and were written.
    pub written: u64,
}

impl fmt::Display for TransferProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, done, all, written } = self;
        write!(f, "{what}: {done} of {all}, {written} written")
    }
}

/// The depth of a comparison.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Depth {
    /// Compares events by their sequence numbers only, because events never change.
    Numbers,
    /// Compares events in full.
    All,
}

/// The rows that are compared.
#[derive(Clone, Copy)]
pub(super) enum Scope {
    /// All rows of both sides.
    All,
    /// The rows that changes of the source have touched.
    Touched,
}

/// One comparison of both sides.
pub(super) struct Pass<'a, P> {
    pub(super) from: &'a TransferSource,
    pub(super) to: &'a Target,
    pub(super) scope: Scope,
    pub(super) depth: Depth,
    pub(super) progress: P,
    /// The kind of rows that differed last.
    pub(super) differs: Option<&'static str>,
}

impl<P: FnMut(TransferProgress)> Pass<'_, P> {
    /// Compares both sides and writes the differences. Returns the kind of rows that differed, if
    /// any.
    pub(super) async fn run(mut self, export: Export) -> Result<Option<&'static str>, Failure> {
        let Export { keys, accounts, users, policies, deleted, writers, last_events } = export;
        // Keys refer to accounts, so accounts are written first and removed last.
        let account_ids = names(&accounts);
        self.table(&ACCOUNTS, &account_ids, |place| {
            let Some(account) = &accounts[place].1 else { return Ok(None) };
            Ok(Some((json!(account), json!(AccountRow::of(account)))))
        })
        .await?;
        self.table(&USERS, &names(&users), |place| {
            let Some(user) = &users[place].1 else { return Ok(None) };
            Ok(Some((json!(user), json!(UserRow::of(user)))))
        })
        .await?;
        self.table(&POLICIES, &names(&policies), |place| {
            let (tenant, Some(policy)) = &policies[place] else { return Ok(None) };
            Ok(Some((json!(policy), json!(PolicyRow::new(tenant, policy)))))
        })
        .await?;
        match keys {
            ExportedKeys::All(keys) => {
                let known: HashSet<_> = accounts.iter().map(|(id, _)| *id).collect();
                self.all_keys(&keys, &known).await?;
            }
            ExportedKeys::Some(keys) => {
                self.table(&KEYS, &names(&keys), |place| Ok(keys[place].1.as_ref().map(key_row)))
                    .await?;
            }
        }
        self.table(&DELETED, &names(&deleted), |place| {
            let Some(deleted) = &deleted[place].1 else { return Ok(None) };
            let compared = json!([deleted.tenant, deleted.event]);
            Ok(Some((compared, json!(DeletedRow::of(deleted)))))
        })
        .await?;
        let ids: Vec<_> = writers.iter().map(|(writer, _)| hex::encode(writer)).collect();
        self.table(&WRITERS, &ids, |place| {
            let Some(last) = &writers[place].1 else { return Ok(None) };
            let last = json!(last);
            let mut row = last.clone();
            row["writer"] = json!(ids[place]);
            Ok(Some((last, row)))
        })
        .await?;
        self.events(&last_events).await?;
        self.table(&TENANTS, &names(&last_events), |place| {
            let (tenant, last) = &last_events[place];
            Ok(Some((json!(last), json!({ "tenant": tenant, "last_event": last }))))
        })
        .await?;
        let kept = account_ids.iter().zip(&accounts).filter(|(_, (_, kept))| kept.is_some());
        let kept = kept.map(|(id, _)| id).collect();
        self.remove_surplus(&ACCOUNTS, &account_ids, &kept).await?;
        Ok(self.differs)
    }

    /// Compares a table and writes the differences. `row` returns the value to compare and the row
    /// to write for the id at an index; `None` if the source has removed it.
    async fn table(
        &mut self,
        table: &Table,
        ids: &[String],
        mut row: impl FnMut(usize) -> Result<Option<(Value, Value)>, StoreError>,
    ) -> Result<(), Failure> {
        let mut chunks = self.chunks(table, ids.len());
        while let Some(range) = chunks.next_range() {
            let rows = range.map(|place| Ok(row(place)?.map_or(Row::Gone, Row::of)));
            let rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
            self.chunk(table, ids, &mut chunks, rows).await?;
        }
        Ok(())
    }

    /// Compares the table of keys, whose records are read chunk by chunk.
    async fn all_keys(
        &mut self,
        keys: &[KeyId],
        known: &HashSet<AccountId>,
    ) -> Result<(), Failure> {
        let ids: Vec<_> = keys.iter().map(ToString::to_string).collect();
        let mut chunks = self.chunks(&KEYS, ids.len());
        while let Some(range) = chunks.next_range() {
            let found = self.from.0.exported_keys(&keys[range]).await?;
            // An account that is not known was created since, and so the key was changed since. The
            // journal has both.
            let is_early = |(record, _): &ExportedKey| {
                record.key().owner.account().is_some_and(|account| !known.contains(&account))
            };
            let rows = found.iter().map(|found| match found {
                None => Row::Gone,
                Some(found) if is_early(found) => Row::Later,
                Some(found) => Row::of(key_row(found)),
            });
            let rows = rows.collect();
            self.chunk(&KEYS, &ids, &mut chunks, rows).await?;
        }
        Ok(())
    }

    fn chunks(&self, table: &Table, all: usize) -> Chunks {
        let chunks = all.div_ceil(CHUNK);
        Chunks {
            last: match self.scope {
                Scope::All => chunks.max(1),
                Scope::Touched => chunks,
            },
            next: 0,
            behind: String::new(),
            progress: TransferProgress { what: table.name, done: 0, all: all as u64, written: 0 },
        }
    }

    /// Compares a chunk of a table and writes the differences.
    async fn chunk(
        &mut self,
        table: &Table,
        ids: &[String],
        chunks: &mut Chunks,
        rows: Vec<Row>,
    ) -> Result<(), Failure> {
        let begin = (chunks.next - 1) * CHUNK;
        let ids = &ids[begin..begin + rows.len()];
        // The last chunk has no upper bound, so it includes all further rows of the target.
        let upto = ids.last().filter(|_| chunks.next < chunks.last).cloned();
        let mut stored = match self.scope {
            Scope::All => self.to.stored(table, &chunks.behind, upto.as_deref()).await?,
            Scope::Touched => self.to.stored_of(table, ids).await?,
        };
        let mut written = Vec::new();
        for (id, row) in ids.iter().zip(rows) {
            match row {
                Row::Gone => {}
                Row::Later => {
                    stored.remove(id);
                }
                Row::Is { compared, row } => {
                    if stored.remove(id) != Some(compared) {
                        written.push(row);
                    }
                }
            }
        }
        let surplus: Vec<_> = stored.into_keys().collect();
        if !written.is_empty() || !surplus.is_empty() {
            self.differs = Some(table.name);
            let surplus = if table.is_referred_to { &[][..] } else { &surplus };
            self.to.write(table, &written, surplus).await?;
        }
        chunks.progress.done += ids.len() as u64;
        chunks.progress.written += written.len() as u64;
        (self.progress)(chunks.progress);
        chunks.behind = upto.unwrap_or_default();
        Ok(())
    }

    /// Removes the rows that the source does not have: all but `kept`.
    async fn remove_surplus(
        &mut self,
        table: &Table,
        ids: &[String],
        kept: &HashSet<&String>,
    ) -> Result<(), Failure> {
        let stored = match self.scope {
            Scope::All => self.to.stored(table, "", None).await?,
            Scope::Touched if ids.is_empty() => return Ok(()),
            Scope::Touched => self.to.stored_of(table, ids).await?,
        };
        let surplus: Vec<_> = stored.into_keys().filter(|id| !kept.contains(id)).collect();
        if surplus.is_empty() {
            return Ok(());
        }
        self.differs = Some(table.name);
        self.to.write(table, &[], &surplus).await
    }

    /// Compares the events of all tenants and writes the missing ones.
    async fn events(&mut self, last_events: &[(TenantId, u64)]) -> Result<(), Failure> {
        let all = last_events.iter().map(|(_, last)| last).sum();
        let mut progress = TransferProgress { what: "events", done: 0, all, written: 0 };
        if let Scope::All = self.scope {
            self.remove_events_of_others(last_events).await?;
        }
        for (tenant, last) in last_events {
            let mut behind = match self.depth {
                Depth::Numbers => self.to.last_event(tenant).await?,
                Depth::All => 0,
            };
            let oldest = EventQuery::new().oldest_first();
            let first = self.from.0.events(tenant, &oldest.clone().limit(1)).await?.items;
            let first = first.first().map_or(1, |event| event.sequence);
            behind = self.forget_events_before(tenant, first).await?.max(behind);
            progress.done += behind;
            while behind < *last {
                let query = oldest.clone().behind(behind).limit(MAX_LIMIT);
                let events = self.from.0.events(tenant, &query).await?.items;
                let (Some(oldest), Some(newest)) = (events.first(), events.last()) else { break };
                let newest = newest.sequence;
                if oldest.sequence > behind + 1 {
                    // The source has forgotten events since the pass began.
                    behind = self.forget_events_before(tenant, oldest.sequence).await?;
                }
                let stored = self.to.stored_events(tenant, behind, events.len()).await?;
                // Events never change. So the stored events either are the first of these, or
                // belong to another source.
                let same = stored.iter().zip(&events).take_while(|(a, b)| a == b).count();
                if same < stored.len() {
                    return Err(StoreError::conflict(format!(
                        "the events of tenant {tenant} in the database are not those of the source: \
                         transfer into an empty schema"
                    ))
                    .into());
                }
                if same < events.len() {
                    self.differs = Some("events");
                    self.to.write_events(&events[same..]).await?;
                }
                progress.done += events.len() as u64;
                progress.written += (events.len() - same) as u64;
                (self.progress)(progress);
                behind = newest;
            }
        }
        Ok(())
    }

    /// Removes the events of tenants that the source does not have. An unfinished transfer of another
    /// source may have left them.
    async fn remove_events_of_others(
        &mut self,
        last_events: &[(TenantId, u64)],
    ) -> Result<(), Failure> {
        let known: HashSet<_> = last_events.iter().map(|(tenant, _)| tenant.as_str()).collect();
        let mut others = self.to.tenants_with_events().await?;
        others.retain(|tenant| !known.contains(tenant.as_str()));
        if others.is_empty() {
            return Ok(());
        }
        self.differs = Some("events");
        self.to.remove_events(&others).await
    }

    /// Removes the events before the source's first event, which the source has forgotten. Returns
    /// the number of the event after which the comparison continues.
    async fn forget_events_before(
        &mut self,
        tenant: &TenantId,
        first: u64,
    ) -> Result<u64, Failure> {
        if self.to.forget_events_before(tenant, first).await? {
            self.differs = Some("events");
        }
        Ok(first.saturating_sub(1))
    }
}

/// A row of the source.
enum Row {
    /// The source has removed it.
    Gone,
    /// A later pass compares it.
    Later,
    Is {
        /// The value to compare.
        compared: Value,
        /// The row to write.
        row: Value,
    },
}

impl Row {
    fn of((compared, row): (Value, Value)) -> Self {
        Self::Is { compared, row }
    }
}

/// The chunks of a table.
struct Chunks {
    /// The number of all chunks.
    last: usize,
    /// The number of the chunks that were begun.
    next: usize,
    /// The last id of the chunk before.
    behind: String,
    progress: TransferProgress,
}

impl Chunks {
    /// Returns the places of the next chunk. They can be empty, if only the target has rows.
    fn next_range(&mut self) -> Option<Range<usize>> {
        let all = usize::try_from(self.progress.all).unwrap_or(usize::MAX);
        let begin = self.next * CHUNK;
        self.next += 1;
        (self.next <= self.last).then(|| begin..all.min(begin + CHUNK))
    }
}

/// Returns the value to compare and the row to write of a key.
fn key_row((record, usage): &ExportedKey) -> (Value, Value) {
    let mut row = json!(KeyRow::of(record));
    row["usage"] = json!(usage);
    row["last_used_at"] = json!(last_used_at(usage));
    (json!([record, usage]), row)
}

/// Returns the ids of rows as text.
fn names<I: ToString, T>(rows: &[(I, T)]) -> Vec<String> {
    rows.iter().map(|(id, _)| id.to_string()).collect()
}
