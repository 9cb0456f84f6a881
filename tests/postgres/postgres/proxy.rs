//! A proxy between pool and server that cuts or freezes a connection at a given word.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

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
}

#[derive(Clone)]
pub(crate) struct Proxy {
    address: SocketAddr,
    fate: Arc<Mutex<Option<(&'static str, Fate)>>>,
}

impl Proxy {
    /// Starts a proxy to a local server port. The proxy runs as long as the runtime.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let proxy = Self { address, fate: Arc::default() };
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
        let mut is_cut_next = false;
        loop {
            tokio::select! {
                read = client.read(&mut said) => {
                    let said = &said[..read?];
                    let fate = self.fate_of(said);
                    if said.is_empty() || fate == Some(Fate::CutBefore) {
                        return Ok(());
                    }
                    server.write_all(said).await?;
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
                }
            }
        }
    }
}
