//! Five products on one server, each with its own page of API keys.
//!
//! ```text
//! cargo run -p keywright-products -- [--port N] [--store FILE]
//! ```
//!
//! It prints the address to open in a browser. **The login is a stand-in**: each page has a bar with which
//! every visitor becomes any user of the product.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use keywright::store::{FileStore, KeyStore, MemoryStore};
use tokio::net::TcpListener;
use tokio::time::sleep;

use keywright_products::{Demo, Failure};

/// The time that running requests have when the server is told to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// Five products, each with its own page of API keys
#[derive(Parser)]
struct Arguments {
    /// The port on 127.0.0.1; 0 chooses a free one
    #[arg(long, value_name = "N", default_value_t = 8400)]
    port: u16,
    /// The store file; without it, the keys are kept in memory
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = run(Arguments::parse()).await else { return ExitCode::SUCCESS };
    let mut text = format!("products: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    // If standard error can't be written, the exit code still reports the failure.
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::FAILURE
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port))
        .await
        .map_err(|error| format!("port {} can't be used: {error}", arguments.port))?;
    match arguments.store {
        Some(path) => {
            let store = FileStore::open(path).await?;
            let served = serve(listener, store.clone()).await;
            store.close().await?;
            served
        }
        None => serve(listener, MemoryStore::new()).await,
    }
}

async fn serve(listener: TcpListener, store: impl KeyStore + Clone) -> Result<(), Failure> {
    let demo = Demo::open(store).await?;
    let address = listener.local_addr()?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "open http://{address}/\nThe login is a stand-in. Ctrl-C ends the server.")?;
    drop(stdout);
    let app = demo.app().into_make_service_with_connect_info::<SocketAddr>();
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    let late = async {
        let _ = tokio::signal::ctrl_c().await;
        sleep(PATIENCE).await;
    };
    tokio::select! {
        served = axum::serve(listener, app).with_graceful_shutdown(stop) => served?,
        () = late => {}
    }
    demo.close().await
}
