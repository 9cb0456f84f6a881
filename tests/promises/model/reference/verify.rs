//! Verification and counted uses in the reference model.

use std::ops::RangeInclusive;

use super::{Counted, Counter, Key, Period, Reference, exceeds};
use crate::plain::{
    Answer, Damage, Granted, Id, KeyData, Presented, SCOPES, SECOND, Span, Time, Wanted, refused,
};
use crate::policy::Alert;
use crate::reference::keys::status;
use crate::reference::rates::{Spent, longer};

/// The sources (columns) that each list of networks (rows) allows.
const ALLOWED: [[bool; 6]; 3] = [
    [true, true, true, true, true, true],
    [false, true, false, false, true, false],
    [false, true, false, true, true, false],
];

impl Reference {
    /// Returns the key of a token and whether its secret is the retiring one, or the reason for the
    /// refusal.
    fn recognize(&self, presented: &Presented) -> Result<(&Key, bool), &'static str> {
        match (presented.damage, presented.in_two_parts) {
            (Damage::Truncated(_), _) | (Damage::WrongCheck, false) => return Err("malformed"),
            (Damage::None, _) => {}
            // The short form has no prefix, but its checksum covers the prefix of the token.
            _ => return Err("unrecognized"),
        }
        let key = self.keys.iter().find(|key| key.data.id == presented.key);
        let key = key.ok_or("unrecognized")?;
        if presented.secret == key.data.secret_number {
            return Ok((key, false));
        }
        if presented.secret + 1 != key.data.secret_number || !key.old_secret_known {
            return Err("unrecognized");
        }
        match key.data.overlap_ends_at {
            Some(end) if self.now < end => Ok((key, true)),
            _ => Err("superseded"),
        }
    }

    /// Returns the reason that keeps a key from working for every request, if there is one.
    pub(crate) fn refused_because(&self, key: &Key) -> Option<&'static str> {
        let tenant = key.data.tenant;
        let account = self.account_of(&key.data);
        match status(&key.data, self.now) {
            "scheduled" => Some("not_yet_valid"),
            "active" if account.is_some_and(|account| !account.enabled) => Some("account_disabled"),
            "active" if self.is_suspended(tenant, &key.data.owner) => Some("user_suspended"),
            "active" if !self.rules(tenant).api_enabled.0 => Some("access_off"),
            "active" if !self.plans[tenant].api_access => Some("upgrade_required"),
            "active" => None,
            status => Some(status),
        }
    }

    /// Checks a token against everything except its rate.
    pub(crate) fn judge(&self, presented: &Presented, wanted: Wanted) -> Result<Granted, String> {
        let (key, retiring) = self.recognize(presented)?;
        if let Some(reason) = self.refused_because(key) {
            return Err(reason.to_owned());
        }
        if !ALLOWED[key.data.networks][wanted.source] {
            return Err("network_not_allowed".to_owned());
        }
        let write = self.account_of(&key.data).is_none_or(|account| !account.read_only);
        if wanted.write && !write {
            return Err("read_only".to_owned());
        }
        let scopes = self.scopes_of(&key.data);
        let missing = (wanted.scopes & !scopes).trailing_zeros() as usize;
        if let Some(scope) = SCOPES.get(missing) {
            return Err(format!("missing_scope {scope}"));
        }
        Ok(Granted { key: key.data.id.clone(), retiring, scopes, write })
    }

    pub(super) fn present(&mut self, presented: &Presented, wanted: Wanted) -> Answer {
        let granted = match self.judge(presented, wanted) {
            Ok(granted) => granted,
            Err(reason) => return self.deny(presented, reason),
        };
        let key = self.keys.iter().find(|key| key.data.id == granted.key).expect("it is granted");
        let newest = key.data.secret_number;
        if let Err(wait) = self.spend(&key.data.clone()) {
            self.deny(presented, String::new());
            return Answer::RateLimited(wait);
        }
        self.count(&granted.key, Some(presented.secret));
        self.join_dead_secrets(&granted.key, newest);
        Answer::Granted(granted)
    }

    /// Counts a refused use of the key that the credential names, if there is one.
    fn deny(&mut self, presented: &Presented, reason: impl Into<String>) -> Answer {
        let reason = reason.into();
        let is_known = self.keys.iter().any(|key| key.data.id == presented.key);
        if is_known && reason != "malformed" {
            self.count(&presented.key, None);
        }
        refused(reason)
    }

    /// Counts an accepted use of a secret, or a refused use, in the period of the alert in force.
    fn count(&mut self, key: &str, accepted: Option<u32>) {
        let tenant = self.keys.iter().find(|known| known.data.id == key).map(|k| k.data.tenant);
        let rules = self.rules(tenant.expect("the key is known"));
        let (alert, _) =
            if accepted.is_some() { rules.extensive_use } else { rules.suspicious_use };
        let now = self.now;
        let period = alert.map(|alert| (now - now.rem_euclid(alert.0 * SECOND), alert));
        let (is_refused, secret) = (accepted.is_none(), accepted.unwrap_or_default());
        let place = Counter { key: key.to_owned(), is_refused, secret, period };
        let counted = self.counted.entry(place).or_insert(Counted { uses: 0, last: now });
        *counted = Counted { uses: counted.uses + 1, last: now };
    }

    /// Returns whether a key has uses in so many periods that more would not be kept apart.
    pub(crate) fn must_flush(&self) -> bool {
        let of_periods = self.counted.keys().filter(|counter| counter.period.is_some());
        let mut keys: Vec<&Id> = of_periods.map(|counter| &counter.key).collect();
        keys.sort();
        keys.windows(7).any(|keys| keys[0] == keys[6])
    }

    /// Merges the uses of secrets that no longer work into the newest of those secrets.
    fn join_dead_secrets(&mut self, key: &str, newest: u32) {
        let Some(dead) = newest.checked_sub(2) else { return };
        let is_dead =
            |counter: &Counter| counter.key == key && !counter.is_refused && counter.secret < dead;
        let joined: Vec<_> = self.counted.keys().filter(|place| is_dead(place)).cloned().collect();
        for place in joined {
            let older = self.counted.remove(&place).expect("the entry exists");
            let place = Counter { secret: dead, ..place };
            let counted = self.counted.entry(place).or_insert(Counted { uses: 0, ..older });
            counted.uses += older.uses;
            counted.last = counted.last.max(older.last);
        }
    }

    /// Spends one use of the key's rate and of the owner's shared rate, or returns the
    /// microseconds to wait.
    fn spend(&mut self, key: &KeyData) -> Result<(), RangeInclusive<Span>> {
        let Some(rate) = self.rate_of(key) else { return Ok(()) };
        let default = self.rules(key.tenant).default_rate.0;
        let most = self.limit_of_keys(key.tenant, &key.owner);
        let now = self.now;
        let bucket = self.spent.entry(key.id.clone()).or_insert(Spent::nothing(now));
        bucket.come_to(now, rate);
        let own = bucket.wait();
        let is_new = default.is_some_and(|(_, seconds)| now < key.created_at + seconds * SECOND);
        // Of an owner without a limit of keys, only the new keys share a rate.
        let most = most.or(is_new.then_some(1_000));
        if let (Some((uses, seconds)), Some(most)) = (default, most)
            && !exceeds(Some(rate), default)
        {
            let owner = format!("{} {:?}", key.tenant, key.owner);
            let shared = self.spent.entry(owner).or_insert(Spent::nothing(now));
            shared.come_to(now, (uses * i64::from(most), seconds));
            match (own, if is_new { shared.wait() } else { Ok(()) }) {
                (Ok(()), Ok(())) => shared.charge(),
                (Err(one), Err(other)) => return Err(longer(&one, &other)),
                (Err(wait), Ok(())) | (Ok(()), Err(wait)) => return Err(wait),
            }
        } else {
            own?;
        }
        self.spent.get_mut(&key.id).expect("the entry exists").spend();
        Ok(())
    }

    pub(super) fn revoke_by_token(&mut self, presented: &Presented) -> Answer {
        let key = match self.recognize(presented) {
            Ok((key, _)) => key.data.clone(),
            Err(reason) => return self.deny(presented, reason),
        };
        match status(&key, self.now) {
            "expired" => return self.deny(presented, "expired"),
            "revoked" => return Answer::Many(vec![(key.id, refused("unchanged"))]),
            _ => {}
        }
        let now = self.now;
        let revoked = self.keys.iter_mut().find(|known| known.data.id == key.id);
        let revoked = &mut revoked.expect("it was recognized").data;
        (revoked.revoked_at, revoked.updated_at) = (Some(now), now);
        revoked.version += 1;
        let actor = "possessor".to_owned();
        self.record(key.tenant, actor, "key.revoke", "done", Some(&key.id), None);
        Answer::Many(vec![(key.id, Answer::Nothing)])
    }

    pub(super) fn flush(&mut self) -> Answer {
        let mut counted: Vec<_> = std::mem::take(&mut self.counted).into_iter().collect();
        counted.sort_by_key(|(counter, counted)| (counter.key.clone(), counted.last));
        for (counter, counted) in counted {
            let Counter { key: id, is_refused, secret, period } = counter;
            let Some(key) = self.keys.iter_mut().find(|key| key.data.id == id) else { continue };
            let last = Some(counted.last);
            if is_refused {
                key.refused += counted.uses;
                key.last_refused_at = key.last_refused_at.max(last);
            } else {
                key.uses += counted.uses;
                key.last_used_at = key.last_used_at.max(last);
                let used = key.used.entry(secret).or_insert(counted.last);
                *used = counted.last.max(*used);
            }
            let tenant = key.data.tenant;
            let (kind, periods) = match &mut key.periods {
                [_, refused] if is_refused => ("key.suspicious_use", refused),
                [accepted, _] => ("key.extensive_use", accepted),
            };
            if period.is_some_and(|period| is_too_many(periods, period, counted)) {
                self.record(tenant, "system".to_owned(), kind, "done", Some(&id), None);
            }
        }
        self.write_counts(None, usize::MAX);
        Answer::Nothing
    }
}

/// Adds uses to their period, and returns whether they are the first above what the alert allows.
///
/// Only the two periods with the latest uses are known. Uses of any other period are either later,
/// and it takes the place of the earlier one, or they are in no period.
fn is_too_many(
    periods: &mut Vec<Period>,
    (start, (seconds, most)): (Time, Alert),
    Counted { uses, last }: Counted,
) -> bool {
    if !periods.iter().any(|known| (known.start, known.seconds) == (start, seconds)) {
        periods.sort_by_key(|known| known.last);
        if periods.len() == 2 {
            if periods[0].last >= last {
                return false;
            }
            periods.remove(0);
        }
        periods.push(Period { start, seconds, uses: 0, last, told: false });
    }
    let known = periods.iter_mut().find(|known| (known.start, known.seconds) == (start, seconds));
    let known = known.expect("it was added");
    known.uses += uses;
    known.last = known.last.max(last);
    let is_first = known.uses > most && !known.told;
    known.told |= is_first;
    is_first
}
