//! An axum web service with API keys, and the management API behind a login.
//!
//! ```text
//! cargo run -p keywright-servers --bin axum_server -- [--port N] [--store FILE]
//! ```
//!
//! It prints `curl` commands to try, also those of five pages on which your users manage their keys:
//! [`keywright_servers::pages`]. **The login is a stand-in**: see [`stand_in_login`].

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use keywright::http::{Guard, Rejection, management};
use keywright::{Access, Actor, Grant, IdError, Keywright, Operator, ScopeError, TenantId, UserId};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::time::sleep;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use keywright_servers::{self as shared, FirstTokens, Keys, PATIENCE, pages};

/// The bounds of the buckets of durations, in seconds.
const SECONDS: [f64; 8] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0];
/// The time between two sums of the recorded durations.
const UPKEEP: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    shared::exit_code(env!("CARGO_BIN_NAME"), run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let arguments = shared::arguments()?;
    log_spans();
    // Before the first check, so that none is missing.
    let recorder = PrometheusBuilder::new().set_buckets(&SECONDS)?.install_recorder()?;
    tokio::spawn(keep_small(recorder.clone()));
    let listener = shared::listen(arguments.port)?;
    let keys = Keys::open(arguments.store).await?;
    let served = serve(listener, &keys, recorder).await;
    // After a failure too, so that the counted uses are written.
    let closed = keys.close().await;
    served.and(closed)
}

async fn serve(
    listener: TcpListener,
    keys: &Keys,
    recorder: PrometheusHandle,
) -> Result<(), Box<dyn Error>> {
    let address = listener.local_addr()?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (stop, stopping) = (shared::stop_signal()?, shared::stop_signal()?);

    let management = management::router(keys.authority.clone()).layer(from_fn(stand_in_login));
    let operators = management::operator_router(keys.authority.clone());
    let operators = operators.layer(from_fn(stand_in_staff_login));
    let app = api(Guard::new(keys.verifier.clone()))?
        .nest("/manage", management)
        .nest("/operate", operators)
        .merge(metrics(recorder, keys.keywright.clone()))
        .layer(from_fn(log_rejections))
        // The guards need the address of the client for keys that are bound to networks.
        .into_make_service_with_connect_info::<SocketAddr>();

    keys.print_commands(address, commands)?;
    tokio::select! {
        served = axum::serve(listener, app).with_graceful_shutdown(stop) => Ok(served?),
        () = async { stopping.await; sleep(PATIENCE).await } => Ok(()),
    }
}

/// Logs a line for each span when it ends, from the level that `RUST_LOG` names: `RUST_LOG=keywright=debug` has a
/// line for each check. Without the variable, only warnings are logged.
fn log_spans() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let spans = tracing_subscriber::fmt().with_env_filter(filter);
    spans.with_span_events(FmtSpan::CLOSE).with_writer(std::io::stderr).init();
}

/// Sums up the recorded durations. Only a scrape would do it otherwise, and none may come for hours.
async fn keep_small(recorder: PrometheusHandle) {
    loop {
        sleep(UPKEEP).await;
        recorder.run_upkeep();
    }
}

/// Creates the route for Prometheus. **Do not serve it to the world**: your own service has it on another port.
fn metrics(recorder: PrometheusHandle, keywright: Keywright) -> Router {
    let page = async move || {
        keywright.publish_metrics();
        recorder.render()
    };
    Router::new().route("/metrics", get(page))
}

/// Creates the routes, each with a guard for the scopes that it requires.
fn api(guard: Guard) -> Result<Router, ScopeError> {
    let read = guard.require("invoices:read".parse()?);
    let write = guard.require("invoices:write".parse()?);
    let reports = guard.require("reports:read".parse()?);
    // A search is a POST that changes nothing, so read-only keys can call it.
    let search = read.clone().access(Access::ReadOnly);
    Ok(Router::new()
        .route("/public", get(public))
        .route("/invoices", get(list_invoices).layer(read))
        .route("/invoices", post(create_invoice).layer(write))
        .route("/invoices/search", post(list_invoices).layer(search))
        .route("/reports", get(report).layer(reports))
        // These handlers take a `Grant`, which the guard in the state checks.
        .route("/whoami", get(whoami))
        .route("/maybe", get(maybe))
        .with_state(guard))
}

async fn public() -> &'static str {
    "this page is public\n"
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

/// Greets a request without a key too. A key that is not accepted is refused.
async fn maybe(grant: Option<Grant>) -> String {
    grant.map_or("hello\n".to_owned(), |grant| format!("hello, {}\n", grant.owner()))
}

/// Takes the place of a login. **Replace it with your own: it believes every name that a client sends.**
///
/// Like your own login, it identifies the user of the request and leaves an [`Actor`] for the management
/// API, which answers 401 without one. Your login must also limit the rate of its users, because each
/// change is a durable write.
///
/// The events of the actor have the address of the connection. Behind a proxy, take the address from
/// `TrustedProxies::source_of`.
async fn stand_in_login(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let user = request.headers().get("x-demo-user").and_then(|value| value.to_str().ok());
    if let Some(actor) = user.and_then(|user| actor_of(user).ok().flatten()) {
        request.extensions_mut().insert(actor.source_address(peer.ip()));
    }
    next.run(request).await
}

/// Takes the place of the login of your own staff. **Replace it with your own, too.**
///
/// An [`Operator`] acts on all tenants, so this login must be apart from that of the tenants' users.
async fn stand_in_staff_login(mut request: Request, next: Next) -> Response {
    let staff = request.headers().get("x-demo-staff").and_then(|value| value.to_str().ok());
    if let Some(id) = staff.filter(|id| *id == "carol").and_then(|id| UserId::new(id).ok()) {
        request.extensions_mut().insert(Operator::new(id));
    }
    next.run(request).await
}

/// Maps a user to an actor. Your application maps its own roles to permissions here.
fn actor_of(user: &str) -> Result<Option<Actor>, IdError> {
    let (id, tenant) = (UserId::new(user)?, TenantId::default());
    Ok(match user {
        "alice" | "bob" => Some(Actor::developer(id).in_tenant(tenant)),
        "ada" => Some(Actor::administrator(id).in_tenant(tenant)),
        _ => None,
    })
}

/// Logs the reason of each refusal, which the caller does not learn.
async fn log_rejections(request: Request, next: Next) -> Response {
    let route = format!("{} {}", request.method(), request.uri().path());
    let response = next.run(request).await;
    if let Some(rejection) = response.extensions().get::<Rejection>() {
        eprintln!("{route}: {}", rejection.cause());
    }
    response
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
# a search changes nothing, so the same key is accepted: 200
curl -i -X POST {read_only} {url}/invoices/search
# the route of reports requires another scope: 200
curl -i {read_only} {url}/reports
# a handler that shows the owner of the key: 200
curl -i {read_only} {url}/whoami
"
        )
    });
    let with_keys = with_keys.unwrap_or_default();
    let pages = pages::commands(url, tokens);
    format!(
        "\
# a public route: 200
curl -i {url}/public
# without a key: 401
curl -i {url}/invoices
# a route with an optional key: 200
curl -i {url}/maybe
# the metrics for Prometheus: 200
curl -i {url}/metrics
{with_keys}
WARNING: /manage believes every user name. Replace its stand-in with a login.
# alice generates a key: 201
curl -i -H 'x-demo-user: alice' -H 'content-type: application/json' \\
  -d '{{\"name\":\"my-key\",\"scopes\":[\"invoices:read\"]}}' {url}/manage/keys
# ada is an administrator and lists all keys: 200
curl -i -H 'x-demo-user: ada' {url}/manage/keys
# the document of all routes: 200
curl -i {url}/manage/openapi.json

WARNING: /operate believes every name too.
# carol operates the service and lists all tenants: 200
curl -i -H 'x-demo-staff: carol' {url}/operate/tenants
# ada is an administrator of one tenant, and no operator: 401
curl -i -H 'x-demo-user: ada' {url}/operate/tenants

FIVE PAGES: each begins with the calls that have its data. The last commands change the keys above.
{pages}"
    )
}
