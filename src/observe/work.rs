//! A piece of work, from its begin to its ending.

use super::activity::{Activity, Ending};
use super::meters::WorkMeter;
use super::spans::WorkSpan;
use crate::value::id::{AccountId, KeyId, TenantId};

/// A piece of work that is observed. Clones are the same work.
///
/// If it is dropped before it has ended, its span has no outcome, and no metric counts it.
#[derive(Clone)]
pub(crate) struct Work {
    span: WorkSpan,
    meter: WorkMeter,
}

impl Work {
    pub(crate) fn begin(activity: Activity, tenant: Option<&TenantId>) -> Self {
        Self { span: WorkSpan::begin(activity, tenant), meter: WorkMeter::begin(activity) }
    }

    /// Runs the work to its end.
    pub(crate) async fn run<T>(
        &self,
        work: impl Future<Output = T>,
        ending: impl FnOnce(&T) -> Ending<'_>,
    ) -> T {
        let done = self.span.run(work).await;
        self.ended(ending(&done));
        done
    }

    /// Notes the stored key and the service account that the work is about.
    pub(crate) fn is_about(&self, key: Option<&KeyId>, account: Option<&AccountId>) {
        self.span.is_about(key, account);
    }

    /// Notes that another change was committed first, so that the work starts again.
    pub(crate) fn overtaken(&self) {
        self.span.overtaken();
        self.meter.overtaken();
    }

    pub(crate) fn ended(&self, ending: Ending<'_>) {
        self.span.ended(ending);
        self.meter.ended(ending);
    }
}
