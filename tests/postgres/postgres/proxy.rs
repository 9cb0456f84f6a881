//! A wire between pool and server that can be cut or frozen at a word.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to the next connection on which a client says the word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// It is cut before the server hears the word.
    CutBefore,
    /// It is cut when the server has done what it was told, and before the client hears so.
    CutAfter,
    /// The server hears it, and from then on neither hears anything of the other.
    Frozen,
}

#[derive(Clone)]
pub(crate) struct Proxy {
    address: SocketAddr,
    fate: Arc<Mutex<Option<(&'static str, Fate)>>>,
}

impl Proxy {
    /// A wire to the server at a port of this machine, for as long as the runtime lives.
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

    /// What happens to the connection that says this word next.
    pub(crate) fn at(&self, word: &'static str, fate: Fate) {
        *self.fate.lock().unwrap_or_else(PoisonError::into_inner) = Some((word, fate));
    }

    /// Whether nobody has said the word yet.
    pub(crate) fn is_armed(&self) -> bool {
        self.fate.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether this is the word; it is so once.
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
