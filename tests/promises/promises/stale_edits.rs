//! Edits with a version apply to that version or not at all.

use keywright::{
    AccountEdit, AccountError, EventOutcome, KeyEdit, KeyError, Name, NewKey, Operation,
    RefusalCode,
};

use common::{TestResult, World};

#[common::test(each_store)]
async fn t_c04_stale_edit_changes_nothing(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let (id, seen) = (issued.key.id, issued.key.version);
    let edit = |name: &str| Ok::<_, keywright::Error>(KeyEdit::new().name(Name::new(name)?));
    let first = edit("prod-first")?.if_version(seen);
    let first = world.authority.edit(&world.alice, &id, first).await?.into_inner();
    assert_eq!((first.name.as_str(), first.version), ("prod-first", seen + 1));

    // A stale version fails even if the edit would change nothing.
    for name in ["prod-second", "prod-first"] {
        let late = edit(name)?.scopes("invoices:read".parse()?).if_version(seen);
        let error = world.authority.edit(&world.alice, &id, late).await.expect_err("stale");
        let KeyError::Stale { given, current } = error else { panic!("{error:?}") };
        assert_eq!((given, current), (seen, seen + 1));
    }
    assert_eq!(*world.authority.key(&world.alice, &id).await?.key, first);
    let last = world.events_of(&id).await?.pop().expect("an event");
    assert_eq!(last.kind, Operation::KeyEdit.into());
    assert_eq!(last.outcome, EventOutcome::Refused(RefusalCode::Stale));
    assert_eq!(last.details.to_string(), "given_version=1 current_version=2");
    Ok(())
}

#[common::test(each_store)]
async fn edit_is_applied_in_one_step(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let id = issued.key.id;
    let both = |scopes: &str| {
        let edit = KeyEdit::new().name(Name::new("prod-other")?);
        Ok::<_, keywright::Error>(edit.scopes(scopes.parse()?))
    };
    let refused = world.authority.edit(&world.alice, &id, both("payroll:read")?).await;
    assert!(matches!(refused, Err(KeyError::Rule(_))), "{refused:?}");
    assert_eq!(world.authority.key(&world.alice, &id).await?.key, issued.key);

    let done = world.authority.edit(&world.alice, &id, both("invoices:read")?).await?;
    let key = done.into_inner();
    assert_eq!((key.name.as_str(), key.version), ("prod-other", issued.key.version + 1));
    assert_eq!(key.scopes.to_string(), "invoices:read");
    let last = world.events_of(&id).await?.pop().expect("an event");
    let line = r#"name="prod-other" previous_name="prod-main-app" changed="name, scopes""#;
    assert_eq!(last.details.to_string(), line);
    Ok(())
}

#[common::test(each_store)]
async fn stale_account_edit_is_refused(world: &World) -> TestResult {
    let account = world.account("nightly", "analyst").await?;
    let rename = |name: &str| {
        let edit = AccountEdit::new().name(Name::new(name)?);
        Ok::<_, keywright::Error>(edit.if_version(account.version))
    };
    let admin = &world.admin;
    world.authority.edit_account(admin, &account.id, rename("weekly")?).await?;
    let late = world.authority.edit_account(admin, &account.id, rename("monthly")?).await;
    let Err(AccountError::Stale { given, current }) = late else { panic!("{late:?}") };
    assert_eq!((given, current), (account.version, account.version + 1));
    assert_eq!(world.account_now(&account).await?.name.as_str(), "weekly");
    Ok(())
}
