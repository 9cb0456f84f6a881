//! Records of every kind, with texts that would break out of a document.

use std::time::Duration;

use keywright::store::MemoryStore;
use keywright::{Actor, KeyStatus, Name, NewAccount, NewKey, Owner, Permissions, RoleName, UserId};

use common::{DAY, TestResult, World, name};

/// Texts that a document must show and never obey.
pub(crate) const ATTACKS: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</textarea></title><svg/onload=alert(1)>",
    "{{name}} {name} ${7*7} &lt;b&gt; &amp;",
    "javascript:alert(1)//<!--",
];
/// The administrators that the tests name.
pub(crate) const ADMINISTRATORS: &str = "Ada Lovelace";

/// Creates a world with keys in each status, of each kind of owner.
pub(crate) async fn world() -> TestResult<World> {
    full(World::new(MemoryStore::new())).await
}

/// Fills a world.
pub(crate) async fn full(world: World) -> TestResult<World> {
    let (authority, admin) = (&world.authority, &world.admin);
    for status in [
        KeyStatus::Active,
        KeyStatus::Disabled,
        KeyStatus::Scheduled,
        KeyStatus::Revoked,
        KeyStatus::Expired,
    ] {
        world.generate_in(status).await?;
    }
    let used = world.key_of(&world.alice, noted("used-key", ATTACKS[0])?).await;
    world.verifier.verify(used.token.expose()).await?;
    world.verifier.flush().await?;
    for attack in ATTACKS {
        let new = noted(attack, attack)?.networks("203.0.113.0/24".parse()?);
        world.key_of(&world.alice, new.expires_in(DAY)).await;
    }
    let of_bob =
        authority.generate(admin, NewKey::named("key-of-bob")?.owner(world.bob.as_owner())).await?;
    authority.rotate(admin, &of_bob.key.id, DAY).await?;
    let carol = UserId::new("carol<b>")?;
    let owner = Owner::User(carol.clone());
    authority.generate(admin, NewKey::named("key-of-carol")?.owner(owner)).await?;
    authority.suspend_user(admin, &carol).await?;
    authority.generate(admin, NewKey::named("key-of-all")?.owner(Owner::Organization)).await?;
    for (number, text) in ["builds", ATTACKS[1], "stopped"].iter().enumerate() {
        let new = NewAccount::new(Name::new(*text)?, RoleName::new("analyst")?);
        let account = authority.create_account(admin, new).await?.account;
        for one in 0..=number {
            let new = named(&format!("{text} {one}"))?.owner(Owner::Account(account.id));
            let made = authority.generate(admin, new).await?;
            if one == 1 {
                authority.rotate(admin, &made.key.id, DAY).await?;
            }
        }
        if *text == "stopped" {
            authority.disable_account(admin, &account.id).await?;
        }
    }
    let refused = authority.generate(&world.auditor, NewKey::new(name("refused"))).await;
    assert!(refused.is_err(), "an auditor generates no key");
    world.clock.advance(Duration::from_secs(90));
    Ok(world)
}

fn named(text: &str) -> TestResult<NewKey> {
    Ok(NewKey::new(Name::new(text)?))
}

fn noted(name: &str, note: &str) -> TestResult<NewKey> {
    let new = named(name)?.description(note.parse()?).contact(note.parse()?);
    Ok(new.scopes("invoices:read".parse()?))
}

/// Returns the actors that walk through the page, each with a name for messages.
pub(crate) fn actors(world: &World) -> Vec<(&'static str, Actor)> {
    vec![
        ("developer", world.alice.clone()),
        ("tenant admin", world.tenant_admin.clone()),
        ("administrator", world.admin.clone()),
        ("auditor", world.auditor.clone()),
        ("nobody", with(Permissions::NONE)),
        ("other tenant", world.other.clone()),
        ("both", with(Permissions::TENANT_ADMIN | Permissions::DEVELOPER)),
        ("unlicensed", world.alice.clone().without_license()),
    ]
}

/// Returns alice with other permissions.
pub(crate) fn with(permissions: Permissions) -> Actor {
    Actor::new(common::user("alice"), permissions).in_tenant(common::tenant())
}

/// Returns the texts of the records, longest first.
pub(crate) fn data() -> Vec<String> {
    let words = [
        "prod-main-app",
        "used-key",
        "refused",
        "key-of-bob",
        "key-of-carol",
        "key-of-all",
        "builds",
        "stopped",
        "alice",
        "bob",
        "carol<b>",
        "ada",
        "tara",
        "audrey",
        "otto",
        "invoices:read",
        "invoices:write",
        "reports:read",
        "analyst",
        "operator",
        "organization",
        ADMINISTRATORS,
        "walked",
        "ACME_API_KEY=",
    ];
    let parts = ATTACKS.iter().flat_map(|attack| attack.split(' '));
    let mut data: Vec<String> =
        words.into_iter().chain(ATTACKS).chain(parts).map(str::to_owned).collect();
    // A document shows a run of white space as one space, and the parser keeps it.
    data.sort_by_key(|text| std::cmp::Reverse(text.len()));
    data
}
