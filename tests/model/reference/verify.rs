//! Verification, and the counting of uses.

use super::{Counted, Key, Reference};
use crate::plain::{Answer, Damage, Granted, Presented, RATES, SCOPES, Wanted, refused};
use crate::reference::keys::status;

/// Which networks (rows) let which sources through.
const ALLOWED: [[bool; 6]; 3] = [
    [true, true, true, true, true, true],
    [false, true, false, false, true, false],
    [false, true, false, true, true, false],
];

impl Reference {
    /// Whose token it is and which secret, or why it is nobody's.
    fn recognise(&self, presented: &Presented) -> Result<(&Key, bool), &'static str> {
        match (presented.damage, presented.in_two_parts) {
            (Damage::Truncated(_), _) | (Damage::WrongCheck, false) => return Err("malformed"),
            (Damage::None, _) => {}
            // Two parts have no prefix; their check shows with which one they were made.
            _ => return Err("unrecognised"),
        }
        let key = self.keys.iter().find(|key| key.data.id == presented.key);
        let key = key.ok_or("unrecognised")?;
        if presented.secret == key.data.secret_number {
            return Ok((key, false));
        }
        if presented.secret + 1 != key.data.secret_number || !key.old_secret_known {
            return Err("unrecognised");
        }
        match key.data.overlap_ends {
            Some(end) if self.now < end => Ok((key, true)),
            _ => Err("superseded"),
        }
    }

    /// What stands against a key whatever it is wanted for.
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

    /// What is said to a token, before its rate is asked.
    pub(crate) fn judge(&self, presented: &Presented, wanted: Wanted) -> Result<Granted, String> {
        let (key, retiring) = self.recognise(presented)?;
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
                // A key of an account that has no scopes of its own has its role's.
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
        let rate = if key.data.rate == 0 { policy.default_rate } else { key.data.rate };
        let alert_every = policy.extensive_use;
        if let Some(wait) = self.spend(&granted.key, rate) {
            return refused(format!("rate_limited {wait}"));
        }
        let counted = (granted.key.clone(), presented.secret);
        let now = self.now;
        let counted =
            self.counted.entry(counted).or_insert(Counted { uses: 0, last: now, alert_every });
        *counted = Counted { uses: counted.uses + 1, last: now, alert_every };
        Answer::Granted(granted)
    }

    /// Takes one use of a rate, or gives the nanoseconds to wait for it. Each use costs an equal
    /// part of the period; a key never owes more than the whole of it.
    fn spend(&mut self, key: &str, rate: usize) -> Option<i128> {
        let (uses, seconds) = RATES[rate]?;
        let period = i128::from(seconds) * 1_000_000_000;
        let now = i128::from(self.now) * 1_000;
        let regained = self.regained.get(key).copied().unwrap_or(now);
        let next = regained.clamp(now, now + period) + period / i128::from(uses);
        if next > now + period {
            return Some(next - now - period);
        }
        self.regained.insert(key.to_owned(), next);
        None
    }

    pub(super) fn revoke_by_token(&mut self, presented: &Presented) -> Answer {
        let key = match self.recognise(presented) {
            Ok((key, _)) => key.data.clone(),
            Err(reason) => return refused(reason),
        };
        match status(&key, self.now) {
            "expired" => return refused("expired"),
            "revoked" => return Answer::Many(vec![(key.id, refused("already"))]),
            _ => {}
        }
        let now = self.now;
        let revoked = self.keys.iter_mut().find(|known| known.data.id == key.id);
        let revoked = &mut revoked.expect("it was recognised").data;
        (revoked.revoked, revoked.updated) = (Some(now), now);
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
            key.last_used = key.last_used.max(Some(counted.last));
            let used = key.used.entry(secret).or_insert(counted.last);
            *used = counted.last.max(*used);
            let (after, tenant) = (key.uses, key.data.tenant);
            if counted.alert_every.is_some_and(|every| before / every != after / every) {
                let actor = "system".to_owned();
                self.record(tenant, actor, "key.extensive_use", "done", Some(&id), None);
            }
        }
        self.tell_counts(None, usize::MAX);
        Answer::Nothing
    }
}
