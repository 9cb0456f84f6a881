//! A node: a web server that checks keys, with a cache in front of the database.

use std::io::{self, Write};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use keywright::http::{Guard, Rejection};
use keywright::store::{CacheOptions, CachedStore};
use keywright::{Credential, Grant, RunOptions, Verifier};
use tokio::net::TcpListener;

use crate::{Failure, store};

/// The longest time after a revocation in which a node accepts the key, even if its network fails.
const MAX_STALENESS: Duration = Duration::from_millis(500);

pub(crate) async fn run() -> Result<(), Failure> {
    let mut url = String::new();
    io::stdin().read_line(&mut url)?;
    let store = store::open(url.trim_end()).await?;
    let hints = store.hints().await?;
    let options = CacheOptions::new().max_staleness(MAX_STALENESS);
    let keywright = store::keywright(CachedStore::with_hints(store, options, hints)?)?;
    let running = keywright.start_with(RunOptions::new().on_flush_error(|error| {
        eprintln!("uses of API keys are not written yet: {error}");
    }))?;
    let verifier = keywright.verifier();

    let app = Router::new()
        .route("/hello", get(hello))
        .layer(Guard::new(verifier.clone()))
        .route("/leaked", post(leaked))
        .with_state(verifier);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    io::stdout().flush()?;
    tokio::select! {
        served = axum::serve(listener, app) => served?,
        ended = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())) => {
            ended??;
        }
    }
    Ok(running.shutdown().await?)
}

async fn hello(grant: Grant) -> String {
    format!("hello, {}\n", grant.owner())
}

/// Revokes the key of a leaked token. Presenting the token is enough.
async fn leaked(State(verifier): State<Verifier>, token: String) -> Result<StatusCode, Rejection> {
    verifier.revoke(Credential::Token(&token)).await?;
    Ok(StatusCode::NO_CONTENT)
}
