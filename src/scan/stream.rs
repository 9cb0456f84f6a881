//! The scanner over a text that comes in pieces.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::iter::FusedIterator;

use zeroize::Zeroizing;

use super::scanner::{Found, Scanner, position};
use crate::value::token::MAX_TOKEN_LEN;

/// The most bytes of a token that is not complete.
const TAIL: usize = MAX_TOKEN_LEN - 1;

/// The bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// A text that comes in pieces, from [`Scanner::stream`].
///
/// A token is found wherever the pieces divide it. The stream keeps the last 86 bytes, and wipes
/// them on drop.
///
/// ```
/// use keywright::scan::Scanner;
///
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
/// # let issued = keywright.authority().generate(&alice, new).await?;
/// # let body = format!("key={}", issued.token.expose());
/// let mut stream = Scanner::new().stream();
/// # let mut count = 0;
/// for chunk in body.as_bytes().chunks(10) {
///     for found in stream.push(chunk) {
///         println!("bytes {:?}: {}", found.range, found.display_prefix());
/// #       count += 1;
///     }
/// }
/// # assert_eq!(count, 1);
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
pub struct Stream {
    scanner: Scanner,
    /// The last bytes of the text so far. It has room for a border, so no copy is left behind.
    tail: Zeroizing<Vec<u8>>,
    /// The number of bytes so far.
    offset: u64,
}

impl Stream {
    /// Takes the next piece, and returns the tokens that end in it.
    ///
    /// The ranges are places in the whole text, from the first piece on.
    ///
    /// ```
    /// use keywright::scan::Scanner;
    ///
    /// let mut stream = Scanner::new().stream();
    /// assert!(stream.push(b"no token ").is_empty());
    /// assert!(stream.push(b"here").is_empty());
    /// ```
    pub fn push(&mut self, chunk: &[u8]) -> Vec<Found> {
        let old = self.tail.len();
        let head = &chunk[..chunk.len().min(TAIL)];
        self.tail.extend_from_slice(head);
        let start = self.offset - position(old);
        let mut found: Vec<_> = self.scanner.ending_after(old, &self.tail, start).collect();
        found.extend(self.scanner.ending_after(head.len(), chunk, self.offset));
        self.offset += position(chunk.len());
        if let Some(last) = chunk.last_chunk::<TAIL>() {
            self.tail.clear();
            self.tail.extend_from_slice(last);
        } else {
            let surplus = self.tail.len().saturating_sub(TAIL);
            self.tail.drain(..surplus);
        }
        found
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("offset", &self.offset).finish_non_exhaustive()
    }
}

impl Scanner {
    /// Starts a text that comes in pieces, such as the body of a request.
    ///
    /// ```
    /// use keywright::scan::Scanner;
    ///
    /// let mut stream = Scanner::new().stream();
    /// assert!(stream.push(b"no token here").is_empty());
    /// ```
    pub fn stream(&self) -> Stream {
        let tail = Zeroizing::new(Vec::with_capacity(2 * TAIL));
        Stream { scanner: self.clone(), tail, offset: 0 }
    }

    /// Finds the tokens in a file or another reader, of any length.
    ///
    /// It reads 64 KiB at a time, so the reader needs no buffer.
    ///
    /// ```
    /// use keywright::scan::Scanner;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// # let file: &[u8] = b"no token here";
    /// for found in Scanner::new().read(file) {
    ///     println!("{}", found?.display_prefix());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn read<R: Read>(&self, reader: R) -> ReadTokens<R> {
        let buffer = Zeroizing::new(vec![0; CHUNK]);
        ReadTokens { reader: Some(reader), buffer, stream: self.stream(), found: VecDeque::new() }
    }
}

/// An iterator over the tokens of a reader, from [`Scanner::read`].
///
/// It ends after the first error of the reader.
///
/// ```
/// use keywright::scan::Scanner;
///
/// let file: &[u8] = b"no token here";
/// assert_eq!(Scanner::new().read(file).count(), 0);
/// ```
pub struct ReadTokens<R> {
    /// The reader, until its end or its first error.
    reader: Option<R>,
    buffer: Zeroizing<Vec<u8>>,
    stream: Stream,
    /// The tokens of the last piece that are not returned yet.
    found: VecDeque<Found>,
}

impl<R: Read> Iterator for ReadTokens<R> {
    type Item = io::Result<Found>;

    fn next(&mut self) -> Option<io::Result<Found>> {
        loop {
            if let Some(found) = self.found.pop_front() {
                return Some(Ok(found));
            }
            match self.reader.as_mut()?.read(&mut self.buffer) {
                Ok(0) => self.reader = None,
                Ok(length) => self.found.extend(self.stream.push(&self.buffer[..length])),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.reader = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<R: Read> FusedIterator for ReadTokens<R> {}

impl<R> fmt::Debug for ReadTokens<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadTokens").field("stream", &self.stream).finish_non_exhaustive()
    }
}
