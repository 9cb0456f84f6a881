//! Draws changes of plan and settings.

use rand::RngExt;

use super::Draw;
use crate::plain::{HOUR, Op, SECOND, Span};
use crate::policy::{Alert, PlanData, Setting};

const MINUTE: Span = 60 * SECOND;

impl Draw<'_> {
    fn alert(&mut self) -> Alert {
        (self.pick(&[60, 3_600, 86_400]), self.random.random_range(1..6))
    }

    /// The rates that owners share regain whole parts for these numbers of keys.
    fn keys(&mut self) -> u16 {
        self.random.random_range(2..7)
    }

    /// Draws a bound that is rarely set, so that most settings are possible.
    fn bound<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.one_in(5) { Some(draw(self)) } else { None }
    }

    /// Changes some fields of the plan in force, sometimes to invalid values.
    pub(super) fn set_plan(&mut self) -> Op {
        let by = self.by();
        let mut plan: PlanData = self.reference.plans[by.tenant].clone();
        // API access comes back soon, because most operations are refused without it.
        plan.api_access = true;
        for _ in 0..self.random.random_range(0..4) {
            match self.random.random_range(0..16) {
                0 => plan.api_access = !self.one_in(4),
                1 | 2 => {
                    let (all, writing) = (self.scopes() | 3, self.pick(&[0, 2, 6, 14, 3]));
                    (plan.reading, plan.writing) = (all & !writing, all & writing);
                }
                3 => plan.default_scopes = self.scopes(),
                4 | 5 => {
                    let role = self.random.random_range(0..2);
                    plan.roles.insert(role, self.scopes());
                    if self.one_in(12) {
                        plan.roles.remove(&role);
                    }
                }
                6 => plan.max_rate = self.rate(),
                7 => {
                    let keys = self.keys();
                    plan.max_keys_per_user = self.pick(&[keys, 10, 1_000]);
                }
                8 => plan.max_keys_per_account = self.bound(Self::keys),
                9 => plan.max_keys_of_organization = self.bound(Self::keys),
                10 => plan.require_expiry = self.one_in(6),
                11 => plan.max_lifetime = self.bound(Self::whole_span),
                12 => plan.max_overlap = self.pick(&[60 * SECOND, HOUR, 48 * HOUR, 2_000 * HOUR]),
                13 => {
                    plan.pattern = self.one_in(8);
                    plan.min_alert_period = self.pick(&[MINUTE, MINUTE, HOUR]);
                }
                14 => plan.max_retention = self.bound(Self::whole_span),
                _ => {
                    plan.min_event_retention = self.pick(&[24, 24, 30]) * HOUR;
                    plan.max_event_retention = self.bound(|draw| draw.pick(&[30, 100]) * HOUR);
                }
            }
        }
        if !self.one_in(10) {
            // As a rule, roles and default scopes are in the catalog.
            let catalog = plan.catalog();
            plan.default_scopes &= catalog;
            plan.roles.values_mut().for_each(|scopes| *scopes &= catalog);
        }
        match self.random.random_range(0..50) {
            0 => plan.version += 1,
            1 => plan.version = plan.version.saturating_sub(1),
            2 => plan.max_keys_per_user = self.pick(&[0, 1_001]),
            3 => plan.max_keys_per_account = Some(0),
            4 => plan.max_keys_of_organization = Some(1_001),
            5 => plan.max_lifetime = Some(self.pick(&[0, SECOND, 1_500_000])),
            6 => plan.max_retention = Some(1),
            7 => plan.min_event_retention = 24 * HOUR - SECOND,
            8 => plan.max_event_retention = Some(24 * HOUR - SECOND),
            9 => plan.min_alert_period = self.pick(&[MINUTE - SECOND, 31 * 24 * HOUR + SECOND]),
            _ => {}
        }
        Op::SetPlan(by, plan)
    }

    /// Edits some settings, sometimes to invalid values or beyond the plan.
    pub(super) fn edit_settings(&mut self) -> Op {
        let by = self.by();
        let mut edit = Vec::new();
        if !self.reference.rules(by.tenant).api_enabled.0 {
            edit.push(Setting::ApiEnabled(Some(true)));
        }
        for _ in 0..self.random.random_range(0..4) {
            edit.push(self.setting());
        }
        let version = self.reference.settings[by.tenant].version;
        let version = match self.random.random_range(0..20) {
            0 => Some(version + 1),
            1 => Some(version.saturating_sub(1)),
            2..10 => Some(version),
            _ => None,
        };
        Op::EditSettings(by, edit, version)
    }

    fn setting(&mut self) -> Setting {
        match self.random.random_range(0..40) {
            0 => return Setting::MaxKeys(Some(self.pick(&[0, 1_001]))),
            1 => return Setting::MaxLifetime(Some(self.pick(&[0, SECOND, 1_500_000]))),
            2 => return Setting::Retention(Some(1)),
            3 => return Setting::EventRetention(Some(24 * HOUR - SECOND)),
            _ => {}
        }
        match self.random.random_range(0..13) {
            0 => {
                let on = self.pick(&[Some(true), Some(true), Some(false), None]);
                Setting::ApiEnabled(on)
            }
            1 => Setting::RequireExpiry(self.pick(&[
                None,
                None,
                Some(false),
                Some(false),
                Some(true),
            ])),
            2 => Setting::DefaultLifetime(self.maybe(Self::whole_span)),
            3 => Setting::MaxLifetime(self.bound(Self::whole_span)),
            4 | 5 => Setting::MaxKeys(self.maybe(Self::keys)),
            6 => Setting::MaxOverlap(self.maybe(Self::whole_span)),
            7 => Setting::Pattern(self.one_in(8)),
            8 => Setting::DefaultRate(self.rate()),
            9 => Setting::ExtensiveUse(self.maybe(Self::alert)),
            10 => Setting::SuspiciousUse(self.maybe(Self::alert)),
            11 => Setting::Retention(self.maybe(Self::whole_span)),
            _ => Setting::EventRetention(self.maybe(|draw| draw.pick(&[24, 24, 30, 100]) * HOUR)),
        }
    }
}
