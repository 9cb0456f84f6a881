//! Access of the guard to a request of the `http` crate.

use std::net::IpAddr;
#[cfg(feature = "axum")]
use std::net::SocketAddr;

#[cfg(feature = "axum")]
use axum::extract::ConnectInfo;
#[cfg(feature = "axum")]
use axum::extract::connect_info::MockConnectInfo;
use http::Extensions;
use http::header::{Entry, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::Authority;

use crate::http::guard::headers::Headers;
use crate::http::guard::request::GuardedRequest;
use crate::http::guard::source_address::PeerAddr;

impl GuardedRequest for Parts {
    type Headers = HeaderMap;

    fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    fn is_safe(&self) -> bool {
        self.method.is_safe()
    }

    fn authority(&self) -> Option<&str> {
        self.uri.authority().map(Authority::as_str)
    }

    fn path(&self) -> &str {
        self.uri.path()
    }

    fn peer(&self) -> Option<IpAddr> {
        let given = self.extensions.get().map(|PeerAddr(address)| *address);
        given.or_else(|| peer_of_axum(&self.extensions))
    }

    fn mark_sensitive(&mut self, header: &str) {
        let Ok(name) = header.parse::<HeaderName>() else { return };
        if let Entry::Occupied(mut values) = self.headers.entry(name) {
            values.iter_mut().for_each(|value| value.set_sensitive(true));
        }
    }

    fn remove_header(&mut self, header: &str) {
        self.headers.remove(header);
    }

    fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.extensions.get().cloned()
    }

    fn set_extension<T: Clone + Send + Sync + 'static>(&mut self, value: Option<T>) {
        match value {
            Some(value) => self.extensions.insert(value),
            None => self.extensions.remove(),
        };
    }
}

impl Headers for HeaderMap {
    fn values<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.get_all(name).into_iter().map(HeaderValue::as_bytes)
    }
}

/// Returns the peer, if the router is served with
/// `into_make_service_with_connect_info::<SocketAddr>()`.
#[cfg(feature = "axum")]
fn peer_of_axum(extensions: &Extensions) -> Option<IpAddr> {
    let real = || extensions.get().map(|ConnectInfo::<SocketAddr>(peer)| peer.ip());
    let mock = || extensions.get().map(|MockConnectInfo::<SocketAddr>(peer)| peer.ip());
    real().or_else(mock)
}

#[cfg(not(feature = "axum"))]
fn peer_of_axum(_: &Extensions) -> Option<IpAddr> {
    None
}
