//! A token has one spelling. Any other text is refused: as malformed without a store access, or as
//! unrecognized with one text for every cause.

use std::collections::HashMap;

use keywright::store::MemoryStore;
use keywright::{AccessRequest, Denial, DenialClass, Issued, KeyId, Prefix, Reason, VerifyError};

use common::faults::Faults;
use common::{ALPHABET, Random, World, block_on, denial, denied, developer, named, render, seed};

/// A key, its token, and the counter of store accesses.
struct Held {
    world: World,
    faults: Faults,
    issued: Issued,
}

impl Held {
    /// Builds the world with a seeded random source, so that the key is the same each time.
    async fn new() -> Self {
        let (world, faults) = World::faulty(|builder| builder.random(Random::seeded(7)));
        let issued = world.key().await;
        world.verifier.verify(issued.token.expose()).await.expect("the key works");
        Self { world, faults, issued }
    }

    fn token(&self) -> &str {
        self.issued.token.expose()
    }

    fn id(&self) -> &str {
        self.issued.key.id.as_str()
    }

    fn secret(&self) -> &str {
        &self.issued.token.expose_key_secret()[..32]
    }

    /// Asserts that all texts are malformed and that none reaches the store.
    async fn assert_malformed<T: AsRef<str>>(&self, texts: impl IntoIterator<Item = T>) {
        let before = self.faults.calls();
        let mut count = 0;
        for text in texts {
            let text = text.as_ref();
            let denial = denial(self.world.verifier.verify(text).await);
            let shown: String = text.chars().take(200).collect();
            assert_eq!(*denial.reason(), Reason::Malformed, "{shown:?}");
            assert_eq!(denial.key_id(), None, "{shown:?}");
            count += 1;
        }
        assert!(count > 0, "nothing was tried");
        assert_eq!(self.faults.calls(), before, "a malformed token reached the store");
    }

    async fn verify_parts(&self, id: &str, secret: &str) -> Result<keywright::Grant, VerifyError> {
        self.world.verifier.verify_request(&AccessRequest::parts(id, secret)).await
    }
}

/// Returns the public parts of a denial.
fn public(denial: &Denial) -> (String, DenialClass, Option<std::time::Duration>) {
    (denial.to_string(), denial.class(), denial.retry_after())
}

fn replaced(text: &str, place: usize, by: char) -> String {
    text.chars().enumerate().map(|(n, c)| if n == place { by } else { c }).collect()
}

#[test]
fn t_k05_truncated_token_is_malformed() {
    block_on(async {
        let held = Held::new().await;
        let token = held.token();
        held.assert_malformed((0..token.len()).map(|end| &token[..end])).await;
        held.assert_malformed((1..=token.len()).map(|begin| &token[begin..])).await;
    });
}

#[test]
fn t_k05_padded_token_is_malformed() {
    block_on(async {
        let held = Held::new().await;
        let token = held.token();
        let extras =
            ["0", "z", "_", " ", "\t", "\n", "\r\n", "\0", "=", ",", ";", "\"", "é", token];
        let both = extras.map(|extra| [format!("{token}{extra}"), format!("{extra}{token}")]);
        held.assert_malformed(both.as_flattened()).await;
    });
}

#[test]
fn t_k05_token_with_changed_character_is_malformed() {
    block_on(async {
        let held = Held::new().await;
        let token = held.token();
        let others = "_-.+/=~!@ \t\n\0\u{7f}éаО０";
        for (place, was) in token.chars().enumerate() {
            let changed: Vec<String> = ALPHABET
                .chars()
                .chain(others.chars())
                .filter(|c| *c != was)
                .map(|c| replaced(token, place, c))
                .collect();
            assert!(changed.len() >= 78);
            held.assert_malformed(changed).await;
        }
    });
}

#[test]
fn t_k05_token_in_another_case_is_malformed() {
    block_on(async {
        let held = Held::new().await;
        let token = held.token();
        held.assert_malformed([token.to_uppercase(), token.to_lowercase()]).await;
        let turned =
            token.chars().enumerate().filter(|(_, c)| c.is_ascii_alphabetic()).map(|(place, c)| {
                let other = if c.is_ascii_lowercase() {
                    c.to_ascii_uppercase()
                } else {
                    c.to_ascii_lowercase()
                };
                replaced(token, place, other)
            });
        held.assert_malformed(turned).await;
    });
}

#[test]
fn t_k05_token_with_swapped_characters_is_malformed() {
    block_on(async {
        let held = Held::new().await;
        let token = held.token().as_bytes();
        let swapped =
            (1..token.len()).filter(|place| token[place - 1] != token[*place]).map(|place| {
                let mut bytes = token.to_vec();
                bytes.swap(place - 1, place);
                String::from_utf8(bytes).expect("ASCII")
            });
        held.assert_malformed(swapped).await;
    });
}

#[test]
fn t_k05_token_with_missing_character_is_malformed() {
    block_on(async {
        let held = Held::new().await;
        let token = held.token();
        let without = (0..token.len()).map(|n| format!("{}{}", &token[..n], &token[n + 1..]));
        held.assert_malformed(without).await;
        let doubled = (0..token.len()).map(|n| format!("{}{}", &token[..=n], &token[n..]));
        held.assert_malformed(doubled).await;
    });
}

#[test]
fn t_k12_lookalike_token_is_malformed() {
    block_on(async {
        let held = Held::new().await;
        let token = held.token();
        let encoded: Vec<String> = token.bytes().map(|b| format!("%{b:02X}")).collect();
        held.assert_malformed([
            token.replace('_', "%5F"),
            encoded.concat(),
            token.replace('a', "\u{430}"),
            token.replace('c', "\u{441}"),
            token.replace('_', "\u{ff3f}"),
            token.replace('_', "\u{2017}"),
            token.chars().flat_map(|c| [c, '\u{200b}']).collect(),
            token.chars().flat_map(|c| [c, '\0']).collect(),
            format!("\u{202e}{}", token.chars().rev().collect::<String>()),
            token.replace('e', "e\u{301}"),
        ])
        .await;
    });
}

#[test]
fn t_d01_text_of_any_length_is_malformed() {
    block_on(async {
        let held = Held::new().await;
        let lengths = [87, 88, 127, 128, 129, 255, 256, 8 << 10, 64 << 10, 1 << 20];
        for fill in ["a", "0", "_", "\u{1F511}"] {
            held.assert_malformed(lengths.map(|length| fill.repeat(length))).await;
        }
        // The text is well-formed except for its length: the checksum is right and the prefix too
        // long.
        let prefixes = [33, 64, 74, 128, 1 << 20].map(|length| "a".repeat(length));
        let rendered = prefixes.map(|prefix| render(&prefix, held.id(), held.secret()));
        held.assert_malformed(rendered).await;
    });
}

#[test]
fn t_k12_valid_checksum_cannot_save_bad_grammar() {
    block_on(async {
        let held = Held::new().await;
        let (id, secret) = (held.id(), held.secret());
        let prefixes =
            ["", "_", "_a", "a_", "a__b", "A", "aB", "1a", "a-b", "a.b", "a b", "é", "a\0"];
        held.assert_malformed(prefixes.map(|prefix| render(prefix, id, secret))).await;
        for stranger in ["_", "-", " ", "\0", "+", "/"] {
            let bad_id = format!("{stranger}{}", &id[1..]);
            let bad_secret = format!("{}{stranger}", &secret[1..]);
            let texts =
                [render("acme_live", &bad_id, secret), render("acme_live", id, &bad_secret)];
            held.assert_malformed(texts).await;
        }
    });
}

#[test]
fn t_d01_random_bytes_never_reach_the_store() {
    let random = Random::seeded(seed());
    block_on(async {
        let held = Held::new().await;
        let texts: Vec<String> = (0..20_000)
            .map(|_| {
                let bytes: Vec<u8> =
                    (0..random.below(140)).map(|_| random.number().to_le_bytes()[0]).collect();
                String::from_utf8_lossy(&bytes).into_owned()
            })
            .collect();
        held.assert_malformed(&texts).await;
        for text in &texts {
            let verified = held.verify_parts(text, text).await;
            assert_eq!(denied(verified), "malformed", "{text:?}");
        }
    });
}

/// One in 2^32 random texts passes the checksum; none is expected in a sample of this size.
#[test]
fn t_d02_random_wellformed_tokens_never_reach_the_store() {
    let random = Random::seeded(seed());
    block_on(async {
        let held = Held::new().await;
        let texts = (0..100_000).map(|_| format!("acme_live_{}", random.symbols(54)));
        held.assert_malformed(texts).await;
    });
}

#[test]
fn t_k06_key_under_another_prefix_is_unrecognized() {
    block_on(async {
        let held = Held::new().await;
        let unknown = denial(held.world.verifier.verify(&unknown_token()).await);
        for prefix in ["acme_test", "acme_liv", "acme_live_", "key", "a", "acme_live_eu"] {
            let token = render(prefix.trim_end_matches('_'), held.id(), held.secret());
            if token == held.token() {
                continue;
            }
            let other = denial(held.world.verifier.verify(&token).await);
            assert_eq!(other.reason().code(), "unrecognized", "{prefix}");
            assert_eq!(public(&other), public(&unknown), "{prefix}");
        }
    });
}

#[test]
fn key_keeps_its_prefix() {
    block_on(async {
        let held = Held::new().await;
        let next = held
            .world
            .with_settings(|builder| builder.prefix(Prefix::new("acme_v2").expect("a prefix")));
        let grant = next.verifier.verify(held.token()).await.expect("the old token works");
        assert_eq!(grant.key().prefix.as_str(), "acme_live");
        let (alice, id) = (developer("alice"), held.issued.key.id);
        let rotated = next.authority.rotate(&alice, &id, common::HOUR).await.expect("active");
        assert!(rotated.token.expose().starts_with("acme_live_"), "a rotated key keeps its prefix");
        let new = next.key().await;
        assert!(new.token.expose().starts_with("acme_v2_"));
    });
}

fn unknown_token() -> String {
    render("acme_live", "0000000000000000", "00000000000000000000000000000000")
}

#[test]
fn t_k04_unknown_id_looks_like_wrong_secret() {
    block_on(async {
        let held = Held::new().await;
        let unknown = denial(held.world.verifier.verify(&unknown_token()).await);
        assert_eq!(unknown.reason().code(), "unrecognized");
        // The secrets differ in the first symbol, in the last, and in all.
        let secret = held.secret();
        let other = |c: &str| if c == "0" { "1" } else { "0" };
        let wrong = [
            format!("{}{}", other(&secret[..1]), &secret[1..]),
            format!("{}{}", &secret[..31], other(&secret[31..])),
            secret.chars().rev().collect(),
        ];
        for secret in wrong {
            let token = render("acme_live", held.id(), &secret);
            let wrong = denial(held.world.verifier.verify(&token).await);
            assert_eq!(wrong.reason(), unknown.reason());
            assert_eq!(public(&wrong), public(&unknown));
            assert_eq!(wrong.key_id(), Some(held.issued.key.id), "the operator sees the key's id");
        }
    });
}

#[test]
fn t_t05_dead_key_with_wrong_secret_looks_unknown() {
    block_on(async {
        let held = Held::new().await;
        let unknown = denial(held.world.verifier.verify(&unknown_token()).await);
        let wrong =
            render("acme_live", held.id(), &held.secret().chars().rev().collect::<String>());
        let id = held.issued.key.id;
        held.world.authority.disable(&common::admin(), &id).await.expect("active");
        assert_eq!(denial(held.world.verifier.verify(&wrong).await).reason(), unknown.reason());
        held.world.authority.revoke(&common::admin(), &id).await.expect("disabled");
        assert_eq!(denial(held.world.verifier.verify(&wrong).await).reason(), unknown.reason());
        held.world.authority.delete(&common::admin(), &id).await.expect("revoked");
        let deleted = denial(held.world.verifier.verify(held.token()).await);
        assert_eq!(deleted.reason(), unknown.reason());
    });
}

#[test]
fn t_k04_both_parts_must_match_one_key() {
    block_on(async {
        let held = Held::new().await;
        let other = held.world.key_of(&developer("bob"), named("staging-api")).await;
        let (id, secret) = (held.id(), held.issued.token.expose_key_secret());
        let (other_id, other_secret) = (other.key.id, other.token.expose_key_secret());
        held.verify_parts(id, secret).await.expect("the two parts of one key");

        let wrong_secret: String = held.secret().chars().rev().collect();
        let wrong_secret = render("acme_live", id, &wrong_secret)[26..].to_owned();
        let wrong_check = format!("{}{}", held.secret(), common::check("something else"));
        let prefix = format!("acme_live_{id}");
        let padded = format!("{id} ");
        let table = [
            (secret, id, "malformed"),
            ("", secret, "malformed"),
            (id, "", "malformed"),
            ("", "", "malformed"),
            (id, id, "malformed"),
            (secret, secret, "malformed"),
            (held.token(), secret, "malformed"),
            (id, held.token(), "malformed"),
            (&prefix, secret, "malformed"),
            (&padded, secret, "malformed"),
            (id, held.secret(), "malformed"),
            (&id[..15], secret, "malformed"),
            (id, &secret[..37], "malformed"),
            (id, other_secret, "unrecognized"),
            (other_id.as_str(), secret, "unrecognized"),
            (id, &wrong_secret, "unrecognized"),
            (id, &wrong_check, "unrecognized"),
        ];
        for (id, secret, reason) in table {
            assert_eq!(denied(held.verify_parts(id, secret).await), reason, "{id} {secret}");
        }
    });
}

#[test]
fn t_k05_key_secret_with_changed_character_is_refused() {
    block_on(async {
        let held = Held::new().await;
        let secret = held.issued.token.expose_key_secret();
        for (place, was) in secret.chars().enumerate() {
            for c in ALPHABET.chars().filter(|c| *c != was) {
                let changed = replaced(secret, place, c);
                assert_eq!(denied(held.verify_parts(held.id(), &changed).await), "unrecognized");
            }
            let changed = replaced(secret, place, '-');
            assert_eq!(denied(held.verify_parts(held.id(), &changed).await), "malformed");
        }
    });
}

/// Counts the symbols at each place over the ids and secrets of many keys.
async fn drawn(keys: usize) -> Vec<HashMap<u8, usize>> {
    let world = World::with(MemoryStore::new(), |builder| builder.random(Random::seeded(seed())));
    let mut counts = vec![HashMap::new(); 48];
    for n in 0..keys {
        let owner = developer(&format!("owner-{n}"));
        let issued = world.key_of(&owner, named("prod-main-app")).await;
        let body = issued.key.id.as_str().bytes().chain(issued.token.expose_key_secret().bytes());
        for (count, symbol) in counts.iter_mut().zip(body.take(48)) {
            *count.entry(symbol).or_insert(0) += 1;
        }
    }
    counts
}

/// Computes Pearson's statistic against equal shares of the 62 symbols.
fn chi_square(counts: &HashMap<u8, usize>) -> f64 {
    let count = |n: usize| f64::from(u32::try_from(n).expect("a small count"));
    let expected = count(counts.values().sum()) / 62.0;
    let share = |symbol| count(counts.get(&symbol).copied().unwrap_or(0));
    ALPHABET.bytes().map(|symbol| (share(symbol) - expected).powi(2) / expected).sum()
}

#[test]
fn t_k01_symbols_are_equally_likely() {
    // With 61 degrees of freedom the statistic stays below 153 in all but one of 10^9 samples
    // (Wilson and Hilferty: six standard deviations). A byte modulo 62 instead of another draw
    // would give 8 symbols a share of 5/256 and 54 symbols 4/256. The statistic would then be about
    // 6,600 over a million symbols, and about 200 at one place.
    const BOUND: f64 = 153.0;
    let keys = 31_250;
    let by_place = block_on(drawn(keys));
    let mut all = HashMap::new();
    for (place, counts) in by_place.iter().enumerate() {
        let statistic = chi_square(counts);
        assert!(statistic < BOUND, "place {place}: {statistic}");
        for (symbol, count) in counts {
            *all.entry(*symbol).or_insert(0) += count;
        }
    }
    assert_eq!(all.values().sum::<usize>(), 48 * keys, "1.5 million symbols");
    assert!(chi_square(&all) < BOUND, "{}", chi_square(&all));

    // The strength of an id and a secret, computed from the observed alphabet.
    assert_eq!(all.len(), 62);
    let bits = f64::from(u32::try_from(all.len()).expect("62")).log2();
    assert!(32.0 * bits > 190.0, "the secret has {} bits, at least 128 are needed", 32.0 * bits);
    assert!(16.0 * bits > 95.0, "the id has {} bits", 16.0 * bits);
}

#[test]
fn key_id_parses_only_its_own_text() {
    block_on(async {
        let held = Held::new().await;
        assert_eq!(held.id().parse::<KeyId>(), Ok(held.issued.key.id));
        assert!(held.token().parse::<KeyId>().is_err());
    });
}
