//! The container of secret text: wiped on drop, redacted in print, exposed only on purpose.

use std::fmt;

use zeroize::Zeroize;

/// Secret text. It cannot be cloned, compared, printed or serialized, and is wiped on drop.
///
/// ```compile_fail
/// fn show(secret: &keywright::Secret) -> String { secret.to_string() }
/// ```
pub struct Secret(Box<str>);

impl Secret {
    /// Takes over `text` without copying it; its capacity must be its length.
    pub(crate) fn new(text: String) -> Self {
        debug_assert_eq!(text.len(), text.capacity(), "shrinking would leave a copy behind");
        Self(text.into_boxed_str())
    }

    /// Returns the secret itself. Hand it to its owner and to nobody else.
    pub fn expose(&self) -> &str {
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
