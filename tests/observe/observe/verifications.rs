//! The span of each check.

use std::collections::BTreeSet;

use common::capture::{Seen, captured};
use common::faults::Fault;
use common::operations::Subjects;
use common::{HOUR, MOMENT, TestResult, World, block_on, named, render};
use keywright::store::MemoryStore;
use keywright::{Access, AccessRequest, AccountEdit, Issued, Operation, Owner, Reason, Scope};
use tracing::Level;

/// Checks a request, and returns its only span.
fn span_of(world: &World, request: &AccessRequest<'_>) -> Seen {
    let (_, seen) = captured(|| block_on(world.verifier.verify_request(request)));
    assert!(seen.events.is_empty(), "{:?}", seen.events);
    let [span] = seen.spans.as_slice() else { panic!("one span: {:?}", seen.spans) };
    assert_eq!((span.name, span.level), ("keywright.verify", Level::DEBUG));
    span.clone()
}

fn token_span(world: &World, issued: &Issued) -> Seen {
    span_of(world, &AccessRequest::token(issued.token.expose()))
}

#[test]
fn b22_accepted_check_names_its_key() {
    for makes_anew in [false, true] {
        let (world, faults) = World::faulty(|builder| builder);
        if makes_anew {
            // The store is asked, so the check is a future.
            faults.make_snapshots_anew();
        }
        let issued = block_on(world.key());
        let span = token_span(&world, &issued);
        assert_eq!(span.outcome(), "accepted");
        assert_eq!(span.field("keywright.key_id"), issued.key.id.as_str());
        assert_eq!(span.field("keywright.tenant"), world.tenant().as_str());
        assert_eq!(span.fields.len(), 3, "{span:?}");
        let (_, seen) = captured(|| block_on(world.verifier.verify(issued.token.expose())));
        assert_eq!(seen.span("keywright.verify").outcome(), "accepted");
    }
}

#[test]
fn b22_failing_store_is_unavailable() {
    let (world, faults) = World::faulty(|builder| builder);
    let issued = block_on(world.key());
    faults.set(Fault::Down);
    let span = token_span(&world, &issued);
    assert_eq!((span.outcome(), span.field("error.type")), ("unavailable", "unavailable"));
    assert_eq!(span.field("otel.status_code"), "ERROR");
    assert_eq!(span.field("keywright.key_id"), "");
}

/// Provokes each reason for a denial, and gives its span to `see`.
pub(crate) fn each_denial(
    mut see: impl FnMut(&World, &'static str, &AccessRequest<'_>),
) -> TestResult {
    let fresh = || World::new(MemoryStore::new());
    let world = fresh();
    let issued = block_on(world.key());
    let (token, id) = (issued.token.expose(), issued.key.id);
    let of_token = || AccessRequest::token(token);
    see(&world, "malformed", &AccessRequest::token("not a token"));
    let unknown = render("acme_live", "0000000000000000", &"0".repeat(32));
    see(&world, "unrecognized", &AccessRequest::token(&unknown));
    let scope = Scope::new("invoices:write")?;
    let reading =
        block_on(world.key_of(&world.alice, named("reads").scopes("invoices:read".parse()?)));
    see(&world, "missing_scope", &AccessRequest::token(reading.token.expose()).scope(&scope));
    let bound = named("bound").networks("10.0.0.0/8".parse()?);
    let bound = block_on(world.key_of(&world.alice, bound));
    see(&world, "network_not_allowed", &AccessRequest::token(bound.token.expose()));
    let slow = block_on(world.key_of(&world.alice, named("slow").rate("1/60s".parse()?)));
    let slow = AccessRequest::token(slow.token.expose());
    block_on(world.verifier.verify_request(&slow))?;
    see(&world, "rate_limited", &slow);
    let later = block_on(world.key_of(&world.alice, named("later").not_before(world.later(HOUR))));
    see(&world, "not_yet_valid", &AccessRequest::token(later.token.expose()));
    let short = block_on(world.key_of(&world.alice, named("short").expires_in(HOUR)));
    block_on(world.authority.rotate(&world.alice, &id, HOUR))?;
    world.clock.advance(HOUR + MOMENT);
    see(&world, "expired", &AccessRequest::token(short.token.expose()));
    see(&world, "superseded", &of_token());

    let world = fresh();
    let issued = block_on(world.key());
    let request = AccessRequest::token(issued.token.expose());
    block_on(world.authority.suspend_user(&world.admin, &common::user("alice")))?;
    see(&world, "user_suspended", &request);
    block_on(world.authority.restore_user(&world.admin, &common::user("alice")))?;
    block_on(world.authority.disable(&world.admin, &issued.key.id))?;
    see(&world, "disabled", &request);
    block_on(world.authority.revoke(&world.admin, &issued.key.id))?;
    see(&world, "revoked", &request);

    let world = fresh();
    let issued = block_on(world.key());
    let request = AccessRequest::token(issued.token.expose());
    world.change_policy(|policy| policy.plan.api_access = false);
    see(&world, "upgrade_required", &request);
    world.change_policy(|policy| {
        policy.plan.api_access = true;
        policy.settings.api_enabled = Some(false);
    });
    see(&world, "access_off", &request);

    let world = World::new(MemoryStore::new());
    let of = Subjects::of(&world, &Owner::Organization, Operation::AccountEdit);
    let account = block_on(of)?.account;
    let key = named("nightly").owner(Owner::Account(account));
    let key = block_on(world.key_of(&world.admin, key));
    let request = AccessRequest::token(key.token.expose());
    block_on(world.authority.disable_account(&world.admin, &account))?;
    see(&world, "account_disabled", &request);
    block_on(world.authority.enable_account(&world.admin, &account))?;
    let edit = AccountEdit::new().access(Access::ReadOnly);
    block_on(world.authority.edit_account(&world.admin, &account, edit))?;
    see(&world, "read_only", &request.write());
    Ok(())
}

#[test]
fn b22_every_denial_has_its_reason() -> TestResult {
    let mut codes = BTreeSet::new();
    each_denial(|world, code, request| {
        let span = span_of(world, request);
        assert_eq!(span.outcome(), "denied", "{code}");
        assert_eq!(span.field("keywright.denial.reason"), code);
        assert_eq!(span.field("error.type"), "", "a denial is an answer: {code}");
        codes.insert(code);
    })?;
    assert_eq!(codes, Reason::CODES.iter().copied().collect());
    Ok(())
}

#[test]
fn t_d09_stranger_chooses_only_a_key_id() {
    let world = World::in_memory();
    let unknown = render("acme_live", "0000000000000000", &"0".repeat(32));
    let span = span_of(&world, &AccessRequest::token(&unknown).tenant(world.tenant()));
    assert_eq!(span.field("keywright.key_id"), "0000000000000000");
    assert_eq!(span.field("keywright.tenant"), "");
    let odd = "x".repeat(1 << 20);
    for request in [AccessRequest::token(&odd), AccessRequest::parts(&odd, &odd)] {
        let span = span_of(&world, &request);
        assert_eq!(span.field("keywright.denial.reason"), "malformed");
        assert_eq!(span.fields.len(), 2, "{span:?}");
    }
}
