//! Tickets: a form that is sent twice creates one record.

use crate::record::actor::Actor;
use crate::record::operation::Operation;
use crate::store::StoreError;
use crate::value::id::{AccountId, KeyId};
use crate::value::random::{Random, RandomError};
use crate::value::ticket::Ticket;

use super::Authority;
use super::attempt::Attempt;
use super::errors::{AccountError, GenerateError};

/// The id for a new record.
pub(super) struct NewId<I> {
    pub(super) id: I,
    /// The ids that a record with the same ticket can have. There is none without a ticket.
    of_ticket: Vec<I>,
}

impl<I: Copy> NewId<I> {
    /// Returns whether the id was derived from a ticket. The store refuses such an id only if the
    /// ticket was used.
    pub(super) fn has_ticket(&self) -> bool {
        !self.of_ticket.is_empty()
    }
}

impl Authority {
    /// Draws a ticket for a form.
    ///
    /// The form carries the ticket in a hidden field, and [`NewKey::ticket`](crate::NewKey::ticket)
    /// or [`NewAccount::ticket`](crate::NewAccount::ticket) takes it back. A form that is sent twice
    /// then creates one record. Draw a ticket for each new form, and keep it when the same form is shown again with its errors.
    ///
    /// ```
    /// # use keywright::{Keywright, store::MemoryStore};
    /// # let authority = Keywright::builder(MemoryStore::new()).build()?.authority();
    /// let ticket = authority.ticket()?;
    /// let field = format!(r#"<input type="hidden" name="ticket" value="{ticket}">"#);
    /// # assert!(field.len() > 22);
    /// # Ok::<(), keywright::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`RandomError`] if the random source failed.
    pub fn ticket(&self) -> Result<Ticket, RandomError> {
        Ticket::generate(&self.setup.random)
    }

    /// Returns the id of a new key: derived from the ticket, or else drawn.
    pub(super) fn new_key_id(
        &self,
        actor: &Actor,
        ticket: Option<&Ticket>,
    ) -> Result<NewId<KeyId>, RandomError> {
        let ids = self.ids_of(actor, Operation::KeyGenerate, ticket)?;
        new_id(&self.setup.random, ids, KeyId::from_base62, KeyId::generate)
    }

    /// Returns the id of a new service account: derived from the ticket, or else drawn.
    pub(super) fn new_account_id(
        &self,
        actor: &Actor,
        ticket: Option<&Ticket>,
    ) -> Result<NewId<AccountId>, RandomError> {
        let ids = self.ids_of(actor, Operation::AccountCreate, ticket)?;
        new_id(&self.setup.random, ids, AccountId::from_base62, AccountId::generate)
    }

    fn ids_of(
        &self,
        actor: &Actor,
        operation: Operation,
        ticket: Option<&Ticket>,
    ) -> Result<Vec<[u8; 16]>, RandomError> {
        let Some(ticket) = ticket else { return Ok(Vec::new()) };
        self.setup.ticket_ids.of(ticket, actor, operation, &self.setup.random)
    }
}

fn new_id<I: Copy>(
    random: &Random,
    ids: Vec<[u8; 16]>,
    from_base62: fn([u8; 16]) -> I,
    generate: fn(&Random) -> Result<I, RandomError>,
) -> Result<NewId<I>, RandomError> {
    let of_ticket: Vec<I> = ids.into_iter().map(from_base62).collect();
    let id = of_ticket.first().copied().map_or_else(|| generate(random), Ok)?;
    Ok(NewId { id, of_ticket })
}

impl Attempt<'_> {
    /// Returns the key that was generated with the ticket, if it still exists.
    pub(super) async fn key_of_ticket(
        &self,
        new: &NewId<KeyId>,
    ) -> Result<Option<KeyId>, StoreError> {
        for id in &new.of_ticket {
            if self.store().key(self.actor.tenant(), id).await?.is_some() {
                return Ok(Some(*id));
            }
        }
        Ok(None)
    }

    /// Returns the service account that was created with the ticket, if it still exists.
    pub(super) async fn account_of_ticket(
        &self,
        new: &NewId<AccountId>,
    ) -> Result<Option<AccountId>, StoreError> {
        for id in &new.of_ticket {
            if self.store().account(self.actor.tenant(), id).await?.is_some() {
                return Ok(Some(*id));
            }
        }
        Ok(None)
    }

    /// Returns the error for a ticket that was used. The event of the refusal names the key.
    pub(super) fn key_ticket_used(&mut self, key: KeyId) -> GenerateError {
        self.event.key = Some(key);
        GenerateError::TicketUsed { key }
    }

    /// Returns the error for a ticket that was used. The event of the refusal names the account.
    pub(super) fn account_ticket_used(&mut self, account: AccountId) -> AccountError {
        self.event.account = Some(account);
        AccountError::TicketUsed { account }
    }
}
