//! A tonic gRPC service with API keys: the health service behind a guard.
//!
//! ```text
//! cargo run -p keywright-servers --bin tonic_server -- [--port N] [--store FILE]
//! ```
//!
//! It prints `curl` commands to try.

use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;

use http::Request;
use keywright::Access;
use keywright::http::{Guard, PeerAddr};
use tokio::time::sleep;
use tonic::transport::Server;
use tonic::transport::server::{TcpConnectInfo, TcpIncoming};
use tower::util::MapRequestLayer;

use keywright_servers::{self as shared, FirstTokens, Keys, PATIENCE};

#[tokio::main]
async fn main() -> ExitCode {
    shared::exit_code(env!("CARGO_BIN_NAME"), run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let arguments = shared::arguments()?;
    let listener = shared::listen(arguments.port)?;
    let keys = Keys::open(arguments.store).await?;
    let served = serve(listener, &keys).await;
    // After a failure too, so that the counted uses are written.
    let closed = keys.close().await;
    served.and(closed)
}

async fn serve(listener: TcpListener, keys: &Keys) -> Result<(), Box<dyn Error>> {
    let address = listener.local_addr()?;
    let incoming = TcpIncoming::from(tokio::net::TcpListener::from_std(listener)?);
    let (stop, stopping) = (shared::stop_signal()?, shared::stop_signal()?);

    // Every gRPC call is a POST. This service changes nothing, so read-only keys can call it.
    let guard = Guard::new(keys.verifier.clone())
        .grpc()
        .access(Access::ReadOnly)
        .require("reports:read".parse()?);
    let (_reporter, health) = tonic_health::server::health_reporter();
    let service = Server::builder()
        // The first layer is the outermost one. The guard needs the address that it leaves.
        .layer(MapRequestLayer::new(with_peer))
        .layer(guard)
        .add_service(health)
        .serve_with_incoming_shutdown(incoming, stop);

    keys.print_commands(address, commands)?;
    tokio::select! {
        served = service => Ok(served?),
        () = async { stopping.await; sleep(PATIENCE).await } => Ok(()),
    }
}

/// Passes the address of the client from the type of tonic on to the guard. Without it, the guard refuses
/// keys that are bound to networks.
fn with_peer<B>(mut request: Request<B>) -> Request<B> {
    let connection = request.extensions().get::<TcpConnectInfo>();
    if let Some(peer) = connection.and_then(TcpConnectInfo::remote_addr) {
        request.extensions_mut().insert(PeerAddr(peer.ip()));
    }
    request
}

fn commands(url: &str, tokens: Option<&FirstTokens>) -> String {
    // An empty message in a frame of gRPC, which asks for the health of the whole server.
    let call = r"printf '\0\0\0\0\0' | curl --http2-prior-knowledge -sS -D - -o /dev/null \
  -H 'content-type: application/grpc' -H 'te: trailers' --data-binary @-";
    let method = format!("{url}/grpc.health.v1.Health/Check");
    let with_keys = tokens.map(FirstTokens::headers).map(|[read, _, read_only]| {
        format!(
            "\
# an account's key with the scope reports:read: grpc-status 0
{call} {read_only} {method}
# alice's key has no such scope: grpc-status 7
{call} {read} {method}
"
        )
    });
    let with_keys = with_keys.unwrap_or_default();
    format!("# without a key: grpc-status 16\n{call} {method}\n{with_keys}")
}
