//! What the three servers share: arguments, the store, first keys to try them with, and the end.
//!
//! A service of yours has its own arguments and its own way to hand out keys. What it needs of this
//! file is in [`Keys::open`] and [`Keys::close`].

use std::error::Error;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use keywright::store::FileStore;
use keywright::{
    Actor, Authority, Keywright, Name, NewAccount, NewKey, Owner, Prefix, RoleName, RunOptions,
    Running, Token, UserId, Verifier,
};
use tempfile::TempDir;

/// How long requests that have begun may take when the server is told to stop. A client that never
/// finishes its request must not keep the uses of all others from being written.
pub const PATIENCE: Duration = Duration::from_secs(10);

type Failure = Box<dyn Error>;

/// A web server whose routes ask for API keys
#[derive(Parser)]
pub struct Arguments {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    /// Where the keys are kept; without it in a temporary folder that is removed at the end
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,
}

/// The open store, and what works on it.
pub struct Keys {
    pub authority: Authority,
    pub verifier: Verifier,
    /// The tokens of the first keys, if this start has made them.
    first: Option<FirstTokens>,
    path: PathBuf,
    store: FileStore,
    running: Running,
    /// Removed when it is dropped.
    temporary: Option<TempDir>,
}

/// A key of each kind.
pub struct FirstTokens {
    /// alice's, with the scope `invoices:read`.
    read: Token,
    /// alice's, with `invoices:write` too.
    write: Token,
    /// A service account's. Its role has these scopes and `reports:read`, but it may only look.
    read_only: Token,
}

impl Keys {
    /// Opens the store, or makes one with first keys in it. Call it in a tokio runtime.
    pub async fn open(store: Option<PathBuf>) -> Result<Self, Failure> {
        let (path, temporary) = if let Some(path) = store {
            (path, None)
        } else {
            let folder = tempfile::tempdir()?;
            (folder.path().join("keys.db"), Some(folder))
        };
        let store = FileStore::open(&path).await?;
        // One setup for a process: whoever verifies shares what is counted.
        let keywright =
            Keywright::builder(store.clone()).prefix(Prefix::new("acme_live")?).build()?;
        let authority = keywright.authority();
        let verifier = keywright.verifier();
        let running = keywright.start_with(RunOptions::new().on_flush_error(|error| {
            eprintln!("uses are not written yet: {}", whole_chain(error));
        }))?;
        let keys = Self { authority, verifier, first: None, path, store, running, temporary };
        let first = keys.make_first().await?;
        Ok(Self { first, ..keys })
    }

    /// Makes a key of each kind in a store that is new. A token can't be shown again, so another start
    /// with the same store has none to show.
    async fn make_first(&self) -> Result<Option<FirstTokens>, Failure> {
        let authority = &self.authority;
        // The host itself. In a service of yours this is a person who is logged in.
        let host = Actor::administrator(UserId::new("example")?);
        let mut policy = authority.policy(&host).await?;
        if policy.version > 0 {
            return Ok(None);
        }
        let clerk = RoleName::new("clerk")?;
        policy.api_enabled = true;
        policy.scope_ceiling = "invoices:read invoices:write".parse()?;
        policy.roles.insert(clerk.clone(), "invoices:read invoices:write reports:read".parse()?);
        authority.set_policy(&host, policy).await?;

        let alice = Actor::developer(UserId::new("alice")?);
        let new = NewKey::named("read-invoices")?.scopes("invoices:read".parse()?);
        let read = authority.generate(&alice, new).await?.token;
        let new = NewKey::named("write-invoices")?.scopes("invoices:read invoices:write".parse()?);
        let write = authority.generate(&alice, new).await?.token;

        let nightly = NewAccount::new(Name::new("nightly-report")?, clerk).read_only();
        let owner = Owner::Account(authority.create_account(&host, nightly).await?.id);
        let read_only = authority
            .generate(&host, NewKey::named("look-at-all")?.owner(owner.clone()))
            .await?
            .token;
        Ok(Some(FirstTokens { read, write, read_only }))
    }

    /// Shuts down when no more requests are taken: flushes, then closes the store.
    pub async fn close(self) -> Result<(), Failure> {
        let flushed = self.running.shutdown().await;
        self.store.close().await?;
        Ok(flushed?)
    }

    /// Tells people where the server is and what to try. The tokens in it are shown this once.
    pub fn introduce(
        &self,
        address: SocketAddr,
        lines_to_try: fn(&str, Option<&FirstTokens>) -> String,
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
Its keys were made before, and a token is shown once. A new one for an old key, while the server is
stopped:
cargo run -p keywright-cli -- --store {path} key list
cargo run -p keywright-cli -- --store {path} key rotate ID

"
            ),
        };
        let to_try = lines_to_try(&url, self.first.as_ref());
        let text = format!(
            "listening on {url}\nThe store is {path}{kept}\n\n{again}{to_try}\nCtrl-C ends the server.\n"
        );
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }
}

impl FirstTokens {
    /// The header of each, for curl: reading, reading and writing, looking only.
    pub fn headers(&self) -> [String; 3] {
        [&self.read, &self.write, &self.read_only]
            .map(|token| format!("-H 'authorization: Bearer {}'", token.expose()))
    }
}

/// Ends when the process is told to: by Ctrl-C, or by SIGTERM from what runs services. It listens from
/// the call on, and not only when it is awaited.
pub fn told_to_stop() -> io::Result<impl Future<Output = ()> + Send + 'static> {
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

/// What was typed. `--help` is answered here.
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

/// Takes the port. Before the store is opened: keys that are made must be shown.
pub fn listen(port: u16) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| format!("port {port} can't be used: {error}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The exit code, and one line that says what went wrong.
pub fn exit_code(program: &str, ended: Result<(), Failure>) -> ExitCode {
    let Err(error) = ended else { return ExitCode::SUCCESS };
    // Where standard error can't be written, the exit code alone says it.
    let _ = writeln!(io::stderr(), "{program}: {}", whole_chain(&*error));
    ExitCode::FAILURE
}

fn whole_chain(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.join(": ")
}

// The guide's pages on frameworks, whose examples are compiled and run here.
#[cfg(doctest)]
#[doc = include_str!("../../../src/guide/management.md")]
mod management {}
#[cfg(doctest)]
#[doc = include_str!("../../../src/guide/web.md")]
mod web {}
