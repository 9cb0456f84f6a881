//! A container for secret text: wiped on drop, hidden in `Debug`, and exposed only on purpose.

use std::fmt;

use zeroize::Zeroize;

/// Secret text that is wiped from memory on drop.
///
/// A secret cannot be cloned, compared, printed or serialized, and `Debug` shows `Secret(..)`.
/// [`Secret::expose`] is the only way to read it.
pub(crate) struct Secret(Box<str>);

impl Secret {
    /// Takes ownership of `text` without copying it. Its capacity must be its length.
    pub(crate) fn new(text: String) -> Self {
        debug_assert_eq!(text.len(), text.capacity(), "shrinking would leave a copy behind");
        Self(text.into_boxed_str())
    }

    /// Returns the secret text.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
