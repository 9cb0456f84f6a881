//! Tokens in a folder are found, reported to a server, and dead.
//!
//! ```text
//! cargo run -p keywright-leak-report
//! ```
//!
//! The program starts a server with an endpoint for leak reports, and writes two tokens of it into a
//! folder, as a careless developer would. Then it is the scanner: it reads the folder, reports what it
//! finds with the signature of Standard Webhooks, and prints which keys died.

use std::error::Error;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use keywright::http::reports::{SignedReports, WebhookSecret};
use keywright::scan::{Found, Scanner};
use keywright::store::{EventQuery, MemoryStore};
use keywright::{Actor, DetailField, EventKind, Keywright, NewKey, Policy, Prefix, UserId};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;

type Failure = Box<dyn Error + Send + Sync>;

/// The secret of the scanner. A real one is random, and comes from the host's vault.
const SECRET: &[u8] = b"32 bytes that both sides know...";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let policy = Policy::allowing("invoices:read".parse()?, "invoices:write".parse()?);
    let builder = Keywright::builder(MemoryStore::new()).default_policy(policy);
    let keywright = builder.prefix(Prefix::new("acme_live")?).build()?;
    let address = serve(&keywright).await?;

    let (alice, ada) =
        (Actor::developer(UserId::new("alice")?), Actor::administrator(UserId::new("ada")?));
    let authority = keywright.authority();
    let leaked = authority.generate(&alice, NewKey::named("prod-main-app")?).await?;
    let second = authority.generate(&alice, NewKey::named("nightly-job")?).await?;
    let safe = authority.generate(&alice, NewKey::named("kept-secret")?).await?;
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("deploy"))?;
    fs::write(folder.path().join(".env"), format!("API_KEY={}\n", leaked.token.expose()))?;
    let script = format!("curl -H 'X-API-Key: {}' https://api.example\n", second.token.expose());
    fs::write(folder.path().join("deploy/run.sh"), script)?;
    fs::write(folder.path().join("README"), "No token: acme_live_of_my_own_making\n")?;

    let scanner = Scanner::new().prefixes([Prefix::new("acme_live")?]);
    let mut found = Vec::new();
    scan(&scanner, folder.path(), &mut found)?;
    assert_eq!(found.len(), 2, "both tokens are found, and nothing else");

    let results = tokio::task::spawn_blocking(move || report(address, &found)).await??;
    for (id, outcome) in &results {
        println!("{id}: {outcome}");
        assert_eq!(outcome, "revoked");
    }
    let verifier = keywright.verifier();
    assert!(verifier.verify(leaked.token.expose()).await.is_err());
    assert!(verifier.verify(second.token.expose()).await.is_err());
    assert!(verifier.verify(safe.token.expose()).await.is_ok());

    // The host tells the owners from these events.
    let leaks = EventQuery::new().kind(EventKind::LeakReported);
    let events = authority.events(&ada, &leaks).await?.items;
    assert_eq!(events.len(), 2);
    for event in events {
        let text = |field| event.details.get_text(field).unwrap_or_default();
        let (owner, name) = (text(DetailField::Owner), text(DetailField::Name));
        println!("tell {owner}: {name} was in {}", text(DetailField::LeakSource));
        assert_eq!(owner, "user:alice");
    }
    Ok(())
}

/// Starts the server, and returns its address.
async fn serve(keywright: &Keywright) -> Result<SocketAddr, Failure> {
    let secret = WebhookSecret::new(format!("whsec_{}", Base64::encode_string(SECRET)))?;
    let reports = SignedReports::new(keywright.verifier()).reporter("folder-scan", secret);
    let app: Router = Router::new().nest("/leaks", reports.router());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

/// Finds the tokens in all files of a folder, each with the path of its file.
fn scan(scanner: &Scanner, folder: &Path, found: &mut Vec<(String, Found)>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            scan(scanner, &path, found)?;
            continue;
        }
        for token in scanner.read(File::open(&path)?) {
            found.push((path.display().to_string(), token?));
        }
    }
    Ok(())
}

/// Reports tokens to the server, and returns the id of each key and the outcome.
fn report(
    address: SocketAddr,
    found: &[(String, Found)],
) -> Result<Vec<(String, String)>, Failure> {
    let token = |(place, found): &(String, Found)| json!({ "token": found.token.expose(), "source": place });
    let tokens: Vec<Value> = found.iter().map(token).collect();
    let body = json!({ "tokens": tokens }).to_string();
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let id = format!("scan_{now}");
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET)?;
    mac.update(format!("{id}.{now}.{body}").as_bytes());
    let signature = Base64::encode_string(&mac.finalize().into_bytes());
    let mut response = ureq::post(format!("http://{address}/leaks"))
        .header("webhook-id", &id)
        .header("webhook-timestamp", now.to_string())
        .header("webhook-signature", format!("v1,{signature}"))
        .send(body)?;
    let answer: Value = serde_json::from_reader(response.body_mut().as_reader())?;
    let outcomes = answer["results"].as_array().into_iter().flatten();
    let outcomes = outcomes.map(|result| result["outcome"].as_str().unwrap_or_default());
    let ids = found.iter().map(|(_, found)| found.token.key_id().to_string());
    Ok(ids.zip(outcomes.map(str::to_owned)).collect())
}
