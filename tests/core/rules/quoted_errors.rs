//! Provokes every error that the guide's page on the first key quotes, and compares the texts.

use std::error::Error;
use std::time::Duration;

use futures_lite::future::block_on;
use keywright::store::{FileStore, MemoryStore};
use keywright::{
    AccessRequest, Actor, KeyId, Keywright, Name, NewKey, PepperRing, Policy, Scope, SettingsEdit,
    UserId, VerifyError,
};

const PAGE: &str = include_str!("../../../src/guide/first_key.md");

#[test]
fn first_page_quotes_the_real_errors() -> Result<(), Box<dyn Error>> {
    block_on(async {
        let alice = Actor::developer(UserId::new("alice")?);
        let ada = Actor::administrator(UserId::new("ada")?);
        let day = Duration::from_secs(86_400);

        let off = Keywright::builder(MemoryStore::new()).build()?.authority();
        quoted(&off.generate(&alice, NewKey::named("prod-main-app")?).await.expect_err("off"));

        let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
        let keywright = Keywright::builder(MemoryStore::new()).default_policy(policy).build()?;
        let (authority, verifier) = (keywright.authority(), keywright.verifier());
        let new = || NewKey::named("prod-main-app");
        quoted(
            &authority
                .generate(&alice, new()?.scopes("invoices:delete".parse()?))
                .await
                .expect_err("a scope"),
        );
        let admin = Actor::tenant_admin(UserId::new("grace")?);
        quoted(&authority.generate(&admin, new()?).await.expect_err("no permission"));
        quoted(&Name::new("alice@example.com").expect_err("an address"));
        let bound = new()?.scopes("invoices:read".parse()?).networks("203.0.113.0/24".parse()?);
        let bound = authority.generate(&alice, bound).await?;
        let issued = authority.generate(&alice, new()?.scopes("invoices:read".parse()?)).await?;
        for _ in 2..10 {
            authority.generate(&alice, new()?).await?;
        }
        quoted(&authority.generate(&alice, new()?).await.expect_err("the limit"));
        let read = authority.policy(&ada).await?.settings.version;
        let edit = || SettingsEdit::new().require_expiry(Some(true)).if_version(read);
        authority.edit_settings(&ada, edit()).await?;
        quoted(&authority.edit_settings(&ada, edit()).await.expect_err("stale"));

        let bob = Actor::developer(UserId::new("bob")?);
        let absent: KeyId = "4fQ2xk9ZrT7bWm1c".parse()?;
        quoted(&authority.revoke(&bob, &absent).await.expect_err("absent"));
        quoted(&authority.rotate(&alice, &issued.key.id, 8 * day).await.expect_err("too long"));

        let token = issued.token.expose();
        why(&verifier.verify(&format!("{token}\n")).await.expect_err("malformed"));
        why(&verifier.verify(bound.token.expose()).await.expect_err("no source"));
        let write = Scope::new("invoices:write")?;
        why(&verifier
            .verify_request(&AccessRequest::token(token).scope(&write))
            .await
            .expect_err("a scope"));
        let _replaced = authority.rotate(&alice, &issued.key.id, Duration::ZERO).await?;
        why(&verifier.verify(token).await.expect_err("unrecognized"));
        authority.revoke(&alice, &issued.key.id).await?;
        quoted(&authority.rotate(&alice, &issued.key.id, day).await.expect_err("revoked"));

        let store = MemoryStore::new();
        let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
        let builder = Keywright::builder(store).default_policy(policy);
        let peppered = builder.clone().peppers(PepperRing::none().with(1, [7; 32])?).build()?;
        let issued = peppered.authority().generate(&alice, new()?).await?;
        let without = builder.build()?.verifier();
        quoted(&without.verify(issued.token.expose()).await.expect_err("no pepper"));

        let folder = std::env::temp_dir().join(format!("keywright-quoted-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        let store = FileStore::open(folder.join("keys.db")).await?;
        quoted(&FileStore::open(folder.join("keys.db")).await.expect_err("open twice"));
        store.close().await?;
        let missing = FileStore::open(folder.join("data/keys.db")).await.expect_err("no folder");
        let mut errors = vec![missing.to_string()];
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(folder.join("keys.db"), PermissionsExt::from_mode(0o644))?;
            let shared = FileStore::open(folder.join("keys.db")).await.expect_err("a wide mode");
            errors.push(shared.to_string());
        }
        std::fs::remove_dir_all(&folder)?;
        // These texts name a path: the page has the part before the path or after it.
        for error in errors {
            let mut parts = PAGE.split("`... ").skip(1).filter_map(|rest| rest.split('`').next());
            let is_quoted =
                parts.any(|part| error.replace('`', "").contains(part.trim_end_matches(" ...")));
            assert!(is_quoted, "first_key.md lacks the text: {error}");
        }
        Ok(())
    })
}

/// Asserts that the page has the text of an error and that of its cause.
fn quoted(error: &impl Error) {
    assert!(PAGE.contains(&error.to_string()), "first_key.md lacks the text: {error}");
    if let Some(source) = error.source() {
        assert!(PAGE.contains(&source.to_string()), "first_key.md lacks the text: {source}");
    }
}

/// Asserts that the page has the text of a denial and that of its reason.
fn why(error: &VerifyError) {
    let Some(denial) = error.denial() else { panic!("{error}") };
    quoted(denial);
    assert!(PAGE.contains(&denial.reason().to_string()), "first_key.md lacks: {}", denial.reason());
}
