//! A key's life in a store of one's own.
//!
//! ```text
//! cargo run --example custom_store
//! ```

mod store;

use keywright::{Actor, Keywright, NewKey, Policy, UserId};

use crate::store::CustomStore;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    futures_lite::future::block_on(async {
        let mut policy = Policy::default();
        policy.api_enabled = true;
        policy.scope_ceiling = "invoices:read".parse()?;
        let keywright =
            Keywright::builder(CustomStore::default()).default_policy(policy).build()?;
        let (authority, verifier) = (keywright.authority(), keywright.verifier());

        let alice = Actor::developer(UserId::new("alice")?);
        let new = NewKey::named("prod-main-app")?.scopes("invoices:read".parse()?);
        let issued = authority.generate(&alice, new).await?;
        let grant = verifier.verify(issued.token.expose()).await?;
        println!("accepted: {}, from a store of one's own", grant.key().name);

        verifier.flush().await?;
        let entry = authority.key(&alice, &issued.key.id).await?;
        assert_eq!(entry.uses, 1);
        authority.revoke(&alice, &issued.key.id).await?;
        let refused = verifier.verify(issued.token.expose()).await;
        println!("refused:  {}", refused.expect_err("it was revoked"));
        Ok(())
    })
}
