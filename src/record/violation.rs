//! This module defines what a form shows beside a field: the field that a request got wrong, the
//! value that it gave and the bound that holds.

use crate::record::plan::Plan;
use crate::record::policy_error::PolicyError;
use crate::record::policy_field::PolicyField;
use crate::record::quantity::Quantity;
use crate::record::rules::{ExpiryField, RuleError};
use crate::value::name::{Name, NameError};
use crate::value::time::Timestamp;
use crate::value::use_alert::UseAlert;

/// The field of a request that breaks a limit, with the given value and the bound.
///
/// Errors return it, so that a form can show the limit beside the field. It never holds a secret.
///
/// ```
/// use keywright::{GenerateError, NewKey, Quantity};
///
/// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let mut policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # policy.plan.max_lifetime = Some(std::time::Duration::from_secs(30 * 86_400));
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let alice = Actor::developer(UserId::new("alice")?);
/// let year = NewKey::named("prod-main-app")?.expires_in_days(365);
/// if let Err(error) = authority.generate(&alice, year).await
///     && let Some(violation) = error.violation()
/// {
///     assert_eq!(violation.field, "expires_in");
///     assert_eq!(violation.bound, Some(Quantity::Seconds(30 * 86_400)));
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Violation {
    /// The field, by its name in the management API, such as `expires_in`.
    pub field: &'static str,
    /// The value that the request gave; `None` if it gave none, or if it is not repeated because it
    /// could be a secret.
    pub value: Option<Quantity>,
    /// The nearest value that the rule allows; `None` if the rule is no bound.
    pub bound: Option<Quantity>,
}

impl Violation {
    pub(crate) const fn of(field: &'static str) -> Self {
        Self { field, value: None, bound: None }
    }

    pub(crate) fn value(self, value: Quantity) -> Self {
        Self { value: Some(value), ..self }
    }

    pub(crate) fn bound(self, bound: Quantity) -> Self {
        Self { bound: Some(bound), ..self }
    }

    /// Describes an edit of a version that is no longer the current one.
    pub(crate) fn stale(given: u64, current: u64) -> Self {
        Self::of("version").value(Quantity::Number(given)).bound(Quantity::Number(current))
    }
}

impl RuleError {
    /// Returns the field that breaks the rule, with its value and the bound.
    ///
    /// ```
    /// use keywright::{Quantity, RuleError};
    ///
    /// let violation = RuleError::ScopeOutsideCeiling("invoices:write".parse()?).violation();
    /// assert_eq!(violation.field, "scopes");
    /// assert_eq!(violation.value, Some(Quantity::Text("invoices:write".to_owned())));
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn violation(&self) -> Violation {
        let of = Violation::of;
        let expiry = |field: ExpiryField| of(field.as_str());
        match self {
            Self::Name(error) => name(error),
            Self::ExpiryRequired => expiry(ExpiryField::ExpiresAt),
            Self::ExpiryPassed(time) => expiry(ExpiryField::ExpiresAt).value(Quantity::text(time)),
            Self::ZeroLifetime => zero(of(ExpiryField::ExpiresIn.as_str())),
            Self::LifetimeOverflow(lifetime) => expiry(ExpiryField::ExpiresIn)
                .value(Quantity::seconds(*lifetime))
                .bound(Quantity::text(&Timestamp::MAX)),
            Self::LifetimeTooLong { field, lifetime, max } => {
                let violation = expiry(*field).bound(Quantity::seconds(*max));
                Violation { value: lifetime.map(Quantity::seconds), ..violation }
            }
            Self::NeverValid { not_before, expires_at } => {
                of("not_before").value(Quantity::text(not_before)).bound(Quantity::text(expires_at))
            }
            Self::ScopeOutsideCeiling(scope) => of("scopes").value(Quantity::text(scope)),
            Self::NoScopeLeft => of("scopes"),
            Self::SetByAdministrator { limit, bound } => {
                of(limit.as_str()).bound(Quantity::text(bound))
            }
            Self::RateAboveLimit { rate, limit } => {
                of("rate").value(Quantity::text(rate)).bound(Quantity::text(limit))
            }
        }
    }
}

impl PolicyError {
    /// Returns the field that is out of its limits, with its value and the bound.
    ///
    /// ```
    /// use keywright::{PolicyError, PolicyField, Quantity};
    ///
    /// let error = PolicyError::MaxKeys { field: PolicyField::MaxKeysPerUser, got: 2_000 };
    /// let violation = error.violation();
    /// assert_eq!(violation.field, "max_keys_per_user");
    /// assert_eq!(violation.bound, Some(Quantity::Number(1_000)));
    /// ```
    pub fn violation(&self) -> Violation {
        let of = |field: PolicyField| Violation::of(field.as_str());
        match self {
            Self::MaxKeys { field, got } => {
                let bound = if *got == 0 { 1 } else { Plan::MAX_KEYS };
                of(*field).value(Quantity::Number(*got)).bound(Quantity::Number(bound.into()))
            }
            Self::ZeroLifetime(field) => zero(of(*field)),
            Self::DefaultAboveMax { default, max } => of(PolicyField::DefaultLifetime)
                .value(Quantity::seconds(*default))
                .bound(Quantity::seconds(*max)),
            Self::EventRetention(given) => of(PolicyField::EventRetention)
                .value(Quantity::seconds(*given))
                .bound(Quantity::seconds(Plan::MIN_EVENT_RETENTION)),
            Self::AlertPeriod(given) => {
                let min = *given < UseAlert::MIN_PERIOD;
                let bound = if min { UseAlert::MIN_PERIOD } else { UseAlert::MAX_PERIOD };
                of(PolicyField::MinAlertPeriod)
                    .value(Quantity::seconds(*given))
                    .bound(Quantity::seconds(bound))
            }
            Self::EventRetentionRange { min, max } => of(PolicyField::MaxEventRetention)
                .value(Quantity::seconds(*max))
                .bound(Quantity::seconds(*min)),
            Self::NotWholeSeconds(field) => of(*field),
            Self::TooManyRoles(given) => of(PolicyField::Roles)
                .value(Quantity::Number(*given as u64))
                .bound(Quantity::Number(Plan::MAX_ROLES as u64)),
            Self::TooManyScopes(given) => of(PolicyField::Scopes)
                .value(Quantity::Number(*given as u64))
                .bound(Quantity::Number(Plan::MAX_SCOPES as u64)),
            Self::UnknownScope { scope, role } => {
                let field =
                    if role.is_some() { PolicyField::Roles } else { PolicyField::DefaultScopes };
                of(field).value(Quantity::text(scope))
            }
            Self::NamePattern => of(PolicyField::NamePattern),
            Self::BeyondPlan { field, value, bound, .. } => {
                of(*field).value(value.clone()).bound(bound.clone())
            }
        }
    }
}

/// Describes a wrong name. The name itself is not repeated, since it may be a secret.
fn name(error: &NameError) -> Violation {
    let violation = Violation::of("name");
    match error {
        NameError::TooLong(chars) => violation
            .value(Quantity::Number(*chars as u64))
            .bound(Quantity::Number(Name::MAX_CHARS as u64)),
        NameError::Pattern { environments, .. } if !environments.is_empty() => {
            violation.bound(Quantity::Text(environments.join(", ")))
        }
        _ => violation,
    }
}

/// Describes a duration of zero. Requests give durations in whole seconds.
fn zero(violation: Violation) -> Violation {
    violation.value(Quantity::Seconds(0)).bound(Quantity::Seconds(1))
}
