//! The types that users put into their own types and tasks are `Send` and `Sync`, and so are the
//! futures on every runtime.

use std::time::Duration;

use keywright::store::{
    AccountQuery, EventQuery, FileStore, KeyQuery, KeyStore, MemoryStore, StoreError, TenantQuery,
};
use keywright::{
    AccessRequest, AccountEdit, AccountId, Actor, Authority, Builder, Denial, Error, Grant, Issued,
    KeyEdit, KeyEntry, KeyId, Name, NewAccount, NewKey, Operator, Owner, Plan, SettingsEdit, Token,
    Verifier, VerifyError,
};

fn is_shared<T: Send + Sync + 'static>() {}

fn is_sent<T: Send>(_: &T) {}

#[test]
fn types_can_be_shared_between_threads() {
    is_shared::<Authority>();
    is_shared::<Verifier>();
    is_shared::<Builder>();
    is_shared::<MemoryStore>();
    is_shared::<FileStore>();
    is_shared::<Box<dyn KeyStore>>();
    is_shared::<Grant>();
    is_shared::<Denial>();
    is_shared::<VerifyError>();
    is_shared::<StoreError>();
    is_shared::<Error>();
    is_shared::<Issued>();
    is_shared::<Token>();
    is_shared::<Actor>();
    is_shared::<KeyEntry>();
    is_shared::<Operator>();
}

#[test]
#[cfg(feature = "web")]
fn guard_can_be_shared_between_threads() {
    is_shared::<keywright::http::Guard>();
    is_shared::<keywright::http::Rejection>();
    is_shared::<keywright::http::GuardService<()>>();
}

/// Compiles only if the futures are `Send`. The function is never called.
#[expect(dead_code, reason = "it only has to pass the type checker")]
fn futures_can_move_between_threads(
    (authority, verifier, store): (&Authority, &Verifier, &FileStore),
    (actor, operator, owner, request): (&Actor, &Operator, &Owner, &AccessRequest<'_>),
    (key, account): (&KeyId, &AccountId),
    (new, name, plan, new_account): (NewKey, Name, Plan, NewAccount),
) {
    is_sent(&verifier.verify("token"));
    is_sent(&verifier.verify_request(request));
    is_sent(&verifier.flush());
    is_sent(&authority.generate(actor, new.owner(owner.clone())));
    is_sent(&authority.rename(actor, key, name));
    is_sent(&authority.edit(actor, key, KeyEdit::new()));
    is_sent(&authority.disable(actor, key));
    is_sent(&authority.enable(actor, key));
    is_sent(&authority.rotate(actor, key, Duration::ZERO));
    is_sent(&authority.finish_rotation(actor, key));
    is_sent(&authority.revoke(actor, key));
    is_sent(&authority.revoke_many(actor, std::slice::from_ref(key)));
    is_sent(&authority.revoke_owned(actor, owner));
    is_sent(&authority.delete(actor, key));
    is_sent(&authority.key(actor, key));
    is_sent(&authority.keys(actor, &KeyQuery::new()));
    is_sent(&authority.events(actor, &EventQuery::new()));
    is_sent(&authority.create_account(actor, new_account));
    is_sent(&authority.edit_account(actor, account, AccountEdit::new()));
    is_sent(&authority.disable_account(actor, account));
    is_sent(&authority.enable_account(actor, account));
    is_sent(&authority.delete_account(actor, account));
    is_sent(&authority.accounts(actor, &AccountQuery::new()));
    is_sent(&authority.policy(actor));
    is_sent(&authority.set_plan(actor, plan));
    is_sent(&authority.edit_settings(actor, SettingsEdit::new()));
    is_sent(&authority.user(actor, actor.id()));
    is_sent(&authority.set_display_name(actor, actor.id(), None));
    is_sent(&authority.suspend_user(actor, actor.id()));
    is_sent(&authority.restore_user(actor, actor.id()));
    is_sent(&authority.transfer_key(actor, key, owner));
    is_sent(&authority.transfer_owned(actor, owner, owner));
    is_sent(&authority.sweep(actor));
    is_sent(&authority.tenants(operator, &TenantQuery::new()));
    is_sent(&authority.keys_of_all_tenants(operator, &KeyQuery::new()));
    is_sent(&authority.find_key(operator, key));
    is_sent(&authority.revoke_in_any_tenant(operator, std::slice::from_ref(key)));
    is_sent(&authority.revoke_owned_in_all_tenants(operator, owner));
    is_sent(&authority.sweep_all_tenants(operator));
    is_sent(&store.close());
}
