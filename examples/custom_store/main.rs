//! The life of a key in a custom store.
//!
//! ```text
//! cargo run --example custom_store
//! ```

mod store;

use keywright::{Actor, Keywright, NewKey, Policy, UserId};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    futures_lite::future::block_on(async {
        let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
        let keywright =
            Keywright::builder(store::CustomStore::default()).default_policy(policy).build()?;
        let (authority, verifier) = (keywright.authority(), keywright.verifier());

        let alice = Actor::developer(UserId::new("alice")?);
        let issued = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
        let grant = verifier.verify(issued.token.expose()).await?;
        println!("{} is accepted from the custom store", grant.key().name);

        verifier.flush().await?;
        assert_eq!(authority.key(&alice, &issued.key.id).await?.uses, 1);
        authority.revoke(&alice, &issued.key.id).await?;
        assert!(verifier.verify(issued.token.expose()).await.is_err(), "it was revoked");
        Ok(())
    })
}
