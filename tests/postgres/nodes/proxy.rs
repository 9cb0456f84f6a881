//! A proxy between a node and its database. It forwards everything until a test changes its mode.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Mode {
    #[default]
    Forward,
    /// New connections are closed at once.
    Refuse,
    /// New connections stay open and get no answer.
    Swallow,
}

/// The server's reply when a transaction is committed.
const COMMITTED: &[u8] = b"COMMIT\0";

/// A proxy, which runs until the process ends.
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
    /// Clients without a connection to the server.
    waiting: Vec<TcpStream>,
}

/// A client's connection and the matching one to the server.
struct Pair {
    client: TcpStream,
    server: TcpStream,
    /// All bytes are lost, and neither end gets an error.
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

    /// Cuts all connections and refuses new ones.
    pub(crate) fn refuse(&self) {
        let mut state = self.shared.state();
        state.mode = Mode::Refuse;
        state.pairs.drain(..).for_each(|pair| pair.end());
    }

    /// Loses all bytes on open and on new connections without an error. These connections never
    /// recover.
    pub(crate) fn swallow(&self) {
        let mut state = self.shared.state();
        state.mode = Mode::Swallow;
        state.pairs.iter().for_each(|pair| pair.is_dead.store(true, Ordering::SeqCst));
    }

    /// Lets new connections through.
    pub(crate) fn forward(&self) {
        self.shared.state().mode = Mode::Forward;
    }

    /// Cuts the next connection on which the server confirms a commit, before the client receives
    /// it.
    pub(crate) fn lose_acknowledgement(&self) {
        self.shared.loses_acknowledgement.store(true, Ordering::SeqCst);
    }

    /// Directs new connections to another server.
    pub(crate) fn turn_to(&self, target: u16) {
        self.shared.target.store(target, Ordering::SeqCst);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, client: TcpStream) {
        // The lock orders this connection before or after a change of mode.
        let mut state = self.state();
        match state.mode {
            Mode::Refuse => return,
            Mode::Swallow => return state.waiting.push(client),
            Mode::Forward => {}
        }
        let target = ("127.0.0.1", self.target.load(Ordering::SeqCst));
        // The server is down, so the client's connection is closed.
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
            // The stream may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
