//! One owner among the tenant's keys, and the operations on it: suspend and restore a user, revoke
//! and hand over all keys.

use maud::{Markup, html};

use crate::http::page::failure::Failure;
use crate::http::page::selection::Screens;
use crate::http::page::texts::Text;
use crate::http::page::visit::Visit;
use crate::record::key::Owner;
use crate::record::operation::Operation;
use crate::record::user::User;
use crate::store::KeyQuery;
use crate::value::id::UserId;

/// An operation on all keys of an owner, with its texts.
#[derive(Clone, Copy)]
pub(in crate::http::page) struct Action {
    pub(super) operation: Operation,
    pub(in crate::http::page) path: &'static str,
    pub(super) title: Text,
    pub(super) lead: Text,
    pub(super) label: Text,
    pub(super) done: Text,
}

pub(in crate::http::page) const SUSPEND: Action = Action {
    operation: Operation::UserSuspend,
    path: "/all/suspend",
    title: Text::SUSPEND_TITLE,
    lead: Text::SUSPEND_LEAD,
    label: Text::SUSPEND,
    done: Text::USER_SUSPENDED,
};
pub(in crate::http::page) const RESTORE: Action = Action {
    operation: Operation::UserRestore,
    path: "/all/restore",
    title: Text::RESTORE_TITLE,
    lead: Text::RESTORE_LEAD,
    label: Text::RESTORE,
    done: Text::USER_RESTORED,
};
pub(in crate::http::page) const REVOKE: Action = Action {
    operation: Operation::KeyRevoke,
    path: "/all/revoke-owned",
    title: Text::REVOKE_OWNED_TITLE,
    lead: Text::REVOKE_OWNED_LEAD,
    label: Text::REVOKE_OWNED,
    done: Text::OWNED_REVOKED,
};
pub(in crate::http::page) const TRANSFER: Action = Action {
    operation: Operation::KeyTransfer,
    path: "/all/transfer",
    title: Text::TRANSFER_OWNED_TITLE,
    lead: Text::TRANSFER_OWNED_LEAD,
    label: Text::TRANSFER_OWNED,
    done: Text::OWNED_HANDED_OVER,
};

/// An owner as the screens show it.
pub(super) struct Subject {
    pub(super) owner: Owner,
    pub(super) name: String,
    /// The record of the owner, if it is a user whom the actor may see.
    user: Option<User>,
    /// The number of its live keys.
    pub(super) live: u64,
}

impl Subject {
    pub(super) async fn of(visit: &Visit, owner: &Owner) -> Result<Self, Failure> {
        let (authority, actor) = (visit.authority(), &visit.actor);
        let user = match owner {
            Owner::User(id) if actor.may_for_any(Operation::UserShow) => {
                Some(authority.user(actor, id).await?)
            }
            _ => None,
        };
        let account = match owner {
            Owner::Account(id) if actor.may_for_any(Operation::AccountShow) => {
                Some(authority.account(actor, id).await?.account.name.clone())
            }
            _ => None,
        };
        let stored = user.as_ref().and_then(|user| user.display_name.as_ref()).or(account.as_ref());
        let name = visit.name_of(owner, stored);
        let live = KeyQuery::new().live().owner(owner.clone());
        let live = authority.count_keys(actor, &live).await?;
        Ok(Self { owner: owner.clone(), name, user, live })
    }

    pub(super) fn user_id(&self) -> Option<&UserId> {
        match &self.owner {
            Owner::User(id) => Some(id),
            _ => None,
        }
    }

    /// Returns true if the actor can do this to the owner now.
    pub(super) fn allows(&self, visit: &Visit, action: Action) -> bool {
        let is_suspended = self.user.as_ref().is_some_and(|user| user.suspended);
        let fits = match action.operation {
            Operation::UserSuspend => self.user_id().is_some() && !is_suspended,
            Operation::UserRestore => is_suspended,
            _ => self.live > 0,
        };
        fits && visit.actor.may(action.operation, &self.owner)
    }
}

/// Returns the panel of an owner above its keys, with the operations that are possible.
pub(in crate::http::page) async fn panel(visit: &Visit, owner: &Owner) -> Result<Markup, Failure> {
    let subject = Subject::of(visit, owner).await?;
    let possible = [SUSPEND, RESTORE, TRANSFER, REVOKE];
    let possible = possible.into_iter().filter(|action| subject.allows(visit, *action));
    let account = owner.account().filter(|_| visit.can_see(Screens::ACCOUNTS));
    Ok(html! {
        section class="kw-panel" aria-labelledby="owner" {
            h2 id="owner" { (visit.say(Text::KEYS_OF_OWNER.with("owner", &subject.name))) }
            p { code { (owner.id()) } " " (visit.say(Text::KEY_COUNT.count(subject.live))) }
            @if subject.user.as_ref().is_some_and(|user| user.suspended) {
                p { strong class="kw-stopped" { (visit.say(Text::SUSPENDED_TEXT)) } }
            }
            ul class="kw-actions" {
                @for action in possible {
                    li { a href=(visit.urls.of_owner(action.path, owner)) { (visit.say(action.label)) } }
                }
                @if let Some(account) = account {
                    li { a href=(visit.urls.account(&account)) { (visit.say(Text::SHOW_THE_ACCOUNT)) } }
                }
                li { a href=(visit.urls.to("/all")) { (visit.say(Text::ALL_OWNERS)) } }
            }
        }
    })
}
