//! The settings of alerts that the counts of uses need, without the rest of a policy.

use std::time::Duration;

use crate::record::plan::Plan;
use crate::record::policy::{Policy, TenantPolicy};
use crate::record::settings::Settings;
use crate::record::usage::UseKind;
use crate::value::use_alert::UseAlert;

/// The settings of alerts, and the plan's bound for them, as far as a tenant or the host has set
/// them.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    set: Option<Box<SetAlerts>>,
    /// The shortest period in seconds.
    min_period: Option<u32>,
}

#[derive(Debug, Default)]
struct SetAlerts {
    extensive: Option<UseAlert>,
    suspicious: Option<UseAlert>,
}

impl From<&Policy> for Alerts {
    fn from(Policy { plan, settings }: &Policy) -> Self {
        Self::set(Some(plan), Some(settings))
    }
}

impl Alerts {
    pub(crate) fn of_tenant(policy: Option<&TenantPolicy>) -> Self {
        let plan = policy.and_then(|policy| policy.plan.as_ref());
        Self::set(plan, policy.and_then(|policy| policy.settings.as_ref()))
    }

    fn set(plan: Option<&Plan>, settings: Option<&Settings>) -> Self {
        let set = settings.and_then(|settings| {
            let (extensive, suspicious) = (settings.extensive_use, settings.suspicious_use);
            (extensive.is_some() || suspicious.is_some())
                .then(|| Box::new(SetAlerts { extensive, suspicious }))
        });
        let min_period = plan.map(|plan| plan.min_alert_period.min(UseAlert::MAX_PERIOD));
        Self { set, min_period: min_period.and_then(|period| u32::try_from(period.as_secs()).ok()) }
    }

    /// Returns whether a tenant, or else the host's default policy, has set an alert.
    pub(crate) fn are_set(&self, default: &Self) -> bool {
        self.set.is_some() || default.set.is_some()
    }

    /// Returns the alert for uses of a kind under the host's default policy.
    pub(crate) fn in_force(&self, kind: UseKind, default: &Self) -> Option<UseAlert> {
        if !self.are_set(default) {
            return None;
        }
        let alert = self.of(kind).or(default.of(kind))?;
        let min = self.min_period.or(default.min_period).unwrap_or_default();
        Some(alert.in_period_of(Duration::from_secs(min.into())))
    }

    fn of(&self, kind: UseKind) -> Option<UseAlert> {
        let set = self.set.as_ref()?;
        match kind {
            UseKind::Accepted { .. } => set.extensive,
            UseKind::Refused => set.suspicious,
        }
    }
}
