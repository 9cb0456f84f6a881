//! The operator's command-line tool for a store file. It creates the first key, and it helps during
//! incidents.
//!
//! ```text
//! cargo run -p keywright-cli -- --store keys.db plan set --reads invoices:read
//! cargo run -p keywright-cli -- --store keys.db settings set --api-enabled on
//! cargo run -p keywright-cli -- --store keys.db key generate prod-main-app --scopes invoices:read
//! cargo run -p keywright-cli -- --store keys.db key list
//! ```
//!
//! A store file can be open in only one process: stop the service first. A token is written to
//! standard output by the command that generates it, and by no other. A token to check is read from
//! standard input, because every user of a machine can read the arguments of a process.

mod abilities;
mod account;
mod all_tenants;
mod args;
mod events;
mod failure;
mod key;
mod key_args;
mod key_views;
mod output;
mod paging;
mod plan;
mod policy;
mod policy_args;
mod settings;
mod tables;
#[cfg(feature = "postgres")]
mod transfer;
mod user;
mod values;
mod verify;

use std::env::VarError;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use futures_lite::future::block_on;
use keywright::store::{FileOptions, FileStore};
use keywright::{Actor, Authority, Keywright, PepperRing, Prefix, Verifier};
use zeroize::Zeroizing;

use self::args::{Cli, Command, Context};
use self::failure::{Failure, read_error};
use self::output::Reply;

/// An open store, and the actor of the command.
struct Session {
    authority: Authority,
    verifier: Verifier,
    actor: Actor,
    /// Whether the command line names a tenant.
    names_tenant: bool,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::report_usage(&error),
    };
    let json = cli.context.json;
    match block_on(run(cli)) {
        Ok(reply) => reply.print(json),
        Err(failure) => failure.report(json),
    }
}

async fn run(cli: Cli) -> Result<Reply, Failure> {
    let Cli { context, command } = cli;
    let path = context.store_path()?;
    // Everything else that can block or fail comes first, so that the store is locked only briefly.
    let prefix = context.prefix()?;
    let peppers = read_peppers(&context)?;
    let presented = match &command {
        Command::Verify(_) => Some(verify::read_token()?),
        _ => None,
    };
    // A mistyped name must not create an empty store, except with the command that sets it up.
    let is_absent = || matches!(path.try_exists(), Ok(false));
    if !command.may_create_store() && is_absent() {
        return Err(no_store(&path));
    }
    let mut options = FileOptions::new();
    if context.danger_allow_shared_files {
        options = options.danger_allow_shared_files();
    }
    if command.continues_move() {
        options = options.danger_open_moved_file();
    }
    let store = options.open(&path).await?;
    let keywright = Keywright::builder(store.clone()).prefix(prefix).peppers(peppers).build()?;
    let done = dispatch(&store, &keywright, &context, command, presented).await;
    let closed = store.close().await;
    let mut reply = done?;
    // The work is done, so its result is printed even if the store could not be closed. Otherwise a
    // token would be lost.
    if let Err(error) = closed {
        reply.failure.get_or_insert(error.into());
    }
    Ok(reply)
}

async fn dispatch(
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "only `transfer` uses it")
    )]
    store: &FileStore,
    keywright: &Keywright,
    context: &Context,
    command: Command,
    presented: Option<Zeroizing<String>>,
) -> Result<Reply, Failure> {
    let authority = keywright.authority();
    let session = Session {
        verifier: keywright.verifier(),
        actor: context.actor.actor(&context.tenant.clone().unwrap_or_default()),
        names_tenant: context.tenant.is_some(),
        authority,
    };
    match command {
        Command::Policy(command) => policy::run(&session, command).await,
        Command::Plan(command) => plan::run(&session, command).await,
        Command::Settings(command) => settings::run(&session, command).await,
        Command::User(command) => user::run(&session, command).await,
        Command::Owner(command) => user::run_of_owner(&session, command).await,
        Command::Account(command) => account::run(&session, command).await,
        Command::Key(command) => key::run(&session, command).await,
        Command::Abilities { owner } => abilities::run(&session, owner).await,
        Command::Tenant(command) => all_tenants::tenant(&session, command).await,
        Command::Sweep { all_tenants } => all_tenants::sweep(&session, all_tenants).await,
        Command::Verify(needs) => {
            verify::run(&session, &needs, &presented.unwrap_or_default()).await
        }
        Command::Events(query) => events::run(&session, query).await,
        #[cfg(feature = "postgres")]
        Command::Transfer(to) => transfer::run(store, &to, context.json),
    }
}

fn no_store(path: &Path) -> Failure {
    let path = path.display();
    Failure::refused(
        "no_store",
        format!(
            "there is no store at {path}; create it with \
             `keywright --store {path} settings set --api-enabled on`"
        ),
    )
}

fn read_peppers(context: &Context) -> Result<PepperRing, Failure> {
    let mut ring = PepperRing::none();
    for pepper in &context.peppers {
        let what = || format!("cannot read the pepper file {}", pepper.path.display());
        let bytes = std::fs::read(&pepper.path).map(Zeroizing::new);
        ring = ring.with(pepper.id, bytes.map_err(|error| read_error(&what(), &error))?)?;
    }
    Ok(ring)
}

impl Context {
    /// Returns the store file. It is checked here because clap cannot require an option that is
    /// also accepted after the command.
    fn store_path(&self) -> Result<PathBuf, Failure> {
        let path =
            self.store.clone().or_else(|| std::env::var_os("KEYWRIGHT_STORE").map(Into::into));
        path.ok_or_else(|| Failure::usage("no store: give --store FILE or set KEYWRIGHT_STORE"))
    }

    fn prefix(&self) -> Result<Prefix, Failure> {
        match (&self.prefix, std::env::var("KEYWRIGHT_PREFIX")) {
            (Some(prefix), _) => Ok(prefix.clone()),
            (None, Ok(text)) => {
                text.parse().map_err(|error| Failure::usage(format!("KEYWRIGHT_PREFIX: {error}")))
            }
            (None, Err(VarError::NotPresent)) => Ok(Prefix::default()),
            (None, Err(error)) => Err(Failure::usage(format!("KEYWRIGHT_PREFIX: {error}"))),
        }
    }
}
