//! The parts of a request that a guard reads and changes, for any framework.

use std::net::IpAddr;

use super::headers::Headers;

/// A request that a guard checks. The adapter of each framework implements it for its request type.
pub(crate) trait GuardedRequest {
    type Headers: Headers;

    fn headers(&self) -> &Self::Headers;

    /// Returns whether the method is safe (`GET`, `HEAD`, `OPTIONS`, `TRACE`: RFC 9110 section
    /// 9.2.1).
    fn is_safe(&self) -> bool;

    /// Returns the host and port in the target of the request (`:authority` in HTTP/2).
    fn authority(&self) -> Option<&str>;

    /// Returns the path in the target of the request.
    fn path(&self) -> &str;

    /// Returns the address of the peer of the connection, if the framework knows it.
    fn peer(&self) -> Option<IpAddr>;

    /// Marks all values of a header as sensitive, so that `Debug` hides them.
    fn mark_sensitive(&mut self, header: &str);

    fn remove_header(&mut self, header: &str);

    /// Returns the value of this type in the extensions of the request.
    fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<T>;

    /// Sets the value of this type in the extensions of the request, or removes it with `None`.
    fn set_extension<T: Clone + Send + Sync + 'static>(&mut self, value: Option<T>);
}
