//! The check before each screen of the service accounts.

use crate::http::page::failure::Failure;
use crate::http::page::selection::Screens;
use crate::http::page::texts::Text;
use crate::http::page::visit::Visit;
use crate::record::operation::Operation;

/// Checks that the host shows the service accounts, and that the actor may see them and call an
/// operation on them.
///
/// # Errors
/// [`Failure::NotFound`] without the screens, and an explanation for an actor who is not an
/// administrator.
pub(super) fn open(visit: &Visit, operation: Operation) -> Result<(), Failure> {
    if !visit.has(Screens::ACCOUNTS) {
        return Err(Failure::NotFound);
    }
    if !visit.actor.may_for_any(Operation::AccountShow) {
        return Err(Failure::NotAdministrator(Text::ACCOUNTS_FORBIDDEN));
    }
    if !visit.actor.may_for_any(operation) {
        return Err(Failure::NotAdministrator(Text::ACCOUNTS_ONLY_SHOWN));
    }
    Ok(())
}
