//! A minimal HTTP/1.1 client that sends raw bytes and parses the answers.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::server::Server;

/// The time after which a silent server counts as hung.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time");
        Self { stream: BufReader::new(stream) }
    }

    /// Sends bytes. A server that has answered may close the connection before all bytes are sent.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        match self.stream.get_mut().write_all(bytes) {
            Err(error)
                if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {}
            sent => sent.expect("the server reads"),
        }
    }

    /// Reads the next answer. An answer to `HEAD` has no body.
    pub(crate) fn answer(&mut self, method: &str) -> Answer {
        let status = self.line();
        let (version, rest) = status.split_once(' ').expect("a status line");
        assert_eq!(version, "HTTP/1.1", "{status}");
        let status = rest[..3].parse().expect("a status");
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer { status, headers, body: String::new() };
        let has_body = method != "HEAD" && !matches!(status, 204 | 304);
        if has_body {
            let length = answer.header("content-length").expect("a length");
            let mut body = vec![0; length.parse().expect("a number")];
            self.stream.read_exact(&mut body).expect("the whole body");
            answer.body = String::from_utf8(body).expect("text");
        }
        answer
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("the server answers");
        assert!(line.ends_with("\r\n"), "the server hung up: {line:?}");
        line.trim_end().to_owned()
    }
}

impl Answer {
    /// Returns the value of a header, which must not occur twice.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let first = values.next();
        assert_eq!(values.next(), None, "{name} is there twice");
        first
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Formats a request.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    for (name, value) in headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    if !body.is_empty() || method == "POST" {
        let _ = write!(text, "content-length: {}\r\n", body.len());
    }
    text + "\r\n" + body
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

impl Server {
    /// Sends one request on a new connection.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(method, path, headers, "")
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut connection = Connection::open(self.address);
        connection.send(request(method, path, headers, body).as_bytes());
        connection.answer(method)
    }

    /// Sends one request with a token in `Authorization`.
    pub(crate) fn ask_with(&self, token: &str, method: &str, path: &str) -> Answer {
        self.ask(method, path, &[("authorization", &bearer(token))])
    }
}
