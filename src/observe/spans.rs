//! The spans and events of `tracing`. Their names and fields are stable, and listed in the guide.

use std::error::Error;
use std::fmt;

use tracing::field::{Empty, display};
use tracing::instrument::Instrumented;
use tracing::{Instrument, Level, Span, debug_span, event, info_span};

use super::activity::{Activity, Ending};
#[cfg(feature = "cached")]
use super::events::CacheEvent;
use super::verdict::Verdict;
use crate::record::operation::Operation;
use crate::value::id::{AccountId, KeyId, TenantId};

pub(super) struct CheckSpan(Span);

impl CheckSpan {
    #[inline]
    pub(super) fn begin() -> Self {
        Self(debug_span!(
            "keywright.verify",
            keywright.outcome = Empty,
            keywright.key_id = Empty,
            keywright.tenant = Empty,
            keywright.denial.reason = Empty,
            error.type = Empty,
            otel.status_code = Empty,
        ))
    }

    #[inline]
    pub(super) fn within<T>(&self, part: impl FnOnce() -> T) -> T {
        self.0.in_scope(part)
    }

    #[inline]
    pub(super) fn run<F: Future>(&self, part: F) -> Instrumented<F> {
        part.instrument(self.0.clone())
    }

    #[inline]
    pub(super) fn ended<'a>(&self, verdict: impl FnOnce() -> Verdict<'a>) {
        if !self.0.is_disabled() {
            self.record(&verdict());
        }
    }

    #[cold]
    fn record(&self, verdict: &Verdict<'_>) {
        let span = &self.0;
        match verdict {
            Verdict::Accepted { key, tenant } => {
                span.record("keywright.outcome", "accepted");
                span.record("keywright.key_id", display(key));
                span.record("keywright.tenant", display(tenant));
            }
            Verdict::Denied { key, reason, .. } => {
                span.record("keywright.outcome", "denied");
                span.record("keywright.denial.reason", reason);
                span.record("keywright.key_id", key.as_ref().map(display));
            }
            Verdict::Unavailable(code) => {
                span.record("keywright.outcome", "unavailable");
                span.record("error.type", code);
                span.record("otel.status_code", "ERROR");
            }
        }
    }
}

/// A span of work, and the work.
#[derive(Clone)]
pub(super) struct WorkSpan(Span, Activity);

/// Creates the span of an activity. Each name is a constant of its own, so that a filter can name it.
macro_rules! span_of {
    ($activity:expr, $tenant:expr, {
        $($(#[$only:meta])? $pattern:pat => $level:ident $name:literal,)+
    }) => {
        match $activity {
            $($(#[$only])? $pattern => $level!(
                $name,
                keywright.outcome = Empty,
                keywright.tenant = $tenant.map(display),
                keywright.key_id = Empty,
                keywright.account_id = Empty,
                error.type = Empty,
                otel.status_code = Empty,
            ),)+
        }
    };
}

impl WorkSpan {
    pub(super) fn begin(activity: Activity, tenant: Option<&TenantId>) -> Self {
        use Activity::Operation as On;
        use Operation as O;
        let span = span_of!(activity, tenant, {
            On(O::KeyGenerate) => info_span "keywright.key.generate",
            On(O::KeyShow) => debug_span "keywright.key.show",
            On(O::KeyRename) => info_span "keywright.key.rename",
            On(O::KeyAnnotate) => info_span "keywright.key.annotate",
            On(O::KeyEdit) => info_span "keywright.key.edit",
            On(O::KeyDisable) => info_span "keywright.key.disable",
            On(O::KeyEnable) => info_span "keywright.key.enable",
            On(O::KeyRotate) => info_span "keywright.key.rotate",
            On(O::KeyFinishRotation) => info_span "keywright.key.finish_rotation",
            On(O::KeyRevoke) => info_span "keywright.key.revoke",
            On(O::KeyDelete) => info_span "keywright.key.delete",
            On(O::KeyTransfer) => info_span "keywright.key.transfer",
            On(O::AccountCreate) => info_span "keywright.account.create",
            On(O::AccountShow) => debug_span "keywright.account.show",
            On(O::AccountEdit) => info_span "keywright.account.edit",
            On(O::AccountDisable) => info_span "keywright.account.disable",
            On(O::AccountEnable) => info_span "keywright.account.enable",
            On(O::AccountDelete) => info_span "keywright.account.delete",
            On(O::PolicyShow) => debug_span "keywright.policy.show",
            On(O::SettingsEdit) => info_span "keywright.settings.edit",
            On(O::PlanSet) => info_span "keywright.plan.set",
            On(O::UserShow) => debug_span "keywright.user.show",
            On(O::UserName) => info_span "keywright.user.name",
            On(O::UserSuspend) => info_span "keywright.user.suspend",
            On(O::UserRestore) => info_span "keywright.user.restore",
            On(O::EventsShow) => debug_span "keywright.events.show",
            On(O::Sweep) => info_span "keywright.sweep",
            Activity::AbilitiesShow => debug_span "keywright.abilities.show",
            Activity::TenantsShow => debug_span "keywright.tenants.show",
            Activity::LeakReport => info_span "keywright.leak.report",
            Activity::Flush => debug_span "keywright.flush",
            #[cfg(feature = "cached")]
            Activity::CacheSync => debug_span "keywright.cache.sync",
            #[cfg(feature = "postgres")]
            Activity::TransferBegin => info_span "keywright.transfer.begin",
            #[cfg(feature = "postgres")]
            Activity::TransferCopy => info_span "keywright.transfer.copy",
            #[cfg(feature = "postgres")]
            Activity::TransferFinish => info_span "keywright.transfer.finish",
        });
        Self(span, activity)
    }

    pub(super) fn run<F: Future>(&self, work: F) -> Instrumented<F> {
        work.instrument(self.0.clone())
    }

    pub(super) fn is_about(&self, key: Option<&KeyId>, account: Option<&AccountId>) {
        self.0.record("keywright.key_id", key.map(display));
        self.0.record("keywright.account_id", account.map(display));
    }

    pub(super) fn overtaken(&self) {
        event!(
            name: "keywright.overtaken",
            parent: &self.0,
            Level::DEBUG,
            { keywright.operation = self.1.name() },
            "another change was committed first; the operation starts again"
        );
    }

    pub(super) fn ended(&self, ending: Ending<'_>) {
        let span = &self.0;
        span.record("keywright.outcome", ending.outcome());
        span.record("error.type", ending.code());
        let Ending::Failed(code, error) = ending else { return };
        span.record("otel.status_code", "ERROR");
        // A cache tells once that its store is unreachable. Its syncs fail several times in a second.
        #[cfg(feature = "cached")]
        if self.1 == Activity::CacheSync {
            return;
        }
        event!(
            name: "keywright.failed",
            parent: span,
            Level::WARN,
            {
                keywright.operation = self.1.name(),
                error.type = code,
                error.message = %Chain(error),
            },
            "{} failed",
            self.1.name()
        );
    }
}

/// An error and its sources on one line.
struct Chain<'e>(&'e dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

/// Tells the operator of an event.
#[cfg(feature = "cached")]
pub(crate) fn tell(event: &CacheEvent<'_>) {
    match event {
        CacheEvent::Unreachable(error) => event!(
            name: "keywright.cache.unreachable",
            Level::WARN,
            { error.message = %Chain(*error) },
            "the store behind the cache does not answer, and when the bound has passed, no key can be checked"
        ),
        CacheEvent::Reachable => event!(
            name: "keywright.cache.reachable",
            Level::INFO,
            "the store behind the cache answers again"
        ),
        CacheEvent::NotRefreshed => event!(
            name: "keywright.cache.not_refreshed",
            Level::WARN,
            "no task refreshes the cache, so every check asks the store: call Keywright::start"
        ),
        CacheEvent::LostCommits => event!(
            name: "keywright.cache.lost_commits",
            Level::ERROR,
            "the store has lost commits: check whether revoked keys are active again"
        ),
        #[cfg(feature = "postgres")]
        CacheEvent::HintsLost => event!(
            name: "keywright.hints.lost",
            Level::WARN,
            "the connection that announces changes was lost: changes are known later, within the bound"
        ),
        #[cfg(feature = "postgres")]
        CacheEvent::HintsRestored => event!(
            name: "keywright.hints.restored",
            Level::INFO,
            "changes are announced again"
        ),
    }
}
