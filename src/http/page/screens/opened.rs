//! The key that a form is about, when the form is opened.

use crate::authority::KeyEntry;
use crate::http::page::failure::Failure;
use crate::http::page::visit::Visit;
use crate::record::operation::Operation;

/// Returns the key of the path, if the actor can do one of the operations to it now, and asks for a
/// fresh login before the first of them.
///
/// # Errors
/// [`Failure::Forbidden`] without the permission. A key whose status allows none of the operations is
/// shown instead of the form.
pub(super) async fn key_for(visit: &Visit, operations: &[Operation]) -> Result<KeyEntry, Failure> {
    let entry = visit.authority().key(&visit.actor, &visit.key_id()?).await?;
    let may = |operation: &Operation| visit.actor.may(*operation, &entry.key.owner);
    if !operations.iter().any(may) {
        return Err(Failure::Forbidden);
    }
    let possible = operations.iter().find(|operation| entry.actions.contains(operation));
    let Some(operation) = possible else {
        return Err(Failure::GoTo(visit.urls.key(&entry.key.id)));
    };
    visit.step_up(*operation)?;
    Ok(entry)
}
