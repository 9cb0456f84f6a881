//! Draws the next operation at random, mostly on keys and accounts that exist.

mod policy;

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use crate::plain::{
    By, Damage, Edit, EventFilter, Expiry, HOUR, Id, METADATA, NAMES, NETWORKS, New, Op, Owner,
    Presented, Query, RATES, ROLES, SECOND, SOURCES, Sort, Span, Time, Wanted, Who,
};
use crate::reference::{Key, Reference};

/// An id of no key.
const UNKNOWN: &str = "0000000000000000";

pub(crate) struct Draw<'a> {
    pub(crate) random: &'a mut dyn Rng,
    pub(crate) reference: &'a Reference,
    /// Keys that were deleted.
    pub(crate) gone: &'a [Id],
}

impl<'a> Draw<'a> {
    pub(crate) fn op(&mut self) -> Op {
        if self.reference.keys.len() < 25 && self.one_in(6) {
            return self.generate();
        }
        if self.reference.must_flush() {
            return Op::Flush;
        }
        match self.random.random_range(0..1_000) {
            0..40 => Op::Clock(self.later()),
            40..44 => Op::Reopen,
            44..135 => self.generate(),
            135..150 => self.change_user(),
            150..502 => self.change(),
            502..760 => Op::Present(self.presented(), self.wanted()),
            760..768 => Op::RevokeByToken(self.presented()),
            768..800 => Op::Flush,
            800..812 => Op::Sweep(self.by()),
            812..860 => Op::List(self.by(), self.query()),
            860..880 => Op::CreateAccount(self.by(), self.name(), self.role(), self.one_in(3)),
            880..930 => self.change_account(),
            930..938 => Op::Accounts(self.by(), self.text(), self.limit()),
            938..952 => self.set_plan(),
            952..970 => self.edit_settings(),
            970..980 => Op::Policy(self.by()),
            _ => Op::Events(self.by(), self.event_filter()),
        }
    }

    fn change(&mut self) -> Op {
        let (by, key) = self.by_and_key();
        match self.random.random_range(0..350) {
            0..30 => Op::Show(by, key),
            30..65 => Op::Rename(by, key, self.name()),
            65..120 => Op::Edit(by, key, self.edit()),
            120..145 => Op::Disable(by, key),
            145..195 => Op::Enable(by, key),
            195..275 => {
                let overlap = [0, 0, 1, 60 * SECOND, HOUR, HOUR, HOUR, 30 * HOUR];
                Op::Rotate(by, key, self.pick(&overlap))
            }
            275..300 => Op::Finish(by, key),
            300..320 => Op::Revoke(by, key),
            320..325 => {
                let many = self.random.random_range(0..4);
                Op::RevokeMany(by, (0..many).map(|_| self.key()).collect())
            }
            325..328 => Op::RevokeOwned(by, self.owner()),
            328..340 => self.transfer(),
            340..343 => Op::TransferOwned(by, self.owner(), self.owner_in(by.tenant)),
            _ => Op::Delete(by, key),
        }
    }

    fn change_account(&mut self) -> Op {
        let known = self.reference.accounts.choose(self.random);
        let known = known.map(|account| (account.tenant, account.id.clone()));
        let mut by = self.by();
        let id = match known {
            Some((tenant, id)) if !self.one_in(8) => {
                by.tenant = tenant;
                id
            }
            _ => self.account(),
        };
        match self.random.random_range(0..50) {
            0..20 => {
                let name = self.maybe(Self::name);
                let role = self.maybe(Self::role);
                let read_only = self.maybe(|draw| draw.one_in(2));
                Op::EditAccount(by, id, name, role, read_only)
            }
            20..40 => Op::EnableAccount(by, id, !self.one_in(3)),
            40..43 => Op::DeleteAccount(by, id),
            _ => Op::ShowAccount(by, id),
        }
    }

    fn change_user(&mut self) -> Op {
        let (by, user) = (self.by(), self.pick(&["alice", "alice", "bob", "carol"]));
        // A suspended user is restored soon, because no key can be generated for the user.
        if self.reference.is_suspended(by.tenant, &Owner::User(user)) && !self.one_in(4) {
            return Op::SuspendUser(by, user, false);
        }
        match self.random.random_range(0..10) {
            0..4 => Op::NameUser(by, user, self.maybe(Self::name)),
            4 => Op::User(by, user),
            5..8 => Op::SuspendUser(by, user, true),
            _ => Op::SuspendUser(by, user, false),
        }
    }

    fn one_in(&mut self, many: u32) -> bool {
        self.random.random_ratio(1, many)
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(self.random).expect("something to pick from")
    }

    fn maybe<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.one_in(2).then(|| draw(self))
    }

    fn by(&mut self) -> By {
        const OTHERS: [Who; 8] = [
            Who::Alice,
            Who::Alice,
            Who::Alice,
            Who::Bob,
            Who::Carol,
            Who::TenantAdmin,
            Who::Auditor,
            Who::Nobody,
        ];
        let who = if self.one_in(4) { self.pick(&OTHERS) } else { Who::Admin };
        By { who, tenant: usize::from(self.one_in(4)) }
    }

    /// Draws a key and, as a rule, an actor of its tenant.
    fn by_and_key(&mut self) -> (By, Id) {
        let (mut by, key) = (self.by(), self.key());
        let known = self.reference.keys.iter().find(|known| known.data.id == key);
        if let Some(known) = known
            && !self.one_in(15)
        {
            by.tenant = known.data.tenant;
        }
        (by, key)
    }

    fn any_key(&mut self) -> Option<&'a Key> {
        self.reference.keys.choose(self.random)
    }

    /// Draws an existing key, as a rule; sometimes one of another tenant, a deleted one, or an
    /// unknown id.
    fn key(&mut self) -> Id {
        let known = self.any_key().map(|key| key.data.id.clone());
        match (self.random.random_range(0..20), known) {
            (0, _) | (_, None) => UNKNOWN.to_owned(),
            (1, _) => self.gone.choose(self.random).cloned().unwrap_or_else(|| UNKNOWN.to_owned()),
            (_, Some(known)) => known,
        }
    }

    fn account(&mut self) -> Id {
        let known = self.reference.accounts.choose(self.random).map(|account| account.id.clone());
        match (self.random.random_range(0..20), known) {
            (0, _) | (_, None) => UNKNOWN.to_owned(),
            (1, _) => self.gone.choose(self.random).cloned().unwrap_or_else(|| UNKNOWN.to_owned()),
            (_, Some(known)) => known,
        }
    }

    fn owner(&mut self) -> Owner {
        match self.random.random_range(0..7) {
            0..2 => Owner::User("alice"),
            2 => Owner::User("bob"),
            3 => Owner::User("carol"),
            4 => Owner::Organization,
            _ => Owner::Account(self.account()),
        }
    }

    fn name(&mut self) -> usize {
        // Most draws are valid names.
        if self.one_in(12) {
            self.random.random_range(0..NAMES.len())
        } else {
            self.random.random_range(0..7)
        }
    }

    fn role(&mut self) -> usize {
        self.random.random_range(0..ROLES.len())
    }

    /// Few scopes are in every catalog, so that some requests lack one.
    fn scopes(&mut self) -> u8 {
        self.pick(&[0, 1, 2, 3, 3, 4, 7, 15])
    }

    fn rate(&mut self) -> usize {
        if self.one_in(3) { self.random.random_range(0..RATES.len()) } else { 0 }
    }

    /// Draws a length of time: none, the shortest, a usual one, or one that is too long.
    fn span(&mut self) -> Span {
        self.pick(&[0, 0, 1, SECOND, 60 * SECOND, 1_500_000, HOUR, 2 * HOUR, 30 * HOUR])
    }

    fn whole_span(&mut self) -> Span {
        self.pick(&[SECOND, 10 * SECOND, 600 * SECOND, HOUR, 3 * HOUR, 48 * HOUR])
    }

    /// Draws a later time: a little, a lot, or just before, at and after one of the next bounds.
    fn later(&mut self) -> Time {
        let now = self.reference.now;
        if self.one_in(8) {
            return now + self.span();
        }
        if self.one_in(4) {
            return now + self.random.random_range(0..SECOND);
        }
        let bounds: Vec<Time> = self
            .reference
            .keys
            .iter()
            .flat_map(|key| {
                let retention = self.reference.rules(key.data.tenant).retention.0;
                let dead = key.data.revoked_at.or(key.data.expires_at).map(|dead| dead + retention);
                [key.data.expires_at, key.data.not_before, key.data.overlap_ends_at, dead]
            })
            .flatten()
            .filter(|bound| *bound > now && *bound < now + 50 * HOUR)
            .collect();
        // The nearest bounds, so that the clock does not run far ahead.
        let mut bounds = bounds;
        bounds.sort_unstable();
        bounds.truncate(2);
        match bounds.choose(self.random) {
            Some(bound) => now.max(bound + self.random.random_range(-1..=1)),
            None => now + SECOND,
        }
    }

    fn generate(&mut self) -> Op {
        let now = self.reference.now;
        let by = self.by();
        let own = self.one_in(3) && by.who != Who::Admin;
        let owner = if own { Owner::User(by.who.user()) } else { self.owner() };
        let expiry = match self.random.random_range(0..20) {
            0..8 => Expiry::Default,
            8..12 => Expiry::Never,
            12..14 => Expiry::At(now + self.pick(&[-1, 0, 1, 5 * SECOND, HOUR, 40 * HOUR])),
            14 => Expiry::In(8_000 * 366 * 24 * HOUR),
            15..17 => Expiry::In(self.span()),
            _ => Expiry::In(self.whole_span()),
        };
        let not_before = if self.one_in(4) {
            Some(now + self.pick(&[-SECOND, 0, 1, 3 * SECOND, HOUR, 20 * HOUR]))
        } else {
            None
        };
        let new = New {
            name: self.name(),
            scopes: self.scopes(),
            networks: if self.one_in(4) { self.random.random_range(0..NETWORKS.len()) } else { 0 },
            rate: self.rate(),
            metadata: self.random.random_range(0..METADATA.len()),
            not_before,
            expiry,
        };
        Op::Generate(by, owner, new)
    }

    fn edit(&mut self) -> Edit {
        let metadata_alone = self.one_in(3);
        let mut edit = Edit {
            scopes: self.maybe(Self::scopes),
            networks: self.maybe(|draw| draw.pick(&[0, 0, 0, 1, 2])),
            rate: self.maybe(Self::rate),
            metadata: self.maybe(|draw| draw.random.random_range(0..METADATA.len())),
        };
        if metadata_alone {
            (edit.scopes, edit.networks, edit.rate) = (None, None, None);
        }
        edit
    }

    /// Draws a key that works and passes a filter.
    fn working_key(&mut self, filter: impl Fn(&Key) -> bool) -> Option<&'a Key> {
        let keys = self.reference.keys.iter();
        let working = keys.filter(|key| self.reference.refused_because(key).is_none());
        working.filter(|key| filter(key)).collect::<Vec<_>>().choose(self.random).copied()
    }

    /// Hands over a key that works, as a rule to an owner of the same tenant.
    fn transfer(&mut self) -> Op {
        let (mut by, mut key) = self.by_and_key();
        if !self.one_in(4)
            && let Some(working) = self.working_key(|_| true)
        {
            (by.tenant, key) = (working.data.tenant, working.data.id.clone());
        }
        Op::Transfer(by, key, self.owner_in(by.tenant))
    }

    /// Draws an owner, as a rule not an account of another tenant.
    fn owner_in(&mut self, tenant: usize) -> Owner {
        let accounts = self.reference.accounts.iter();
        let accounts = accounts.filter(|account| account.tenant == tenant && account.enabled);
        match accounts.collect::<Vec<_>>().choose(self.random) {
            Some(account) if self.one_in(3) => Owner::Account(account.id.clone()),
            _ => self.owner(),
        }
    }

    fn presented(&mut self) -> Presented {
        if self.one_in(10) {
            let now = self.reference.now;
            let is_rotated = |key: &Key| key.data.overlap_ends_at.is_some_and(|end| now < end);
            if let Some(key) = self.working_key(is_rotated) {
                let (id, secret) = (key.data.id.clone(), key.data.secret_number - 1);
                let in_two_parts = self.one_in(4);
                return Presented { key: id, secret, in_two_parts, damage: Damage::None };
            }
        }
        // Every other time a key that works.
        let known = if self.one_in(2) { self.working_key(|_| true) } else { None };
        let known = known.or_else(|| self.any_key());
        let known = known.map(|key| (key.data.id.clone(), key.data.secret_number));
        let (key, newest) = match known {
            Some(known) if !self.one_in(15) => known,
            _ => (self.key(), 1),
        };
        // The current secret, the one before it, or any.
        let secret = match self.random.random_range(0..10) {
            0..5 => newest,
            5..9 => newest.saturating_sub(1).max(1),
            _ => self.random.random_range(1..=newest),
        };
        let damage = match self.random.random_range(0..30) {
            0 => Damage::WrongSecret,
            1 => Damage::OtherPrefix,
            2 => Damage::WrongCheck,
            3 => Damage::Truncated(self.random.random_range(1..=38)),
            _ => Damage::None,
        };
        Presented { key, secret, in_two_parts: self.one_in(4), damage }
    }

    fn wanted(&mut self) -> Wanted {
        Wanted {
            source: if self.one_in(2) { 1 } else { self.random.random_range(0..SOURCES.len()) },
            write: self.one_in(4),
            scopes: if self.one_in(3) { self.scopes() } else { 0 },
        }
    }

    fn text(&mut self) -> Option<&'static str> {
        self.maybe(|draw| draw.pick(&["prod", "PROD", "über", "alice", "a", "-", "analyst", "zzz"]))
    }

    fn limit(&mut self) -> u16 {
        if self.one_in(20) { self.pick(&[0, 501]) } else { self.pick(&[1, 2, 3, 5, 7, 50, 500]) }
    }

    fn query(&mut self) -> Query {
        const STATUSES: [&str; 5] = ["active", "scheduled", "disabled", "expired", "revoked"];
        let statuses = if self.one_in(2) { 0 } else { self.random.random_range(0..3) };
        let search = if self.one_in(10) {
            Some(self.key()[..5].to_owned())
        } else if self.one_in(3) {
            self.text().map(str::to_owned)
        } else {
            None
        };
        let now = self.reference.now;
        Query {
            search,
            statuses: (0..statuses).map(|_| self.pick(&STATUSES)).collect(),
            owner: if self.one_in(3) { Some(self.owner()) } else { None },
            expiring_within: if self.one_in(5) { Some(self.span()) } else { None },
            unused_since: if self.one_in(5) { Some(now - self.span()) } else { None },
            never_used: self.one_in(8),
            sort: self.pick(&[
                Sort::Created,
                Sort::Updated,
                Sort::Name,
                Sort::Expires,
                Sort::LastUsed,
            ]),
            descending: self.one_in(2),
            limit: self.limit(),
        }
    }

    fn event_filter(&mut self) -> EventFilter {
        let kinds =
            ["key.rotate", "key.generate", "key.extensive_use", "key.suspicious_use", "sweep"];
        let now = self.reference.now;
        EventFilter {
            key: if self.one_in(4) { None } else { Some(self.key()) },
            kind: if self.one_in(3) { Some(self.pick(&kinds)) } else { None },
            // A tenant has many events, so most queries ask for recent ones.
            since: if self.one_in(20) {
                None
            } else {
                Some(now - self.pick(&[0, SECOND, 60 * SECOND]))
            },
            oldest_first: self.one_in(2),
            limit: if self.one_in(20) { self.pick(&[0, 501]) } else { self.pick(&[2, 50, 500]) },
        }
    }
}
