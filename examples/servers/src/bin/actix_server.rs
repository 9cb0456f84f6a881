//! An actix-web web service with API keys.
//!
//! ```text
//! cargo run -p keywright-servers --bin actix_server -- [--port N] [--store FILE]
//! ```
//!
//! It prints `curl` commands to try.

use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;

use actix_web::guard::{Any, Get, Head};
use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer, Route};
use keywright::Grant;
use keywright::http::Guard;

use keywright_servers::{self as shared, FirstTokens, Keys, PATIENCE};

#[actix_web::main]
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
    let guards = Guards::new(Guard::new(keys.verifier.clone()))?;
    let server = HttpServer::new(move || App::new().configure(|service| guards.routes(service)))
        .shutdown_signal(shared::stop_signal()?)
        .shutdown_timeout(PATIENCE.as_secs())
        .listen(listener)?;
    keys.print_commands(address, commands)?;
    Ok(server.run().await?)
}

/// A guard for any key, and one for each scope.
#[derive(Clone)]
struct Guards {
    any_key: Guard,
    read: Guard,
    write: Guard,
}

impl Guards {
    fn new(any_key: Guard) -> Result<Self, keywright::ScopeError> {
        let read = any_key.require("invoices:read".parse()?);
        let write = any_key.require("invoices:write".parse()?);
        Ok(Self { any_key, read, write })
    }

    fn routes(&self, service: &mut ServiceConfig) {
        // For handlers that take a `Grant` on routes without a guard.
        service.app_data(self.any_key.clone());
        service.service(web::resource("/public").route(get().to(public)));
        service.service(web::resource("/whoami").route(get().to(whoami)));
        service.service(
            web::resource("/invoices")
                .route(get().to(list_invoices).wrap(self.read.clone()))
                .route(web::post().to(create_invoice).wrap(self.write.clone())),
        );
    }
}

/// Creates a route for GET and HEAD. actix-web does not answer HEAD on a GET route.
fn get() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}

async fn public() -> &'static str {
    "this page is public\n"
}

async fn list_invoices() -> &'static str {
    "invoice 1\ninvoice 2\n"
}

async fn create_invoice(grant: Grant) -> (String, StatusCode) {
    (format!("invoice 3, by {}\n", grant.owner()), StatusCode::CREATED)
}

async fn whoami(grant: Grant) -> String {
    format!("the key {} of {}, with {}\n", grant.key().name, grant.owner(), grant.scopes())
}

fn commands(url: &str, tokens: Option<&FirstTokens>) -> String {
    let with_keys = tokens.map(FirstTokens::headers).map(|[read, write, read_only]| {
        format!(
            "\
# alice's key for reading: 200
curl -i {read} {url}/invoices
# the same key lacks the scope for writing: 403
curl -i -X POST {read} {url}/invoices
# alice's key for both: 201
curl -i -X POST {write} {url}/invoices
# an account's key is read-only: 403
curl -i -X POST {read_only} {url}/invoices
# a handler that shows the owner of the key: 200
curl -i {read_only} {url}/whoami
"
        )
    });
    let with_keys = with_keys.unwrap_or_default();
    format!(
        "\
# a public route: 200
curl -i {url}/public
# without a key: 401
curl -i {url}/invoices
{with_keys}"
    )
}
