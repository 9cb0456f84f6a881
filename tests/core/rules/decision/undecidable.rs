//! An undecidable request is neither denied nor granted, and a digest matches only its own key.

use keywright::store::{MemoryStore, StoreErrorKind};
use keywright::{AccessRequest, Issued, KeyId, PepperRing, Prefix, TenantId, VerifyError};

use common::faults::{Fault, Faults};
use common::{HOUR, World, block_on, chain, denied, developer, named, render, start};

#[test]
fn store_failure_is_neither_denial_nor_grant() {
    block_on(async {
        let (world, faults) = World::faulty(|builder| builder);
        let issued = world.key().await;
        faults.set(Fault::Down);
        let unknown = render("acme_live", "0000000000000000", "00000000000000000000000000000000");
        for token in [issued.token.expose(), &unknown] {
            let error = world.verifier.verify(token).await.expect_err("the store is down");
            assert!(matches!(error, VerifyError::Unavailable(_)), "{error:?}");
            assert!(error.denial().is_none());
            let said = chain(&error);
            assert_eq!(said[1..], ["the store is down", "the entropy pool is dry"], "{said:?}");
        }
        assert_eq!(denied(world.verifier.verify("no token").await), "malformed");
        faults.set(None);
        world.verifier.verify(issued.token.expose()).await.expect("the store is back");
    });
}

#[test]
fn t_k07_digest_with_changed_bit_is_refused() {
    block_on(async {
        for peppers in [PepperRing::none(), PepperRing::none().with(1, [7; 32]).expect("a pepper")]
        {
            let (world, faults) = World::faulty(|builder| builder.peppers(peppers));
            let issued = world.key().await;
            let record = world.stored(&issued.key.id).await;
            let digest = record["digest"].as_str().expect("text");
            let (kind, hex) = digest.rsplit_once('.').expect("algorithm, pepper and bytes");
            for place in 0..64 {
                for bit in 0..4 {
                    let nibble = u8::from_str_radix(&hex[place..=place], 16).expect("hex");
                    let (before, behind) = (&hex[..place], &hex[place + 1..]);
                    let other = format!("{kind}.{before}{:x}{behind}", nibble ^ 1 << bit);
                    let mut forged = record.clone();
                    forged["digest"] = other.into();
                    faults.forge(issued.key.id, forged);
                    let verified = world.verifier.verify(issued.token.expose()).await;
                    assert_eq!(denied(verified), "unrecognized", "bit {bit} of digit {place}");
                }
            }
            faults.forge(issued.key.id, record);
            world.verifier.verify(issued.token.expose()).await.expect("the digest is its own");
        }
    });
}

async fn two_keys(world: &World) -> (Issued, Issued) {
    (world.key().await, world.key_of(&developer("bob"), named("staging")).await)
}

async fn swap_digests(world: &World, faults: &Faults, a: &KeyId, b: &KeyId) {
    let (mut of_a, mut of_b) = (world.stored(a).await, world.stored(b).await);
    std::mem::swap(&mut of_a["digest"], &mut of_b["digest"]);
    faults.forge(*a, of_a);
    faults.forge(*b, of_b);
}

#[test]
fn t_k07_digest_moved_to_another_row_opens_nothing() {
    block_on(async {
        for peppers in [PepperRing::none(), PepperRing::none().with(1, [7; 32]).expect("a pepper")]
        {
            let (world, faults) = World::faulty(|builder| builder.peppers(peppers));
            let (a, b) = two_keys(&world).await;
            swap_digests(&world, &faults, &a.key.id, &b.key.id).await;
            let secret = |issued: &Issued| issued.token.expose_key_secret()[..32].to_owned();
            let crossed = [(&a, &b), (&b, &a)]
                .map(|(id, from)| render("acme_live", id.key.id.as_str(), &secret(from)));
            let own = [a.token.expose(), b.token.expose()];
            for token in own.into_iter().chain(crossed.iter().map(String::as_str)) {
                assert_eq!(denied(world.verifier.verify(token).await), "unrecognized");
            }
        }
    });
}

#[test]
fn unknown_pepper_is_an_operator_error() {
    let hex = "0".repeat(64);
    let table = [
        (format!("2.9.{hex}"), "pepper 9, which is not in the pepper ring: add it"),
        (format!("3.0.{hex}"), "algorithm 3, which this version of keywright does not know"),
        (format!("0.0.{hex}"), "algorithm 0, which this version of keywright does not know"),
        (format!("255.1.{hex}"), "algorithm 255, which this version of keywright does not know"),
    ];
    block_on(async {
        for (digest, message) in table {
            for field in ["digest", "retiring"] {
                let ring = PepperRing::none().with(1, [7; 32]).expect("a pepper");
                let (world, faults) = World::faulty(|builder| builder.peppers(ring));
                let issued = world.key().await;
                let mut record = world.stored(&issued.key.id).await;
                record[field] = digest.clone().into();
                if field == "retiring" {
                    record["key"]["secret_number"] = 2.into();
                    record["key"]["overlap_ends_at"] =
                        start().saturating_add(HOUR).to_string().into();
                    // The current digest is replaced, so only the retiring digest still matches the
                    // token.
                    record["digest"] = format!("1.0.{hex}").into();
                }
                faults.forge(issued.key.id, record);
                let verified = world.verifier.verify(issued.token.expose()).await;
                let error = verified.expect_err("the digest cannot be compared");
                let VerifyError::Unavailable(ref cause) = error else { panic!("{error:?}") };
                assert_eq!(cause.kind(), StoreErrorKind::Unsupported);
                let said = chain(&error);
                assert!(said[1].contains(message), "{said:?}");
                assert!(!said.concat().contains(&hex), "{said:?}");
            }
        }
    });
}

#[test]
fn t_k08_key_works_again_when_pepper_returns() {
    block_on(async {
        let one = || PepperRing::none().with(1, [7; 32]).expect("a pepper");
        let world = World::with(MemoryStore::new(), |builder| builder.peppers(one()));
        let issued = world.key().await;
        let other = PepperRing::none().with(2, [9; 32]).expect("a pepper");
        for ring in [PepperRing::none(), other] {
            let lacking = world.with_settings(|builder| builder.peppers(ring));
            let error =
                lacking.verifier.verify(issued.token.expose()).await.expect_err("no pepper");
            assert!(matches!(error, VerifyError::Unavailable(_)), "{error:?}");
            assert!(chain(&error)[1].contains("pepper 1"), "{error:?}");
        }
        world.verifier.verify(issued.token.expose()).await.expect("with the pepper");
        let both = one().with(2, [9; 32]).expect("two");
        let both = world.with_settings(|builder| builder.peppers(both));
        both.verifier
            .verify(issued.token.expose())
            .await
            .expect("with the old pepper and a new one");
        // The same pepper id with other bytes is another pepper: the digest does not match.
        let wrong = PepperRing::none().with(1, [8; 32]).expect("a pepper");
        let wrong = world.with_settings(|builder| builder.peppers(wrong));
        assert_eq!(denied(wrong.verifier.verify(issued.token.expose()).await), "unrecognized");
    });
}

#[test]
fn t_k08_replaced_secret_does_not_block_pepper_change() {
    block_on(async {
        let one = PepperRing::none().with(1, [7; 32]).expect("a pepper");
        let both = one.clone().with(2, [9; 32]).expect("two peppers");
        let two = PepperRing::none().with(2, [9; 32]).expect("a pepper");
        let world = World::with(MemoryStore::new(), |builder| builder.peppers(one));
        let old = world.key().await;
        let world = world.with_settings(|builder| builder.peppers(both));
        let new = world.authority.rotate(&developer("alice"), &old.key.id, HOUR).await;
        let new = new.expect("the key is active");
        // Only the retired secret, which is unused, still depends on pepper 1.
        let world = world.with_settings(|builder| builder.peppers(two));
        for passed in [HOUR / 2, HOUR, 2 * HOUR] {
            world.clock.set(start().saturating_add(passed));
            let grant = world.verifier.verify(new.token.expose()).await;
            grant.expect("the new secret is under pepper 2");
        }
    });
}

#[test]
fn t_k08_unexpected_key_is_unrecognized_without_its_pepper() {
    block_on(async {
        let world = World::in_memory();
        let peppers = PepperRing::none().with(1, [7; 32]).expect("a pepper");
        let peppered = world.with_peppers(peppers).expect("a world");
        let issued = peppered.key().await;
        let verify = async |world: &World, tenant: &TenantId| {
            let request = AccessRequest::token(issued.token.expose()).tenant(tenant);
            world.verifier.verify_request(&request).await
        };
        let error = verify(&world, world.tenant()).await.expect_err("the pepper is missing");
        assert!(matches!(error, VerifyError::Unavailable(_)), "{error:?}");
        assert_eq!(denied(verify(&world, world.other.tenant()).await), "unrecognized");
        let test = Prefix::new("acme_test").expect("a prefix");
        let strict =
            world.with_settings(|builder| builder.prefix(test.clone()).accept_prefixes([test]));
        assert_eq!(denied(verify(&strict, world.tenant()).await), "unrecognized");
    });
}
