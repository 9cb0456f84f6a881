//! Verification and counted uses in the reference model.

use std::ops::RangeInclusive;

use super::{Counted, Key, Reference, exceeds};
use crate::plain::{
    Answer, Damage, Granted, Id, KeyData, PolicyData, Presented, RATES, SCOPES, SECOND, Span,
    Wanted, refused,
};
use crate::reference::keys::status;
use crate::reference::rates::{Spent, both, longer};

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
    pub(crate) fn obstacle(&self, key: &Key) -> Option<&'static str> {
        let policy = &self.policies[key.data.tenant];
        let account = self.account_of(&key.data);
        match status(&key.data, self.now) {
            "scheduled" => Some("not_yet_valid"),
            "active" if account.is_some_and(|account| !account.enabled) => Some("account_disabled"),
            "active" if !policy.api_enabled => Some("access_off"),
            "active" if !policy.api_in_plan => Some("upgrade_required"),
            "active" => None,
            status => Some(status),
        }
    }

    /// Checks a token against everything except its rate.
    pub(crate) fn judge(&self, presented: &Presented, wanted: Wanted) -> Result<Granted, String> {
        let (key, retiring) = self.recognize(presented)?;
        if let Some(obstacle) = self.obstacle(key) {
            return Err(obstacle.to_owned());
        }
        if !ALLOWED[key.data.networks][wanted.source] {
            return Err("network_not_allowed".to_owned());
        }
        let policy = &self.policies[key.data.tenant];
        let account = self.account_of(&key.data);
        let write = !account.is_some_and(|account| account.read_only);
        if wanted.write && !write {
            return Err("read_only".to_owned());
        }
        let own = key.data.scopes;
        let scopes = match account {
            None => own & policy.ceiling,
            Some(account) => {
                let role = policy.roles.get(&account.role).copied().unwrap_or(0);
                // A key of an account without scopes of its own has all scopes of the role.
                if own == 0 { role } else { own & role }
            }
        };
        let missing = (wanted.scopes & !scopes).trailing_zeros() as usize;
        if let Some(scope) = SCOPES.get(missing) {
            return Err(format!("missing_scope {scope}"));
        }
        Ok(Granted { key: key.data.id.clone(), retiring, scopes, write })
    }

    pub(super) fn present(&mut self, presented: &Presented, wanted: Wanted) -> Answer {
        let granted = match self.judge(presented, wanted) {
            Ok(granted) => granted,
            Err(reason) => return refused(reason),
        };
        let key = self.keys.iter().find(|key| key.data.id == granted.key).expect("it is granted");
        let policy = &self.policies[key.data.tenant];
        let (alert_every, newest) = (policy.extensive_use, key.data.secret_number);
        if let Err(wait) = self.spend(&key.data.clone(), &policy.clone()) {
            return Answer::RateLimited(wait);
        }
        let counted = (granted.key.clone(), presented.secret);
        let now = self.now;
        let counted =
            self.counted.entry(counted).or_insert(Counted { uses: 0, last: now, alert_every });
        *counted = Counted { uses: counted.uses + 1, last: now, alert_every };
        // The policy of the last use applies to all uses of the key that wait for a flush.
        for (_, counted) in self.counted.iter_mut().filter(|((id, _), _)| *id == granted.key) {
            counted.alert_every = alert_every;
        }
        self.join_dead_secrets(&granted.key, newest);
        Answer::Granted(granted)
    }

    /// Merges the uses of secrets that no longer work into the newest of those secrets.
    fn join_dead_secrets(&mut self, key: &str, newest: u32) {
        let Some(dead) = newest.checked_sub(2) else { return };
        let is_dead = |(id, secret): &(Id, u32)| *id == key && *secret < dead;
        let joined: Vec<_> = self.counted.keys().filter(|place| is_dead(place)).cloned().collect();
        for place in joined {
            let older = self.counted.remove(&place).expect("the entry exists");
            let counted =
                self.counted.entry((key.to_owned(), dead)).or_insert(Counted { uses: 0, ..older });
            counted.uses += older.uses;
            counted.last = counted.last.max(older.last);
        }
    }

    /// Spends one use of the key's rate and of the owner's shared rate, or returns the
    /// microseconds to wait.
    fn spend(&mut self, key: &KeyData, policy: &PolicyData) -> Result<(), RangeInclusive<Span>> {
        let default = policy.default_rate;
        let is_granted = key.rate != 0 && key.of_admin[2];
        let rate = match (RATES[key.rate], RATES[default]) {
            (Some(own), Some(most)) if !is_granted => Some(both(own, most)),
            (own, most) => own.or(most),
        };
        let Some(rate) = rate else { return Ok(()) };
        let now = self.now;
        let bucket = self.spent.entry(key.id.clone()).or_insert(Spent::nothing(now));
        bucket.come_to(now, rate);
        let own = bucket.wait();
        if let Some((uses, seconds)) = RATES[default]
            && !(is_granted && exceeds(key.rate, default))
        {
            let owner = format!("{} {:?}", key.tenant, key.owner);
            let shared = self.spent.entry(owner).or_insert(Spent::nothing(now));
            shared.come_to(now, (uses * i64::from(policy.max_keys), seconds));
            let is_new = now < key.created_at + seconds * SECOND;
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
            Err(reason) => return refused(reason),
        };
        match status(&key, self.now) {
            "expired" => return refused("expired"),
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
        for ((id, secret), counted) in std::mem::take(&mut self.counted) {
            let Some(key) = self.keys.iter_mut().find(|key| key.data.id == id) else { continue };
            let before = key.uses;
            key.uses += counted.uses;
            key.last_used_at = key.last_used_at.max(Some(counted.last));
            let used = key.used.entry(secret).or_insert(counted.last);
            *used = counted.last.max(*used);
            let (after, tenant) = (key.uses, key.data.tenant);
            if counted.alert_every.is_some_and(|every| before / every != after / every) {
                let actor = "system".to_owned();
                self.record(tenant, actor, "key.extensive_use", "done", Some(&id), None);
            }
        }
        self.write_counts(None, usize::MAX);
        Answer::Nothing
    }
}
