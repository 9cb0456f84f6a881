//! Every error of the crate, and the errors for a secret in the place of another value.

use std::collections::BTreeSet;
use std::time::Duration;

use keywright::store::{Cursor, MemoryStore, StoreError};
use keywright::{
    AccountError, AccountId, BuildError, Drawn, Error, EventActor, EventKind, EventOutcome,
    GenerateError, KeyError, KeyId, KeyLimit, KeyStatus, ListError, Metadata, Name, Network,
    Networks, NewOwnerError, Operation, Owner, PepperRing, PermissionDenied, Policy, Prefix,
    RandomError, Rate, RoleName, RuleError, Scope, ScopeSet, SetPolicyError, TenantId, Ticket,
    Timestamp, UserError, UserId, ValueError, VerifyError, WrongStatus,
};

use super::{Heard, needles_of};
use common::{Random, World, block_on, developer, named, start};

/// Records every error of the crate that can be built or provoked.
pub(super) fn all(heard: &mut Heard) {
    let key: KeyId = "0000000000000000".parse().expect("an id");
    let account: AccountId = "0000000000000000".parse().expect("an id");
    let permission_denied = PermissionDenied { operation: Operation::KeyRotate };
    let wrong_status = WrongStatus { operation: Operation::KeyRotate, status: KeyStatus::Revoked };
    heard.error(&permission_denied);
    heard.error(&wrong_status);
    heard.error(&GenerateError::UserSuspended(common::user("alice")));
    heard.error(&NewOwnerError::TooManyKeys { limit: 1 });
    heard.error(&UserError::Contended(64));
    heard.error(&GenerateError::AccountNotFound(account));
    heard.error(&GenerateError::TooManyKeys { limit: 1 });
    heard.error(&GenerateError::TicketUsed { key });
    heard.error(&AccountError::TicketUsed { account });
    heard.error(&RuleError::ZeroLifetime);
    let bound = "1/60s".to_owned();
    heard.error(&RuleError::SetByAdministrator { limit: KeyLimit::Rate, bound });
    heard.error(&GenerateError::Random(RandomError::Repeats(Drawn::KeyId)));
    heard.error(&KeyError::Random(RandomError::Stuck));
    heard.error(&GenerateError::Rule(RuleError::ExpiryPassed(start())));
    heard.error(&KeyError::NotFound(key));
    heard.error(&KeyError::Stale { given: 1, current: 2 });
    heard.error(&AccountError::Stale { given: 1, current: 2 });
    heard.error(&KeyError::OverlapTooLong { overlap: Duration::MAX, max: Duration::MAX });
    heard.error(&KeyError::OverlapWhileDisabled { overlap: Duration::MAX });
    heard.error(&AccountError::Contended(64));
    heard.error(&SetPolicyError::Stale { given: 1, current: 2 });
    heard.error(&ListError::Limit(0));
    heard.error(&keywright::store::DigestError::UnknownPepper(9));
    heard.error(&keywright::store::DigestError::UnknownAlgorithm(9));
    heard.error(&VerifyError::Unavailable(StoreError::corrupt("torn")));
    let ring = PepperRing::none().with(1, *b"a pepper that is no longer than");
    heard.error(&ring.expect_err("31 bytes"));
    let mut policy = Policy::default();
    policy.plan.max_keys_per_user = 0;
    heard.error(&policy.validate().expect_err("out of its limits"));
    heard.error(&BuildError::from(policy.validate().expect_err("out of its limits")));
    heard.error(&Metadata::new([("", "x")]).expect_err("no key"));
    macro_rules! parsed {
        ($($kind:ty),+) => {$(
            heard.error(&"x \u{e9}".parse::<$kind>().expect_err("no value"));
        )+};
    }
    parsed!(
        KeyId,
        Prefix,
        Scope,
        Network,
        Rate,
        RoleName,
        Owner,
        Operation,
        Ticket,
        Timestamp,
        EventOutcome,
        Cursor
    );
    heard.error(&Name::new("").expect_err("no name"));
    heard.error(&ValueError::from(Name::new("").expect_err("no name")));
    heard.error(&Error::from(Name::new("").expect_err("no name")));
    let dry = World::in_memory().builder.random(Random::failing()).build().expect("a keywright");
    let verifier = dry.verifier();
    heard.error(&block_on(verifier.flush()).expect_err("no randomness"));
    let world = World::with(MemoryStore::new(), |builder| builder.random(Random::failing()));
    let (authority, alice) = (&world.authority, developer("alice"));
    let owner = alice.as_owner();
    let generated = block_on(authority.generate(&alice, named("app").owner(owner.clone())));
    let Err(GenerateError::Random(random)) = generated else {
        panic!("the random source was to fail");
    };
    heard.error(&random);
}

/// Returns the error of each parser for a text that it refuses.
fn parsed_as_everything(text: &str) -> Heard {
    let mut heard = Heard::default();
    macro_rules! parse {
        ($($kind:ty),+) => {$(
            if let Err(error) = text.parse::<$kind>() {
                heard.error(&error);
            }
            let json = serde_json::Value::from(text);
            if let Err(error) = serde_json::from_value::<$kind>(json) {
                heard.error(&error);
            }
        )+};
    }
    parse!(
        AccountId,
        Cursor,
        EventActor,
        EventKind,
        EventOutcome,
        KeyId,
        Name,
        Network,
        Operation,
        Owner,
        Prefix,
        Rate,
        RoleName,
        Scope,
        TenantId,
        Timestamp,
        UserId
    );
    if let Err(error) = text.parse::<ScopeSet>() {
        heard.error(&error);
    }
    if let Err(error) = text.parse::<Networks>() {
        heard.error(&error);
    }
    for (key, value) in [("", text), (&format!("{text}\n"), "x"), ("team", &format!("{text}\n"))] {
        heard.error(&Metadata::new([(key, value)]).expect_err("control characters"));
    }
    heard
}

/// Returns texts with a secret that was entered into the wrong field.
fn mistaken(token: &str, key_secret: &str) -> Vec<String> {
    let secret = &key_secret[..32];
    vec![
        token.to_owned(),
        key_secret.to_owned(),
        secret.to_owned(),
        format!("{token} "),
        format!(" {key_secret}"),
        format!("Bearer {token}"),
        format!("account:{key_secret}"),
        format!("user:{token}\n"),
        format!("{secret}/60s"),
        format!("{key_secret}/24"),
    ]
}

#[test]
fn t_l03_parsers_never_repeat_a_secret() {
    block_on(async {
        let mut leaks = Vec::new();
        for prefix in ["acme_live", "key", "a"] {
            let world = World::with(MemoryStore::new(), |builder| {
                builder.prefix(Prefix::new(prefix).expect("a prefix"))
            });
            let issued = world.key().await;
            let (token, key_secret) = (issued.token.expose(), issued.token.expose_key_secret());
            let needles = needles_of("secret", &key_secret.as_bytes()[..32]);
            for text in mistaken(token, key_secret) {
                leaks.extend(parsed_as_everything(&text).leaks(&needles));
            }
        }
        // One line for each error that leaks, for all forms together.
        let errors: BTreeSet<_> = leaks.iter().filter_map(|leak| leak.split(' ').next()).collect();
        assert!(errors.is_empty(), "secrets are repeated by {errors:#?}");
    });
}

#[test]
fn t_l03_damaged_record_error_hides_its_digest() {
    let hex = "5e8c0f1d".repeat(8);
    let needles = needles_of("digest", hex.as_bytes());
    for digest in [format!("1.0.{hex}0"), format!("x.0.{hex}"), hex.clone()] {
        let record = serde_json::json!({ "key": {}, "digest": digest });
        let error = serde_json::from_value::<keywright::store::Digest>(record["digest"].clone());
        let mut heard = Heard::default();
        heard.error(&error.expect_err("no digest"));
        heard.error(
            &serde_json::from_value::<keywright::store::KeyRecord>(record).expect_err("no record"),
        );
        heard.assert_silent_about(&needles);
    }
}
