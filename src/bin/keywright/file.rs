//! `keywright check`, `compact` and `transfer`: work on a whole store file.

use std::path::PathBuf;

use keywright::store::{PostgresOptions, Transfer, TransferProgress};
use serde_json::json;

use crate::args::{Context, TransferTo};
use crate::failure::{Failure, unreadable};
use crate::output::Reply;
use crate::progress::Progress;
use crate::session::Session;
use crate::target::{Place, connect, has_no_password, schema};

pub(crate) async fn check(session: &Session) -> Result<Reply, Failure> {
    let store = session.target.local("check")?.file("check")?;
    let progress = Progress::spinner(session.format, "checking");
    store.check().await?;
    drop(progress);
    let text = "the store file is sound";
    Ok(Reply::text(text, &["outcome"], vec![vec!["sound".to_owned()]], json!({ "sound": true })))
}

pub(crate) async fn compact(session: &Session, context: &Context) -> Result<Reply, Failure> {
    let store = session.target.local("compact")?.file("compact")?;
    let Place::File(path) = context.place()? else {
        return Err(Failure::usage("the store is not a file"));
    };
    let before = size(&path)?;
    let progress = Progress::spinner(session.format, "compacting");
    store.compact().await?;
    drop(progress);
    let after = size(&path)?;
    let text = format!("{before} bytes before, {after} bytes now");
    let row = vec![before.to_string(), after.to_string()];
    let json = json!({ "bytes_before": before, "bytes": after });
    Ok(Reply::text(text, &["bytes before", "bytes"], vec![row], json))
}

fn size(path: &PathBuf) -> Result<u64, Failure> {
    let found = std::fs::metadata(path).map(|found| found.len());
    found.map_err(|error| unreadable("cannot read the size of the store file", &error))
}

/// Copies the keys of a store file to PostgreSQL.
pub(crate) async fn transfer(
    session: &Session,
    context: &Context,
    to: &TransferTo,
) -> Result<Reply, Failure> {
    let store = session.target.local("transfer")?.file("transfer")?;
    has_no_password(&to.to)?;
    let schema = schema(context.schema.as_deref())?;
    session.confirm(&format!(
        "move all keys to the schema {schema}; the store file can no longer be used then"
    ))?;
    let options = PostgresOptions::new().schema(schema.clone());
    let pool = connect(&to.to).await?;
    let mut counts = (0, 0);
    let progress = Progress::bar(session.format, "copying", 0);
    let mut tell = |told: TransferProgress| {
        match told.what {
            "keys" => counts.0 = told.all,
            "events" => counts.1 = told.all,
            _ => {}
        }
        progress.at(told.what, told.done, told.all);
    };
    let mut moving = Transfer::begin(store.clone(), options, pool).await?;
    moving.copy(&mut tell).await?;
    moving.finish(&mut tell).await?;
    drop(progress);
    let (keys, events) = counts;
    let text =
        format!("{keys} keys and {events} events were copied to schema {schema} and compared");
    let row = vec![keys.to_string(), events.to_string(), schema.to_string()];
    let json = json!({ "keys": keys, "events": events, "schema": schema.as_str() });
    let reply = Reply::text(text, &["keys", "events", "schema"], vec![row], json);
    Ok(reply.note(
        "the store file records the transfer and can no longer be used; keep it as a backup until you trust the database",
    ))
}
