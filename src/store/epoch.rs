//! The numbers of commits, for a store whose commits all happen one after another.

use super::changes::Marker;

/// The number of a commit. Each commit has a greater number than the one before it.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::store) struct Epoch(pub(in crate::store) u64);

impl Epoch {
    /// Returns the marker of all commits up to this one.
    pub(in crate::store) fn marker(self) -> Marker {
        Marker::new(self.0.to_be_bytes())
    }

    /// Returns the epoch of a marker; `None` if another kind of store has made it.
    pub(in crate::store) fn of(marker: &Marker) -> Option<Self> {
        let bytes = marker.as_bytes();
        if bytes.is_empty() {
            return Some(Self(0));
        }
        bytes.try_into().ok().map(u64::from_be_bytes).map(Self)
    }
}
