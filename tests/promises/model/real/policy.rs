//! Sets plans and settings, and converts them and the rules in force to plain data and back.

use std::time::Duration;

use futures_lite::future::block_on;
use keywright::{
    EffectivePolicy, InForce, NamePattern, Plan, Policy, Role, RoleName, ScopeDefinition, ScopeSet,
    Settings, SettingsEdit, Source, UseAlert,
};

use super::{Real, errors, translate as to};
use crate::plain::{Answer, By, RATES, ROLES, Span, refused};
use crate::policy::{Alert, PlanData, Rule, Rules, Setting, SettingsData};

impl Real {
    pub(super) fn set_plan(&self, by: By, to: &PlanData) -> Answer {
        match block_on(self.authority.set_plan(&to::actor(by), plan(to))) {
            Ok(set) => Answer::Plan(set.is_unchanged(), plan_data(&set.into_inner())),
            Err(error) => refused(errors::set_policy_error(&error)),
        }
    }

    pub(super) fn edit_settings(&self, by: By, edit: &[Setting], version: Option<u64>) -> Answer {
        let edit = settings_edit(edit, version);
        match block_on(self.authority.edit_settings(&to::actor(by), edit)) {
            Ok(set) => Answer::Settings(set.is_unchanged(), settings_data(&set.into_inner())),
            Err(error) => refused(errors::set_policy_error(&error)),
        }
    }
}

pub(super) fn of_host() -> Policy {
    Policy { plan: plan(&PlanData::of_host()), settings: settings(&SettingsData::of_host()) }
}

fn plan(data: &PlanData) -> Plan {
    let role = |(role, bits): (&usize, &u8)| {
        (RoleName::new(ROLES[*role]).expect("a role"), Role::new(to::scopes(*bits)))
    };
    let mut plan = Plan::allowing(to::scopes(data.reading), to::scopes(data.writing));
    plan.api_access = data.api_access;
    plan.default_scopes = to::scopes(data.default_scopes);
    plan.roles = data.roles.iter().map(role).collect();
    plan.max_rate = to::rate(RATES[data.max_rate]);
    plan.max_keys_per_user = data.max_keys_per_user;
    plan.max_keys_per_account = data.max_keys_per_account;
    plan.max_keys_of_organization = data.max_keys_of_organization;
    plan.require_expiry = data.require_expiry;
    plan.max_lifetime = data.max_lifetime.map(to::span);
    plan.max_overlap = to::span(data.max_overlap);
    plan.name_pattern = data.pattern.then(NamePattern::default);
    plan.min_alert_period = to::span(data.min_alert_period);
    plan.max_retention = data.max_retention.map(to::span);
    plan.min_event_retention = to::span(data.min_event_retention);
    plan.max_event_retention = data.max_event_retention.map(to::span);
    plan.version = data.version;
    plan
}

fn plan_data(plan: &Plan) -> PlanData {
    let of = |writes: bool| {
        let found = plan.scopes.iter().filter(|(_, found)| {
            assert!(found.description.is_none());
            writes == (*found == &ScopeDefinition::new(to::access(false)))
        });
        to::bits(&ScopeSet::new(found.map(|(scope, _)| scope.clone())).expect("a few scopes"))
    };
    PlanData {
        api_access: plan.api_access,
        reading: of(false),
        writing: of(true),
        default_scopes: to::bits(&plan.default_scopes),
        roles: plan
            .roles
            .iter()
            .map(|(name, role)| {
                (to::place(ROLES.into_iter(), &name.as_str()), to::bits(&role.scopes))
            })
            .collect(),
        max_rate: to::place(RATES.into_iter().map(to::rate), &plan.max_rate),
        max_keys_per_user: plan.max_keys_per_user,
        max_keys_per_account: plan.max_keys_per_account,
        max_keys_of_organization: plan.max_keys_of_organization,
        require_expiry: plan.require_expiry,
        max_lifetime: plan.max_lifetime.map(in_micros),
        max_overlap: in_micros(plan.max_overlap),
        pattern: plan.name_pattern.is_some(),
        min_alert_period: in_micros(plan.min_alert_period),
        max_retention: plan.max_retention.map(in_micros),
        min_event_retention: in_micros(plan.min_event_retention),
        max_event_retention: plan.max_event_retention.map(in_micros),
        version: plan.version,
    }
}

fn settings(data: &SettingsData) -> Settings {
    let mut settings = Settings::default();
    settings.api_enabled = data.api_enabled;
    settings.require_expiry = data.require_expiry;
    settings.default_lifetime = data.default_lifetime.map(to::span);
    settings.max_lifetime = data.max_lifetime.map(to::span);
    settings.max_keys_per_user = data.max_keys;
    settings.max_overlap = data.max_overlap.map(to::span);
    settings.name_pattern = data.pattern.then(NamePattern::default);
    settings.default_rate = to::rate(RATES[data.default_rate]);
    settings.extensive_use = data.extensive_use.map(alert);
    settings.suspicious_use = data.suspicious_use.map(alert);
    settings.retention = data.retention.map(to::span);
    settings.event_retention = data.event_retention.map(to::span);
    settings
}

fn settings_edit(fields: &[Setting], version: Option<u64>) -> SettingsEdit {
    let set = |edit: SettingsEdit, field: &Setting| match *field {
        Setting::ApiEnabled(to) => edit.api_enabled(to),
        Setting::RequireExpiry(to) => edit.require_expiry(to),
        Setting::DefaultLifetime(to) => edit.default_lifetime(to.map(to::span)),
        Setting::MaxLifetime(to) => edit.max_lifetime(to.map(to::span)),
        Setting::MaxKeys(to) => edit.max_keys_per_user(to),
        Setting::MaxOverlap(to) => edit.max_overlap(to.map(to::span)),
        Setting::Pattern(to) => edit.name_pattern(to.then(NamePattern::default)),
        Setting::DefaultRate(to) => edit.default_rate(to::rate(RATES[to])),
        Setting::ExtensiveUse(to) => edit.extensive_use(to.map(alert)),
        Setting::SuspiciousUse(to) => edit.suspicious_use(to.map(alert)),
        Setting::Retention(to) => edit.retention(to.map(to::span)),
        Setting::EventRetention(to) => edit.event_retention(to.map(to::span)),
    };
    let edit = fields.iter().fold(SettingsEdit::new(), set);
    match version {
        Some(version) => edit.if_version(version),
        None => edit,
    }
}

fn settings_data(settings: &Settings) -> SettingsData {
    SettingsData {
        api_enabled: settings.api_enabled,
        require_expiry: settings.require_expiry,
        default_lifetime: settings.default_lifetime.map(in_micros),
        max_lifetime: settings.max_lifetime.map(in_micros),
        max_keys: settings.max_keys_per_user,
        max_overlap: settings.max_overlap.map(in_micros),
        pattern: settings.name_pattern.is_some(),
        default_rate: to::place(RATES.into_iter().map(to::rate), &settings.default_rate),
        extensive_use: settings.extensive_use.map(alert_data),
        suspicious_use: settings.suspicious_use.map(alert_data),
        retention: settings.retention.map(in_micros),
        event_retention: settings.event_retention.map(in_micros),
        version: settings.version,
    }
}

pub(super) fn policy_data(policy: &EffectivePolicy) -> (PlanData, SettingsData, Rules) {
    let rules = Rules {
        api_enabled: rule(&policy.api_enabled, |own| *own),
        require_expiry: rule(&policy.require_expiry, |own| *own),
        default_lifetime: rule(&policy.default_lifetime, |own| own.map(in_micros)),
        max_lifetime: rule(&policy.max_lifetime, |own| own.map(in_micros)),
        max_keys: rule(&policy.max_keys_per_user, |own| *own),
        max_overlap: rule(&policy.max_overlap, |own| in_micros(*own)),
        pattern: rule(&policy.name_pattern, Option::is_some),
        default_rate: rule(&policy.default_rate, |own| own.map(to::uses)),
        extensive_use: rule(&policy.extensive_use, |own| own.map(alert_data)),
        suspicious_use: rule(&policy.suspicious_use, |own| own.map(alert_data)),
        retention: rule(&policy.retention, |own| in_micros(*own)),
        event_retention: rule(&policy.event_retention, |own| in_micros(*own)),
    };
    (plan_data(&policy.plan), settings_data(&policy.settings), rules)
}

fn rule<T, U>(found: &InForce<T>, plain: impl Fn(&T) -> U) -> Rule<U> {
    let source = match found.source {
        Source::Plan => "plan",
        Source::Setting => "setting",
        Source::Default => "default",
    };
    (plain(&found.value), source)
}

fn alert((seconds, uses): Alert) -> UseAlert {
    format!("{uses}/{seconds}s").parse().expect("an alert")
}

fn alert_data(alert: UseAlert) -> Alert {
    (i64::try_from(alert.period().as_secs()).expect("a short time"), alert.uses())
}

fn in_micros(span: Duration) -> Span {
    assert_eq!(span.subsec_nanos(), 0, "only whole seconds are stored");
    i64::try_from(span.as_micros()).expect("a short time")
}
