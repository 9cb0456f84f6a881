//! Networks that a key may be used from: CIDR blocks of IPv4 and IPv6.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};

use crate::value::redact::redact;
use crate::value::text::{decimal, serde_as_text};

/// One network, as `203.0.113.0/24`, `2001:db8::/32`, or a single address.
///
/// IPv4 has one spelling: four decimal numbers without leading zeros, since some readers take
/// `010.0.0.0` for 8.0.0.0. The prefix length is decimal too, without sign and leading zeros. IPv6
/// is read in every spelling of RFC 4291 section 2.2 and printed as RFC 5952 has it.
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

/// A text that is no network, or too many networks.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// Not an address or an address and a prefix length.
    #[error("{0:?} is not a network: expected as 203.0.113.0/24, 2001:db8::/32 or one address")]
    Malformed(String),
    /// Bits are set behind the prefix: `10.0.0.1/8` may mean the address or the network.
    #[error("{given} has bits set behind its prefix: write {network}, or the address alone")]
    HostBits {
        /// What was given.
        given: String,
        /// The network that contains it.
        network: String,
    },
    /// An IPv4 network written as IPv6 (`::ffff:0:0/96`); sources are compared as IPv4.
    #[error("{0} is an IPv4 network in IPv6 notation: write it as IPv4")]
    MappedIpv4(String),
    /// An empty text: "from anywhere" is said with [`Networks::anywhere`] alone.
    #[error("no network is named: an empty list would mean anywhere")]
    Empty,
    /// More than [`Networks::MAX`].
    #[error("{0} networks are too many: a key holds at most {max}", max = Networks::MAX)]
    TooMany(usize),
}

impl Network {
    /// Returns whether `source` lies in this network. An IPv4-mapped IPv6 address counts as IPv4.
    pub fn contains(&self, source: IpAddr) -> bool {
        self.0.contains(&source.to_canonical())
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let malformed = || NetworkError::Malformed(redact(text));
        // The standard library refuses leading zeros in IPv4, where ipnet reads over them.
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

/// The networks that a key may be used from, at most 32. None listed means from anywhere.
///
/// This is the one list in the crate where empty does not mean nothing: a key without a network
/// rule is the usual key.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// The most networks that a key holds.
    pub const MAX: usize = 32;

    /// Creates a list of these networks.
    ///
    /// # Errors
    /// [`NetworkError::TooMany`].
    pub fn new(networks: impl IntoIterator<Item = Network>) -> Result<Self, NetworkError> {
        let mut networks: Vec<Network> = networks.into_iter().collect();
        networks.sort_unstable();
        networks.dedup();
        if networks.len() > Self::MAX {
            return Err(NetworkError::TooMany(networks.len()));
        }
        Ok(Self(networks))
    }

    /// Returns no restriction: from anywhere.
    pub const fn anywhere() -> Self {
        Self(Vec::new())
    }

    /// Returns whether a request from `source` may use the key. With a restriction, an unknown
    /// source may not.
    pub fn allow(&self, source: Option<IpAddr>) -> bool {
        self.0.is_empty()
            || source.is_some_and(|source| self.0.iter().any(|net| net.contains(source)))
    }

    /// Returns whether each of these networks lies in one of `other`. Everything lies in "from
    /// anywhere", which itself lies in nothing else.
    pub fn is_within(&self, other: &Self) -> bool {
        let lies_within = |net: &Network| other.0.iter().any(|wide| wide.0.contains(&net.0));
        other.is_anywhere() || !self.is_anywhere() && self.0.iter().all(lies_within)
    }

    /// Returns whether there is no restriction.
    pub fn is_anywhere(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the network of all addresses of a family, if these make it up together.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn everybody(&self) -> Option<Network> {
        let all: Vec<IpNet> = self.0.iter().map(|network| network.0).collect();
        let joined = IpNet::aggregate(&all);
        joined.into_iter().find(|network| network.prefix_len() == 0).map(Network)
    }

    /// Returns the networks in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Network> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Networks {
    type Item = &'a Network;
    type IntoIter = std::slice::Iter<'a, Network>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Networks separated by spaces or commas, at least one.
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
