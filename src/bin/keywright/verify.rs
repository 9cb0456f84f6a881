//! `keywright verify`: shows whether a token is accepted, and its owner or the reason of the
//! denial.

use keywright::{AccessRequest, Grant, ScopeSet, SecretUsed, VerifyError};
use serde_json::json;

use crate::args::Needs;
use crate::failure::{Failure, whole_chain};
use crate::output::Reply;
use crate::read::{Read, rows};
use crate::session::Session;

pub(crate) async fn run(session: &Session, needs: &Needs, token: &str) -> Result<Reply, Failure> {
    let verifier = &session.target.local("verify")?.verifier;
    let scopes = ScopeSet::new(needs.scopes.iter().cloned())?;
    let mut request = AccessRequest::token(token).scopes(&scopes);
    if let Some(source) = needs.source {
        request = request.source(source);
    }
    if needs.write {
        request = request.write();
    }
    let grant = verifier.verify_request(&request).await.map_err(|error| denied(&error))?;
    verifier.flush().await?;
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
        None => Failure::unavailable(whole_chain(error)),
    }
}

fn accepted(grant: &Grant) -> Reply {
    let key = grant.key();
    let secret = match grant.secret_used() {
        SecretUsed::Current => "current",
        SecretUsed::Retiring => "retiring",
    };
    let json = json!({
        "accepted": true,
        "key": key,
        "account": grant.account(),
        "secret_used": secret,
        "access": grant.access(),
        "scopes": grant.scopes(),
        "decided_at": grant.decided_at(),
    });
    let mut fields = rows([
        ("accepted", key.display_prefix()),
        ("name", key.name.to_string()),
        ("tenant", key.tenant.to_string()),
        ("owner", key.owner.to_string()),
    ]);
    if let Some(account) = grant.account() {
        let account = format!("{}, role {}", account.name, account.role);
        fields.push(("account".to_owned(), account));
    }
    fields.extend(rows([
        ("secret", secret.to_owned()),
        ("access", json.text("/access", "")),
        ("scopes", json.text("/scopes", "none: it allows nothing")),
        ("expires", json.time("/key/expires_at", "never")),
    ]));
    Reply::fields(fields, json)
}
