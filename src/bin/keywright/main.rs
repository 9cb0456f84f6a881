//! `keywright`: manages API keys in a store file, in PostgreSQL, or in a running service.
//!
//! ```text
//! keywright --store keys.db init --reads invoices:read --key prod-main-app
//! keywright --store keys.db key list
//! ```
//!
//! Every command is a call of the management API, which for a file and a database runs inside this
//! process. A token is written to standard output by the command that generates it, and by no other.
//! Secrets are read from a terminal without echo, from standard input or from a file, because every
//! user of a machine can read the arguments of a process.

mod abilities;
mod account;
mod all_tenants;
mod args;
mod confirm;
mod events;
mod exit;
mod failure;
mod file;
mod init;
mod issued;
mod key;
mod key_args;
mod key_views;
mod leak;
mod leak_args;
mod manual;
mod output;
mod page_args;
mod paging;
mod policy;
mod policy_args;
mod progress;
mod read;
mod revoke;
mod rules;
mod scan;
mod secret_in_arguments;
mod secret_input;
mod session;
mod tables;
mod target;
mod usage;
mod user;
mod values;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use keywright::scan::Found;
use tokio::runtime::Builder;
use zeroize::Zeroizing;

use self::args::{Cli, Command, Context};
use self::failure::Failure;
use self::output::{Format, Reply};
use self::session::Session;
use self::target::{Opening, Target};

fn main() -> ExitCode {
    if let Err(failure) = secret_in_arguments::refuse(std::env::args_os()) {
        return failure.report(usage::asks_for_json(std::env::args_os()));
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::report(&error),
    };
    let format = cli.context.output;
    match started(cli) {
        Ok(reply) => reply.print(format),
        Err(failure) => failure.report(format == Format::Json),
    }
}

fn started(cli: Cli) -> Result<Reply, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::unavailable(error.to_string()))?;
    runtime.block_on(run(cli))
}

async fn run(cli: Cli) -> Result<Reply, Failure> {
    let Cli { context, command } = cli;
    let opening = match &command {
        Command::Completions { shell } => return Ok(manual::completions(*shell)),
        Command::Man { folder } => return manual::man(folder.as_deref()),
        Command::Scan(args) => return scan::run(&context, args),
        Command::Init(_) => Opening::Create,
        // The move may have been interrupted.
        Command::Transfer(_) => Opening::Moved,
        _ => Opening::Existing,
    };
    // A token is read before the store is locked.
    let given = match &command {
        Command::Verify(_) => Given { token: secret_input::read_token()?, ..Given::default() },
        Command::Leak(_) => Given { leaked: leak::read_tokens()?, ..Given::default() },
        _ => Given::default(),
    };
    let target = Target::open(&context, opening).await?;
    let session = Session { target, format: context.output, yes: context.yes };
    let done = dispatch(&session, &context, command, given).await;
    let closed = session.target.close().await;
    // The work is done, so its result is printed even if the store could not be closed. Otherwise a
    // token would be lost.
    Ok(done?.failing(closed.err()))
}

/// The tokens from standard input.
#[derive(Default)]
struct Given {
    /// The token to check.
    token: Zeroizing<String>,
    /// The tokens in a text that was found.
    leaked: Vec<Found>,
}

async fn dispatch(
    session: &Session,
    context: &Context,
    command: Command,
    given: Given,
) -> Result<Reply, Failure> {
    match command {
        Command::Init(args) => init::run(session, context, args).await,
        Command::Policy(command) => policy::run(session, command).await,
        Command::Plan(command) => policy::plan(session, command).await,
        Command::Settings(command) => policy::settings(session, command).await,
        Command::User(command) => user::run(session, command).await,
        Command::Owner(command) => user::run_of_owner(session, command).await,
        Command::Account(command) => account::run(session, command).await,
        Command::Key(command) => key::run(session, command).await,
        Command::Abilities { owner } => abilities::run(session, owner).await,
        Command::Tenant(command) => all_tenants::tenant(session, command).await,
        Command::Sweep { all_tenants } => all_tenants::sweep(session, all_tenants).await,
        Command::Verify(needs) => verify::run(session, &needs, &given.token).await,
        Command::Leak(command) => leak::run(session, command, &given.leaked).await,
        Command::Events(query) => events::run(session, query).await,
        Command::Transfer(to) => file::transfer(session, context, &to).await,
        Command::Check => file::check(session).await,
        Command::Compact => file::compact(session, context).await,
        Command::Scan(args) => scan::run(context, &args),
        Command::Completions { shell } => Ok(manual::completions(shell)),
        Command::Man { folder } => manual::man(folder.as_deref()),
    }
}
