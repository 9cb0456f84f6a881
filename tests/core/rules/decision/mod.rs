//! The reasons to refuse a key: each one is reached, the first that applies in the documented order
//! decides, bounds are exact, and an undecidable request is never accepted.

mod limits;
mod quick;
mod rates;
mod undecidable;

use std::net::IpAddr;

use keywright::{
    Access, AccessRequest, AccountEdit, AccountId, DenialClass, Grant, Issued, KeyEdit, Name,
    NewAccount, Owner, RoleName, Scope, SecretUsed, Timestamp, VerifyError,
};

use common::{
    DAY, HOUR, MOMENT, SECOND, World, admin, block_on, chain, denial, denied, developer, named,
    render, start,
};

/// The faults of a request, in the order in which the verifier checks them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    Malformed,
    WrongSecret,
    Superseded,
    Revoked,
    Expired,
    Disabled,
    NotYetValid,
    AccountDisabled,
    AccessOff,
    PlanLacksAccess,
    OtherNetwork,
    ReadOnly,
    NoScope,
    RateSpent,
}

/// Each fault with the reason that it causes and the class that a caller sees.
const ORDER: [(Fault, &str, DenialClass); 14] = [
    (Fault::Malformed, "malformed", DenialClass::Invalid),
    (Fault::WrongSecret, "unrecognized", DenialClass::Invalid),
    (Fault::Superseded, "superseded", DenialClass::Invalid),
    (Fault::Revoked, "revoked", DenialClass::Invalid),
    (Fault::Expired, "expired", DenialClass::Invalid),
    (Fault::Disabled, "disabled", DenialClass::Invalid),
    (Fault::NotYetValid, "not_yet_valid", DenialClass::Invalid),
    (Fault::AccountDisabled, "account_disabled", DenialClass::Invalid),
    (Fault::AccessOff, "access_off", DenialClass::Invalid),
    (Fault::PlanLacksAccess, "upgrade_required", DenialClass::Invalid),
    (Fault::OtherNetwork, "network_not_allowed", DenialClass::Invalid),
    (Fault::ReadOnly, "read_only", DenialClass::Forbidden),
    (Fault::NoScope, "missing_scope", DenialClass::Forbidden),
    (Fault::RateSpent, "rate_limited", DenialClass::RateLimited),
];

/// Returns whether one request can have all these faults: a credential has one fault at most, and a
/// key cannot expire before it begins.
fn can_hold_together(faults: &[Fault]) -> bool {
    let of = |set: [Fault; 3]| faults.iter().filter(|fault| set.contains(fault)).count();
    of([Fault::Malformed, Fault::WrongSecret, Fault::Superseded]) <= 1
        && of([Fault::Expired, Fault::NotYetValid, Fault::NotYetValid]) <= 1
}

/// Verifies a request that has exactly these faults.
async fn verify_with(faults: &[Fault]) -> Result<Grant, VerifyError> {
    let has = |fault| faults.contains(&fault);
    let world = World::in_memory();
    let (authority, clock) = (&world.authority, &world.clock);
    let account = account(&world, "analyst").await;
    let mut new = named("prod-nightly-report");
    if has(Fault::NotYetValid) {
        new = new.not_before(start().saturating_add(HOUR));
    }
    if has(Fault::Expired) {
        new = new.expires_in(DAY);
    }
    let old =
        authority.generate(&admin(), new.owner(Owner::Account(account))).await.expect("a key");
    let id = old.key.id;
    let new = authority.rotate(&admin(), &id, SECOND).await.expect("the key is active");
    clock.advance(2 * HOUR);
    if has(Fault::RateSpent) {
        let once = KeyEdit::new().rate(Some("1/86400s".parse().expect("a rate")));
        authority.edit(&admin(), &id, once).await.expect("the key is active");
        world.verifier.verify(new.token.expose()).await.expect("the first use");
    }
    if has(Fault::OtherNetwork) {
        let networks = KeyEdit::new().networks("198.51.100.0/24".parse().expect("networks"));
        authority.edit(&admin(), &id, networks).await.expect("the key is active");
    }
    if has(Fault::ReadOnly) {
        let edit = AccountEdit::new().access(Access::ReadOnly);
        authority.edit_account(&admin(), &account, edit).await.expect("the account exists");
    }
    if has(Fault::Disabled) {
        authority.disable(&admin(), &id).await.expect("the key is active");
    }
    if has(Fault::Revoked) {
        authority.revoke(&admin(), &id).await.expect("the key is live");
    }
    if has(Fault::AccountDisabled) {
        authority.disable_account(&admin(), &account).await.expect("the account exists");
    }
    world
        .set_policy(|policy| {
            policy.settings.api_enabled = Some(!has(Fault::AccessOff));
            policy.plan.api_access = !has(Fault::PlanLacksAccess);
        })
        .await
        .expect("the policy is set");
    if has(Fault::Expired) {
        clock.set(start().saturating_add(DAY));
    }
    if has(Fault::NotYetValid) {
        // The clock goes back to before the use that spent the rate; the rate stays spent.
        clock.set(start().saturating_add(HOUR / 2));
    }

    let token = if has(Fault::Superseded) { old.token } else { new.token };
    let token = if has(Fault::Malformed) {
        token.expose()[1..].to_owned()
    } else if has(Fault::WrongSecret) {
        render("acme_live", id.as_str(), "00000000000000000000000000000000")
    } else {
        token.expose().to_owned()
    };
    let scope = Scope::new(if has(Fault::NoScope) { "invoices:write" } else { "invoices:read" })
        .expect("a scope");
    let request = AccessRequest::token(&token).source(address("203.0.113.7")).write().scope(&scope);
    world.verifier.verify_request(&request).await
}

async fn account(world: &World, role: &str) -> AccountId {
    let name = Name::new("nightly-report").expect("a name");
    let new = NewAccount::new(name, RoleName::new(role).expect("a role"));
    world.authority.create_account(&admin(), new).await.expect("an account").account.id
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn every_reason_has_its_class() {
    block_on(async {
        verify_with(&[]).await.expect("there is no fault");
        for (fault, code, class) in ORDER {
            let denial = denial(verify_with(&[fault]).await);
            assert_eq!((denial.reason().code(), denial.class()), (code, class));
            let public = match class {
                DenialClass::Invalid => "the API key is not accepted",
                DenialClass::Forbidden => "the API key does not allow this",
                DenialClass::RateLimited => "the API key is used too often",
            };
            let error = VerifyError::Denied(denial.clone());
            assert_eq!(chain(&denial), [public], "{code}");
            assert_eq!(chain(&error), [public], "{code}");
            let json = serde_json::to_value(denial.reason()).expect("a reason serializes");
            assert_eq!(json, code, "as JSON it is its code");
            let waits = denial.retry_after().is_some();
            assert_eq!(waits, class == DenialClass::RateLimited, "{code}");
        }
    });
}

/// Covers every pair of faults, and all faults together, removed one by one.
#[test]
fn t_a09_first_fault_in_order_decides() {
    let mut tried = 0;
    block_on(async {
        for chosen in 1_u32..1 << ORDER.len() {
            let holds = |(place, _): &(usize, _)| chosen >> place & 1 == 1;
            let set: Vec<_> = ORDER.iter().enumerate().filter(holds).map(|(_, row)| row).collect();
            let faults: Vec<Fault> = set.iter().map(|(fault, ..)| *fault).collect();
            if can_hold_together(&faults) {
                assert_eq!(denied(verify_with(&faults).await), set[0].1, "{faults:?}");
                tried += 1;
            }
        }
    });
    // 4 states of the credential, times expired, not begun or neither, times 9 other faults on or
    // off; minus the case without a fault.
    assert_eq!(tried, 4 * 3 * (1 << 9) - 1);
}

async fn code_at(world: &World, issued: &Issued, now: Timestamp) -> &'static str {
    world.clock.set(now);
    match world.verifier.verify(issued.token.expose()).await {
        Ok(_) => "accepted",
        denied_ => denied(denied_),
    }
}

#[test]
fn t_a09_bounds_hold_to_the_microsecond() {
    block_on(async {
        let world = World::in_memory();
        let alice = developer("alice");
        let bound = start().saturating_add(DAY);
        let (before, after) = (bound.saturating_sub(MOMENT), bound.saturating_add(MOMENT));

        let expiring = world.key_of(&alice, named("expiring").expires_at(bound)).await;
        let beginning = world.key_of(&alice, named("beginning").not_before(bound)).await;
        let rotated = world.key_of(&alice, named("rotated")).await;
        world.authority.rotate(&alice, &rotated.key.id, DAY).await.expect("active");
        let capped = world.key_of(&alice, named("capped").expires_at(bound)).await;
        world.authority.rotate(&alice, &capped.key.id, 2 * DAY).await.expect("active");
        let table = [
            (&expiring, ["accepted", "expired", "expired"]),
            (&beginning, ["not_yet_valid", "accepted", "accepted"]),
            (&rotated, ["accepted", "superseded", "superseded"]),
            // The overlap ends with the key, and the secret is checked before the status.
            (&capped, ["accepted", "superseded", "superseded"]),
        ];
        for (issued, expected) in table {
            for (now, expected) in [before, bound, after].into_iter().zip(expected) {
                assert_eq!(code_at(&world, issued, now).await, expected, "{}", issued.key.name);
            }
        }
    });
}

#[test]
fn grant_names_the_secret_used_in_overlap() {
    block_on(async {
        let world = World::in_memory();
        let old = world.key().await;
        let alice = developer("alice");
        let new = world.authority.rotate(&alice, &old.key.id, HOUR).await.expect("active");
        for (issued, used) in [(&old, SecretUsed::Retiring), (&new, SecretUsed::Current)] {
            let grant = world.verifier.verify(issued.token.expose()).await.expect("accepted");
            assert_eq!(grant.secret_used(), used);
            assert_eq!(grant.decided_at(), start());
        }
        // A second rotation ends the oldest secret at once, and its digest is deleted.
        world.authority.rotate(&alice, &old.key.id, HOUR).await.expect("active");
        assert_eq!(denied(world.verifier.verify(old.token.expose()).await), "unrecognized");
        let second = world.verifier.verify(new.token.expose()).await.expect("accepted");
        assert_eq!(second.secret_used(), SecretUsed::Retiring);
    });
}
