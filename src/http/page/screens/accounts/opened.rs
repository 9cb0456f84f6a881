//! The service account that a form is about, when the form is opened and when it is sent.

use super::gate;
use crate::authority::AccountEntry;
use crate::http::page::failure::Failure;
use crate::http::page::visit::Visit;
use crate::record::key::Owner;
use crate::record::operation::Operation;

/// Returns the account of the path, if the actor can do the operation to it now, and asks for a fresh
/// login before it.
///
/// # Errors
/// An explanation without the permission. An account that does not allow the operation now is shown
/// instead of the form.
pub(super) async fn account_for(
    visit: &Visit,
    operation: Operation,
) -> Result<AccountEntry, Failure> {
    gate::open(visit, operation)?;
    let entry = visit.authority().account(&visit.actor, &visit.account_id()?).await?;
    if !entry.actions.contains(&operation) {
        let owner = Owner::Account(entry.account.id);
        let may = visit.actor.may(operation, &owner);
        let screen = visit.urls.account(&entry.account.id);
        return Err(if may { Failure::GoTo(screen) } else { Failure::Forbidden });
    }
    visit.step_up(operation)?;
    Ok(entry)
}

/// Returns the account of the path for a form that was sent, in any state of the account.
///
/// A form that is sent twice changes nothing the second time.
pub(super) async fn account_sent(
    visit: &Visit,
    operation: Operation,
) -> Result<AccountEntry, Failure> {
    gate::open(visit, operation)?;
    Ok(visit.authority().account(&visit.actor, &visit.account_id()?).await?)
}
