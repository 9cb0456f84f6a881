//! The check of debug builds that the quick road and the full decision agree.

use super::Inner;
use crate::decision::decide;
use crate::decision::request::AccessRequest;
use crate::record::key::Key;
use crate::record::rates_in_force::RatesInForce;
use crate::store::FoundRef;
use crate::value::digest::Digest;
use crate::value::time::Timestamp;
use crate::value::token::Presented;

impl Inner {
    /// Checks that the full decision accepts what the quick road has accepted.
    pub(super) fn must_agree(
        &self,
        presented: &Presented<'_>,
        computed: &Digest,
        found: FoundRef<'_>,
        request: &AccessRequest<'_>,
        now: Timestamp,
    ) {
        let circumstances = self.circumstances(now, |_: &Key, _: RatesInForce| Ok(()));
        let decided = decide(presented, computed, &mut Some(found.into()), request, circumstances);
        assert!(decided.is_ok(), "the quick road has accepted a request to refuse: {decided:?}");
    }
}
