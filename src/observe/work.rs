//! A piece of work, from its begin to its ending.

use super::activity::{Activity, Ending};
use super::spans::WorkSpan;
use crate::value::id::{AccountId, KeyId, TenantId};

/// A piece of work that is observed. Clones are the same work.
///
/// If it is dropped before it has ended, its span has no outcome.
#[derive(Clone)]
pub(crate) struct Work(WorkSpan);

impl Work {
    pub(crate) fn begin(activity: Activity, tenant: Option<&TenantId>) -> Self {
        Self(WorkSpan::begin(activity, tenant))
    }

    /// Runs the work to its end.
    pub(crate) async fn run<T>(
        &self,
        work: impl Future<Output = T>,
        ending: impl FnOnce(&T) -> Ending<'_>,
    ) -> T {
        let done = self.0.run(work).await;
        self.ended(ending(&done));
        done
    }

    /// Notes the stored key and the service account that the work is about.
    pub(crate) fn is_about(&self, key: Option<&KeyId>, account: Option<&AccountId>) {
        self.0.is_about(key, account);
    }

    /// Notes that another change was committed first, so that the work starts again.
    pub(crate) fn overtaken(&self) {
        self.0.overtaken();
    }

    pub(crate) fn ended(&self, ending: Ending<'_>) {
        self.0.ended(ending);
    }
}
