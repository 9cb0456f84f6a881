//! From where a request comes: the peer of its connection, or what a trusted proxy says of it.

use std::borrow::Cow;
use std::net::IpAddr;

use super::credentials::{HeaderError, Headers, header_name};
use crate::value::network::{Network, Networks};
use crate::value::text::decimal;

/// The address at the other end of the connection, as an extension of a request.
///
/// Where the framework does not tell it (hyper by itself, tonic), put it into each request's
/// extensions outside of the guard. axum tells it if the router is served with
/// `into_make_service_with_connect_info::<SocketAddr>()`, actix-web by itself. What is put here goes first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PeerAddr(pub IpAddr);

/// The proxies that are believed when they say from where a request comes.
///
/// Without this setting the source is the peer of the connection, whatever the headers say: a header
/// that any client can send decides nothing.
///
/// With it, and if the peer is one of these proxies, the addresses in the header are read from the
/// right, where the nearest proxy wrote. The first that is not a trusted proxy is the source. What
/// stands further to the left is the client's own writing and is not looked at. If the header is
/// missing, or what is read of it is no address, the source is unknown, and a key that is bound to
/// networks is refused.
///
/// ```
/// use keywright::http::TrustedProxies;
///
/// let proxies = TrustedProxies::new("10.0.0.2 2001:db8:1::2".parse()?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct TrustedProxies {
    networks: Networks,
    header: Cow<'static, str>,
}

/// Such proxies can't be trusted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustedProxiesError {
    /// No network at all.
    #[error("no proxy is named: without one leave the setting out")]
    Nobody,
    /// All addresses: every client could say that it is somebody else.
    #[error("{0} is everybody: name the networks of your own proxies alone")]
    Everybody(Network),
}

impl TrustedProxies {
    /// Proxies in these networks, which write `X-Forwarded-For`.
    ///
    /// # Errors
    /// [`TrustedProxiesError`] for no network, and for such as hold every address together.
    pub fn new(networks: Networks) -> Result<Self, TrustedProxiesError> {
        if networks.is_anywhere() {
            return Err(TrustedProxiesError::Nobody);
        }
        if let Some(all) = networks.everybody() {
            return Err(TrustedProxiesError::Everybody(all));
        }
        Ok(Self { networks, header: "x-forwarded-for".into() })
    }

    /// They write another header, as `CF-Connecting-IP`: one address, or several separated by commas.
    /// It must be one that they write on every request, over whatever the client sent.
    ///
    /// # Errors
    /// [`HeaderError`] if it is no name of a header; `Forwarded` (RFC 7239) has another grammar.
    pub fn header(self, name: &str) -> Result<Self, HeaderError> {
        let header = header_name(name, &["authorization", "cookie", "forwarded", "host"])?;
        Ok(Self { header: header.into(), ..self })
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// The source of a request that comes from `peer`.
    pub(super) fn source(&self, peer: IpAddr, headers: &impl Headers) -> Option<IpAddr> {
        if !self.trusts(peer) {
            return Some(peer);
        }
        let mut farthest = None;
        for value in headers.values(&self.header).rev() {
            for hop in value.rsplit(|byte| *byte == b',') {
                let address = address(hop.trim_ascii())?;
                if !self.trusts(address) {
                    return Some(address);
                }
                farthest = Some(address);
            }
        }
        farthest
    }
}

/// An address, with a port or without; IPv6 may stand in brackets, and with a port it must.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let is_port = |port: &str| decimal::<u16>(port).is_some();
    let Some(bracketed) = text.strip_prefix('[') else {
        let (address, port) = text.split_once(':')?;
        return address.parse().ok().filter(|_| is_port(port)).map(IpAddr::V4);
    };
    let (address, rest) = bracketed.split_once(']')?;
    let is_end = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
    address.parse().ok().filter(|_| is_end).map(IpAddr::V6)
}
