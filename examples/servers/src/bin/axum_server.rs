//! API keys in a web service on axum, with the management API behind a login.
//!
//! ```text
//! cargo run -p keywright-servers --bin axum_server -- [--port N] [--store FILE]
//! ```
//!
//! It prints lines to try it with. **The login is a stand-in**: see [`stand_in_login`].

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use keywright::http::{Guard, Rejection, management};
use keywright::{Access, Actor, Grant, IdError, ScopeError, TenantId, UserId};
use tokio::time::sleep;

use keywright_servers::{self as first_keys, FirstTokens, Keys, PATIENCE};

#[tokio::main]
async fn main() -> ExitCode {
    first_keys::exit_code(env!("CARGO_BIN_NAME"), run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let arguments = first_keys::arguments()?;
    let listener = first_keys::listen(arguments.port)?;
    let keys = Keys::open(arguments.store).await?;
    let served = serve(listener, &keys).await;
    // After a failure too: what was counted is written, and the store is closed.
    let closed = keys.close().await;
    served.and(closed)
}

async fn serve(listener: TcpListener, keys: &Keys) -> Result<(), Box<dyn Error>> {
    let address = listener.local_addr()?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (stop, stopping) = (first_keys::told_to_stop()?, first_keys::told_to_stop()?);

    let management = management::router(keys.authority.clone()).layer(from_fn(stand_in_login));
    let app = api(Guard::new(keys.verifier.clone()))?
        .nest("/manage", management)
        .layer(from_fn(log_rejections))
        // With it guards know where a request comes from: some keys are bound to networks.
        .into_make_service_with_connect_info::<SocketAddr>();

    keys.introduce(address, lines_to_try)?;
    tokio::select! {
        served = axum::serve(listener, app).with_graceful_shutdown(stop) => Ok(served?),
        () = async { stopping.await; sleep(PATIENCE).await } => Ok(()),
    }
}

/// One guard; each route says what it needs of a key.
fn api(guard: Guard) -> Result<Router, ScopeError> {
    let read = guard.require("invoices:read".parse()?);
    let write = guard.require("invoices:write".parse()?);
    let reports = guard.require("reports:read".parse()?);
    // A search changes nothing, though it is a POST: keys that may only look are let in.
    let search = read.clone().access(Access::ReadOnly);
    Ok(Router::new()
        .route("/public", get(public))
        .route("/invoices", get(list_invoices).layer(read))
        .route("/invoices", post(create_invoice).layer(write))
        .route("/invoices/search", post(list_invoices).layer(search))
        .route("/reports", get(report).layer(reports))
        // Without a guard around them: the handlers ask for a `Grant`, by the guard in the state.
        .route("/whoami", get(whoami))
        .route("/maybe", get(maybe))
        .with_state(guard))
}

async fn public() -> &'static str {
    "everybody may read this\n"
}

async fn list_invoices() -> &'static str {
    "invoice 1\ninvoice 2\n"
}

async fn create_invoice(grant: Grant) -> (StatusCode, String) {
    (StatusCode::CREATED, format!("invoice 3, by {}\n", grant.owner()))
}

async fn report() -> &'static str {
    "2 invoices\n"
}

async fn whoami(grant: Grant) -> String {
    format!("the key {} of {}, with {}\n", grant.key().name, grant.owner(), grant.scopes())
}

/// No key is fine here. A key that is not accepted is not.
async fn maybe(grant: Option<Grant>) -> String {
    grant.map_or("hello\n".to_owned(), |grant| format!("hello, {}\n", grant.owner()))
}

/// **NOT A LOGIN. Put your own in its place.** It believes whoever says that they are somebody.
///
/// This is what yours does too: it finds out who sends the request, and leaves an [`Actor`] for the
/// management API, which answers 401 without one. Limit how often one login may call, as well:
/// each call is a durable write.
async fn stand_in_login(mut request: Request, next: Next) -> Response {
    let user = request.headers().get("x-demo-user").and_then(|value| value.to_str().ok());
    if let Some(actor) = user.and_then(|user| actor_of(user).ok().flatten()) {
        request.extensions_mut().insert(actor);
    }
    next.run(request).await
}

/// What users may do is yours to say: map the roles that your application has.
fn actor_of(user: &str) -> Result<Option<Actor>, IdError> {
    let (id, tenant) = (UserId::new(user)?, TenantId::default());
    Ok(match user {
        "alice" | "bob" => Some(Actor::developer(id).in_tenant(tenant)),
        "ada" => Some(Actor::administrator(id).in_tenant(tenant)),
        _ => None,
    })
}

/// The caller learns that a key is not accepted; the log learns why.
async fn log_rejections(request: Request, next: Next) -> Response {
    let route = format!("{} {}", request.method(), request.uri().path());
    let response = next.run(request).await;
    if let Some(rejection) = response.extensions().get::<Rejection>() {
        eprintln!("{route}: {}", rejection.cause());
    }
    response
}

fn lines_to_try(url: &str, tokens: Option<&FirstTokens>) -> String {
    let with_keys = tokens.map(FirstTokens::headers).map(|[read, write, look]| {
        format!(
            "\
# alice's key for reading: 200
curl -i {read} {url}/invoices
# it has no scope for writing: 403
curl -i -X POST {read} {url}/invoices
# alice's key for both: 201
curl -i -X POST {write} {url}/invoices
# an account's key may only look, whatever its scopes: 403
curl -i -X POST {look} {url}/invoices
# a search changes nothing: 200
curl -i -X POST {look} {url}/invoices/search
# a route with a scope of its own: 200
curl -i {look} {url}/reports
# a handler that asks whose key it is: 200
curl -i {look} {url}/whoami
"
        )
    });
    let with_keys = with_keys.unwrap_or_default();
    format!(
        "\
# everybody: 200
curl -i {url}/public
# without a key: 401
curl -i {url}/invoices
# a handler that does without: 200
curl -i {url}/maybe
{with_keys}
WARNING: /manage takes your word for who you are. It has a stand-in where a login belongs.
# alice makes a key: 201
curl -i -H 'x-demo-user: alice' -H 'content-type: application/json' \\
  -d '{{\"name\":\"my-key\",\"scopes\":[\"invoices:read\"]}}' {url}/manage/keys
# ada, who is an administrator, lists all keys: 200
curl -i -H 'x-demo-user: ada' {url}/manage/keys
# what else there is: 200
curl -i {url}/manage/openapi.json
"
    )
}
