//! A dump of every table after a whole lifecycle contains no secret and no pepper, in any form.

use std::fmt::Write;

use futures_lite::StreamExt;
use keywright::store::{CacheOptions, CachedStore};
use keywright::{Credential, Issued, Metadata, Name, NewAccount, Owner, PepperRing, RoleName};
use sqlx::PgPool;
use sqlx::postgres::PgPoolCopyExt;

use crate::stage::{Stage, texts};
use common::{DAY, HOUR, World, admin, developer, named};

/// Pepper 1, whose bytes are not valid UTF-8.
const PEPPER: [u8; 32] = [
    0xD1, 0xA7, 0x04, 0x9C, 0xEB, 0x33, 0x58, 0xF6, 0x21, 0xBD, 0x7E, 0x90, 0xC4, 0x0A, 0x65, 0xDF,
    0x12, 0x8B, 0xF3, 0x46, 0xAA, 0x5D, 0xE9, 0x70, 0xB8, 0x2F, 0x91, 0xCC, 0x07, 0x63, 0xFE, 0x19,
];

const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().chain(&[0, 0]).take(3).fold(0, |word, b| word << 8 | u32::from(*b));
        for place in 0..=chunk.len() {
            out.push(char::from(SYMBOLS[(word >> (18 - 6 * place) & 63) as usize]));
        }
    }
    out
}

/// Returns a secret and its halves: raw, in hex, in base64 at each of its three alignments, and as
/// a list of bytes.
fn needles(secret: &[u8]) -> Vec<String> {
    let (first, second) = secret.split_at(secret.len() / 2);
    let mut all = Vec::new();
    for part in [secret, first, second] {
        let mut hex = String::new();
        for byte in part {
            write!(hex, "{byte:02x}").expect("a String takes everything");
        }
        all.extend([
            hex.to_uppercase(),
            hex,
            format!("{part:?}").trim_matches(['[', ']']).to_owned(),
        ]);
        for offset in 0..3 {
            let encoded = base64(&[&vec![0; offset], part].concat());
            // The first and last symbols also encode bits of the neighboring bytes.
            let inner = &encoded[4..encoded.len() - 4];
            all.extend([inner.to_owned(), inner.replace('+', "-").replace('/', "_")]);
        }
        all.extend(String::from_utf8(part.to_vec()).ok());
    }
    assert!(all.iter().all(|needle| needle.len() >= 8), "too short to tell anything");
    all
}

/// Returns every table of the schema as text, as a dump would contain it.
async fn dump(pool: &PgPool) -> Vec<(String, String)> {
    let names =
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'keywright'";
    let mut all = Vec::new();
    for table in texts(pool, names).await {
        let copy = format!("COPY keywright.\"{table}\" TO STDOUT");
        let mut rows = pool.copy_out_raw(&copy).await.expect("a copy");
        let mut bytes = Vec::new();
        while let Some(row) = rows.next().await {
            bytes.extend_from_slice(&row.expect("a row"));
        }
        all.push((table, String::from_utf8(bytes).expect("text")));
    }
    all
}

fn secret_of(issued: &Issued) -> Vec<String> {
    needles(&issued.token.expose_key_secret().as_bytes()[..32])
}

#[common::test(postgres)]
async fn t_l04_dump_holds_no_secret_or_pepper() {
    let stage = Stage::new("dumped").await;
    let store = CachedStore::new(stage.store().await, CacheOptions::new()).expect("a cache");
    let ring = PepperRing::none().with(1, PEPPER).expect("a pepper");
    let world = World::with(store, |builder| builder.peppers(ring));
    let (authority, verifier, alice) = (&world.authority, &world.verifier, developer("alice"));
    world
        .set_policy(|policy| policy.settings.extensive_use = "1/3600s".parse().ok())
        .await
        .expect("the policy is set");
    let shown = Some(Name::new("Alice Jones").expect("a name"));
    authority.set_display_name(&admin(), alice.id(), shown).await.expect("she is named");
    let role = RoleName::new("operator").expect("a role");
    let account = NewAccount::new(Name::new("nightly-report").expect("a name"), role);
    let account = authority.create_account(&admin(), account).await.expect("an account").account;
    let owner = Owner::Account(account.id);
    let job = authority.generate(&admin(), named("job").owner(owner.clone())).await.expect("a key");
    let metadata = Metadata::new([("team", "billing")]).expect("metadata");
    let first = named("prod-main-app").expires_in(30 * DAY).metadata(metadata);
    let first = world.key_of(&alice, first).await;
    verifier.verify(first.token.expose()).await.expect("accepted");
    let second = authority.rotate(&alice, &first.key.id, HOUR).await.expect("active");
    for token in [&first.token, &second.token, &job.token] {
        verifier.verify(token.expose()).await.expect("accepted");
    }
    verifier
        .verify(&first.token.expose().replace("acme_live", "acme_test"))
        .await
        .expect_err("wrong");
    verifier.flush().await.expect("the store works");
    authority.finish_rotation(&alice, &first.key.id).await.expect("active");
    verifier.revoke(Credential::Token(second.token.expose())).await.expect("by its possessor");
    authority.delete(&admin(), &job.key.id).await.expect("active");
    verifier.flush().await.expect("the store works");

    let tables = dump(&stage.pool(1).await).await;
    let lines = |name: &str| {
        tables.iter().find(|(table, _)| table == name).map(|(_, rows)| rows.lines().count())
    };
    for (table, least) in [
        ("keys", 1),
        ("usage", 1),
        ("accounts", 1),
        ("users", 1),
        ("policies", 1),
        ("events", 8),
        ("deleted", 1),
    ] {
        assert!(lines(table).is_some_and(|count| count >= least), "{table}: {:?}", lines(table));
    }
    assert_eq!(tables.len(), 12, "new tables are dumped too");
    // Shows that the search works: the digest is in its table.
    let keys = &tables.iter().find(|(table, _)| table == "keys").expect("a table").1;
    assert!(keys.contains("prod-main-app") && keys.contains(first.key.id.as_str()));
    let issued = [&job, &first, &second];
    let forbidden = issued.into_iter().flat_map(secret_of).chain(needles(&PEPPER));
    for needle in forbidden {
        let found = tables.iter().find(|(_, rows)| rows.contains(&needle));
        assert!(found.is_none(), "table {} holds {needle}", found.expect("it does").0);
    }
}

#[common::test]
fn search_finds_secrets_in_every_form() {
    let secret = b"bIXXhldbI6cIXWasMZFvguCEfdPNlwWd";
    let forms = [
        "..bIXXhldbI6cIXWasMZFvguCEfdPNlwWd..".to_owned(),
        "MZFvguCEfdPNlwWd".to_owned(),
        "\\x62495858686c6462493663495857617300".to_owned(),
        format!("{:?}", &secret[16..]),
        base64(&[b"a", secret.as_slice(), b"check"].concat()),
        base64(&[b"ab", secret.as_slice(), b"check"].concat()),
    ];
    for form in forms {
        assert!(needles(secret).iter().any(|needle| form.contains(needle)), "{form}");
    }
    assert!(!needles(secret).iter().any(|needle| "LoxuKd10XAawNUQ7bIXX".contains(needle)));
}
