//! A proxy between pool and server that cuts, holds or freezes a connection at a given word, and counts
//! round trips.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Occurs in the statement that sends a hint.
const HINT: &str = "pg_notify";
/// The message with which the pool tests a connection that is given back to it.
const PING: &[u8] = b"S\0\0\0\x04";

/// The fate of the next connection on which a client sends the word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// The connection is cut before the server receives the word.
    CutBefore,
    /// The connection is cut after the server has executed the statement and before the client
    /// receives the reply.
    CutAfter,
    /// The server receives the word, and then neither side receives anything.
    Frozen,
    /// The server receives the word only after a call of `release`.
    Held,
}

#[derive(Clone)]
pub(crate) struct Proxy {
    address: SocketAddr,
    fate: Arc<Mutex<Option<(&'static str, Fate)>>>,
    released: Arc<Notify>,
    /// The number of times that a client sent something and the server answered. Hints and tests of a
    /// connection do not count.
    round_trips: Arc<AtomicUsize>,
}

impl Proxy {
    /// Starts a proxy to a local server port. The proxy runs as long as the runtime.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (fate, released, round_trips) = (Arc::default(), Arc::default(), Arc::default());
        let proxy = Self { address, fate, released, round_trips };
        let wires = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                tokio::spawn(wires.clone().carry(client, server));
            }
        });
        proxy
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Sets the fate of the next connection on which a client sends this word.
    pub(crate) fn at(&self, word: &'static str, fate: Fate) {
        *self.fate.lock().unwrap_or_else(PoisonError::into_inner) = Some((word, fate));
    }

    /// Lets the held connection go on.
    pub(crate) fn release(&self) {
        self.released.notify_one();
    }

    /// Returns the number of round trips since the last call.
    pub(crate) fn round_trips(&self) -> usize {
        self.round_trips.swap(0, Ordering::SeqCst)
    }

    /// Returns whether the word is still to come.
    pub(crate) fn is_armed(&self) -> bool {
        self.fate.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Returns the fate if the bytes contain the word, and only once.
    fn fate_of(&self, said: &[u8]) -> Option<Fate> {
        let mut fate = self.fate.lock().unwrap_or_else(PoisonError::into_inner);
        let (word, _) = (*fate)?;
        let is_said = said.windows(word.len()).any(|part| part == word.as_bytes());
        if is_said { fate.take().map(|(_, fate)| fate) } else { None }
    }

    async fn carry(self, mut client: TcpStream, mut server: TcpStream) -> io::Result<()> {
        let (mut said, mut heard) = (vec![0; 16_384], vec![0; 16_384]);
        let (mut is_cut_next, mut is_asked) = (false, false);
        loop {
            tokio::select! {
                read = client.read(&mut said) => {
                    let said = &said[..read?];
                    let fate = self.fate_of(said);
                    if said.is_empty() || fate == Some(Fate::CutBefore) {
                        return Ok(());
                    }
                    if fate == Some(Fate::Held) {
                        self.released.notified().await;
                    }
                    server.write_all(said).await?;
                    let is_hint = said.windows(HINT.len()).any(|part| part == HINT.as_bytes());
                    is_asked |= !is_hint && said != PING;
                    if fate == Some(Fate::Frozen) {
                        std::future::pending::<()>().await;
                    }
                    is_cut_next |= fate == Some(Fate::CutAfter);
                }
                read = server.read(&mut heard) => {
                    let heard = &heard[..read?];
                    if heard.is_empty() || is_cut_next {
                        return Ok(());
                    }
                    client.write_all(heard).await?;
                    if std::mem::take(&mut is_asked) {
                        self.round_trips.fetch_add(1, Ordering::SeqCst);
                    }
                }
            }
        }
    }
}
