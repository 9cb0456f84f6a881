//! B5: a key that a request or a setup does not expect gets the answer of an unknown key.

use keywright::store::MemoryStore;
use keywright::{
    AccessRequest, BuildError, Credential, Denial, Keywright, NewKey, Prefix, Reason, TenantId,
    Verifier, VerifyError,
};

use common::{TestResult, World, render};

const UNKNOWN: &str = "0000000000000000";

/// Returns the reason and the text for callers, or `None` if the request is accepted.
async fn answer(verifier: &Verifier, request: &AccessRequest<'_>) -> Option<(Reason, String)> {
    match verifier.verify_request(request).await {
        Ok(_) => None,
        Err(VerifyError::Denied(denial)) => Some((denial.reason().clone(), denial.to_string())),
        Err(error) => panic!("{error}"),
    }
}

#[common::test(each_store)]
async fn b5_key_of_another_tenant_is_unknown(world: &World) -> TestResult {
    let issued = world.generate(NewKey::named("prod-main-app")?).await?;
    let (ours, other) = (world.tenant(), world.other.tenant());
    let (id, secret) = (issued.key.id, issued.token.expose_key_secret());
    let unknown = render("acme_live", UNKNOWN, &secret[..32]);
    let unknown = answer(&world.verifier, &AccessRequest::token(&unknown).tenant(other)).await;
    assert_eq!(unknown.as_ref().map(|(reason, _)| reason), Some(&Reason::Unrecognized));
    let requests =
        [AccessRequest::token(issued.token.expose()), AccessRequest::parts(id.as_str(), secret)];
    for request in &requests {
        assert_eq!(answer(&world.verifier, request).await, None, "no tenant is named");
        assert_eq!(answer(&world.verifier, &request.clone().tenant(ours)).await, None);
        assert_eq!(answer(&world.verifier, &request.clone().tenant(other)).await, unknown);
        for absent in ["globex2", "globe", "GLOBEX", "."] {
            let absent = TenantId::new(absent)?;
            assert_eq!(answer(&world.verifier, &request.clone().tenant(&absent)).await, unknown);
        }
    }
    // The status of a foreign key stays hidden, and a refused request counts no use.
    world.authority.disable(&world.alice, &id).await?;
    for request in requests {
        let (reason, _) = answer(&world.verifier, &request.clone().tenant(ours)).await.ok_or("")?;
        assert_eq!(reason, Reason::Disabled);
        assert_eq!(answer(&world.verifier, &request.tenant(other)).await, unknown);
    }
    world.verifier.flush().await?;
    assert_eq!(world.authority.key(&world.alice, &id).await?.uses, 4);
    Ok(())
}

#[common::test(each_store)]
async fn b5_key_with_unaccepted_prefix_is_unknown(world: &World) -> TestResult {
    let (live, test) = (Prefix::new("acme_live")?, Prefix::new("acme_test")?);
    let staging = world.with_settings(|builder| builder.prefix(test.clone()));
    let production = world.with_settings(|builder| builder.accept_prefixes([live.clone()]));
    let both = world.with_settings(|builder| builder.accept_prefixes([test, live]));
    let issued = staging.generate(NewKey::named("test-main-app")?).await?;
    let (id, secret) = (issued.key.id, issued.token.expose_key_secret());
    let unknown = render("acme_test", UNKNOWN, &secret[..32]);
    let unknown = answer(&production.verifier, &AccessRequest::token(&unknown)).await;
    assert_eq!(unknown.as_ref().map(|(reason, _)| reason), Some(&Reason::Unrecognized));
    let requests =
        [AccessRequest::token(issued.token.expose()), AccessRequest::parts(id.as_str(), secret)];
    for request in &requests {
        for accepting in [&staging, world, &both] {
            assert_eq!(answer(&accepting.verifier, request).await, None);
        }
        assert_eq!(answer(&production.verifier, request).await, unknown);
    }
    let revoked = production.verifier.revoke(Credential::Token(issued.token.expose())).await;
    let refused = revoked.expect_err("the key counts as unknown");
    assert_eq!(refused.denial().map(Denial::reason), Some(&Reason::Unrecognized));
    // Management is not limited.
    production.authority.revoke(&world.admin, &id).await?;
    for request in &requests {
        assert_eq!(answer(&production.verifier, request).await, unknown, "its status is hidden");
    }
    let ours = production.generate(NewKey::named("prod-main-app")?).await?;
    assert_eq!(production.check(&ours).await, Ok(()));
    Ok(())
}

#[common::test]
fn own_prefix_must_be_accepted() -> TestResult {
    let (live, test) = (Prefix::new("acme_live")?, Prefix::new("acme_test")?);
    for accepted in [vec![], vec![test.clone()]] {
        let builder = Keywright::builder(MemoryStore::new()).prefix(live.clone());
        let refused = builder.accept_prefixes(accepted).build().expect_err("it is not accepted");
        let named = matches!(&refused, BuildError::PrefixNotAccepted(prefix) if *prefix == live);
        assert!(named, "{refused:?}");
        let expected = "accept_prefixes must contain the prefix of new keys, acme_live";
        assert_eq!(refused.to_string(), expected);
    }
    Ok(())
}
