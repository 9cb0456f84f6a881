//! The model: the answer to each call without concurrency, at a fixed time.

use super::history::{Answer, Call, Overlap, Shown};

/// Number of keys of a history.
pub(crate) const KEYS: usize = 2;

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct State {
    access: bool,
    keys: [Key; KEYS],
}

#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
enum Key {
    #[default]
    Absent,
    There(There),
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct There {
    version: u64,
    secret: u32,
    overlapping: bool,
    disabled: bool,
    revoked: bool,
}

impl Default for State {
    fn default() -> Self {
        Self { access: true, keys: Default::default() }
    }
}

impl State {
    /// Returns the answer to the call and the state after it.
    pub(crate) fn step(&self, call: &Call) -> (Answer, Self) {
        let mut next = self.clone();
        let answer = next.take(call);
        (answer, next)
    }

    fn take(&mut self, call: &Call) -> Answer {
        let access = self.access;
        match *call {
            Call::Switch(on) => {
                self.access = on;
                Answer::Done
            }
            Call::List => Answer::Listed(self.keys.iter().map(Key::shown).collect()),
            Call::RevokeAll => {
                let live = |(place, key): (usize, &mut Key)| {
                    let there = key.there().filter(|there| !there.revoked)?;
                    there.change(|there| there.revoked = true);
                    Some(place)
                };
                let revoked = self.keys.iter_mut().enumerate().filter_map(live).collect();
                Answer::RevokedAll(revoked)
            }
            Call::Generate(place) => {
                if !access {
                    return Answer::WrongStatus;
                }
                self.keys[place] = Key::There(There {
                    version: 1,
                    secret: 1,
                    overlapping: false,
                    disabled: false,
                    revoked: false,
                });
                Answer::Issued(1)
            }
            Call::Verify(place, secret) => self.keys[place].verify(secret, access),
            Call::RevokeByToken(place, secret) => match self.keys[place].there() {
                Some(there) if there.knows(secret) => there.revoke(),
                _ => Answer::Denied("unrecognized"),
            },
            Call::Recognize(place, secret) => match self.keys[place].there() {
                Some(there) if there.knows(secret) => Answer::Done,
                _ => Answer::Denied("unrecognized"),
            },
            Call::Delete(place) => match std::mem::take(&mut self.keys[place]) {
                Key::Absent => Answer::NotFound,
                Key::There(_) => Answer::Done,
            },
            Call::Show(place) => self.keys[place].shown().map_or(Answer::NotFound, Answer::Shown),
            Call::Revoke(place) => self.change(place, There::revoke),
            Call::Disable(place) => self.change(place, |there| there.set_disabled(true)),
            Call::Enable(place) => self.change(place, |there| there.set_disabled(false)),
            Call::Rotate(place, overlap) => self.change(place, |there| there.rotate(overlap)),
            Call::FinishRotation(place) => self.change(place, There::finish),
        }
    }

    fn change(&mut self, place: usize, change: impl FnOnce(&mut There) -> Answer) -> Answer {
        self.keys[place].there().map_or(Answer::NotFound, change)
    }
}

impl Key {
    fn there(&mut self) -> Option<&mut There> {
        match self {
            Self::Absent => None,
            Self::There(there) => Some(there),
        }
    }

    fn shown(&self) -> Option<Shown> {
        match self {
            Self::Absent => None,
            Self::There(There { version, secret, overlapping, disabled, revoked }) => Some(Shown {
                version: *version,
                secret: *secret,
                overlapping: *overlapping,
                disabled: *disabled,
                revoked: *revoked,
            }),
        }
    }

    fn verify(&mut self, secret: u32, access: bool) -> Answer {
        match self.there() {
            Some(there) if there.knows(secret) => match there {
                There { revoked: true, .. } => Answer::Denied("revoked"),
                There { disabled: true, .. } => Answer::Denied("disabled"),
                _ if !access => Answer::Denied("access_off"),
                there if there.secret == secret => Answer::Current,
                _ => Answer::Retiring,
            },
            _ => Answer::Denied("unrecognized"),
        }
    }
}

impl There {
    fn knows(&self, secret: u32) -> bool {
        secret == self.secret || self.overlapping && secret + 1 == self.secret
    }

    fn change(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        self.version += 1;
    }

    fn revoke(&mut self) -> Answer {
        if self.revoked {
            return Answer::Unchanged;
        }
        self.change(|there| there.revoked = true);
        Answer::Done
    }

    fn set_disabled(&mut self, disabled: bool) -> Answer {
        if self.revoked {
            return Answer::WrongStatus;
        }
        if self.disabled == disabled {
            return Answer::Unchanged;
        }
        self.change(|there| there.disabled = disabled);
        Answer::Done
    }

    fn rotate(&mut self, overlap: Overlap) -> Answer {
        if self.revoked || self.disabled && overlap == Overlap::Day {
            return Answer::WrongStatus;
        }
        self.change(|there| {
            there.secret += 1;
            there.overlapping = overlap == Overlap::Day;
        });
        Answer::Issued(self.secret)
    }

    fn finish(&mut self) -> Answer {
        if self.revoked {
            return Answer::WrongStatus;
        }
        if !self.overlapping {
            return Answer::Unchanged;
        }
        self.change(|there| there.overlapping = false);
        Answer::Done
    }
}
