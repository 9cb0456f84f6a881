//! The umbrella over the errors of the crate, for a caller who passes them all on.

/// Any error of the crate. Every error of its own converts into it with `?`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A credential was not accepted, or that can't be said.
    #[error(transparent)]
    Verify(#[from] crate::VerifyError),
    /// A key was not generated.
    #[error(transparent)]
    Generate(#[from] crate::GenerateError),
    /// A key was not changed.
    #[error(transparent)]
    Key(#[from] crate::KeyError),
    /// A service account was not made or changed.
    #[error(transparent)]
    Account(#[from] crate::AccountError),
    /// A policy was not set.
    #[error(transparent)]
    SetPolicy(#[from] crate::SetPolicyError),
    /// Nothing can be shown.
    #[error(transparent)]
    List(#[from] crate::ListError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// Keys were not transferred.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Transfer(#[from] crate::store::TransferError),
    /// A [`Keywright`](crate::Keywright) cannot be built.
    #[error(transparent)]
    Build(#[from] crate::BuildError),
    /// The background work cannot be started.
    #[cfg(feature = "tokio")]
    #[error(transparent)]
    Start(#[from] crate::StartError),
    /// A pepper can't be added.
    #[error(transparent)]
    Pepper(#[from] crate::PepperError),
    /// A value is not what it should be.
    #[error(transparent)]
    Value(#[from] ValueError),
}

/// A text or number is not the value that it was taken for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// Not an id.
    #[error(transparent)]
    Id(#[from] crate::IdError),
    /// Not a name.
    #[error(transparent)]
    Name(#[from] crate::NameError),
    /// Not a scope, or too many.
    #[error(transparent)]
    Scope(#[from] crate::ScopeError),
    /// Not a network, or too many.
    #[error(transparent)]
    Network(#[from] crate::NetworkError),
    /// Not a rate.
    #[error(transparent)]
    Rate(#[from] crate::RateError),
    /// Metadata past its limits.
    #[error(transparent)]
    Metadata(#[from] crate::MetadataError),
    /// Not a token prefix.
    #[error(transparent)]
    Prefix(#[from] crate::PrefixError),
    /// Not a role name.
    #[error(transparent)]
    RoleName(#[from] crate::RoleNameError),
    /// Not an owner.
    #[error(transparent)]
    Owner(#[from] crate::OwnerError),
    /// Not a time.
    #[error(transparent)]
    Time(#[from] crate::TimeError),
    /// Not a cursor.
    #[error(transparent)]
    Cursor(#[from] crate::store::CursorError),
    /// Not an operation.
    #[error(transparent)]
    Operation(#[from] crate::OperationError),
    /// Not an outcome of an event.
    #[error(transparent)]
    EventOutcome(#[from] crate::EventOutcomeError),
    /// Not the code of a refusal.
    #[error(transparent)]
    RefusalCode(#[from] crate::RefusalCodeError),
    /// Not settings of a cache.
    #[cfg(feature = "cached")]
    #[error(transparent)]
    CacheOptions(#[from] crate::store::CacheOptionsError),
    /// Not the name of a schema.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    SchemaName(#[from] crate::store::SchemaNameError),
    /// Not a header that can be read.
    #[cfg(any(feature = "actix", feature = "tower"))]
    #[error(transparent)]
    Header(#[from] crate::http::HeaderError),
    /// Not proxies that can be trusted.
    #[cfg(any(feature = "actix", feature = "tower"))]
    #[error(transparent)]
    TrustedProxies(#[from] crate::http::TrustedProxiesError),
}

/// `?` goes through one conversion alone, so each error that stands inside another has its own here.
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
inside!(Generate: crate::RuleError);
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
    crate::MetadataError,
    crate::PrefixError,
    crate::RoleNameError,
    crate::OwnerError,
    crate::TimeError,
    crate::store::CursorError,
    crate::OperationError,
    crate::EventOutcomeError,
    crate::RefusalCodeError,
);
