//! The operator: the host itself, which acts in every tenant.

use crate::record::actor::Actor;
use crate::value::id::{TenantId, UserId};

/// A person or job of the host that acts on all tenants.
///
/// Only the host creates an operator, for its own staff and its own jobs. No [`Actor`] becomes an
/// operator, so no user of a tenant reaches another tenant. The methods of
/// [`Authority`](crate::Authority) for all tenants take an operator first.
///
/// ```
/// use keywright::{Operator, UserId, store::KeyQuery};
/// # use keywright::{Actor, Keywright, NewKey, Policy, store::MemoryStore};
/// # futures_lite::future::block_on(async {
/// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
/// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
/// # let authority = keywright.authority();
/// # for tenant in ["acme", "globex"] {
/// #     let alice = Actor::developer(UserId::new("alice")?).in_tenant(tenant.parse()?);
/// #     authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
/// # }
///
/// let carol = Operator::new(UserId::new("carol")?);
/// for entry in authority.keys_of_all_tenants(&carol, &KeyQuery::new()).await?.items {
///     println!("{}: {}", entry.key.tenant, entry.key.name);
/// }
/// # Ok::<(), keywright::Error>(())
/// # }).unwrap();
/// ```
///
/// An operator is not an actor, so the methods for one tenant do not take it:
///
/// ```compile_fail,E0308
/// # async fn list(authority: keywright::Authority, carol: keywright::Operator) {
/// let keys = authority.keys(&carol, &Default::default()).await;
/// # }
/// ```
///
/// See [All tenants](crate::guide::operating#all-tenants) in the guide.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Operator {
    id: UserId,
}

impl Operator {
    /// Creates an operator from an id of the host.
    ///
    /// The id names a person or a job of the host, not a user of a tenant. Audit events show it as
    /// `operator:` and the id.
    ///
    /// ```
    /// use keywright::{Operator, UserId};
    ///
    /// let nightly = Operator::new(UserId::new("nightly-sweep")?);
    /// # assert_eq!(nightly.id().as_str(), "nightly-sweep");
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn new(id: UserId) -> Self {
        Self { id }
    }

    /// Returns the operator's id, which the host chose.
    ///
    /// ```
    /// use keywright::{Operator, UserId};
    ///
    /// let carol = Operator::new(UserId::new("carol")?);
    /// assert_eq!(carol.id().as_str(), "carol");
    /// # Ok::<(), keywright::Error>(())
    /// ```
    pub fn id(&self) -> &UserId {
        &self.id
    }

    /// Returns an actor with every permission in one tenant, whose events name the operator.
    ///
    /// The actor owns no key, also if a user of the tenant has the same id. Name the owner of a key
    /// that it generates.
    ///
    /// ```
    /// use keywright::{EventActor, Operator, UserId, store::EventQuery};
    /// # use keywright::{Actor, Keywright, NewKey, Policy, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let authority = keywright.authority();
    /// # let alice = Actor::developer(UserId::new("alice")?).in_tenant("globex".parse()?);
    /// # let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    ///
    /// let carol = Operator::new(UserId::new("carol")?);
    /// let in_globex = carol.in_tenant("globex".parse()?);
    /// authority.disable(&in_globex, &issued.key.id).await?;
    ///
    /// let event = &authority.events(&in_globex, &EventQuery::new()).await?.items[0];
    /// assert_eq!(event.actor, EventActor::Operator(UserId::new("carol")?));
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn in_tenant(&self, tenant: TenantId) -> Actor {
        Actor::of_operator(self.id.clone(), tenant)
    }
}
