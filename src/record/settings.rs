//! The settings of a tenant: the rules that its admin chooses within the plan.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::record::plan::Plan;
use crate::record::policy_error::PolicyError;
use crate::record::policy_field::{PolicyField, or_none};
use crate::value::name::NamePattern;
use crate::value::rate::Rate;
use crate::value::serde_strict::required;
use crate::value::time::{in_words, seconds};
use crate::value::use_alert::UseAlert;

const DAY: Duration = Duration::from_hours(24);

/// The rules that the admin of a tenant chooses, each within the bound of the tenant's
/// [`Plan`](crate::Plan).
///
/// A setting that is `None` has its default: the value of the host's default settings, or else the
/// constant that the field's documentation names.
///
/// ```
/// use std::time::Duration;
/// use keywright::SettingsEdit;
///
/// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # let ada = Actor::administrator(UserId::new("ada")?);
/// let quarter = Duration::from_secs(90 * 86_400);
/// let edit = SettingsEdit::new().require_expiry(Some(true)).max_lifetime(Some(quarter));
/// let settings = authority.edit_settings(&ada, edit).await?.into_inner();
/// assert_eq!(settings.max_lifetime, Some(quarter));
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// Most settings apply to every key at once. These apply to later operations only:
///
/// * `max_lifetime`, `require_expiry`, `default_lifetime` and `max_keys_per_user` apply to new keys.
/// * `name_pattern` applies to new keys and new names.
/// * `max_overlap` applies to later rotations.
///
/// See [Policies](crate::guide::policies) and [How to build a console for the tenant's
/// admin](crate::guide::tenant_console) in the guide.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// The tenant's switch for API access. It turns all keys of the tenant on or off at once,
    /// without changing any of them.
    ///
    /// Default `false`, so that no key works in a tenant that has not asked for API keys.
    #[serde(deserialize_with = "required")]
    pub api_enabled: Option<bool>,
    /// True if every new key must have an expiry. Default `false`.
    #[serde(deserialize_with = "required")]
    pub require_expiry: Option<bool>,
    /// The lifetime of a new key whose caller sets no expiry, in whole seconds. Default: the
    /// longest lifetime, if there is a longest one, and otherwise no expiry.
    #[serde(with = "seconds::option")]
    pub default_lifetime: Option<Duration>,
    /// The longest lifetime of a new key, in whole seconds. If it is set, a key without an expiry
    /// is refused too. Default: the plan's limit, if it has one.
    #[serde(with = "seconds::option")]
    pub max_lifetime: Option<Duration>,
    /// The number of live keys (active, disabled or scheduled) that a user may own: 1 to 1000.
    ///
    /// Default [`Settings::DEFAULT_MAX_KEYS_PER_USER`], or the plan's limit if that is lower.
    #[serde(deserialize_with = "required")]
    pub max_keys_per_user: Option<u16>,
    /// The longest overlap of a rotation, in whole seconds. Default
    /// [`Settings::DEFAULT_MAX_OVERLAP`], or the plan's limit if that is shorter.
    #[serde(with = "seconds::option")]
    pub max_overlap: Option<Duration>,
    /// The pattern that new names of keys must follow, beside the one of the plan. Default: any
    /// name.
    #[serde(deserialize_with = "required")]
    pub name_pattern: Option<NamePattern>,
    /// The rate of a key without a rate of its own. It is also the highest rate that owners can
    /// give to their own keys. Default: the plan's highest rate, if it has one.
    ///
    /// All keys of an owner also share a limit: this rate times the number of keys that the owner
    /// may have. It refuses only keys that are younger than the period of the rate, so an owner
    /// cannot regain uses by replacing keys. Keys with a higher rate from an administrator do not
    /// count.
    #[serde(deserialize_with = "required")]
    pub default_rate: Option<Rate>,
    /// The alert for extensive use: one event for each key and period with more accepted uses than
    /// this. Default: no events.
    #[serde(deserialize_with = "required")]
    pub extensive_use: Option<UseAlert>,
    /// The alert for suspicious use: one event for each key and period with more refused uses than
    /// this. Default: no events.
    #[serde(deserialize_with = "required")]
    pub suspicious_use: Option<UseAlert>,
    /// The time for which a dead key (revoked or expired) is kept before a sweep removes it, in
    /// whole seconds.
    ///
    /// Default [`Settings::DEFAULT_RETENTION`], or the plan's limit if that is shorter.
    #[serde(with = "seconds::option")]
    pub retention: Option<Duration>,
    /// The time for which an audit event is kept before a sweep removes it, in whole seconds. The
    /// store remembers the id of a deleted key or account, and does not accept it again, as long as
    /// it keeps the event of the deletion.
    ///
    /// Default [`Settings::DEFAULT_EVENT_RETENTION`], within the limits of the plan.
    #[serde(with = "seconds::option")]
    pub event_retention: Option<Duration>,
    /// The version: 0 for settings that were never changed, and one more with each change, up to
    /// 2⁶³ − 1.
    #[serde(deserialize_with = "crate::value::serde_strict::count")]
    pub version: u64,
}

impl Settings {
    /// 10 keys: enough for a user's environments and one rotation by hand, few enough to survey.
    pub const DEFAULT_MAX_KEYS_PER_USER: u16 = 10;
    /// 7 days: one deployment cycle. During every day of overlap two secrets can leak.
    pub const DEFAULT_MAX_OVERLAP: Duration = DAY.saturating_mul(7);
    /// 90 days: long enough to answer questions about a key that stopped working last quarter.
    pub const DEFAULT_RETENTION: Duration = DAY.saturating_mul(90);
    /// 400 days: more than a year, so that an audit can ask about the same day of last year.
    pub const DEFAULT_EVENT_RETENTION: Duration = DAY.saturating_mul(400);

    /// Returns settings that turn API access on and leave every other field at its default.
    ///
    /// ```
    /// use keywright::Settings;
    ///
    /// assert_eq!(Settings::enabled().api_enabled, Some(true));
    /// ```
    pub fn enabled() -> Self {
        Self { api_enabled: Some(true), ..Self::default() }
    }

    /// Checks that every field is within the limits that hold under any plan.
    ///
    /// ```
    /// use keywright::{PolicyError, Settings};
    ///
    /// let mut settings = Settings::enabled();
    /// settings.max_keys_per_user = Some(0);
    /// assert!(matches!(settings.validate(), Err(PolicyError::MaxKeys { .. })));
    /// ```
    ///
    /// # Errors
    /// [`PolicyError`] for the first field that is out of its limits.
    pub fn validate(&self) -> Result<(), PolicyError> {
        use PolicyField as F;
        if let Some(keys) = self.max_keys_per_user {
            PolicyError::keys(F::MaxKeysPerUser, keys.into())?;
        }
        let lifetimes =
            [(F::MaxLifetime, self.max_lifetime), (F::DefaultLifetime, self.default_lifetime)];
        if let Some((field, _)) = lifetimes.iter().find(|(_, d)| *d == Some(Duration::ZERO)) {
            return Err(PolicyError::ZeroLifetime(*field));
        }
        PolicyError::must_be_whole(lifetimes.into_iter().chain([
            (F::MaxOverlap, self.max_overlap),
            (F::Retention, self.retention),
            (F::EventRetention, self.event_retention),
        ]))?;
        if let (Some(default), Some(max)) = (self.default_lifetime, self.max_lifetime)
            && default > max
        {
            return Err(PolicyError::DefaultAboveMax { default, max });
        }
        let min = Plan::MIN_EVENT_RETENTION;
        if let Some(got) = self.event_retention.filter(|time| *time < min) {
            return Err(PolicyError::EventRetention(got));
        }
        PolicyError::must_be_possible(self.name_pattern.as_ref())
    }

    /// Returns each field but the version, with its value as text.
    pub(crate) fn fields(&self) -> Vec<(PolicyField, String)> {
        use PolicyField as F;
        // Without `..`: a new field that is missing here does not compile.
        let Self {
            api_enabled,
            require_expiry,
            default_lifetime,
            max_lifetime,
            max_keys_per_user,
            max_overlap,
            name_pattern,
            default_rate,
            extensive_use,
            suspicious_use,
            retention,
            event_retention,
            version: _,
        } = self;
        let words = |time: Option<Duration>| or_none(time.map(in_words));
        vec![
            (F::ApiEnabled, or_none(*api_enabled)),
            (F::RequireExpiry, or_none(*require_expiry)),
            (F::DefaultLifetime, words(*default_lifetime)),
            (F::MaxLifetime, words(*max_lifetime)),
            (F::MaxKeysPerUser, or_none(*max_keys_per_user)),
            (F::MaxOverlap, words(*max_overlap)),
            (F::NamePattern, or_none(name_pattern.as_ref())),
            (F::DefaultRate, or_none(*default_rate)),
            (F::ExtensiveUse, or_none(*extensive_use)),
            (F::SuspiciousUse, or_none(*suspicious_use)),
            (F::Retention, words(*retention)),
            (F::EventRetention, words(*event_retention)),
        ]
    }
}

macro_rules! settings_edit {
    ($($(#[$doc:meta])* $field:ident: $type:ty;)+) => {
        /// A change of some of a tenant's settings, for
        /// [`Authority::edit_settings`](crate::Authority::edit_settings).
        ///
        /// The edit changes only the fields that are set. The value `None` returns a setting to its
        /// default.
        ///
        /// ```
        /// use keywright::SettingsEdit;
        ///
        /// # use keywright::{Actor, Keywright, Policy, UserId, store::MemoryStore};
        /// # futures_lite::future::block_on(async {
        /// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
        /// # let authority = keywright.authority();
        /// # let ada = Actor::administrator(UserId::new("ada")?);
        /// let edit = SettingsEdit::new().api_enabled(Some(true)).max_keys_per_user(None);
        /// let settings = authority.edit_settings(&ada, edit).await?.into_inner();
        /// assert_eq!(settings.api_enabled, Some(true));
        /// # Ok::<(), keywright::Error>(())
        /// # }).unwrap();
        /// ```
        #[derive(Clone, Debug, Default)]
        #[must_use = "setters take and return by value"]
        pub struct SettingsEdit {
            $($field: Option<Option<$type>>,)+
            pub(crate) if_version: Option<u64>,
        }

        impl SettingsEdit {
            /// Creates an edit that changes nothing until a setter is called.
            ///
            /// ```
            /// use keywright::{Settings, SettingsEdit};
            ///
            /// let edit = SettingsEdit::new();
            /// assert_eq!(edit.applied_to(&Settings::enabled()), Settings::enabled());
            /// ```
            pub fn new() -> Self {
                Self::default()
            }

            /// Makes the edit fail unless the settings still have this version.
            ///
            /// ```
            /// use keywright::SettingsEdit;
            ///
            /// # use keywright::{Actor, Keywright, UserId, store::MemoryStore};
            /// # futures_lite::future::block_on(async {
            /// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
            /// # let authority = keywright.authority();
            /// # let ada = Actor::administrator(UserId::new("ada")?);
            /// let edit = SettingsEdit::new().api_enabled(Some(true)).if_version(7);
            /// assert!(authority.edit_settings(&ada, edit).await.is_err());
            /// # Ok::<(), keywright::Error>(())
            /// # }).unwrap();
            /// ```
            pub fn if_version(self, version: u64) -> Self {
                Self { if_version: Some(version), ..self }
            }

            /// Returns the settings with the changes of this edit and the same version.
            ///
            /// ```
            /// use keywright::{Settings, SettingsEdit};
            ///
            /// let edit = SettingsEdit::new().max_keys_per_user(Some(3));
            /// assert_eq!(edit.applied_to(&Settings::default()).max_keys_per_user, Some(3));
            /// ```
            pub fn applied_to(&self, settings: &Settings) -> Settings {
                let mut next = settings.clone();
                $(if let Some(value) = &self.$field {
                    next.$field.clone_from(value);
                })+
                next
            }

            $(
                $(#[$doc])*
                #[doc = ""]
                #[doc = "```"]
                #[doc = "use keywright::{Settings, SettingsEdit};"]
                #[doc = ""]
                #[doc = concat!("let edit = SettingsEdit::new().", stringify!($field), "(None);")]
                #[doc = concat!(
                    "assert_eq!(edit.applied_to(&Settings::enabled()).", stringify!($field), ", None);"
                )]
                #[doc = "```"]
                pub fn $field(self, value: Option<$type>) -> Self {
                    Self { $field: Some(value), ..self }
                }
            )+
        }
    };
}

settings_edit! {
    /// Sets [`Settings::api_enabled`].
    api_enabled: bool;
    /// Sets [`Settings::require_expiry`].
    require_expiry: bool;
    /// Sets [`Settings::default_lifetime`].
    default_lifetime: Duration;
    /// Sets [`Settings::max_lifetime`].
    max_lifetime: Duration;
    /// Sets [`Settings::max_keys_per_user`].
    max_keys_per_user: u16;
    /// Sets [`Settings::max_overlap`].
    max_overlap: Duration;
    /// Sets [`Settings::name_pattern`].
    name_pattern: NamePattern;
    /// Sets [`Settings::default_rate`].
    default_rate: Rate;
    /// Sets [`Settings::extensive_use`].
    extensive_use: UseAlert;
    /// Sets [`Settings::suspicious_use`].
    suspicious_use: UseAlert;
    /// Sets [`Settings::retention`].
    retention: Duration;
    /// Sets [`Settings::event_retention`].
    event_retention: Duration;
}
