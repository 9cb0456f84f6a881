//! The reasons for which a store repeats its statements.

/// The reason for which a store repeats its statements.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StoreRetry {
    /// The connection broke before anything was done.
    Connection,
    /// Another transaction came first, and nothing was written.
    Overtaken,
}

#[cfg(feature = "metrics")]
impl StoreRetry {
    /// Returns the reason as one word.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Overtaken => "overtaken",
        }
    }
}
