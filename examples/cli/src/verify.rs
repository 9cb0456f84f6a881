//! `keywright verify`: shows whether a token is accepted, and its owner or the reason of the
//! denial.

use std::io::{BufRead, IsTerminal, Read};

use keywright::{AccessRequest, Grant, ScopeSet, SecretUsed, VerifyError};
use serde_json::json;
use zeroize::Zeroizing;

use crate::Session;
use crate::args::Needs;
use crate::failure::{Failure, read_error};
use crate::output::access;
use crate::output::{Reply, or_none, to_second, whole_chain, words};
use crate::tables::fields;

/// The most bytes to read; every token is shorter.
const LONGEST_INPUT: u64 = 4_096;

/// Reads the token from standard input: one line of a terminal, or a whole pipe without its last
/// line break.
pub(crate) fn read_token() -> Result<Zeroizing<String>, Failure> {
    let stdin = std::io::stdin();
    let mut bytes = Zeroizing::new(Vec::new());
    let mut input = stdin.lock().take(LONGEST_INPUT);
    let read = if stdin.is_terminal() {
        eprintln!("Enter the token:");
        input.read_until(b'\n', &mut bytes)
    } else {
        input.read_to_end(&mut bytes)
    };
    read.map_err(|error| read_error("cannot read standard input", &error))?;
    let token = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let token = token.strip_suffix(b"\r").unwrap_or(token);
    // Input that is not UTF-8 is denied as malformed, with or without the replaced characters.
    Ok(Zeroizing::new(String::from_utf8_lossy(token).into_owned()))
}

pub(crate) async fn run(session: &Session, needs: &Needs, token: &str) -> Result<Reply, Failure> {
    let scopes = ScopeSet::new(needs.scopes.iter().cloned())?;
    let mut request = AccessRequest::token(token).scopes(&scopes);
    if let Some(source) = needs.source {
        request = request.source(source);
    }
    if needs.write {
        request = request.write();
    }
    let grant = session.verifier.verify_request(&request).await.map_err(|error| denied(&error))?;
    session.verifier.flush().await?;
    Ok(accepted(&grant))
}

/// Creates the failure of a denial, with the operator's reason. The text of
/// [`Denial`](keywright::Denial) itself is for callers.
fn denied(error: &VerifyError) -> Failure {
    match error.denial() {
        Some(denial) => {
            let key = denial.key_id().map_or_else(String::new, |id| format!(" (key {id})"));
            Failure::refused(denial.reason().code(), format!("{}{key}", denial.reason()))
        }
        None => Failure::refused("unavailable", whole_chain(error)),
    }
}

fn accepted(grant: &Grant) -> Reply {
    let key = grant.key();
    let secret = match grant.secret_used() {
        SecretUsed::Current => "current",
        SecretUsed::Retiring => "retiring",
    };
    let mut rows = vec![
        ("accepted", key.display_prefix()),
        ("name", key.name.to_string()),
        ("tenant", key.tenant.to_string()),
        ("owner", key.owner.to_string()),
    ];
    if let Some(account) = grant.account() {
        rows.push(("account", format!("{}, role {}", account.name, account.role)));
    }
    rows.extend([
        ("secret", secret.to_owned()),
        ("access", access(grant.access()).to_owned()),
        ("scopes", words(&grant.scopes(), "none: it allows nothing")),
        ("expires", or_none(key.expires_at.map(to_second), "never")),
    ]);
    let json = json!({
        "accepted": true,
        "key": key,
        "account": grant.account(),
        "secret_used": secret,
        "access": grant.access(),
        "scopes": grant.scopes(),
        "decided_at": grant.decided_at(),
    });
    Reply::new(fields(&rows), json)
}
