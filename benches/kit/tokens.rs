//! Many tokens of one length in one buffer, so that they take little memory beside the keys.

use crate::world::World;

/// Tokens of one length, in one buffer.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    text: String,
    each: usize,
}

impl Tokens {
    /// Creates an empty list with room for `tokens`, already written to once.
    pub fn with_room(tokens: usize) -> Self {
        let mut text = "0".repeat(tokens * World::TOKEN_BYTES);
        text.clear();
        Self { text, each: World::TOKEN_BYTES }
    }

    /// Adds a token.
    ///
    /// # Panics
    /// Panics if the token has another length.
    pub fn push(&mut self, token: &str) {
        assert_eq!(token.len(), self.each, "all tokens have one prefix");
        self.text.push_str(token);
    }

    /// Returns the number of tokens.
    pub fn len(&self) -> usize {
        self.text.len() / self.each.max(1)
    }

    /// Returns whether there are no tokens.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns a token.
    ///
    /// # Panics
    /// Panics if there are fewer.
    pub fn at(&self, place: usize) -> &str {
        &self.text[place * self.each..(place + 1) * self.each]
    }

    /// Returns the id of a token's key.
    ///
    /// # Panics
    /// Panics if there are fewer tokens.
    pub fn id(&self, place: usize) -> &str {
        World::id_of(self.at(place))
    }

    /// Returns all tokens.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|place| self.at(place))
    }

    /// Returns an endless walk over all places in an order without a pattern.
    pub fn walk(&self) -> Walk {
        Walk::over(self.len())
    }
}

/// An endless walk over the places of a list, each once in a turn.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    at: usize,
    step: usize,
    len: usize,
}

impl Walk {
    /// Creates a walk over `len` places.
    ///
    /// Its step is near the golden section of the length, so neighbors in the walk are far apart in
    /// memory.
    pub fn over(len: usize) -> Self {
        let share = |a: usize, b: usize| {
            let (mut a, mut b) = (a, b);
            while b > 0 {
                (a, b) = (b, a % b);
            }
            a
        };
        let mut step = (len * 618 / 1_000).max(1);
        while share(step, len) > 1 {
            step += 1;
        }
        Self { at: 0, step, len }
    }

    /// Begins the walk at another place.
    #[must_use]
    pub fn from(self, at: usize) -> Self {
        Self { at: at % self.len, ..self }
    }

    /// Returns the next place.
    pub fn step(&mut self) -> usize {
        self.at += self.step;
        if self.at >= self.len {
            self.at -= self.len;
        }
        self.at
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn walk_visits_each_place_once() {
        for len in [1, 2, 10, 1_000, 1_024, 999_983] {
            let mut walk = Walk::over(len);
            let seen: HashSet<usize> = (0..len).map(|_| walk.step()).collect();
            assert_eq!(seen.len(), len);
            assert!(seen.iter().all(|place| *place < len));
        }
    }
}
