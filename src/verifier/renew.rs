//! Renewal: checks the credential of a request again, with fresher knowledge.

use std::time::Duration;

use crate::decision::request::AccessRequest;
use crate::decision::{Denial, Grant, decide};
use crate::observe::Check;
use crate::record::key::Key;
use crate::record::rates_in_force::RatesInForce;
use crate::record::tally::Counted;
use crate::setup::Setup;
use crate::value::token::Presented;

use super::{Answer, Inner, Verifier, VerifyError, denied, verdict};

impl Verifier {
    /// Checks a credential whose use is already counted, and neither counts it nor takes a use of
    /// its rates. A refusal is counted.
    pub(crate) async fn renew(&self, request: &AccessRequest<'_>) -> Result<Grant, VerifyError> {
        let check = Check::begin();
        let answer = check.run(self.0.renewed(request)).await;
        check.ended(&self.0.setup.counts, || verdict(&answer));
        answer
    }

    /// Counts a refused use of a key whose request was accepted before, and now breaks a further
    /// requirement.
    pub(crate) fn count_denied(&self, grant: &Grant, denial: &Denial) {
        let Setup { usage_recorder, clock, .. } = &self.0.setup;
        usage_recorder.count_owned(grant.snapshot(), Counted::Refused, clock.now());
        self.observe_denied(denial);
    }

    /// Observes a denial for which nothing had to be looked up, as a check of its own.
    pub(crate) fn observe_denied(&self, denial: &Denial) {
        Check::begin().ended(&self.0.setup.counts, || denied(denial));
    }
}

impl Inner {
    async fn renewed(&self, request: &AccessRequest<'_>) -> Answer {
        let presented = Presented::parse(request.credential, self.setup.prefixes.usual())
            .ok_or_else(Denial::malformed)?;
        let mut found = self.setup.store.resolve(&presented.key_id, request.freshness).await?;
        let now = self.setup.clock.now();
        let computed = self.setup.peppers.digest(&presented.key_id, presented.secret);
        let circumstances =
            self.circumstances(now, |_: &Key, _: RatesInForce| Ok::<(), Duration>(()));
        let decided = decide(&presented, &computed, &mut found, request, circumstances);
        Ok(decided.inspect_err(|error| self.count_refused(found.as_ref(), error, now))?)
    }
}
