//! The name of an owner whose record no listing has brought along.

use crate::authority::AccountError;
use crate::http::page::failure::Failure;
use crate::http::page::visit::Visit;
use crate::record::key::Owner;
use crate::record::operation::Operation;
use crate::value::name::Name;

/// Reads the name of an owner, as far as the actor may see it.
pub(super) async fn read(visit: &Visit, owner: &Owner) -> Result<String, Failure> {
    Ok(visit.name_of(owner, stored(visit, owner).await?.as_ref()))
}

/// Returns true for a user of whom neither the store nor the host has a name, if the host names users.
pub(super) async fn is_unknown(visit: &Visit, owner: &Owner) -> Result<bool, Failure> {
    if !matches!(owner, Owner::User(_)) || visit.page.user_names.is_none() {
        return Ok(false);
    }
    Ok(visit.known_name_of(owner, stored(visit, owner).await?.as_ref()).is_none())
}

async fn stored(visit: &Visit, owner: &Owner) -> Result<Option<Name>, Failure> {
    let (authority, actor) = (visit.authority(), &visit.actor);
    match owner {
        Owner::Account(id) if actor.may_for_any(Operation::AccountShow) => {
            match authority.account(actor, id).await {
                Ok(entry) => Ok(Some(entry.account.name)),
                Err(AccountError::NotFound(_)) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }
        Owner::User(id) if actor.may_for_any(Operation::UserShow) => {
            Ok(authority.user(actor, id).await?.display_name)
        }
        _ => Ok(None),
    }
}
