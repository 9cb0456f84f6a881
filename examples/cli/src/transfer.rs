//! `keywright transfer`: copies the keys of a store file to PostgreSQL.

use std::io::Write;

use keywright::store::{
    FileStore, PostgresOptions, SchemaName, Transfer, TransferError, TransferProgress,
};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::runtime::Builder;

use crate::args::TransferTo;
use crate::failure::{Coded, Failure};
use crate::output::Reply;

impl Coded for TransferError {
    fn code(&self) -> &'static str {
        match self {
            Self::InUse => "in_use",
            Self::Running => "running",
            Self::Different(_) => "different",
            Self::Store(error) => error.code(),
            _ => "refused",
        }
    }
}

pub(crate) fn run(store: &FileStore, to: &TransferTo, json: bool) -> Result<Reply, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::refused("system", error.to_string()))?;
    runtime.block_on(move_keys(store, to, json))
}

async fn move_keys(store: &FileStore, to: &TransferTo, json: bool) -> Result<Reply, Failure> {
    let schema = match &to.schema {
        Some(name) => SchemaName::new(name).map_err(|error| Failure::usage(error.to_string()))?,
        None => SchemaName::default(),
    };
    // The error does not repeat the URL, because it may contain a password.
    let options: PgConnectOptions = to
        .to
        .parse()
        .map_err(|_| Failure::usage("--to must have the form postgres://USER@HOST/DATABASE"))?;
    let pool = PgPoolOptions::new().max_connections(4).connect_with(options).await;
    let pool = pool.map_err(|error| Failure::refused("unavailable", error.to_string()))?;
    let options = PostgresOptions::new().schema(schema.clone());
    let mut counts = (0, 0);
    let mut tell = |progress: TransferProgress| {
        match progress.what {
            "keys" => counts.0 = progress.all,
            "events" => counts.1 = progress.all,
            _ => {}
        }
        if !json {
            // A closed standard error must not stop the transfer.
            let _ = writeln!(std::io::stderr(), "{progress}");
        }
    };
    let mut moving = Transfer::begin(store.clone(), options, pool).await?;
    moving.copy(&mut tell).await?;
    moving.finish(&mut tell).await?;
    let (keys, events) = counts;
    let text =
        format!("{keys} keys and {events} events were copied to schema {schema} and compared");
    let reply =
        Reply::new(text, json!({ "keys": keys, "events": events, "schema": schema.as_str() }));
    Ok(reply.note(
        "the store file records the transfer and can no longer be used; keep it as a backup until you trust the database",
    ))
}
