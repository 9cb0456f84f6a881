//! Leak reports: a token that was found in the open ends its key.

use super::possession::{Step, by_possessor, revocation};
use super::{Verifier, VerifyError};
use crate::decision::SecretUsed;
use crate::observe::{Activity, Ending, Work, count_leak_report};
use crate::record::event::{DetailField, Event, EventDetails, EventKind, EventOutcome};
use crate::record::key::Key;
use crate::record::status::KeyStatus;
use crate::store::{Batch, EventQuery, StoreError};
use crate::value::id::KeyId;
use crate::value::outside_text::shown;
use crate::value::time::Timestamp;
use crate::value::token::Credential;

/// A report that a token was found in the open, such as in a public repository.
///
/// ```
/// use keywright::{Credential, LeakReport};
///
/// # fn report(token: &str) {
/// let report = LeakReport::new(Credential::Token(token))
///     .source("https://github.com/octocat/hello/blob/main/.env")
///     .reporter("github");
/// # }
/// ```
///
/// See [Leak reports](crate::guide::leak_reports) in the guide.
#[derive(Clone, Debug)]
#[must_use = "setters take and return by value"]
pub struct LeakReport<'a> {
    credential: Credential<'a>,
    source: Option<String>,
    reporter: Option<String>,
    alert_only: bool,
}

impl<'a> LeakReport<'a> {
    /// The maximum length of the source in an event, in characters.
    pub const MAX_SOURCE: usize = 500;
    /// The maximum length of the reporter in an event, in characters.
    pub const MAX_REPORTER: usize = 100;

    /// Creates a report that revokes the key of the credential.
    ///
    /// ```
    /// use keywright::{Credential, LeakReport};
    ///
    /// # fn report(token: &str) {
    /// let report = LeakReport::new(Credential::Token(token));
    /// # }
    /// ```
    pub fn new(credential: Credential<'a>) -> Self {
        Self { credential, source: None, reporter: None, alert_only: false }
    }

    /// Sets the place where the token was found, such as a URL.
    ///
    /// The text comes from outside, and no text of it is refused. Control characters and invisible
    /// characters are replaced by U+FFFD, and everything that looks like a token by `(hidden)`. A
    /// commit id stays. A text longer than [`MAX_SOURCE`](Self::MAX_SOURCE) is shortened.
    ///
    /// ```
    /// use keywright::{Credential, LeakReport};
    ///
    /// # fn report(token: &str) {
    /// let report = LeakReport::new(Credential::Token(token)).source("https://example.com/paste/7");
    /// # }
    /// ```
    pub fn source(self, place: &str) -> Self {
        Self { source: shown(place, Self::MAX_SOURCE), ..self }
    }

    /// Sets the reporter, such as `github`.
    ///
    /// The rules of [`source`](Self::source) apply, with [`MAX_REPORTER`](Self::MAX_REPORTER).
    ///
    /// ```
    /// use keywright::{Credential, LeakReport};
    ///
    /// # fn report(token: &str) {
    /// let report = LeakReport::new(Credential::Token(token)).reporter("nightly-scan");
    /// # }
    /// ```
    pub fn reporter(self, name: &str) -> Self {
        Self { reporter: shown(name, Self::MAX_REPORTER), ..self }
    }

    /// Records the leak and leaves the key as it is.
    ///
    /// The key works until another call revokes or rotates it, also for every reader of the leaked
    /// token. Use it only if an outage of the key's owner is worse than a stranger with the key. Each
    /// secret is recorded once; reports at the same moment can both be recorded.
    ///
    /// ```
    /// use keywright::{Credential, LeakReport};
    ///
    /// # fn report(token: &str) {
    /// let report = LeakReport::new(Credential::Token(token)).alert_only();
    /// # }
    /// ```
    pub fn alert_only(self) -> Self {
        Self { alert_only: true, ..self }
    }

    fn event(&self, key: &Key, leaked: u32, now: Timestamp) -> Event {
        let details = EventDetails::NONE
            .text(DetailField::Name, &key.name)
            .text(DetailField::Owner, &key.owner)
            .value(DetailField::SecretNumber, u64::from(leaked));
        let given =
            [(DetailField::LeakSource, &self.source), (DetailField::Reporter, &self.reporter)];
        let details = given.into_iter().fold(details, |details, (field, text)| match text {
            Some(text) => details.text(field, text),
            None => details,
        });
        let outcome = if self.alert_only { EventOutcome::Unchanged } else { EventOutcome::Done };
        Event { outcome, details, ..by_possessor(key, EventKind::LeakReported, now) }
    }
}

/// The result of a [`LeakReport`].
///
/// ```
/// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
/// # let alice = Actor::developer(UserId::new("alice")?);
/// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// use keywright::{Credential, LeakOutcome, LeakReport};
///
/// let report = LeakReport::new(Credential::Token(issued.token.expose()));
/// assert_eq!(verifier.report_leak(&report).await?, LeakOutcome::Revoked(issued.key.id));
/// assert_eq!(verifier.report_leak(&report).await?, LeakOutcome::Unchanged(issued.key.id));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LeakOutcome {
    /// The key is revoked, and the report is recorded.
    Revoked(KeyId),
    /// The report is recorded, and the key still works: the report was
    /// [`alert_only`](LeakReport::alert_only).
    Recorded(KeyId),
    /// Nothing was changed: the key was revoked or expired before, or an earlier report of the same
    /// secret is recorded.
    Unchanged(KeyId),
    /// The credential belongs to no key, or its secret has been replaced.
    Unknown,
}

impl LeakOutcome {
    /// Returns the id of the key, or `None` if the credential belongs to none.
    ///
    /// ```
    /// use keywright::LeakOutcome;
    ///
    /// assert_eq!(LeakOutcome::Unknown.key_id(), None);
    /// ```
    pub const fn key_id(&self) -> Option<&KeyId> {
        match self {
            Self::Revoked(key) | Self::Recorded(key) | Self::Unchanged(key) => Some(key),
            Self::Unknown => None,
        }
    }

    /// Returns the outcome as a word for programs: `revoked`, `recorded`, `unchanged` or `unknown`.
    ///
    /// ```
    /// use keywright::LeakOutcome;
    ///
    /// assert_eq!(LeakOutcome::Unknown.as_str(), "unknown");
    /// ```
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Revoked(_) => "revoked",
            Self::Recorded(_) => "recorded",
            Self::Unchanged(_) => "unchanged",
            Self::Unknown => "unknown",
        }
    }
}

impl Verifier {
    /// Revokes the key of a leaked credential, and records where the credential was found.
    ///
    /// The revocation and two events are written in one atomic step: one of the kind
    /// [`EventKind::LeakReported`] with the source, the reporter, and the key's name and owner, and
    /// one of [`Operation::KeyRevoke`](crate::Operation::KeyRevoke). The host can tell the owner from
    /// the first of them. The rules of [`revoke`](Self::revoke) apply: during an overlap, either
    /// secret revokes the key. A report is no use of the key, so nothing is counted.
    ///
    /// A repeated report changes nothing. A secret that a rotation has replaced is unknown once its
    /// overlap is over: it opens nothing anymore.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::{EventQuery, MemoryStore}};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// use keywright::{Credential, DetailField, EventKind, LeakReport};
    ///
    /// let report = LeakReport::new(Credential::Token(issued.token.expose()))
    ///     .source("https://example.com/paste/7")
    ///     .reporter("nightly-scan");
    /// verifier.report_leak(&report).await?;
    /// assert!(verifier.verify(issued.token.expose()).await.is_err());
    ///
    /// let leaks = EventQuery::new().kind(EventKind::LeakReported);
    /// let event = authority.events(&ada, &leaks).await?.items.remove(0);
    /// assert_eq!(event.details.get_text(DetailField::Owner), Some("user:alice"));
    /// let source = event.details.get_text(DetailField::LeakSource);
    /// assert_eq!(source, Some("https://example.com/paste/7"));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the store failed, the key's pepper is missing, or the key changed at each of
    /// 64 attempts. A report that failed can be repeated.
    ///
    /// # Cancel safety
    /// If the future is dropped, the key is either revoked with both events or unchanged.
    pub async fn report_leak(&self, report: &LeakReport<'_>) -> Result<LeakOutcome, StoreError> {
        let work = Work::begin(Activity::LeakReport, None);
        let reported = work.run(self.end_leaked(report), ending).await;
        let outcome = reported.as_ref().ok();
        work.is_about(outcome.and_then(LeakOutcome::key_id), None);
        count_leak_report(outcome.map_or("failed", LeakOutcome::as_str));
        reported
    }

    async fn end_leaked(&self, report: &LeakReport<'_>) -> Result<LeakOutcome, StoreError> {
        let inner = &*self.0;
        let known = if report.alert_only { self.recorded(report).await? } else { None };
        let reported = inner.change_presented(
            report.credential,
            LeakOutcome::Unchanged,
            |_, _, _| {},
            |key, secret, now| {
                let leaked = number_of(key, secret);
                let is_dead = matches!(key.status(now), KeyStatus::Revoked | KeyStatus::Expired);
                if is_dead || known == Some((key.id, leaked)) {
                    return Ok(Step::Done(LeakOutcome::Unchanged(key.id)));
                }
                let event = report.event(key, leaked, now);
                if report.alert_only {
                    let batch = Batch { events: vec![event], ..Batch::of(key.tenant.clone()) };
                    return Ok(Step::Commit(batch, LeakOutcome::Recorded(key.id)));
                }
                let mut batch = revocation(key, now);
                batch.events.insert(0, event);
                Ok(Step::Commit(batch, LeakOutcome::Revoked(key.id)))
            },
        );
        Ok(if_known(reported.await)?.unwrap_or(LeakOutcome::Unknown))
    }

    /// Returns the key of a report and the number of its secret, if one of the key's last reports was
    /// about this secret. Later events of the tenant can hide a report that is older.
    async fn recorded(&self, report: &LeakReport<'_>) -> Result<Option<(KeyId, u32)>, StoreError> {
        let inner = &*self.0;
        let found = inner.change_presented(
            report.credential,
            |_| None,
            |_, _, _| {},
            |key, secret, _| {
                let leaked = number_of(key, secret);
                Ok(Step::Done(Some((key.tenant.clone(), key.id, leaked))))
            },
        );
        let Some((tenant, key, leaked)) = if_known(found.await)?.flatten() else { return Ok(None) };
        let reports = EventQuery::new().key(key).kind(EventKind::LeakReported);
        let page = inner.setup.store.events(&tenant, &reports).await?;
        let number = Some(u64::from(leaked));
        let is_same = |event: &Event| event.details.get_number(DetailField::SecretNumber) == number;
        Ok(page.items.iter().any(is_same).then_some((key, leaked)))
    }
}

/// Returns the ending of a leak report.
fn ending(reported: &Result<LeakOutcome, StoreError>) -> Ending<'_> {
    match reported {
        Ok(LeakOutcome::Revoked(_) | LeakOutcome::Recorded(_)) => Ending::Done,
        Ok(LeakOutcome::Unchanged(_)) => Ending::Unchanged,
        Ok(outcome @ LeakOutcome::Unknown) => Ending::Refused(outcome.as_str()),
        Err(error) => Ending::Failed(error.kind().code(), error),
    }
}

/// Returns the number of the secret that was presented.
fn number_of(key: &Key, secret: SecretUsed) -> u32 {
    match secret {
        SecretUsed::Current => key.secret_number,
        SecretUsed::Retiring => key.secret_number.saturating_sub(1),
    }
}

/// Returns `None` for a credential that is not accepted.
fn if_known<T>(result: Result<T, VerifyError>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(VerifyError::Denied(_)) => Ok(None),
        Err(VerifyError::Unavailable(error)) => Err(error),
    }
}
