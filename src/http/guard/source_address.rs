//! The source address of a request: the peer of its connection, or the address that a trusted proxy
//! reports.

use std::borrow::Cow;
use std::net::IpAddr;

use super::headers::{HeaderError, Headers, header_name};
use crate::value::network::{Network, Networks};
use crate::value::text::decimal;

/// The address of the peer of a connection, which the host can set as an extension of a request.
///
/// A guard uses it as the source of the request, for keys that are bound to networks. With hyper
/// and tonic, insert it into the extensions of each request before the guard runs. axum knows the
/// peer if the router is served with `into_make_service_with_connect_info::<SocketAddr>()`, and
/// actix-web always knows it. This extension takes precedence over both.
///
/// ```
/// # #[cfg(feature = "tower")] {
/// use std::net::SocketAddr;
/// use keywright::http::PeerAddr;
///
/// fn with_peer<B>(mut request: http::Request<B>, peer: SocketAddr) -> http::Request<B> {
///     request.extensions_mut().insert(PeerAddr(peer.ip()));
///     request
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PeerAddr(pub IpAddr);

/// The proxies that are trusted to report the source of a request.
///
/// Without this setting, the source is the peer of the connection. Headers are ignored, because any
/// client can send them.
///
/// With this setting, the header is read if the peer is one of these proxies:
///
/// ```text
/// X-Forwarded-For: 192.0.2.1, 203.0.113.7, 10.0.0.3     peer: 10.0.0.2
///                  ignored    the source   a proxy            a proxy
/// ```
///
/// The guard reads the addresses from the right, where the nearest proxy appends its own entry. The
/// first one that is not a trusted proxy is the source. Addresses further to the left come from the
/// client and are ignored. The source is unknown if the header is missing, or if the guard reads a
/// malformed address. A key that is bound to networks is then refused.
///
/// ```
/// # use keywright::{Keywright, store::MemoryStore};
/// # let verifier = Keywright::builder(MemoryStore::new()).build()?.verifier();
/// use keywright::http::{Guard, TrustedProxies};
///
/// let proxies = TrustedProxies::new("10.0.0.2 10.0.0.3".parse()?)?;
/// let guard = Guard::new(verifier).trust_proxies(proxies);
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct TrustedProxies {
    networks: Networks,
    header: Cow<'static, str>,
}

/// The error for a set of trusted proxies that is empty or matches every address.
///
/// ```
/// use keywright::http::{TrustedProxies, TrustedProxiesError};
///
/// let every = TrustedProxies::new("0.0.0.0/0".parse()?);
/// assert!(matches!(every, Err(TrustedProxiesError::EveryAddress(_))));
/// # Ok::<(), keywright::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustedProxiesError {
    /// The set of proxies is empty.
    #[error("the set of trusted proxies is empty; list at least one, or do not call trust_proxies")]
    Empty,
    /// The networks match every address, so any client could claim any source.
    #[error("{0} matches every address; list only your own proxies")]
    EveryAddress(Network),
}

impl TrustedProxies {
    /// Creates the setting for the proxies in these networks.
    ///
    /// The proxies set `X-Forwarded-For`, unless [`header`](Self::header) names another header.
    ///
    /// # Errors
    /// * [`TrustedProxiesError::Empty`] for an empty set.
    /// * [`TrustedProxiesError::EveryAddress`] if the networks together hold every address.
    ///
    /// ```
    /// use keywright::http::TrustedProxies;
    ///
    /// let proxies = TrustedProxies::new("10.0.0.2 2001:db8:1::2".parse()?)?;
    /// assert!(TrustedProxies::new("0.0.0.0/0".parse()?).is_err()); // every address
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn new(networks: Networks) -> Result<Self, TrustedProxiesError> {
        if networks.is_anywhere() {
            return Err(TrustedProxiesError::Empty);
        }
        if let Some(all) = networks.covering_all_addresses() {
            return Err(TrustedProxiesError::EveryAddress(all));
        }
        Ok(Self { networks, header: "x-forwarded-for".into() })
    }

    /// Reads the source from another header, such as `CF-Connecting-IP`.
    ///
    /// The value is one address, or several separated by commas. The proxies must set the header on
    /// every request and replace the value that the client sent.
    ///
    /// # Errors
    /// * [`HeaderError::Malformed`] if the text is not a header name of 1 to 64 characters.
    /// * [`HeaderError::Reserved`] for `Authorization`, `Cookie`, `Host`, and `Forwarded`, whose
    ///   grammar (RFC 7239) is not supported.
    ///
    /// ```
    /// use keywright::http::TrustedProxies;
    ///
    /// let proxies = TrustedProxies::new("10.0.0.2".parse()?)?.header("CF-Connecting-IP")?;
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn header(self, name: &str) -> Result<Self, HeaderError> {
        let header = header_name(name, &["authorization", "cookie", "forwarded", "host"])?;
        Ok(Self { header: header.into(), ..self })
    }

    /// Returns the source of a request whose connection comes from `peer`.
    pub(super) fn source(&self, peer: IpAddr, headers: &impl Headers) -> Option<IpAddr> {
        self.source_of(peer, headers.values(&self.header))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// Returns the name of the header that is read, in lower case.
    ///
    /// ```
    /// use keywright::http::TrustedProxies;
    ///
    /// let proxies = TrustedProxies::new("10.0.0.2".parse()?)?;
    /// assert_eq!(proxies.header_name(), "x-forwarded-for");
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn header_name(&self) -> &str {
        &self.header
    }

    /// Returns the source of a request, for [`Actor::source_address`](crate::Actor::source_address)
    /// in the host's own login.
    ///
    /// `peer` is the address of the connection, and `values` are all values of the header
    /// [`header_name`](Self::header_name), in their order. The result is `None` if the source is
    /// unknown. A guard finds the source of a request with a key in the same way.
    ///
    /// ```
    /// use std::net::IpAddr;
    /// use keywright::http::TrustedProxies;
    ///
    /// let proxies = TrustedProxies::new("10.0.0.2".parse()?)?;
    /// let forwarded: [&[u8]; 1] = [b"192.0.2.1, 203.0.113.7"];
    /// let source = proxies.source_of(IpAddr::from([10, 0, 0, 2]), forwarded.into_iter());
    /// assert_eq!(source, Some(IpAddr::from([203, 0, 113, 7])));
    ///
    /// // A client that connects directly cannot claim another address.
    /// let client = IpAddr::from([198, 51, 100, 9]);
    /// assert_eq!(proxies.source_of(client, forwarded.into_iter()), Some(client));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn source_of<'a>(
        &self,
        peer: IpAddr,
        values: impl DoubleEndedIterator<Item = &'a [u8]>,
    ) -> Option<IpAddr> {
        if !self.trusts(peer) {
            return Some(peer);
        }
        let mut farthest = None;
        for value in values.rev() {
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

/// Parses an address with or without a port. An IPv6 address may be in brackets, and must be if a
/// port follows.
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
