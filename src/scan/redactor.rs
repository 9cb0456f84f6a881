//! A writer that hides the tokens in all that passes through it.

use std::fmt;
use std::io::{self, ErrorKind, Write};

use zeroize::Zeroizing;

use super::scanner::Scanner;
use crate::value::base62;
use crate::value::token::MAX_TOKEN_LEN;

/// The most bytes of a token that is not complete.
const TAIL: usize = MAX_TOKEN_LEN - 1;

/// The most bytes that one write takes.
const CHUNK: usize = 8 * 1024;

/// A writer that hides the secret of each token, from [`Scanner::redactor`].
///
/// A token is hidden wherever the writes divide it. The text keeps its prefix and key id, as with
/// [`Scanner::redact`].
///
/// * **The last word is held back**, up to 86 letters, digits and underscores, because it can be the
///   beginning of a token. [`flush`](Write::flush) does not write it either. It is written with
///   the text after it, by [`Redactor::finish`], or on drop. A line that ends in a line break is written whole.
/// * **A token that is cut off** is not a token. Its beginning is written as it is when the writer ends.
/// * **An error** of the inner writer loses nothing: the text that it did not take is written by
///   the next call.
///
/// ```
/// use std::io::Write;
///
/// use keywright::scan::Scanner;
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
/// # let issued = keywright.authority().generate(&alice, new).await?;
/// # let (token, shown) = (issued.token.expose(), issued.key.display_prefix());
/// # let io = || -> std::io::Result<()> {
/// let mut log = Scanner::new().redactor(Vec::new());
/// writeln!(log, "refused: {token}")?;
/// assert_eq!(log.finish()?, format!("refused: {shown}[redacted]\n").as_bytes());
/// # Ok(()) };
/// # assert!(io().is_ok());
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
pub struct Redactor<W: Write> {
    scanner: Scanner,
    /// The writer, until it is taken out.
    inner: Option<W>,
    /// The last word of the text so far. It has room for a piece, so no copy is left behind.
    held: Zeroizing<Vec<u8>>,
    /// The bytes at the beginning of `held` that are ready or written.
    done: usize,
    /// The redacted text that the inner writer has not taken yet.
    ready: Vec<u8>,
    /// The bytes at the beginning of `ready` that it has taken.
    taken: usize,
}

impl Scanner {
    /// Wraps a writer, such as that of a log, so that no token passes through it.
    ///
    /// ```
    /// use std::io::{self, Write};
    ///
    /// use keywright::scan::Scanner;
    ///
    /// # fn main() -> io::Result<()> {
    /// let mut log = Scanner::new().redactor(io::sink());
    /// writeln!(log, "ready")?;
    /// # Ok(()) }
    /// ```
    pub fn redactor<W: Write>(&self, writer: W) -> Redactor<W> {
        Redactor {
            scanner: self.clone(),
            inner: Some(writer),
            held: Zeroizing::new(Vec::with_capacity(TAIL + CHUNK)),
            done: 0,
            ready: Vec::new(),
            taken: 0,
        }
    }
}

impl<W: Write> Redactor<W> {
    /// Writes the rest of the text, flushes the inner writer, and returns it.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// use keywright::scan::Scanner;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let mut log = Scanner::new().redactor(Vec::new());
    /// write!(log, "the end")?;
    /// assert_eq!(log.finish()?, b"the end");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The error of the inner writer, which is dropped.
    pub fn finish(mut self) -> io::Result<W> {
        self.end()?;
        self.inner.take().ok_or_else(|| ErrorKind::BrokenPipe.into())
    }

    /// Writes the rest of the text.
    fn end(&mut self) -> io::Result<()> {
        self.ready.extend_from_slice(&self.held[self.done..]);
        self.done = self.held.len();
        self.pass_on()?;
        self.inner.as_mut().map_or(Ok(()), Write::flush)
    }

    /// Writes the text that is ready.
    fn pass_on(&mut self) -> io::Result<()> {
        let Some(inner) = &mut self.inner else { return Ok(()) };
        while let rest @ [_, ..] = &self.ready[self.taken..] {
            match inner.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.taken += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.ready.clear();
        self.taken = 0;
        Ok(())
    }

    /// Makes the text ready, with its next piece, up to its last word.
    fn add(&mut self, piece: &[u8]) {
        let before = self.held.len();
        self.held.extend_from_slice(piece);
        let text = &self.held;
        let is_other = |byte: &u8| !(base62::is_symbol(*byte) || *byte == b'_');
        let word = text.iter().rposition(is_other).map_or(0, |place| place + 1);
        let word = word.max(text.len().saturating_sub(TAIL));
        let done = self.scanner.redact_into(&mut self.ready, text, self.done..before);
        let end = word.max(done);
        self.ready.extend_from_slice(&text[done..end]);
        // A token in the last word stays: its end can be the beginning of the next one's prefix.
        self.held.drain(..word);
        self.done = end - word;
    }
}

impl<W: Write> Write for Redactor<W> {
    /// Takes up to 8 KiB of the text.
    ///
    /// # Errors
    /// The error of the inner writer; no byte of `text` was taken then.
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.pass_on()?;
        let piece = &text[..text.len().min(CHUNK)];
        self.add(piece);
        // The piece is taken. An error that stays is that of the next call.
        let _ = self.pass_on();
        Ok(piece.len())
    }

    /// Flushes the inner writer. The last word stays held back.
    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()?;
        self.inner.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl<W: Write> Drop for Redactor<W> {
    fn drop(&mut self) {
        // A drop has no caller to tell; `finish` has.
        let _ = self.end();
    }
}

impl<W: Write> fmt::Debug for Redactor<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(..)")
    }
}
