//! The error type that every other error of the crate converts into.

/// The error type that every other error of the crate converts into.
///
/// Use it with `?` in code that passes all errors on. To handle an error, match the error type of
/// the operation instead.
///
/// ```
/// use keywright::{Actor, Authority, KeyId, NewKey, UserId};
///
/// async fn generate(authority: &Authority, user: &str) -> Result<KeyId, keywright::Error> {
///     let actor = Actor::developer(UserId::new(user)?); // an `IdError`
///     let new = NewKey::named("prod-main-app")?; // a `NameError`
///     let issued = authority.generate(&actor, new).await?; // a `GenerateError`
///     Ok(issued.key.id)
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A credential was not accepted, or could not be checked.
    #[error(transparent)]
    Verify(#[from] crate::VerifyError),
    /// A key could not be generated.
    #[error(transparent)]
    Generate(#[from] crate::GenerateError),
    /// A key could not be changed or shown.
    #[error(transparent)]
    Key(#[from] crate::KeyError),
    /// A service account could not be created, changed or shown.
    #[error(transparent)]
    Account(#[from] crate::AccountError),
    /// A policy could not be set.
    #[error(transparent)]
    SetPolicy(#[from] crate::SetPolicyError),
    /// Records or a policy could not be read, or a sweep failed.
    #[error(transparent)]
    List(#[from] crate::ListError),
    /// A user could not be shown, named, suspended or restored.
    #[error(transparent)]
    User(#[from] crate::UserError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// Keys could not be transferred.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Transfer(#[from] crate::store::TransferError),
    /// A move to another store could not be finished.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Move(#[from] crate::store::MoveError),
    /// A [`Keywright`](crate::Keywright) could not be built.
    #[error(transparent)]
    Build(#[from] crate::BuildError),
    /// The background work could not be started.
    #[cfg(feature = "tokio")]
    #[error(transparent)]
    Start(#[from] crate::StartError),
    /// A pepper could not be added to the ring.
    #[error(transparent)]
    Pepper(#[from] crate::PepperError),
    /// A text or number is not a valid value of its type.
    #[error(transparent)]
    Value(#[from] ValueError),
}

/// A text or number is not a valid value of its type.
///
/// ```
/// use keywright::{Error, Scope, ValueError};
///
/// fn scope(text: &str) -> Result<Scope, Error> {
///     Ok(Scope::new(text)?)
/// }
/// assert!(matches!(scope("Invoices read"), Err(Error::Value(ValueError::Scope(_)))));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The text is not an id.
    #[error(transparent)]
    Id(#[from] crate::IdError),
    /// The text is not a name.
    #[error(transparent)]
    Name(#[from] crate::NameError),
    /// The text is not a scope, or there are too many scopes.
    #[error(transparent)]
    Scope(#[from] crate::ScopeError),
    /// The text is not a network, or there are too many networks.
    #[error(transparent)]
    Network(#[from] crate::NetworkError),
    /// The text is not a rate, or a number in it is out of its bounds.
    #[error(transparent)]
    Rate(#[from] crate::RateError),
    /// The text is not an alert, or a number in it is out of its bounds.
    #[error(transparent)]
    UseAlert(#[from] crate::UseAlertError),
    /// The metadata exceeds its limits.
    #[error(transparent)]
    Metadata(#[from] crate::MetadataError),
    /// The text is not a description or not a contact.
    #[error(transparent)]
    Note(#[from] crate::NoteError),
    /// The text is not a token prefix.
    #[error(transparent)]
    Prefix(#[from] crate::PrefixError),
    /// The text is not a role name.
    #[error(transparent)]
    RoleName(#[from] crate::RoleNameError),
    /// The text is not an owner.
    #[error(transparent)]
    Owner(#[from] crate::OwnerError),
    /// The text is not a kind of owner.
    #[error(transparent)]
    OwnerKind(#[from] crate::OwnerKindError),
    /// The text is not a time, or the time is out of its bounds.
    #[error(transparent)]
    Time(#[from] crate::TimeError),
    /// The text is not a cursor of this kind of query.
    #[error(transparent)]
    Cursor(#[from] crate::store::CursorError),
    /// The text is not an operation.
    #[error(transparent)]
    Operation(#[from] crate::OperationError),
    /// The text is not the outcome of an event.
    #[error(transparent)]
    EventOutcome(#[from] crate::EventOutcomeError),
    /// The text is not the code of a refusal.
    #[error(transparent)]
    RefusalCode(#[from] crate::RefusalCodeError),
    /// An option of a cache is out of its bounds.
    #[cfg(feature = "cached")]
    #[error(transparent)]
    CacheOptions(#[from] crate::store::CacheOptionsError),
    /// The text is not the name of a schema.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    SchemaName(#[from] crate::store::SchemaNameError),
    /// The text is not the name of a header, or the header has another purpose.
    #[cfg(any(feature = "actix", feature = "tower"))]
    #[error(transparent)]
    Header(#[from] crate::http::HeaderError),
    /// The set of trusted proxies is empty or matches every address.
    #[cfg(any(feature = "actix", feature = "tower"))]
    #[error(transparent)]
    TrustedProxies(#[from] crate::http::TrustedProxiesError),
}

/// `?` applies a single conversion, so an error that is nested in another one needs its own here.
macro_rules! inside {
    ($variant:ident: $($error:ty),+ $(,)?) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::$variant(error.into())
            }
        }
    )+};
}

inside!(Verify: crate::Denial);
inside!(Generate: crate::RandomError, crate::RuleError);
inside!(Key: crate::PermissionDenied, crate::WrongStatus);
inside!(SetPolicy: crate::PolicyError);
#[cfg(any(feature = "actix", feature = "tower"))]
inside!(Value: crate::http::HeaderError, crate::http::TrustedProxiesError);
#[cfg(feature = "cached")]
inside!(Value: crate::store::CacheOptionsError);
#[cfg(feature = "postgres")]
inside!(Value: crate::store::SchemaNameError);
inside!(
    Value:
    crate::IdError,
    crate::NameError,
    crate::ScopeError,
    crate::NetworkError,
    crate::RateError,
    crate::UseAlertError,
    crate::MetadataError,
    crate::NoteError,
    crate::PrefixError,
    crate::RoleNameError,
    crate::OwnerError,
    crate::OwnerKindError,
    crate::TimeError,
    crate::store::CursorError,
    crate::OperationError,
    crate::EventOutcomeError,
    crate::RefusalCodeError,
);
