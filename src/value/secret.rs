//! A container for secret text: wiped on drop, hidden in `Debug`, and exposed only on purpose.

use std::fmt;

use zeroize::Zeroize;

/// Secret text that is wiped from memory on drop.
///
/// A secret cannot be cloned, compared, printed or serialized, and `Debug` shows `Secret(..)`.
/// [`Secret::expose`] is the only way to read it.
///
/// ```
/// use keywright::Secret;
///
/// fn is_long_enough(secret: &Secret) -> bool {
///     secret.expose().len() >= 32
/// }
/// ```
/// ```compile_fail
/// fn show(secret: &keywright::Secret) -> String { secret.to_string() }
/// ```
pub struct Secret(Box<str>);

impl Secret {
    /// Takes ownership of `text` without copying it. Its capacity must be its length.
    pub(crate) fn new(text: String) -> Self {
        debug_assert_eq!(text.len(), text.capacity(), "shrinking would leave a copy behind");
        Self(text.into_boxed_str())
    }

    /// Returns the secret text.
    ///
    /// Never log it, and show it only to its owner.
    ///
    /// ```
    /// use keywright::Secret;
    ///
    /// fn length(secret: &Secret) -> usize {
    ///     secret.expose().len()
    /// }
    /// ```
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
