//! Networks from which a key may be used: CIDR blocks of IPv4 and IPv6 addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::redact::redact;
use crate::value::text::{decimal, serde_as_text};

/// A network in CIDR notation, such as `203.0.113.0/24` or `2001:db8::/32`, or a single address.
///
/// An IPv4 address has one spelling: four decimal numbers without leading zeros. Some parsers read
/// `010.0.0.0` as 8.0.0.0, so leading zeros are rejected. The prefix length is decimal, without a
/// sign or leading zeros. IPv6 is parsed in every spelling of RFC 4291 section 2.2 and printed as
/// RFC 5952 recommends.
///
/// ```
/// use keywright::Network;
///
/// let network: Network = "2001:DB8:0:0::/32".parse()?;
/// assert_eq!(network.to_string(), "2001:db8::/32");
/// assert!("010.0.0.0/8".parse::<Network>().is_err());
/// # Ok::<(), keywright::NetworkError>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Network(IpNet);

/// A text that is not a network, or a list that is not a valid set of [`Networks`].
///
/// ```
/// use keywright::{Network, NetworkError};
///
/// let Err(NetworkError::HostBits { network, .. }) = "10.0.0.1/8".parse::<Network>() else {
///     panic!("10.0.0.1/8 has bits set after its prefix");
/// };
/// assert_eq!(network, "10.0.0.0/8");
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The text is neither an address nor an address with a prefix length.
    #[error("{0:?} is not a network: expected 203.0.113.0/24, 2001:db8::/32 or one address")]
    Malformed(String),
    /// Bits are set after the prefix: `10.0.0.1/8` could mean the address or the network.
    #[error("{given} has bits set after its prefix: write {network}, or only the address")]
    HostBits {
        /// The network as it was given.
        given: String,
        /// The network that contains the address.
        network: String,
    },
    /// The network is an IPv4 network in IPv6 notation, such as `::ffff:0:0/96`. It would never
    /// match, because such sources are compared as IPv4 addresses.
    #[error("{0} is an IPv4 network in IPv6 notation: write it in IPv4 notation")]
    MappedIpv4(String),
    /// The text holds no network. A key without restriction has [`Networks::anywhere`].
    #[error("the list of networks is empty: name at least one network")]
    Empty,
    /// The list holds more than [`Networks::MAX`] different networks. The value is their number.
    #[error("a key can have at most {max} networks, got {0}", max = Networks::MAX)]
    TooMany(usize),
}

impl Network {
    /// Returns whether `source` is in this network.
    ///
    /// An IPv4-mapped IPv6 address counts as the IPv4 address.
    ///
    /// ```
    /// use std::net::IpAddr;
    /// use keywright::Network;
    ///
    /// let office: Network = "203.0.113.0/24".parse()?;
    /// assert!(office.contains(IpAddr::from([203, 0, 113, 7])));
    /// assert!(!office.contains(IpAddr::from([198, 51, 100, 7])));
    /// # Ok::<(), keywright::NetworkError>(())
    /// ```
    pub fn contains(&self, source: IpAddr) -> bool {
        self.0.contains(&source.to_canonical())
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let malformed = || NetworkError::Malformed(redact(text));
        // The standard library rejects leading zeros in IPv4 addresses; ipnet accepts them.
        let address = |text: &str| text.parse::<IpAddr>().map_err(|_| malformed());
        let net = match text.split_once('/') {
            Some((text, length)) => {
                let length = decimal(length).ok_or_else(malformed)?;
                IpNet::new(address(text)?, length).map_err(|_| malformed())?
            }
            None => IpNet::from(address(text)?.to_canonical()),
        };
        if let IpNet::V6(v6) = net
            && v6.addr().to_ipv4_mapped().is_some()
        {
            return Err(NetworkError::MappedIpv4(net.to_string()));
        }
        if net.trunc() != net {
            let network = net.trunc().to_string();
            return Err(NetworkError::HostBits { given: net.to_string(), network });
        }
        Ok(Self(net))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({})", self.0)
    }
}

/// The networks from which a key may be used: at most 32.
///
/// The empty list has no restriction: it allows every source. In text, the networks are separated
/// by spaces or commas, and there must be at least one.
///
/// ```
/// use std::net::IpAddr;
/// use keywright::Networks;
///
/// let networks: Networks = "203.0.113.0/24, 2001:db8::/32".parse()?;
/// assert!(networks.allow(Some(IpAddr::from([203, 0, 113, 7]))));
/// assert!(!networks.allow(None), "the source is unknown");
/// # Ok::<(), keywright::NetworkError>(())
/// ```
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Networks(
    /// The networks; `None` for all addresses, which takes no memory.
    Option<Arc<Vec<Network>>>,
);

impl Networks {
    /// The maximum number of networks of a key.
    pub const MAX: usize = 32;

    /// Creates a list of these networks, sorted and without duplicates.
    ///
    /// An empty iterator gives [`Networks::anywhere`].
    ///
    /// ```
    /// use keywright::Networks;
    ///
    /// let networks = Networks::new(["203.0.113.0/24".parse()?, "2001:db8::/32".parse()?])?;
    /// assert_eq!(networks.iter().count(), 2);
    /// # Ok::<(), keywright::NetworkError>(())
    /// ```
    ///
    /// # Errors
    /// [`NetworkError::TooMany`] if there are more than [`Networks::MAX`] different networks.
    pub fn new(networks: impl IntoIterator<Item = Network>) -> Result<Self, NetworkError> {
        let mut networks: Vec<Network> = networks.into_iter().collect();
        networks.sort_unstable();
        networks.dedup();
        if networks.len() > Self::MAX {
            return Err(NetworkError::TooMany(networks.len()));
        }
        Ok(Self((!networks.is_empty()).then(|| Arc::new(networks))))
    }

    /// Returns the list without restriction, which allows every source.
    ///
    /// ```
    /// use keywright::Networks;
    ///
    /// assert!(Networks::anywhere().allow(None));
    /// ```
    pub const fn anywhere() -> Self {
        Self(None)
    }

    /// Returns whether a request from `source` may use the key.
    ///
    /// A list with a restriction never allows an unknown source (`None`).
    ///
    /// ```
    /// use std::net::IpAddr;
    /// use keywright::Networks;
    ///
    /// let networks: Networks = "203.0.113.0/24".parse()?;
    /// assert!(networks.allow(Some(IpAddr::from([203, 0, 113, 7]))));
    /// assert!(!networks.allow(None));
    /// # Ok::<(), keywright::NetworkError>(())
    /// ```
    pub fn allow(&self, source: Option<IpAddr>) -> bool {
        self.is_anywhere()
            || source.is_some_and(|source| self.iter().any(|net| net.contains(source)))
    }

    /// Returns whether `other` covers each network of this list.
    ///
    /// [`Networks::anywhere`] covers every list. No other list covers it.
    ///
    /// ```
    /// use keywright::Networks;
    ///
    /// let office: Networks = "203.0.113.0/24".parse()?;
    /// let desk: Networks = "203.0.113.7".parse()?;
    /// assert!(desk.is_within(&office));
    /// assert!(!office.is_within(&desk));
    /// assert!(office.is_within(&Networks::anywhere()));
    /// # Ok::<(), keywright::NetworkError>(())
    /// ```
    pub fn is_within(&self, other: &Self) -> bool {
        let is_covered = |net: &Network| other.iter().any(|wide| wide.0.contains(&net.0));
        other.is_anywhere() || !self.is_anywhere() && self.iter().all(is_covered)
    }

    /// Returns whether the list has no restriction.
    ///
    /// ```
    /// use keywright::Networks;
    ///
    /// assert!(Networks::anywhere().is_anywhere());
    /// assert!(!"203.0.113.0/24".parse::<Networks>()?.is_anywhere());
    /// # Ok::<(), keywright::NetworkError>(())
    /// ```
    pub fn is_anywhere(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the network of all IPv4 or all IPv6 addresses, if the list covers all of them.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn covering_all_addresses(&self) -> Option<Network> {
        let all: Vec<IpNet> = self.iter().map(|network| network.0).collect();
        let joined = IpNet::aggregate(&all);
        joined.into_iter().find(|network| network.prefix_len() == 0).map(Network)
    }

    /// Returns an iterator over the networks in ascending order.
    ///
    /// ```
    /// use keywright::Networks;
    ///
    /// let networks: Networks = "2001:db8::/32 203.0.113.0/24".parse()?;
    /// let texts: Vec<_> = networks.iter().map(ToString::to_string).collect();
    /// assert_eq!(texts, ["203.0.113.0/24", "2001:db8::/32"]);
    /// # Ok::<(), keywright::NetworkError>(())
    /// ```
    pub fn iter(&self) -> std::slice::Iter<'_, Network> {
        self.as_slice().iter()
    }
}

impl Networks {
    fn as_slice(&self) -> &[Network] {
        self.0.as_deref().map(Vec::as_slice).unwrap_or_default()
    }
}

impl fmt::Debug for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Networks").field(&self.as_slice()).finish()
    }
}

impl Serialize for Networks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(serializer)
    }
}

impl<'a> IntoIterator for &'a Networks {
    type Item = &'a Network;
    type IntoIter = std::slice::Iter<'a, Network>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Parses networks separated by spaces or commas. The text must hold at least one.
impl FromStr for Networks {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let words = text.split([' ', ',']).filter(|word| !word.is_empty());
        let networks = words.map(str::parse).collect::<Result<Vec<_>, _>>()?;
        if networks.is_empty() {
            return Err(NetworkError::Empty);
        }
        Self::new(networks)
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::<Network>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

serde_as_text!(Network);
