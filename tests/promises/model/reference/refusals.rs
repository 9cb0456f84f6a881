//! Refused calls: the first ten of an actor in a minute are events, and one event counts the rest.

use std::collections::BTreeMap;

use super::Reference;
use crate::plain::{By, SECOND, TENANTS, Time};

/// The current minute of each actor of a tenant.
pub(super) type Minutes = BTreeMap<(usize, String), Minute>;

#[derive(Default)]
pub(super) struct Minute {
    began: Time,
    recorded: u32,
    /// The number of counted refusals, and the time of the first one.
    counted: Option<(u64, Time)>,
    /// The same values for minutes that have ended.
    due: Option<(u64, Time)>,
}

impl Minute {
    /// Returns whether the minute is over. A clock that goes back by a minute ends it too.
    fn is_over(&self, now: Time) -> bool {
        (now - self.began).abs() >= 60 * SECOND
    }

    fn settle(&mut self, now: Time) {
        if self.is_over(now)
            && let Some((number, since)) = self.counted.take()
        {
            let (before, first) = self.due.unwrap_or((0, since));
            self.due = Some((before + number, first.min(since)));
        }
    }
}

impl Reference {
    /// Records a refused call of an actor.
    pub(super) fn refusal(&mut self, by: By, kind: &str, key: Option<&str>, account: Option<&str>) {
        let (now, actor) = (self.now, format!("user:{}", by.who.user()));
        let empty = || Minute { began: now, ..Minute::default() };
        let minute = self.refusals.entry((by.tenant, actor.clone())).or_insert_with(empty);
        if minute.is_over(now) {
            minute.settle(now);
            (minute.began, minute.recorded) = (now, 0);
        }
        if minute.recorded == 10 {
            let (number, since) = minute.counted.unwrap_or((0, now));
            minute.counted = Some((number + 1, since.min(now)));
            return;
        }
        minute.recorded += 1;
        self.record(by.tenant, actor, kind, "refused", key, account);
        self.write_counts(None, 4);
    }

    /// Writes at most `most` events with the counts of ended minutes, of one tenant or of all.
    pub(super) fn write_counts(&mut self, tenant: Option<usize>, most: usize) {
        let now = self.now;
        let mut due = Vec::new();
        for ((of, actor), minute) in &mut self.refusals {
            minute.settle(now);
            if let Some((_, since)) = minute.due
                && tenant.is_none_or(|tenant| tenant == *of)
            {
                due.push((since, TENANTS[*of], *of, actor.clone()));
            }
        }
        due.sort();
        for (_, _, tenant, actor) in due.into_iter().take(most) {
            let minute = self.refusals.get_mut(&(tenant, actor.clone())).expect("it is there");
            let (number, _) = minute.due.take().expect("it is due");
            self.record(tenant, actor, "actor.refusals", "refused", None, None);
            self.events.last_mut().expect("it was recorded").refusals = number;
        }
    }
}
