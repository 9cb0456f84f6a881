//! Users: their display names, suspended and restored.

use crate::record::actor::Actor;
use crate::record::event::{DetailField, EventDetails};
use crate::record::key::Owner;
use crate::record::operation::{Operation, Outcome};
use crate::record::user::User;
use crate::store::Change;
use crate::value::id::UserId;
use crate::value::name::Name;
use crate::value::time::Timestamp;

use super::Authority;
use super::attempt::reading;
use super::errors::UserError;

impl Authority {
    /// Returns the tenant's record of a user.
    ///
    /// A user without a record has no display name and is not suspended.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// let alice = authority.user(&ada, &UserId::new("alice")?).await?;
    /// assert!(!alice.suspended);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`UserError::PermissionDenied`] and [`UserError::Store`].
    pub async fn user(&self, actor: &Actor, user: &UserId) -> Result<User, UserError> {
        let read = async {
            actor.must(Operation::UserShow, &Owner::User(user.clone()))?;
            Ok(self.user_record(actor.tenant(), user, self.now()).await?)
        };
        reading(actor, Operation::UserShow, read).await
    }

    /// Sets or clears the display name of a user, which listings show and search.
    ///
    /// Call it when the host's own record of the user changes. `None` clears the name.
    ///
    /// ```
    /// use keywright::Name;
    ///
    /// # use keywright::{Actor, Keywright, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// let alice = UserId::new("alice")?;
    /// let name = Some(Name::new("Alice Jones")?);
    /// let user = authority.set_display_name(&ada, &alice, name.clone()).await?.into_inner();
    /// assert_eq!(user.display_name, name);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`UserError`]: the actor has no permission, or the store failed.
    pub async fn set_display_name(
        &self,
        actor: &Actor,
        user: &UserId,
        name: Option<Name>,
    ) -> Result<Outcome<User>, UserError> {
        self.change_user(actor, user, Operation::UserName, |user, now| {
            user.named(name.clone(), now)
        })
        .await
    }

    /// Suspends a user, so that every check refuses the user's keys.
    ///
    /// No key can be generated for the user. The keys stay as they are.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, NewKey, Policy, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    /// # let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
    /// # let (authority, verifier) = (keywright.authority(), keywright.verifier());
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// # let alice = Actor::developer(UserId::new("alice")?);
    /// let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    /// authority.suspend_user(&ada, alice.id()).await?;
    /// assert!(verifier.verify(issued.token.expose()).await.is_err());
    ///
    /// authority.restore_user(&ada, alice.id()).await?;
    /// verifier.verify(issued.token.expose()).await?;
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`UserError`]: the actor has no permission, or the store failed.
    pub async fn suspend_user(
        &self,
        actor: &Actor,
        user: &UserId,
    ) -> Result<Outcome<User>, UserError> {
        self.change_user(actor, user, Operation::UserSuspend, |user, now| {
            user.set_suspended(true, now)
        })
        .await
    }

    /// Restores a suspended user.
    ///
    /// The user's keys work again, each in its own status.
    ///
    /// ```
    /// # use keywright::{Actor, Keywright, UserId, store::MemoryStore};
    /// # futures_lite::future::block_on(async {
    /// # let keywright = Keywright::builder(MemoryStore::new()).build()?;
    /// # let authority = keywright.authority();
    /// # let ada = Actor::administrator(UserId::new("ada")?);
    /// let alice = UserId::new("alice")?;
    /// authority.suspend_user(&ada, &alice).await?;
    /// let restored = authority.restore_user(&ada, &alice).await?;
    /// assert!(!restored.into_inner().suspended);
    /// # Ok::<(), keywright::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`UserError`]: the actor has no permission, or the store failed.
    pub async fn restore_user(
        &self,
        actor: &Actor,
        user: &UserId,
    ) -> Result<Outcome<User>, UserError> {
        self.change_user(actor, user, Operation::UserRestore, |user, now| {
            user.set_suspended(false, now)
        })
        .await
    }

    async fn change_user(
        &self,
        actor: &Actor,
        id: &UserId,
        operation: Operation,
        change: impl Fn(&User, Timestamp) -> Outcome<User> + Sync,
    ) -> Result<Outcome<User>, UserError> {
        let change = &change;
        self.attempt(actor, operation, |attempt| {
            Box::pin(async move {
                let owner = Owner::User(id.clone());
                attempt.event.details = EventDetails::NONE.text(DetailField::Owner, owner);
                actor.must_for_any(operation)?;
                let next = change(&attempt.user(id).await?, attempt.now);
                let attempted = match &next {
                    Outcome::Unchanged(_) => attempt.unchanged(next).await?,
                    Outcome::Done(user) => {
                        let change = Change::PutUser(user.clone());
                        attempt.write(Vec::new(), change, EventDetails::NONE, next).await?
                    }
                };
                Ok::<_, UserError>(attempted)
            })
        })
        .await
    }
}
