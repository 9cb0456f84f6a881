//! Renewal: checks the credential of a request again, with fresher knowledge.

use std::time::Duration;

use crate::decision::request::AccessRequest;
use crate::decision::{Denial, Grant, decide};
use crate::record::key::Key;
use crate::record::rates_in_force::RatesInForce;
use crate::record::tally::Counted;
use crate::setup::Setup;
use crate::value::token::Presented;

use super::{Verifier, VerifyError};

impl Verifier {
    /// Checks a credential whose use is already counted, and neither counts it nor takes a use of
    /// its rates. A refusal is counted.
    pub(crate) async fn renew(&self, request: &AccessRequest<'_>) -> Result<Grant, VerifyError> {
        let inner = &*self.0;
        let presented = Presented::parse(request.credential, inner.setup.prefixes.usual())
            .ok_or_else(Denial::malformed)?;
        let mut found = inner.setup.store.resolve(&presented.key_id, request.freshness).await?;
        let now = inner.setup.clock.now();
        let computed = inner.setup.peppers.digest(&presented.key_id, presented.secret);
        let circumstances =
            inner.circumstances(now, |_: &Key, _: RatesInForce| Ok::<(), Duration>(()));
        let decided = decide(&presented, &computed, &mut found, request, circumstances);
        Ok(decided.inspect_err(|error| inner.count_refused(found.as_ref(), error, now))?)
    }

    /// Counts a refused use of a key whose request was accepted before, and now breaks a further
    /// requirement.
    pub(crate) fn count_denied(&self, grant: &Grant) {
        let Setup { usage_recorder, clock, .. } = &self.0.setup;
        usage_recorder.count_owned(grant.snapshot(), Counted::Refused, clock.now());
    }
}
