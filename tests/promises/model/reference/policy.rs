//! Plan and settings in the reference model, and the rules that are in force.

use super::keys::is_live;
use super::rates::both;
use super::{Reference, exceeds, may};
use crate::plain::{Answer, By, HOUR, KeyData, Owner, RATES, SECOND, Span, refused};
use crate::policy::{Alert, PlanData, Rule, Rules, Setting, SettingsData, Uses};

impl Reference {
    pub(super) fn policy(&self, by: By) -> Answer {
        if !may(by.who, "policy.show", false) {
            return refused("not allowed policy.show");
        }
        let (plan, settings) = (&self.plans[by.tenant], &self.settings[by.tenant]);
        Answer::Policy(Box::new((plan.clone(), settings.clone(), self.rules(by.tenant))))
    }

    pub(super) fn set_plan(&mut self, by: By, plan: &PlanData) -> Answer {
        let current = self.plans[by.tenant].clone();
        let reason = if !may(by.who, "plan.set", false) {
            Some("not allowed plan.set".to_owned())
        } else if plan.version != current.version {
            Some(format!("stale {} {}", plan.version, current.version))
        } else {
            fault_of_plan(plan)
        };
        if let Some(reason) = reason {
            return self.refuse(by, "plan.set", None, reason);
        }
        if *plan == current {
            self.note(by, "plan.set", "unchanged", None);
            return Answer::Plan(true, current);
        }
        let next = PlanData { version: current.version + 1, ..plan.clone() };
        self.plans[by.tenant] = next.clone();
        self.note(by, "plan.set", "done", None);
        Answer::Plan(false, next)
    }

    pub(super) fn edit_settings(
        &mut self,
        by: By,
        edit: &[Setting],
        version: Option<u64>,
    ) -> Answer {
        let kind = "settings.edit";
        let current = self.settings[by.tenant].clone();
        let next = edited(&current, edit);
        let reason = match version {
            _ if !may(by.who, kind, false) => Some(format!("not allowed {kind}")),
            Some(version) if version != current.version => {
                Some(format!("stale {version} {}", current.version))
            }
            _ => fault_of_settings(&next).or_else(|| {
                // A setting that the plan has overtaken stays until it is edited.
                let new = edited(&SettingsData::default(), edit);
                beyond(&new, &self.plans[by.tenant]).map(|field| format!("policy beyond {field}"))
            }),
        };
        if let Some(reason) = reason {
            return self.refuse(by, kind, None, reason);
        }
        if next == current {
            self.note(by, kind, "unchanged", None);
            return Answer::Settings(true, current);
        }
        let next = SettingsData { version: current.version + 1, ..next };
        self.settings[by.tenant] = next.clone();
        self.note(by, kind, "done", None);
        Answer::Settings(false, next)
    }

    /// Returns the rules in force: the tenant's value, else the host's, else the default of the
    /// guide, and in each case no more than the plan allows.
    pub(crate) fn rules(&self, tenant: usize) -> Rules {
        let (plan, own) = (&self.plans[tenant], &self.settings[tenant]);
        let host = SettingsData::of_host();
        let max_lifetime = first(own.max_lifetime.map(Some), host.max_lifetime.map(Some), None);
        let max_lifetime = cut(max_lifetime, least(max_lifetime.0, plan.max_lifetime));
        let (lifetime, source) =
            first(own.default_lifetime.map(Some), host.default_lifetime.map(Some), None);
        let default_lifetime = match least(lifetime, max_lifetime.0) {
            shorter if shorter == lifetime => (lifetime, source),
            _ => max_lifetime,
        };
        let rate =
            first(RATES[own.default_rate].map(Some), RATES[host.default_rate].map(Some), None);
        let require = first(own.require_expiry, host.require_expiry, false);
        let keys = first(own.max_keys, host.max_keys, 10);
        let overlap = first(own.max_overlap, host.max_overlap, 7 * 24 * HOUR);
        let retention = first(own.retention, host.retention, 90 * 24 * HOUR);
        let events = first(own.event_retention, host.event_retention, 400 * 24 * HOUR);
        let most = plan.max_event_retention.unwrap_or(Span::MAX);
        Rules {
            api_enabled: first(own.api_enabled, host.api_enabled, false),
            require_expiry: cut(require, require.0 | plan.require_expiry),
            default_lifetime,
            max_lifetime,
            max_keys: cut(keys, keys.0.min(plan.max_keys_per_user)),
            max_overlap: cut(overlap, overlap.0.min(plan.max_overlap)),
            pattern: first(own.pattern.then_some(true), host.pattern.then_some(true), false),
            default_rate: cut(rate, within(rate.0, RATES[plan.max_rate])),
            extensive_use: alert(own.extensive_use, host.extensive_use, plan),
            suspicious_use: alert(own.suspicious_use, host.suspicious_use, plan),
            retention: cut(retention, retention.0.min(plan.max_retention.unwrap_or(Span::MAX))),
            event_retention: cut(events, events.0.min(most).max(plan.min_event_retention)),
        }
    }

    /// Returns whether new names must follow the pattern, by plan or settings.
    pub(super) fn has_pattern(&self, tenant: usize) -> bool {
        self.plans[tenant].pattern || self.rules(tenant).pattern.0
    }

    /// Returns the number of live keys that an owner can have.
    pub(super) fn limit_of_keys(&self, tenant: usize, owner: &Owner) -> Option<u16> {
        match owner {
            Owner::User(_) => Some(self.rules(tenant).max_keys.0),
            Owner::Account(_) => self.plans[tenant].max_keys_per_account,
            Owner::Organization => self.plans[tenant].max_keys_of_organization,
        }
    }

    /// Checks that an owner can have this many more live keys.
    ///
    /// # Errors
    /// The limit.
    pub(super) fn limit_holds(&self, tenant: usize, owner: &Owner, more: usize) -> Result<(), u16> {
        let keys = self.keys.iter().map(|key| &key.data);
        let of_owner = keys.filter(|key| key.tenant == tenant && key.owner == *owner);
        let live = of_owner.filter(|key| is_live(key, self.now)).count();
        match self.limit_of_keys(tenant, owner) {
            Some(limit) if live + more > usize::from(limit) => Err(limit),
            _ => Ok(()),
        }
    }

    /// Returns the scopes that a key of the owner can be given.
    pub(super) fn ceiling(&self, tenant: usize, owner: &Owner) -> u8 {
        let plan = &self.plans[tenant];
        match owner {
            Owner::Account(_) => plan.catalog() & self.role(tenant, owner),
            Owner::User(_) | Owner::Organization => plan.catalog(),
        }
    }

    fn role(&self, tenant: usize, owner: &Owner) -> u8 {
        let role =
            self.find_owner(owner).and_then(|found| self.plans[tenant].roles.get(&found.role));
        role.copied().unwrap_or(0)
    }

    /// Returns the scopes that a key effectively has.
    pub(crate) fn scopes_of(&self, key: &KeyData) -> u8 {
        let plan = &self.plans[key.tenant];
        let wanted = match (key.scopes, &key.owner) {
            (0, Owner::User(_) | Owner::Organization) => plan.default_scopes,
            (0, Owner::Account(_)) => u8::MAX,
            (own, _) => own,
        };
        let read_only = self.account_of(key).is_some_and(|account| account.read_only);
        let forbidden = if read_only { plan.writing } else { 0 };
        wanted & self.ceiling(key.tenant, &key.owner) & !forbidden
    }

    /// Returns the rate that a key effectively has.
    pub(super) fn rate_of(&self, key: &KeyData) -> Option<Uses> {
        let max = RATES[self.plans[key.tenant].max_rate];
        let default = self.rules(key.tenant).default_rate.0;
        match RATES[key.rate] {
            None => default,
            own if key.of_admin[2] => within(own, max),
            own => within(within(own, max), default),
        }
    }
}

fn edited(settings: &SettingsData, edit: &[Setting]) -> SettingsData {
    let mut next = settings.clone();
    for setting in edit {
        match *setting {
            Setting::ApiEnabled(to) => next.api_enabled = to,
            Setting::RequireExpiry(to) => next.require_expiry = to,
            Setting::DefaultLifetime(to) => next.default_lifetime = to,
            Setting::MaxLifetime(to) => next.max_lifetime = to,
            Setting::MaxKeys(to) => next.max_keys = to,
            Setting::MaxOverlap(to) => next.max_overlap = to,
            Setting::Pattern(to) => next.pattern = to,
            Setting::DefaultRate(to) => next.default_rate = to,
            Setting::ExtensiveUse(to) => next.extensive_use = to,
            Setting::SuspiciousUse(to) => next.suspicious_use = to,
            Setting::Retention(to) => next.retention = to,
            Setting::EventRetention(to) => next.event_retention = to,
        }
    }
    next
}

fn first<T>(own: Option<T>, host: Option<T>, default: T) -> Rule<T> {
    match own {
        Some(own) => (own, "setting"),
        None => (host.unwrap_or(default), "default"),
    }
}

fn cut<T: Copy + PartialEq>(rule: Rule<T>, to: T) -> Rule<T> {
    if rule.0 == to { rule } else { (to, "plan") }
}

fn least(one: Option<Span>, other: Option<Span>) -> Option<Span> {
    [one, other].into_iter().flatten().min()
}

/// Returns the rate that applies where both apply.
fn within(one: Option<Uses>, other: Option<Uses>) -> Option<Uses> {
    match (one, other) {
        (Some(one), Some(other)) => Some(both(one, other)),
        (one, other) => one.or(other),
    }
}

fn alert(own: Option<Alert>, host: Option<Alert>, plan: &PlanData) -> Rule<Option<Alert>> {
    let rule = first(own.map(Some), host.map(Some), None);
    let period = plan.min_alert_period / SECOND;
    cut(rule, rule.0.map(|(seconds, uses)| (seconds.max(period), uses)))
}

fn is_whole(span: Option<Span>) -> bool {
    span.is_none_or(|span| span % SECOND == 0)
}

fn fault_of_plan(plan: &PlanData) -> Option<String> {
    let of_others = [plan.max_keys_per_account, plan.max_keys_of_organization];
    let keys = [Some(plan.max_keys_per_user), of_others[0], of_others[1]];
    let spans = [
        plan.max_lifetime,
        Some(plan.max_overlap),
        Some(plan.min_alert_period),
        plan.max_retention,
        Some(plan.min_event_retention),
        plan.max_event_retention,
    ];
    let mut sets = vec![plan.default_scopes];
    sets.extend(plan.roles.values());
    let fault = if keys.into_iter().flatten().any(|keys| !(1..=1_000).contains(&keys)) {
        "max keys".to_owned()
    } else if plan.max_lifetime == Some(0) {
        "zero lifetime".to_owned()
    } else if !spans.into_iter().all(is_whole) {
        "not whole seconds".to_owned()
    } else if !(60 * SECOND..=31 * 24 * HOUR).contains(&plan.min_alert_period) {
        "alert period".to_owned()
    } else if plan.min_event_retention < 24 * HOUR {
        "event retention".to_owned()
    } else if plan.max_event_retention.is_some_and(|max| max < plan.min_event_retention) {
        "event retention range".to_owned()
    } else if sets.iter().any(|set| set & !plan.catalog() != 0) {
        "unknown scope".to_owned()
    } else {
        return None;
    };
    Some(format!("policy {fault}"))
}

fn fault_of_settings(settings: &SettingsData) -> Option<String> {
    let lifetimes = [settings.max_lifetime, settings.default_lifetime];
    let others = [settings.max_overlap, settings.retention, settings.event_retention];
    let fault = if settings.max_keys.is_some_and(|keys| !(1..=1_000).contains(&keys)) {
        "max keys"
    } else if lifetimes.contains(&Some(0)) {
        "zero lifetime"
    } else if !lifetimes.into_iter().chain(others).all(is_whole) {
        "not whole seconds"
    } else if let (Some(default), Some(max)) = (settings.default_lifetime, settings.max_lifetime)
        && default > max
    {
        "default above max"
    } else if settings.event_retention.is_some_and(|kept| kept < 24 * HOUR) {
        "event retention"
    } else {
        return None;
    };
    Some(format!("policy {fault}"))
}

/// Returns the first of the new settings that the plan does not allow.
fn beyond(new: &SettingsData, plan: &PlanData) -> Option<&'static str> {
    let is_longer =
        |own: Option<Span>, most: Option<Span>| own.zip(most).is_some_and(|(own, most)| own > most);
    let is_shorter = |alert: Option<Alert>| {
        alert.is_some_and(|(seconds, _)| seconds * SECOND < plan.min_alert_period)
    };
    let kept = new.event_retention;
    let fields = [
        ("max_lifetime", is_longer(new.max_lifetime, plan.max_lifetime)),
        ("default_lifetime", is_longer(new.default_lifetime, plan.max_lifetime)),
        ("max_overlap", is_longer(new.max_overlap, Some(plan.max_overlap))),
        ("retention", is_longer(new.retention, plan.max_retention)),
        ("event_retention", is_longer(kept, plan.max_event_retention)),
        ("event_retention", kept.is_some_and(|kept| kept < plan.min_event_retention)),
        ("max_keys_per_user", new.max_keys.is_some_and(|keys| keys > plan.max_keys_per_user)),
        ("default_rate", exceeds(RATES[new.default_rate], RATES[plan.max_rate])),
        ("extensive_use", is_shorter(new.extensive_use)),
        ("suspicious_use", is_shorter(new.suspicious_use)),
        ("require_expiry", plan.require_expiry && new.require_expiry == Some(false)),
    ];
    fields.into_iter().find(|(_, is_beyond)| *is_beyond).map(|(field, _)| field)
}
