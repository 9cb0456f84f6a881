//! Networks, scopes, access and rate limit what an accepted key can be used for.

use keywright::{
    Access, AccessRequest, AccountEdit, Issued, NewKey, Owner, Reason, RoleName, Scope, ScopeSet,
};

use super::{account, address};
use common::{
    MOMENT, SECOND, World, admin, block_on, cut_scopes, denial, denied, developer, named, plan_with,
};

#[test]
fn key_works_only_from_its_networks() {
    let table = [
        ("203.0.113.0/24", "203.0.113.0", true),
        ("203.0.113.0/24", "203.0.113.255", true),
        ("203.0.113.0/24", "203.0.114.0", false),
        ("203.0.113.0/24", "::ffff:203.0.113.7", true),
        ("203.0.113.0/24", "::ffff:203.0.114.7", false),
        ("203.0.113.0/24", "::203.0.113.7", false),
        ("203.0.113.0/24", "2001:db8::1", false),
        ("0.0.0.0/0", "255.255.255.255", true),
        ("0.0.0.0/0", "::1", false),
        ("::/0", "2001:db8::1", true),
        ("::/0", "203.0.113.7", false),
        ("::/0", "::ffff:203.0.113.7", false),
        ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::", false),
        ("198.51.100.7", "198.51.100.7", true),
        ("198.51.100.7", "198.51.100.8", false),
        ("2001:db8::1", "2001:db8::1", true),
        ("2001:db8::1", "2001:db8::2", false),
        ("203.0.113.0/24 2001:db8::/32", "203.0.113.7", true),
        ("203.0.113.0/24 2001:db8::/32", "2001:db8::7", true),
        ("203.0.113.0/24 2001:db8::/32", "192.0.2.1", false),
    ];
    block_on(async {
        let world = World::in_memory();
        for (networks, source, allowed) in table {
            let new = named("bound").networks(networks.parse().expect("networks"));
            let issued = world.key_of(&developer("alice"), new).await;
            let request = AccessRequest::token(issued.token.expose());
            let from =
                world.verifier.verify_request(&request.clone().source(address(source))).await;
            assert_eq!(from.is_ok(), allowed, "{source} of {networks}");
            let from_nowhere = world.verifier.verify_request(&request).await;
            assert_eq!(denied(from_nowhere), "network_not_allowed", "{networks}");
        }
        let free = world.key().await;
        world.verifier.verify(free.token.expose()).await.expect("a key without networks");
    });
}

fn scopes(text: &str) -> ScopeSet {
    text.parse().expect("scopes")
}

/// Returns whether the key has these scopes. `verify` and the grant must agree.
async fn may(world: &World, issued: &Issued, needed: &str) -> bool {
    let needed = scopes(needed);
    let request = AccessRequest::token(issued.token.expose()).scopes(&needed);
    let verified = world.verifier.verify_request(&request).await;
    let grant = world.verifier.verify(issued.token.expose()).await.expect("accepted");
    let allows = needed.iter().all(|scope| grant.allows(scope));
    assert_eq!(verified.is_ok(), allows, "verify and grant differ on {needed}");
    assert_eq!(needed.iter().all(|scope| grant.require(scope).is_ok()), allows);
    assert_eq!(needed.iter().all(|scope| grant.scopes().contains(scope)), allows);
    allows
}

#[test]
fn t_a04_user_key_has_only_its_scopes() {
    block_on(async {
        let world = World::in_memory();
        let alice = developer("alice");
        let bare = world.key().await;
        let two =
            world.key_of(&alice, named("two").scopes(scopes("invoices:read reports:read"))).await;
        let table = [
            (&bare, "", true),
            (&bare, "invoices:read", false),
            (&two, "invoices:read", true),
            (&two, "invoices:read reports:read", true),
            (&two, "invoices:read invoices:write", false),
            (&two, "invoices:write", false),
            (&two, "a:rea", false),
            (&two, "invoices:read:all", false),
            (&two, "a", false),
            (&two, "unheard-of", false),
        ];
        for (issued, needed, allowed) in table {
            assert_eq!(may(&world, issued, needed).await, allowed, "{}: {needed}", issued.key.name);
        }
    });
}

#[test]
fn denial_names_the_missing_scope() {
    block_on(async {
        let world = World::in_memory();
        let new = named("one").scopes(scopes("invoices:read"));
        let issued = world.key_of(&developer("alice"), new).await;
        let needed = scopes("invoices:read invoices:write reports:read");
        let request = AccessRequest::token(issued.token.expose()).scopes(&needed);
        let refused = denial(world.verifier.verify_request(&request).await);
        let missing = Reason::MissingScope(Scope::new("invoices:write").expect("a scope"));
        assert_eq!(*refused.reason(), missing);
        let grant = world.verifier.verify(issued.token.expose()).await.expect("accepted");
        let refused = grant.require(&Scope::new("invoices:write").expect("a scope"));
        assert_eq!(refused.expect_err("not held").reason(), &missing);
    });
}

#[test]
fn smaller_catalog_cuts_scopes_at_once() {
    block_on(async {
        let world = World::in_memory();
        let new = named("two").scopes(scopes("invoices:read invoices:write"));
        let issued = world.key_of(&developer("alice"), new).await;
        assert!(may(&world, &issued, "invoices:read invoices:write").await);
        world
            .set_policy(|policy| cut_scopes(&mut policy.plan, "invoices:read reports:read"))
            .await
            .expect("the policy is set");
        assert!(!may(&world, &issued, "invoices:write").await);
        assert!(may(&world, &issued, "invoices:read").await);
        assert!(!may(&world, &issued, "reports:read").await, "the catalog alone grants no scope");
        world
            .set_policy(|policy| {
                policy.plan.scopes = plan_with("invoices:read invoices:write reports:read").scopes;
            })
            .await
            .expect("the policy is set");
        assert!(may(&world, &issued, "invoices:write").await);
    });
}

#[test]
fn account_key_has_scopes_of_its_role() {
    block_on(async {
        let world = World::in_memory();
        let id = account(&world, "operator").await;
        let owner = Owner::Account(id);
        let ada = admin();
        let key = |new: NewKey| world.authority.generate(&ada, new.owner(owner.clone()));
        let all = key(named("all")).await.expect("a key");
        let some =
            key(named("some").scopes(scopes("invoices:write reports:read"))).await.expect("a key");
        assert!(may(&world, &all, "invoices:read invoices:write reports:read").await);
        assert!(may(&world, &some, "invoices:write reports:read").await);
        assert!(!may(&world, &some, "invoices:read").await);

        let role = RoleName::new("analyst").expect("a role");
        let edit = AccountEdit::new().role(role.clone());
        world.authority.edit_account(&admin(), &id, edit).await.expect("the role exists");
        assert!(may(&world, &all, "invoices:read reports:read").await);
        assert!(!may(&world, &all, "invoices:write").await);
        assert!(may(&world, &some, "reports:read").await);
        assert!(!may(&world, &some, "invoices:write").await);

        world
            .set_policy(|policy| drop(policy.plan.roles.remove(&role)))
            .await
            .expect("the policy is set");
        for needed in ["invoices:read", "invoices:write", "reports:read"] {
            assert!(!may(&world, &all, needed).await, "a missing role allows nothing");
            assert!(!may(&world, &some, needed).await, "a missing role allows nothing");
        }
        assert!(may(&world, &all, "").await);
    });
}

#[test]
fn read_only_account_never_writes() {
    block_on(async {
        let world = World::in_memory();
        let id = account(&world, "operator").await;
        let owner = Owner::Account(id);
        let issued = world
            .authority
            .generate(&admin(), named("job").owner(owner.clone()))
            .await
            .expect("a key");
        let scope = Scope::new("invoices:write").expect("a scope");
        let read = AccessRequest::token(issued.token.expose()).scope(&scope);
        let grant =
            world.verifier.verify_request(&read.clone().write()).await.expect("read and write");
        grant.require_write().expect("read and write");
        let edit = AccountEdit::new().access(Access::ReadOnly);
        world.authority.edit_account(&admin(), &id, edit).await.expect("the account exists");
        assert_eq!(denied(world.verifier.verify_request(&read.write()).await), "read_only");
        let reads = Scope::new("invoices:read").expect("a scope");
        let read = AccessRequest::token(issued.token.expose()).scope(&reads);
        let grant = world.verifier.verify_request(&read).await.expect("reading is possible");
        assert_eq!(grant.access(), Access::ReadOnly);
        let refused = grant.require_write().expect_err("read-only");
        assert_eq!(refused.reason(), &Reason::ReadOnly);
        assert!(grant.allows(&reads) && !grant.allows(&scope), "the plan says which scope writes");
    });
}

#[test]
fn spent_rate_states_an_honest_wait() {
    block_on(async {
        let world = World::in_memory();
        let new = named("limited").rate("3/60s".parse().expect("a rate"));
        let issued = world.key_of(&developer("alice"), new).await;
        let token = issued.token.expose();
        for _ in 0..3 {
            world.verifier.verify(token).await.expect("within the rate");
        }
        let refused = denial(world.verifier.verify(token).await);
        let wait = refused.retry_after().expect("a time to wait");
        assert_eq!(wait, 20 * SECOND);
        world.clock.advance(wait.saturating_sub(MOMENT));
        assert_eq!(denied(world.verifier.verify(token).await), "rate_limited");
        world.clock.advance(MOMENT);
        world.verifier.verify(token).await.expect("the stated wait");
    });
}

#[test]
fn refused_request_spends_no_rate() {
    block_on(async {
        let world = World::in_memory();
        let new = named("limited").rate("1/60s".parse().expect("a rate"));
        let issued = world.key_of(&developer("alice"), new).await;
        let scope = Scope::new("invoices:read").expect("a scope");
        let unheld = AccessRequest::token(issued.token.expose()).scope(&scope);
        for _ in 0..5 {
            assert_eq!(denied(world.verifier.verify_request(&unheld).await), "missing_scope");
        }
        world.verifier.verify(issued.token.expose()).await.expect("the whole rate is left");
    });
}
