//! What a verify or an error said, in a form that can be compared.

use std::error::Error;

use futures_lite::future::block_on;
use keywright::{AccessRequest, Denial, Grant, Issued, Reason, SecretUsed, Verifier, VerifyError};

/// The grant, or the reason against one. It is a failure of the test if nothing could be decided.
#[track_caller]
pub fn decided(verified: Result<Grant, VerifyError>) -> Result<Grant, Reason> {
    match verified {
        Ok(grant) => Ok(grant),
        Err(VerifyError::Denied(denial)) => Err(denial.reason().clone()),
        Err(error) => panic!("the store is up, and it could not be decided: {error:?}"),
    }
}

/// The denial of a verification that must be one.
#[track_caller]
pub fn denial(verified: Result<Grant, VerifyError>) -> Denial {
    match verified {
        Err(VerifyError::Denied(denial)) => denial,
        other => panic!("a denial was expected, not {other:?}"),
    }
}

/// The code of the reason for a denial.
#[track_caller]
pub fn denied(verified: Result<Grant, VerifyError>) -> &'static str {
    denial(verified).reason().code()
}

/// `current` or `retiring`, or the code of the reason against it.
#[track_caller]
pub fn says(verifier: &Verifier, token: &str) -> &'static str {
    let source = "203.0.113.7".parse().expect("an address");
    match decided(block_on(verifier.verify_request(&AccessRequest::token(token).source(source)))) {
        Ok(grant) if grant.secret_used() == SecretUsed::Current => "current",
        Ok(_) => "retiring",
        Err(reason) => reason.code(),
    }
}

/// An error and all that it says it comes from.
pub fn chain(error: &dyn Error) -> Vec<String> {
    let mut said = vec![error.to_string()];
    let mut at = error;
    while let Some(source) = at.source() {
        said.push(source.to_string());
        at = source;
    }
    said
}

/// The secret part of a token, without its check.
pub fn secret_of(issued: &Issued) -> &str {
    &issued.token.expose_key_secret()[..32]
}
