//! A store that is open in this process, with the management API inside.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, Response, header};
use keywright::http::management::{Cause, operator_router, router};
use keywright::store::{FileOptions, FileStore, PostgresOptions, PostgresStore, SchemaName};
use keywright::{Actor, Authority, Keywright, Operator, PepperRing, Permissions, Prefix, Verifier};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tower_service::Service;
use zeroize::Zeroizing;

use super::call::{Answer, Call, Router as Which};
use super::place::{Opening, Place};
use crate::args::Context;
use crate::exit::Exit;
use crate::failure::{Failure, unreadable, whole_chain};

/// An answer is a page of at most 500 keys or the results of a sweep of all tenants.
const MAX_ANSWER: usize = 1 << 30;

pub(crate) struct Local {
    store: Store,
    pub(crate) authority: Authority,
    pub(crate) verifier: Verifier,
    pub(crate) actor: Actor,
    names_tenant: bool,
    tenant_router: Router,
    operator_router: Router,
}

enum Store {
    File(FileStore),
    Database(PostgresStore),
}

impl Local {
    pub(super) async fn open(
        context: &Context,
        place: &Place,
        opening: Opening,
    ) -> Result<Self, Failure> {
        // Everything else that can block or fail comes first, so that the store is locked only briefly.
        let (prefix, peppers) = (prefix(context)?, read_peppers(context)?);
        let store = match place {
            Place::File(path) => {
                let is_absent = matches!(path.try_exists(), Ok(false));
                if is_absent && opening != Opening::Create {
                    let path = path.display();
                    let message = format!(
                        "there is no store at {path}; create it with `keywright init --store {path}`"
                    );
                    return Err(Failure::new(Exit::NotFound, "no_store", message));
                }
                let mut options = FileOptions::new();
                if context.danger_allow_shared_files {
                    options = options.danger_allow_shared_files();
                }
                if opening == Opening::Moved {
                    options = options.danger_open_moved_file();
                }
                Store::File(options.open(path).await?)
            }
            Place::Database(url) | Place::Service(url) => {
                let options = PostgresOptions::new().schema(schema(context.schema.as_deref())?);
                let options = match opening {
                    Opening::Create => options,
                    Opening::Existing | Opening::Moved => options.without_migrations(),
                };
                let store = options.open(connect(url).await?).await;
                Store::Database(store.map_err(|error| without_tables(error, opening))?)
            }
        };
        let builder = match &store {
            Store::File(store) => Keywright::builder(store.clone()),
            Store::Database(store) => Keywright::builder(store.clone()),
        };
        let keywright = builder.prefix(prefix).peppers(peppers).build()?;
        let authority = keywright.authority();
        Ok(Self {
            store,
            verifier: keywright.verifier(),
            actor: context.actor(),
            names_tenant: context.tenant.is_some(),
            tenant_router: router(authority.clone()),
            operator_router: operator_router(authority.clone()),
            authority,
        })
    }

    pub(super) async fn call(&self, call: Call) -> Result<Answer, Failure> {
        let body = call.body.as_ref().map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let mut request = Request::builder().method(call.method).uri(format!("/{}", call.path));
        if call.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(tag) = &call.if_match {
            request = request.header(header::IF_MATCH, tag);
        }
        let request = request.body(body);
        let mut request = request.map_err(|error| Failure::usage(error.to_string()))?;
        let mut router = match call.router {
            Which::Tenant => {
                request.extensions_mut().insert(self.actor.clone());
                self.tenant_router.clone()
            }
            Which::Operator => {
                request.extensions_mut().insert(self.operator()?);
                self.operator_router.clone()
            }
        };
        let Ok(response) = router.call(request).await;
        answer(response).await
    }

    /// Returns the operator with the id of the acting user. Only an administrator is an operator.
    fn operator(&self) -> Result<Operator, Failure> {
        if self.names_tenant {
            return Err(Failure::usage("this command is for all tenants: leave out --tenant"));
        }
        if !self.actor.permissions().contains(Permissions::ADMINISTRATOR) {
            let message = "a command for all tenants needs the role administrator";
            return Err(Failure::refused("permission_denied", message));
        }
        Ok(Operator::new(self.actor.id().clone()))
    }

    /// Returns the store file, for commands that work on nothing else.
    pub(crate) fn file(&self, command: &str) -> Result<&FileStore, Failure> {
        match &self.store {
            Store::File(store) => Ok(store),
            Store::Database(_) => Err(Failure::unsupported(command, "PostgreSQL", "a file")),
        }
    }

    pub(super) async fn close(self) -> Result<(), Failure> {
        match self.store {
            Store::File(store) => store.close().await?,
            Store::Database(store) => store.pool().close().await,
        }
        Ok(())
    }
}

async fn answer(response: Response<Body>) -> Result<Answer, Failure> {
    let (parts, body) = response.into_parts();
    let cause = parts.extensions.get::<Cause>().map(|cause| whole_chain(cause.error()));
    let body = to_bytes(body, MAX_ANSWER).await;
    let body: Bytes = body.map_err(|error| Failure::unavailable(error.to_string()))?;
    let json = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) };
    let json = json.map_err(|error| Failure::unavailable(error.to_string()))?;
    Ok(Answer { status: parts.status.as_u16(), json, tag: tag(&parts.headers), cause })
}

fn tag(headers: &HeaderMap) -> Option<String> {
    Some(headers.get(header::ETAG)?.to_str().ok()?.to_owned())
}

/// Connects to the database of a URL.
///
/// # Errors
/// A failure that does not repeat the URL, because it may contain a password.
pub(crate) async fn connect(url: &str) -> Result<PgPool, Failure> {
    let form = || Failure::usage("the URL must have the form postgres://USER@HOST/DATABASE");
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(form());
    }
    let options: PgConnectOptions = url.parse().map_err(|_| form())?;
    let pool = PgPoolOptions::new().max_connections(4).connect_with(options).await;
    pool.map_err(|error| {
        Failure::unavailable(format!("cannot connect to PostgreSQL: {}", whole_chain(&error)))
    })
}

/// Returns the schema of the tables, `keywright` by default.
pub(crate) fn schema(name: Option<&str>) -> Result<SchemaName, Failure> {
    let Some(name) = name else { return Ok(SchemaName::default()) };
    SchemaName::new(name).map_err(|error| Failure::usage(error.to_string()))
}

fn without_tables(error: keywright::store::StoreError, opening: Opening) -> Failure {
    let failure = Failure::from(error);
    if opening == Opening::Existing && failure.message().contains("tables") {
        return failure.because(Some("`keywright init` prepares the database"));
    }
    failure
}

fn prefix(context: &Context) -> Result<Prefix, Failure> {
    if let Some(prefix) = context.prefixes.last() {
        return Ok(prefix.clone());
    }
    match std::env::var("KEYWRIGHT_PREFIX") {
        Ok(text) => {
            text.parse().map_err(|error| Failure::usage(format!("KEYWRIGHT_PREFIX: {error}")))
        }
        Err(std::env::VarError::NotPresent) => Ok(Prefix::default()),
        Err(error) => Err(Failure::usage(format!("KEYWRIGHT_PREFIX: {error}"))),
    }
}

fn read_peppers(context: &Context) -> Result<PepperRing, Failure> {
    let mut ring = PepperRing::none();
    for pepper in &context.peppers {
        let what = || format!("cannot read the pepper file {}", pepper.path.display());
        let bytes = std::fs::read(&pepper.path).map(Zeroizing::new);
        ring = ring.with(pepper.id, bytes.map_err(|error| unreadable(&what(), &error))?)?;
    }
    Ok(ring)
}
