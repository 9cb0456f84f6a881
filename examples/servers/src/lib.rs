//! The parts that the three servers share: arguments, the store, first keys to try, and the shutdown.
//!
//! Your own service has other arguments and another way to give keys to users. The parts of this file
//! that it needs are [`Keys::open`] and [`Keys::close`].

pub mod pages;

use std::error::Error;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use keywright::store::FileStore;
use keywright::{
    Actor, Authority, Keywright, Name, NewAccount, NewKey, Owner, Plan, Prefix, Role, RoleName,
    RunOptions, Running, SettingsEdit, Token, UserId, Verifier,
};
use tempfile::TempDir;

/// The time that running requests have when the server is told to stop. A client that never finishes its
/// request must not prevent the uses of all other clients from being written.
pub const PATIENCE: Duration = Duration::from_secs(10);

type Failure = Box<dyn Error>;

/// A web server with routes that require API keys
#[derive(Parser)]
pub struct Arguments {
    /// The port on 127.0.0.1; 0 chooses a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    /// The store file; without it, a temporary folder that is removed when the server ends
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,
}

/// The open store, with the authority and the verifier over it.
pub struct Keys {
    pub authority: Authority,
    pub verifier: Verifier,
    /// Publishes the metrics.
    pub keywright: Keywright,
    /// The tokens of the first keys, if this process has generated them.
    first: Option<FirstTokens>,
    path: PathBuf,
    store: FileStore,
    running: Running,
    /// The temporary folder, which is removed on drop.
    temporary: Option<TempDir>,
}

/// The token of one key of each kind.
pub struct FirstTokens {
    /// The token of alice's key with the scope `invoices:read`.
    read: Token,
    /// The token of alice's key with the scopes `invoices:read` and `invoices:write`.
    write: Token,
    /// The token of a read-only service account. Its role has both scopes and `reports:read`.
    read_only: Token,
}

impl Keys {
    /// Opens the store, and generates first keys if it is new. Call it in a tokio runtime.
    pub async fn open(store: Option<PathBuf>) -> Result<Self, Failure> {
        let (path, temporary) = if let Some(path) = store {
            (path, None)
        } else {
            let folder = tempfile::tempdir()?;
            (folder.path().join("keys.db"), Some(folder))
        };
        let store = FileStore::open(&path).await?;
        // One `Keywright` for a process, so that all verifiers share the counted uses.
        let keywright =
            Keywright::builder(store.clone()).prefix(Prefix::new("acme_live")?).build()?;
        let authority = keywright.authority();
        let verifier = keywright.verifier();
        let running = keywright.start_with(RunOptions::new().on_flush_error(|error| {
            eprintln!("the counted uses could not be written yet: {}", whole_chain(error));
        }))?;
        let first = None;
        let keys = Self { authority, verifier, keywright, first, path, store, running, temporary };
        let first = keys.generate_first_keys().await?;
        Ok(Self { first, ..keys })
    }

    /// Generates a key of each kind if the store is new. A token is shown only once, so a later start with
    /// the same store has no tokens to show.
    async fn generate_first_keys(&self) -> Result<Option<FirstTokens>, Failure> {
        let authority = &self.authority;
        // The host itself. In your own service this is a user who is logged in.
        let host = Actor::administrator(UserId::new("example")?);
        let current = authority.policy(&host).await?.plan;
        if current.version > 0 {
            return Ok(None);
        }
        // Your service sets the plan of this tenant, and the tenant's admin then turns API access on.
        let clerk = RoleName::new("clerk")?;
        let role = Role::new("invoices:read invoices:write reports:read".parse()?);
        let mut plan =
            Plan::allowing("invoices:read reports:read".parse()?, "invoices:write".parse()?);
        plan.default_scopes = "invoices:read".parse()?;
        plan.roles.insert(clerk.clone(), role.description("Works with invoices".parse()?));
        authority.set_plan(&host, plan).await?;
        authority.edit_settings(&host, SettingsEdit::new().api_enabled(Some(true))).await?;

        let alice = Actor::developer(UserId::new("alice")?);
        let new = NewKey::named("read-invoices")?.scopes("invoices:read".parse()?);
        let read = authority.generate(&alice, new).await?.token;
        let new = NewKey::named("write-invoices")?.scopes("invoices:read invoices:write".parse()?);
        let write = authority.generate(&alice, new).await?.token;

        let nightly = NewAccount::new(Name::new("nightly-report")?, clerk).read_only();
        let owner = Owner::Account(authority.create_account(&host, nightly).await?.account.id);
        let read_only = authority
            .generate(&host, NewKey::named("look-at-all")?.owner(owner.clone()))
            .await?
            .token;
        Ok(Some(FirstTokens { read, write, read_only }))
    }

    /// Writes the counted uses and closes the store. Call it after the last request.
    pub async fn close(self) -> Result<(), Failure> {
        let flushed = self.running.shutdown().await;
        self.store.close().await?;
        Ok(flushed?)
    }

    /// Prints the address of the server and commands to try. The tokens in them are shown only once.
    pub fn print_commands(
        &self,
        address: SocketAddr,
        commands: fn(&str, Option<&FirstTokens>) -> String,
    ) -> io::Result<()> {
        let url = format!("http://{address}");
        let path = self.path.display();
        let kept = match self.temporary {
            Some(_) => " (removed when the server ends; --store FILE keeps the keys)",
            None => "",
        };
        let again = match self.first {
            Some(_) => String::new(),
            None => format!(
                "\
The store has keys already, and a token is shown once. To get a new token for a key, stop the server
and run:
cargo run --features cli -- --store {path} key list
cargo run --features cli -- --store {path} key rotate ID

"
            ),
        };
        let parts = self.first.as_ref().map_or_else(String::new, FirstTokens::parts);
        let commands = commands(&url, self.first.as_ref());
        let text = format!(
            "listening on {url}\nThe store is {path}{kept}\n\n{again}{parts}{commands}\nCtrl-C ends the server.\n"
        );
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }
}

impl FirstTokens {
    /// Returns the header of each token as an argument of curl: read, write, read-only.
    pub fn headers(&self) -> [String; 3] {
        [&self.read, &self.write, &self.read_only]
            .map(|token| format!("-H 'authorization: Bearer {}'", token.expose()))
    }

    /// Returns a table of the keys: each token, and the key id and key secret that it consists of.
    fn parts(&self) -> String {
        let keys = [
            ("alice, reading", &self.read),
            ("alice, both", &self.write),
            ("account", &self.read_only),
        ];
        let row = |(whose, token): (&str, &Token)| {
            let (whole, id, secret) = (token.expose(), token.key_id(), token.expose_key_secret());
            format!("{whose}\n  token       {whole}\n  key id      {id}\n  key secret  {secret}\n")
        };
        let rows = keys.map(row).concat();
        format!(
            "The first keys, shown once. A client sends the token, or key id and key secret.\n{rows}\n"
        )
    }
}

/// Returns a future that ends on Ctrl-C or SIGTERM. The signals are caught from the call on, and not only
/// while the future is awaited.
pub fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    let signals = {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        async move {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        }
    };
    #[cfg(windows)]
    let signals = {
        let mut interrupt = tokio::signal::windows::ctrl_c()?;
        async move {
            interrupt.recv().await;
        }
    };
    Ok(signals)
}

/// Parses the arguments. `--help` prints the help and ends the process.
pub fn arguments() -> Result<Arguments, Failure> {
    Arguments::try_parse().map_err(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        format!("{line} (see --help)").into()
    })
}

/// Binds the port. Call it before the store is opened, so that no keys are generated and never shown.
pub fn listen(port: u16) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| format!("port {port} can't be used: {error}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Returns the exit code, and prints one line on standard error if the server failed.
pub fn exit_code(program: &str, ended: Result<(), Failure>) -> ExitCode {
    let Err(error) = ended else { return ExitCode::SUCCESS };
    // If standard error can't be written, the exit code still reports the failure.
    let _ = writeln!(io::stderr(), "{program}: {}", whole_chain(&*error));
    ExitCode::FAILURE
}

/// Joins the texts of an error and its sources.
fn whole_chain(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.join(": ")
}

// The pages of the guide on web services. Their examples are compiled and run here.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../../../src/guide/actix.md")]
    mod actix {}
    #[doc = include_str!("../../../src/guide/axum.md")]
    mod axum {}
    #[doc = include_str!("../../../src/guide/management.md")]
    mod management {}
    #[doc = include_str!("../../../src/guide/observing.md")]
    mod observing {}
    #[doc = include_str!("../../../src/guide/tonic.md")]
    mod tonic {}
    #[doc = include_str!("../../../src/guide/web.md")]
    mod web {}
}
