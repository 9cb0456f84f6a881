//! Known answers: tokens and digests computed by another program (see `vectors/README.md`).

use serde_json::Value;

use keywright::store::{Freshness, MemoryStore};
use keywright::{AccessRequest, Credential, Name, PepperRing, Prefix};

use common::{HOUR, Random, World, block_on, chain, denied, developer, drawing};

fn tokens() -> Value {
    serde_json::from_str(include_str!("../../data/vectors/tokens.json")).expect("JSON")
}

fn digests() -> Vec<Value> {
    serde_json::from_str(include_str!("../../data/vectors/digests.json")).expect("JSON")
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_else(|| panic!("{row} has no text {field}"))
}

fn bytes_of_hex(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
}

/// Builds a world in which the next key has this id and this secret.
fn world_drawing(row: &Value, prefix: &str, peppers: PepperRing) -> World {
    let draws = [drawing(text(row, "id")), drawing(text(row, "secret"))];
    World::with(MemoryStore::new(), |builder| {
        builder
            .random(Random::script(draws))
            .prefix(Prefix::new(prefix).expect("a prefix"))
            .peppers(peppers)
    })
}

#[test]
fn token_consists_of_drawn_parts() {
    block_on(async {
        let tokens = tokens();
        assert_eq!(rows(&tokens["valid"]).len(), 12);
        for row in rows(&tokens["valid"]) {
            let prefix = text(row, "prefix");
            let world = world_drawing(row, prefix, PepperRing::none());
            let issued = world.key().await;
            assert_eq!(issued.token.expose(), text(row, "token"), "{row}");
            assert_eq!(issued.token.key_id().as_str(), text(row, "id"), "{row}");
            assert_eq!(issued.token.expose_key_secret(), text(row, "key_secret"), "{row}");
            assert_eq!(issued.key.display_prefix(), format!("{prefix}_{}", text(row, "id")));
        }
    });
}

#[test]
fn token_is_accepted_whole_or_split() {
    block_on(async {
        for row in rows(&tokens()["valid"]) {
            let world = world_drawing(row, text(row, "prefix"), PepperRing::none());
            world.key().await;
            let whole = world.verifier.verify(text(row, "token")).await.expect("accepted");
            assert_eq!(whole.key_id().as_str(), text(row, "id"));
            let parts = AccessRequest::parts(text(row, "id"), text(row, "key_secret"));
            let parts = world.verifier.verify_request(&parts).await.expect("accepted");
            assert_eq!(parts.key_id(), whole.key_id());
        }
    });
}

#[test]
fn non_token_never_reaches_the_store() {
    block_on(async {
        let tokens = tokens();
        let row = &tokens["valid"][0];
        let draws = [drawing(text(row, "id")), drawing(text(row, "secret"))];
        let (world, faults) = World::faulty(|builder| builder.random(Random::script(draws)));
        let issued = world.key().await;
        world.verifier.verify(issued.token.expose()).await.expect("the key works");
        let before = faults.calls();
        assert_eq!(rows(&tokens["malformed"]).len(), 36);
        for row in rows(&tokens["malformed"]) {
            let verified = world.verifier.verify(text(row, "token")).await;
            assert_eq!(denied(verified), "malformed", "{row}");
        }
        assert_eq!(faults.calls(), before, "a malformed token reached the store");
    });
}

#[test]
fn non_token_cannot_be_revoked() {
    block_on(async {
        let world = World::in_memory();
        for row in rows(&tokens()["malformed"]) {
            let revoked = world.verifier.revoke(Credential::Token(text(row, "token"))).await;
            let error = revoked.expect_err("malformed");
            let denial = error.denial().expect("a denial");
            assert_eq!(denial.reason().code(), "malformed", "{row}");
        }
    });
}

#[test]
fn token_is_refused_as_a_name() {
    for row in rows(&tokens()["valid"]) {
        let id = text(row, "id");
        let refused = Name::new(text(row, "token")).expect_err("a token as a name");
        assert!(!refused.to_string().contains(id), "{refused}");
    }
}

#[test]
fn t_k11_stored_digest_covers_id_and_secret() {
    block_on(async {
        let digests = digests();
        assert_eq!(digests.len(), 30);
        for row in &digests {
            let world = world_drawing(row, "acme_live", ring(row));
            let issued = world.key().await;
            let stored = world.stored(&issued.key.id).await;
            assert_eq!(stored["digest"], row["digest"], "{row}");
            world.verifier.verify(issued.token.expose()).await.expect("accepted");
        }
    });
}

#[test]
fn rotation_keeps_old_digest_for_overlap() {
    block_on(async {
        let digests = digests();
        // The first two keys of the file have one id and two secrets, each with the same peppers.
        for (old, new) in digests[..6].iter().zip(&digests[6..12]) {
            assert_eq!((&old["id"], &old["pepper"]), (&new["id"], &new["pepper"]));
            let draws = [text(old, "id"), text(old, "secret"), text(new, "secret")];
            let script = Random::script(draws.map(drawing));
            let world = World::with(MemoryStore::new(), |builder| {
                builder.random(script).peppers(ring(old))
            });
            let issued = world.key().await;
            let alice = developer("alice");
            let rotated = world.authority.rotate(&alice, &issued.key.id, HOUR).await;
            let rotated = rotated.expect("the key is active");
            let stored = world.stored(&issued.key.id).await;
            assert_eq!(stored["digest"], new["digest"]);
            assert_eq!(stored["retiring"], old["digest"]);
            for token in [&issued.token, &rotated.token] {
                world
                    .verifier
                    .verify(token.expose())
                    .await
                    .expect("both secrets work during the overlap");
            }
        }
    });
}

#[test]
fn t_k08_old_pepper_digest_is_replaced_after_use() {
    block_on(async {
        let digests = digests();
        // Each key has a row without a pepper, followed by the rows with one.
        for rows in digests.chunks(6) {
            let [plain, peppered @ ..] = rows else { panic!("six rows for each key") };
            for row in peppered {
                let old = world_drawing(plain, "acme_live", ring(plain));
                let issued = old.key().await;
                let id = issued.key.id;
                assert_eq!(old.stored(&id).await["digest"], plain["digest"]);
                let store = std::sync::Arc::clone(&old.store);
                let new = World::with(store, |builder| builder.peppers(ring(row)));
                new.verifier.verify(issued.token.expose()).await.expect("accepted");
                new.verifier.flush().await.expect("the store works");
                assert_eq!(old.stored(&id).await["digest"], row["digest"]);
                new.verifier.verify(issued.token.expose()).await.expect("accepted");
            }
        }
    });
}

#[test]
fn t_k01_bytes_map_to_symbols_without_bias() {
    block_on(async {
        for byte in 0..=u8::MAX {
            let draws = [vec![byte; 64], vec![1; 64], vec![2; 64]];
            let world =
                World::with(MemoryStore::new(), |builder| builder.random(Random::script(draws)));
            let issued = world.key().await;
            let (id, secret) =
                if byte < 248 { (char_of(byte % 62), '1') } else { (char_of(1), '2') };
            assert_eq!(issued.key.id.as_str(), id.to_string().repeat(16), "byte {byte}");
            let shown = &issued.token.expose_key_secret()[..32];
            assert_eq!(shown, secret.to_string().repeat(32), "byte {byte}");
        }
    });
}

#[test]
fn t_k09_unknown_digest_form_is_no_record() {
    block_on(async {
        let world = World::in_memory();
        let id = world.key().await.key.id;
        let good = world.stored(&id).await;
        let hex = good["digest"].as_str().and_then(|text| text.rsplit('.').next()).expect("hex");
        let (upper, short, not_hex) = (hex.to_uppercase(), &hex[1..], &format!("g{}", &hex[1..]));
        let texts = [
            String::new(),
            hex.to_owned(),
            format!("1.{hex}"),
            format!("1.0.0.{hex}"),
            format!("256.0.{hex}"),
            format!("2.4294967296.{hex}"),
            format!("-1.0.{hex}"),
            format!("1.0.{short}"),
            format!("1.0.{hex}0"),
            format!("1.0.{not_hex}"),
            format!("1.0.{upper}"),
            format!("1.0.{hex} "),
        ];
        for text in texts {
            let mut bad = good.clone();
            bad["digest"] = Value::from(text.clone());
            let parsed = serde_json::from_value::<keywright::store::KeyRecord>(bad);
            let error = parsed.expect_err(&text);
            assert!(error.to_string().contains("not a digest"), "{:?}", chain(&error));
        }
        assert!(serde_json::from_value::<keywright::store::KeyRecord>(good).is_ok());
        assert!(
            world
                .store
                .resolve(&id, Freshness::StoreDefault)
                .await
                .expect("the store works")
                .is_some()
        );
    });
}

fn char_of(value: u8) -> char {
    char::from(common::ALPHABET.as_bytes()[usize::from(value)])
}

/// Returns the pepper ring of a row, which has one pepper or none.
fn ring(row: &Value) -> PepperRing {
    let pepper = &row["pepper"];
    if pepper.is_null() {
        return PepperRing::none();
    }
    let id = pepper["id"].as_u64().and_then(|id| u32::try_from(id).ok()).expect("a pepper id");
    PepperRing::none().with(id, bytes_of_hex(text(pepper, "hex"))).expect("a pepper")
}
