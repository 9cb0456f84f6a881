//! The ids of records that are created with a ticket.
//!
//! The id is an HMAC of the ticket, so a second call with the same ticket has the same id, and the
//! store refuses a second record with it. Without the secret of the setup, a client cannot choose
//! an id and cannot find two tickets with the same id.

use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::record::actor::Actor;
use crate::record::operation::Operation;
use crate::value::base62;
use crate::value::digest::{HmacState, PepperRing};
use crate::value::random::{Random, RandomError};
use crate::value::ticket::Ticket;

/// The secrets from which the ids of tickets are derived.
#[derive(Default)]
pub(crate) struct TicketIds {
    /// The secret of the host or the peppers, the current one first.
    secrets: Vec<HmacState>,
    /// The secret of this process, drawn when it is first needed.
    drawn: OnceLock<HmacState>,
}

impl TicketIds {
    /// Creates the ids under the host's own secret, or else under the peppers.
    pub(crate) fn new(own: Option<HmacState>, peppers: &PepperRing) -> Self {
        let secrets =
            own.map_or_else(|| peppers.newest_first().cloned().collect(), |own| vec![own]);
        Self { secrets, drawn: OnceLock::new() }
    }

    /// Returns the ids of a ticket under each secret, the current one first.
    ///
    /// A record that was created before a change of the pepper has one of the later ids.
    ///
    /// # Errors
    /// [`RandomError`] if the secret of this process cannot be drawn.
    pub(crate) fn of(
        &self,
        ticket: &Ticket,
        actor: &Actor,
        operation: Operation,
        random: &Random,
    ) -> Result<Vec<[u8; 16]>, RandomError> {
        let fields =
            [actor.tenant().as_str(), actor.id().as_str(), operation.as_str(), ticket.as_str()];
        let hash = hash_of(&fields);
        if self.secrets.is_empty() {
            return Ok(vec![id(self.drawn(random)?, &hash)]);
        }
        Ok(self.secrets.iter().map(|secret| id(secret, &hash)).collect())
    }

    fn drawn(&self, random: &Random) -> Result<&HmacState, RandomError> {
        if let Some(drawn) = self.drawn.get() {
            return Ok(drawn);
        }
        let mut secret = Zeroizing::new([0; 32]);
        random.fill(secret.as_mut_slice())?;
        Ok(self.drawn.get_or_init(|| HmacState::new(secret.as_slice())))
    }
}

/// Returns SHA-256 of the fields, each after its length, so that no two lists are read alike.
fn hash_of(fields: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for field in fields {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field);
    }
    hasher.finalize().into()
}

/// Returns 16 symbols that are as good as random without the secret.
fn id(secret: &HmacState, hash: &[u8; 32]) -> [u8; 16] {
    // The digest of a secret has an input of 48 bytes (`value::digest`), this one has 38.
    base62::remainder(secret.mac(&[b"ticket", hash]))
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};

    use super::*;

    const TICKET: &str = "4fQ2xk9ZrT7bWm1c8PzAq0";

    fn actor(tenant: &str, user: &str) -> Actor {
        let user = user.parse().expect("a user id");
        Actor::developer(user).in_tenant(tenant.parse().expect("a tenant id"))
    }

    fn ids(secrets: &TicketIds, actor: &Actor, operation: Operation, ticket: &str) -> Vec<String> {
        let ticket = ticket.parse().expect("a ticket");
        let ids = secrets.of(&ticket, actor, operation, &Random::system()).expect("ids");
        ids.into_iter().map(|id| String::from_utf8(id.to_vec()).expect("base62")).collect()
    }

    #[test]
    fn id_is_truncated_hmac() {
        let fields = ["acme", "alice", "key.generate", TICKET];
        let mut message = b"ticket".to_vec();
        let with_length =
            |field: &&str| [&(field.len() as u64).to_be_bytes(), field.as_bytes()].concat();
        let encoded: Vec<u8> = fields.iter().flat_map(with_length).collect();
        message.extend(Sha256::digest(encoded));
        let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).expect("any length");
        mac.update(&message);
        let expected = base62::remainder(mac.finalize().into_bytes().into());

        let secrets = TicketIds::new(Some(HmacState::new(&[7; 32])), &PepperRing::none());
        let found = ids(&secrets, &actor("acme", "alice"), Operation::KeyGenerate, TICKET);
        assert_eq!(found, [String::from_utf8(expected.to_vec()).expect("base62")]);
        // Nodes of two versions must agree, so the derivation never changes.
        assert_eq!(found, ["aNm17UiJTsYRD0aZ"]);
    }

    #[test]
    fn each_field_changes_the_id() {
        let secrets = TicketIds::new(Some(HmacState::new(&[7; 32])), &PepperRing::none());
        let other = "4fQ2xk9ZrT7bWm1c8PzAq1";
        let mut all = vec![
            ids(&secrets, &actor("acme", "alice"), Operation::KeyGenerate, TICKET),
            ids(&secrets, &actor("acmea", "lice"), Operation::KeyGenerate, TICKET),
            ids(&secrets, &actor("acme", "bob"), Operation::KeyGenerate, TICKET),
            ids(&secrets, &actor("acme", "alice"), Operation::AccountCreate, TICKET),
            ids(&secrets, &actor("acme", "alice"), Operation::KeyGenerate, other),
            ids(&TicketIds::default(), &actor("acme", "alice"), Operation::KeyGenerate, TICKET),
        ];
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 6);
    }

    #[test]
    fn pepper_keeps_its_id() {
        let old = PepperRing::none().with(1, [1; 32]).expect("a pepper");
        let ring = old.clone().with(2, [2; 32]).expect("a pepper");
        let of = |ring: &PepperRing| {
            let secrets = TicketIds::new(None, ring);
            ids(&secrets, &actor("acme", "alice"), Operation::KeyGenerate, TICKET)
        };
        let (before, after) = (of(&old), of(&ring));
        assert_eq!((before.len(), after.len()), (1, 2));
        assert_eq!(after[1], before[0]);
    }
}
