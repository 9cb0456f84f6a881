//! What stands between a node and its database: it passes everything on until it is told otherwise.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Mode {
    #[default]
    Forward,
    /// Whoever connects is hung up on.
    Refuse,
    /// Whoever connects waits for ever.
    Swallow,
}

/// What a server says when a transaction is committed.
const COMMITTED: &[u8] = b"COMMIT\0";

/// The proxy, which ends with the process.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    target: AtomicU16,
    loses_acknowledgement: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    mode: Mode,
    pairs: Vec<Arc<Pair>>,
    /// Clients that have been connected to nothing.
    waiting: Vec<TcpStream>,
}

/// A connection and its continuation.
struct Pair {
    client: TcpStream,
    server: TcpStream,
    /// Whatever is sent is lost, and neither end is told.
    is_dead: AtomicBool,
    is_over: AtomicBool,
}

impl Proxy {
    pub(crate) fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared { target: target.into(), ..Shared::default() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                accepting.accept(client.expect("a connection"));
            }
        });
        Self { port, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Cuts all connections, and lets nobody through.
    pub(crate) fn refuse(&self) {
        let mut state = self.shared.state();
        state.mode = Mode::Refuse;
        state.pairs.drain(..).for_each(|pair| pair.end());
    }

    /// From now on whatever is sent is lost, on connections that stay open and on new ones. Those
    /// stay dead for good.
    pub(crate) fn swallow(&self) {
        let mut state = self.shared.state();
        state.mode = Mode::Swallow;
        state.pairs.iter().for_each(|pair| pair.is_dead.store(true, Ordering::SeqCst));
    }

    /// Lets new connections through.
    pub(crate) fn forward(&self) {
        self.shared.state().mode = Mode::Forward;
    }

    /// Cuts the next connection over which the server says that it has committed, before that is heard.
    pub(crate) fn lose_acknowledgement(&self) {
        self.shared.loses_acknowledgement.store(true, Ordering::SeqCst);
    }

    /// New connections go to another server.
    pub(crate) fn turn_to(&self, target: u16) {
        self.shared.target.store(target, Ordering::SeqCst);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, client: TcpStream) {
        // Under the lock: what is let through before a change of mode is known to it.
        let mut state = self.state();
        match state.mode {
            Mode::Refuse => return,
            Mode::Swallow => return state.waiting.push(client),
            Mode::Forward => {}
        }
        let target = ("127.0.0.1", self.target.load(Ordering::SeqCst));
        // A server that is down: the client is hung up on.
        let Ok(server) = TcpStream::connect(target) else { return };
        for stream in [&client, &server] {
            stream.set_nodelay(true).expect("an option");
        }
        let (is_dead, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
        let pair = Arc::new(Pair { client, server, is_dead, is_over });
        state.pairs.retain(|pair| !pair.is_over.load(Ordering::SeqCst));
        state.pairs.push(Arc::clone(&pair));
        let (back, shared) = (Arc::clone(&pair), Arc::clone(self));
        thread::spawn(move || pair.pump(&pair.client, &pair.server, |_| true));
        thread::spawn(move || back.pump(&back.server, &back.client, |said| shared.passes(said)));
    }

    fn passes(&self, said: &[u8]) -> bool {
        let is_committed = said.windows(COMMITTED.len()).any(|word| word == COMMITTED);
        !(is_committed && self.loses_acknowledgement.swap(false, Ordering::SeqCst))
    }
}

impl Pair {
    fn pump(&self, mut from: &TcpStream, mut to: &TcpStream, passes: impl Fn(&[u8]) -> bool) {
        let mut bytes = [0; 16 * 1024];
        loop {
            let read = from.read(&mut bytes).unwrap_or(0);
            if self.is_dead.load(Ordering::SeqCst) {
                match read {
                    0 => return,
                    _ => continue,
                }
            }
            let read = &bytes[..read];
            if read.is_empty() || !passes(read) || to.write_all(read).is_err() {
                return self.end();
            }
        }
    }

    fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        for stream in [&self.client, &self.server] {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
