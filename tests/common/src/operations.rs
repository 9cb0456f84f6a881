//! Every management operation, as a function of its name.

use std::error::Error;
use std::time::Duration;

use keywright::store::{AccountQuery, EventQuery};
use keywright::{
    AccountEdit, AccountId, Actor, KeyEdit, KeyId, KeyStatus, Metadata, Name, NewAccount, NewKey,
    Operation, Outcome, Owner, RoleName, SettingsEdit, UserId,
};

use crate::{HOUR, TestResult, World, picture_of_now};

/// The subjects of operations.
pub struct Subjects {
    /// A key in the overlap of a rotation. It is disabled if the operation enables it.
    pub key: KeyId,
    /// The owner of the key, and of a key to generate.
    pub owner: Owner,
    /// A service account without keys. It is disabled if the operation enables it.
    pub account: AccountId,
    /// A user without keys. The user is suspended if the operation restores the user.
    pub user: UserId,
}

impl Subjects {
    /// Returns subjects with the user `me`.
    pub fn new(key: KeyId, owner: Owner, account: AccountId) -> Self {
        Self { key, owner, account, user: crate::user("me") }
    }

    /// Creates subjects that the operation will change. For a sweep it also creates a dead key past its
    /// retention.
    pub async fn of(world: &World, owner: &Owner, operation: Operation) -> TestResult<Self> {
        world
            .set_policy(|policy| {
                policy.plan.api_access = true;
                policy.settings.max_keys_per_user = Some(900);
                policy.settings.retention = Some(Duration::ZERO);
            })
            .await?;
        if operation == Operation::Sweep {
            world.authority.sweep(&world.admin).await?;
            let dead = world.generate_for(&world.bob, NewKey::named("prod-dead")?).await?;
            world.authority.revoke(&world.admin, &dead.key.id).await?;
        }
        let status = match operation {
            Operation::KeyEnable => KeyStatus::Disabled,
            _ => KeyStatus::Active,
        };
        let key = world.generate_owned_in(owner, status).await?.key.id;
        let account = world.account("nightly-report", "analyst").await?.id;
        if operation == Operation::AccountEnable {
            world.authority.disable_account(&world.admin, &account).await?;
        }
        let subjects = Self::new(key, owner.clone(), account);
        let (authority, admin, user) = (&world.authority, &world.admin, &subjects.user);
        match operation {
            Operation::UserRestore => drop(authority.suspend_user(admin, user).await?),
            Operation::UserSuspend => drop(authority.restore_user(admin, user).await?),
            Operation::UserName => drop(authority.set_display_name(admin, user, None).await?),
            _ => {}
        }
        Ok(subjects)
    }
}

/// Performs an operation so that it has an effect, if it is one that can have an effect.
pub async fn perform(
    world: &World,
    actor: &Actor,
    operation: Operation,
    on: &Subjects,
) -> Result<Outcome<()>, Box<dyn Error>> {
    let authority = &world.authority;
    let Subjects { key, owner, account, user } = on;
    let done = match operation {
        Operation::KeyGenerate => {
            authority.generate(actor, NewKey::named("prod-new")?.owner(owner.clone())).await?;
            Outcome::Done(())
        }
        Operation::KeyShow => {
            authority.key(actor, key).await?;
            Outcome::Done(())
        }
        Operation::KeyRename => {
            authority.rename(actor, key, Name::new("staging-api")?).await?.map(drop)
        }
        Operation::KeyAnnotate => {
            let edit = KeyEdit::new().metadata(Metadata::new([("team", "billing")])?);
            authority.edit(actor, key, edit).await?.map(drop)
        }
        Operation::KeyEdit => {
            let edit = KeyEdit::new().scopes("invoices:read".parse()?);
            authority.edit(actor, key, edit).await?.map(drop)
        }
        Operation::KeyDisable => authority.disable(actor, key).await?.map(drop),
        Operation::KeyEnable => authority.enable(actor, key).await?.map(drop),
        Operation::KeyRotate => {
            // A disabled key can only be rotated without an overlap.
            let is_disabled = world.status(key).await.ok() == Some(KeyStatus::Disabled);
            let overlap = if is_disabled { Duration::ZERO } else { HOUR };
            authority.rotate(actor, key, overlap).await?;
            Outcome::Done(())
        }
        Operation::KeyFinishRotation => authority.finish_rotation(actor, key).await?.map(drop),
        Operation::KeyRevoke => authority.revoke(actor, key).await?.map(drop),
        Operation::KeyDelete => Outcome::Done(authority.delete(actor, key).await?),
        Operation::KeyTransfer => {
            authority.transfer_key(actor, key, &Owner::Organization).await?.map(drop)
        }
        Operation::AccountCreate => {
            let new = NewAccount::new(Name::new("weekly-report")?, RoleName::new("analyst")?);
            authority.create_account(actor, new).await?;
            Outcome::Done(())
        }
        Operation::AccountShow => {
            let listed = authority.accounts(actor, &AccountQuery::new()).await;
            let shown = authority.account(actor, account).await;
            assert_eq!(listed.is_ok(), shown.is_ok(), "the listing and one account");
            listed?;
            Outcome::Done(())
        }
        Operation::AccountEdit => {
            let edit = AccountEdit::new().name(Name::new("hourly-report")?);
            authority.edit_account(actor, account, edit).await?.map(drop)
        }
        Operation::AccountDisable => authority.disable_account(actor, account).await?.map(drop),
        Operation::AccountEnable => authority.enable_account(actor, account).await?.map(drop),
        Operation::AccountDelete => Outcome::Done(authority.delete_account(actor, account).await?),
        Operation::PolicyShow => {
            authority.policy(actor).await?;
            Outcome::Done(())
        }
        Operation::SettingsEdit => {
            let overlap = world.policy().await.max_overlap.value + HOUR;
            let edit = SettingsEdit::new().max_overlap(Some(overlap));
            authority.edit_settings(actor, edit).await?.map(drop)
        }
        Operation::PlanSet => {
            let mut plan = world.policy().await.plan;
            plan.api_access = !plan.api_access;
            authority.set_plan(actor, plan).await?.map(drop)
        }
        Operation::UserShow => {
            authority.user(actor, user).await?;
            Outcome::Done(())
        }
        Operation::UserName => {
            let name = Some(Name::new("Alice Jones")?);
            authority.set_display_name(actor, user, name).await?.map(drop)
        }
        Operation::UserSuspend => authority.suspend_user(actor, user).await?.map(drop),
        Operation::UserRestore => authority.restore_user(actor, user).await?.map(drop),
        Operation::EventsShow => {
            authority.events(actor, &EventQuery::new()).await?;
            Outcome::Done(())
        }
        Operation::Sweep => {
            authority.sweep(actor).await?;
            Outcome::Done(())
        }
        other => panic!("`perform` does not know the operation {other}"),
    };
    Ok(done)
}

/// Returns whether an operation only reads. Such an operation changes nothing and leaves no event.
pub fn is_looking(operation: Operation) -> bool {
    use Operation::{AccountShow, EventsShow, KeyShow, PolicyShow, UserShow};
    matches!(operation, KeyShow | AccountShow | PolicyShow | UserShow | EventsShow)
}

/// Returns everything of the tenant except its events, in a form that tests can compare.
pub async fn state(world: &World) -> TestResult<serde_json::Value> {
    Ok(picture_of_now(&world.authority, &world.admin).await)
}
