//! The values that an authority and a verifier share: the store, the seams, and the counts in
//! memory.

pub(crate) mod limiter;
mod publish;
pub(crate) mod refusal_log;
pub(crate) mod retry;
pub(crate) mod ticket_ids;
pub(crate) mod usage_recorder;

use std::sync::Arc;

use crate::observe::Counts;
use crate::record::policy::Policy;
use crate::setup::limiter::Limiter;
use crate::setup::refusal_log::RefusalLog;
use crate::setup::ticket_ids::TicketIds;
use crate::setup::usage_recorder::UsageRecorder;
#[cfg(feature = "cached")]
use crate::store::CachedStore;
use crate::store::KeyStore;
use crate::value::digest::PepperRing;
use crate::value::prefixes::Prefixes;
use crate::value::random::Random;
use crate::value::time::Clock;

/// The values that every authority and verifier of one [`Keywright`](crate::Keywright) share.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) store: Arc<dyn KeyStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<Random>,
    pub(crate) peppers: Arc<PepperRing>,
    pub(crate) ticket_ids: Arc<TicketIds>,
    pub(crate) prefixes: Prefixes,
    pub(crate) default_policy: Arc<Policy>,
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) usage_recorder: Arc<UsageRecorder>,
    pub(crate) refusal_log: Arc<RefusalLog>,
    /// The checks that metrics have not counted yet.
    pub(crate) counts: Counts,
    /// The caches of the store.
    #[cfg(feature = "cached")]
    pub(crate) caches: Arc<[CachedStore]>,
}
