//! A request of any framework, as far as a guard reads and changes it.

use std::net::IpAddr;

use super::headers::Headers;

/// A request that a guard decides about. Each framework's adapter implements it for its own type.
pub(crate) trait GuardedRequest {
    type Headers: Headers;

    fn headers(&self) -> &Self::Headers;

    /// Whether the method is safe (`GET`, `HEAD`, `OPTIONS`, `TRACE`: RFC 9110 section 9.2.1).
    fn is_safe(&self) -> bool;

    /// Returns the address at the other end of the connection, if the framework knows it.
    fn peer(&self) -> Option<IpAddr>;

    /// Marks all values of a header as sensitive, so that `Debug` does not show them.
    fn mark_sensitive(&mut self, header: &str);

    fn remove_header(&mut self, header: &str);

    /// Returns the value of this type in the request's extensions.
    fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<T>;

    /// Puts a value into the request's extensions. `None` removes the one that is there.
    fn set_extension<T: Clone + Send + Sync + 'static>(&mut self, value: Option<T>);
}
