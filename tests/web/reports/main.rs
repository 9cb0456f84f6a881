//! Leak reports over HTTP: GitHub's endpoint and the host's own, with reports that are forged, stale,
//! replayed, malformed and too large, and with a store that is down.

mod github;
mod sender;
mod signed;
mod strangers;
