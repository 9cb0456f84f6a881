//! A minimal HTTP/1.1 client: one connection, one request after another.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use keywright::Token;

/// The longest wait for an answer. A slower node counts as failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a request with this key, and returns the status of the answer.
    pub(crate) fn hello(&mut self, token: &Token) -> io::Result<u16> {
        let token = token.expose();
        self.ask(&format!(
            "GET /hello HTTP/1.1\r\nhost: node\r\nauthorization: Bearer {token}\r\n\r\n"
        ))
    }

    /// Revokes the key on this node, and returns the status of the answer.
    pub(crate) fn leaked(&mut self, token: &Token) -> io::Result<u16> {
        let token = token.expose();
        let length = token.len();
        self.ask(&format!(
            "POST /leaked HTTP/1.1\r\nhost: node\r\ncontent-length: {length}\r\n\r\n{token}"
        ))
    }

    fn ask(&mut self, request: &str) -> io::Result<u16> {
        self.0.get_mut().write_all(request.as_bytes())?;
        let strange = || io::Error::other("the answer of a node is not HTTP");
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(strange)?;
        let mut length = 0;
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(|_| strange())?;
            }
        }
        self.0.read_exact(&mut vec![0; length])?;
        Ok(status)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}
