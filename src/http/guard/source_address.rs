//! The source address of a request: the peer of its connection, or what a trusted proxy says it is.

use std::borrow::Cow;
use std::net::IpAddr;

use super::headers::{HeaderError, Headers, header_name};
use crate::value::network::{Network, Networks};
use crate::value::text::decimal;

/// The address at the other end of the connection, as an extension of a request.
///
/// hyper and tonic do not provide it: put it into each request's extensions outside of the guard. axum
/// provides it if the router is served with `into_make_service_with_connect_info::<SocketAddr>()`,
/// actix-web always does. This extension takes precedence over both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PeerAddr(pub IpAddr);

/// The proxies whose word about the source of a request is trusted.
///
/// Without this setting the source is the peer of the connection, whatever the headers say: a header
/// that any client can send decides nothing.
///
/// With it, and if the peer is one of these proxies, the addresses in the header are read from the
/// right, where the nearest proxy wrote. The first that is not a trusted proxy is the source.
/// Addresses further to the left come from the client and are ignored. If the header is missing, or
/// one of the addresses that are read is malformed, the source is unknown, and a key that is bound to
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

/// The reason why a set of proxies can't be trusted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustedProxiesError {
    /// The set is empty.
    #[error("no proxy is named: leave the setting out if there is none")]
    Empty,
    /// The set matches every address, so any client could claim any source.
    #[error("{0} matches every address; list only your own proxies")]
    EveryAddress(Network),
}

impl TrustedProxies {
    /// Trusts the proxies in these networks, which write `X-Forwarded-For`.
    ///
    /// # Errors
    /// [`TrustedProxiesError::Empty`] for an empty set, [`TrustedProxiesError::EveryAddress`] for networks
    /// that together hold every address.
    pub fn new(networks: Networks) -> Result<Self, TrustedProxiesError> {
        if networks.is_anywhere() {
            return Err(TrustedProxiesError::Empty);
        }
        if let Some(all) = networks.everybody() {
            return Err(TrustedProxiesError::EveryAddress(all));
        }
        Ok(Self { networks, header: "x-forwarded-for".into() })
    }

    /// Reads the source from another header, such as `CF-Connecting-IP`: one address, or several
    /// separated by commas. The proxies must set it on every request and replace what the client sent.
    ///
    /// # Errors
    /// [`HeaderError`] if the text is not the name of a header. `Forwarded` is refused: its grammar
    /// (RFC 7239) is not supported.
    pub fn header(self, name: &str) -> Result<Self, HeaderError> {
        let header = header_name(name, &["authorization", "cookie", "forwarded", "host"])?;
        Ok(Self { header: header.into(), ..self })
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// Returns the source of a request whose connection comes from `peer`.
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

/// Reads an address with or without a port. IPv6 may be in brackets, and with a port it must be.
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
