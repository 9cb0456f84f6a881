//! The changes for caches, in one statement.
//!
//! Within a shard, commits become visible in the order of their epochs, and a server that loses commits
//! loses the newest ones of a shard. So a shard has lost nothing of a marker if it still has the last
//! commit that the marker includes.

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::database::Database;
use super::errors::database as database_error;
use super::session::Attempts;
use super::shard::{Commit, known_of, marker_of};
use crate::store::batch::Subject;
use crate::store::changes::{Changes, Marker};
use crate::store::error::StoreError;

/// Returns a row for each shard that differs from the marker, and for each seen commit that the table does
/// not have. An idle database returns no row, after one look into the index for each shard.
const CHANGES: &str = "
    SELECT k.shard, k.epoch AS since, k.mark AS since_mark, k.is_seen, last.epoch, last.mark,
        (SELECT mark FROM {schema}.changes WHERE shard = k.shard AND epoch = k.epoch) AS known_mark,
        ARRAY(
            SELECT unnest(c.touched) FROM {schema}.changes AS c
            WHERE c.shard = k.shard AND c.epoch > k.epoch AND NOT k.is_seen ORDER BY c.epoch
        ) AS touched
    FROM unnest($1::smallint[], $2::bigint[], $3::int[], $4::boolean[]) AS k (shard, epoch, mark, is_seen)
    LEFT JOIN LATERAL (
        SELECT epoch, mark FROM {schema}.changes WHERE shard = k.shard ORDER BY epoch DESC LIMIT 1
    ) AS last ON true
    WHERE CASE WHEN k.is_seen THEN k.mark IS DISTINCT FROM (
        SELECT mark FROM {schema}.changes WHERE shard = k.shard AND epoch = k.epoch
    ) ELSE last.epoch IS DISTINCT FROM k.epoch OR last.mark IS DISTINCT FROM k.mark END";

/// The answer of the table about a commit of the marker, or about one that was seen.
enum Found {
    /// The table has the commit.
    Known,
    /// The table has only newer commits.
    Forgotten,
    /// The table has another commit of this epoch, or only older ones.
    Lost,
}

impl Database {
    pub(super) async fn changes(&self, since: &Marker) -> Result<Changes, StoreError> {
        let known = known_of(since);
        let is_known = known.is_some();
        let known = known.or_else(|| known_of(&Marker::default()));
        let (mut at, place) = known.unwrap_or_default();
        let seen = self.seen.since(place);
        let rows = self.find_changes(&at, &seen.commits).await?;
        let mut touched = (is_known && !seen.is_incomplete).then(Vec::new);
        let mut has_lost = false;
        for row in &rows {
            let row = Difference::of(row).map_err(database_error)?;
            let Some(last) = row.last else {
                let shard = row.since.shard;
                return Err(StoreError::corrupt(format!(
                    "table changes has no row of shard {shard}"
                )));
            };
            match row.found(last) {
                Found::Known => {
                    if let Some(touched) = &mut touched {
                        for text in &row.touched {
                            touched.push(subject(text)?);
                        }
                    }
                }
                Found::Forgotten => touched = None,
                Found::Lost => {
                    (touched, has_lost) = (None, true);
                    self.seen.note_lost(&row.since);
                }
            }
            if !row.is_seen
                && let Some(at) = at.iter_mut().find(|at| at.shard == last.shard)
            {
                *at = last;
            }
        }
        Ok(Changes { at: marker_of(&at, seen.place), touched, has_lost })
    }

    async fn find_changes(&self, at: &[Commit], seen: &[Commit]) -> Result<Vec<PgRow>, StoreError> {
        let all = || at.iter().chain(seen);
        let of_marker = at.iter().map(|_| false);
        let is_seen: Vec<_> = of_marker.chain(seen.iter().map(|_| true)).collect();
        let mut attempts = Attempts::with(&self.pool);
        loop {
            let mut session = self.session().await?;
            let found = sqlx::query(self.schema.sql(CHANGES).safe())
                .persistent(self.persistent)
                .bind(all().map(|commit| commit.shard).collect::<Vec<_>>())
                .bind(all().map(|commit| commit.epoch).collect::<Vec<_>>())
                .bind(all().map(|commit| commit.mark).collect::<Vec<_>>())
                .bind(&is_seen)
                .fetch_all(session.connection())
                .await;
            if let Some(found) = attempts.end(session, found).await? {
                return Ok(found);
            }
        }
    }
}

/// A commit of the marker that is not the last one of its shard, or a seen commit that the table does not
/// have.
struct Difference {
    since: Commit,
    is_seen: bool,
    last: Option<Commit>,
    known_mark: Option<i32>,
    touched: Vec<String>,
}

impl Difference {
    fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        let shard = row.try_get("shard")?;
        let last: (Option<i64>, Option<i32>) = (row.try_get("epoch")?, row.try_get("mark")?);
        let last = last.0.zip(last.1).map(|(epoch, mark)| Commit { shard, epoch, mark });
        Ok(Self {
            since: Commit { shard, epoch: row.try_get("since")?, mark: row.try_get("since_mark")? },
            is_seen: row.try_get("is_seen")?,
            last,
            known_mark: row.try_get("known_mark")?,
            touched: row.try_get("touched")?,
        })
    }

    fn found(&self, last: Commit) -> Found {
        match self.known_mark {
            Some(mark) if mark == self.since.mark || self.since.is_unmarked() => Found::Known,
            None if self.since.is_unmarked() || last.epoch > self.since.epoch => Found::Forgotten,
            _ => Found::Lost,
        }
    }
}

fn subject(text: &str) -> Result<Subject, StoreError> {
    let unknown = |_| format!("{text:?} in table changes is not the subject of a change");
    text.parse().map_err(unknown).map_err(StoreError::corrupt)
}
