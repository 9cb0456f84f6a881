//! Functions that turn the result of a verification, or an error, into a value that tests can compare.

use std::error::Error;

use futures_lite::future::block_on;
use keywright::{
    AccessRequest, Denial, GenerateError, Grant, Issued, Reason, Requirement, SecretUsed, Verifier,
    VerifyError,
};

/// Returns the grant, or the reason for the denial. Panics on any other error.
#[track_caller]
pub fn decided(verified: Result<Grant, VerifyError>) -> Result<Grant, Reason> {
    match verified {
        Ok(grant) => Ok(grant),
        Err(VerifyError::Denied(denial)) => Err(denial.reason().clone()),
        Err(error) => panic!("expected a grant or a denial, got {error:?}"),
    }
}

/// Returns the denial of a verification. Panics on any other result.
#[track_caller]
pub fn denial(verified: Result<Grant, VerifyError>) -> Denial {
    match verified {
        Err(VerifyError::Denied(denial)) => denial,
        other => panic!("expected a denial, got {other:?}"),
    }
}

/// Returns the code of the reason for a denial. Panics on any other result.
#[track_caller]
pub fn denied(verified: Result<Grant, VerifyError>) -> &'static str {
    denial(verified).reason().code()
}

/// Verifies a token, and returns `current` or `retiring`, or the code of the reason for the denial.
#[track_caller]
pub fn says(verifier: &Verifier, token: &str) -> &'static str {
    let source = "203.0.113.7".parse().expect("an address");
    match decided(block_on(verifier.verify_request(&AccessRequest::token(token).source(source)))) {
        Ok(grant) if grant.secret_used() == SecretUsed::Current => "current",
        Ok(_) => "retiring",
        Err(reason) => reason.code(),
    }
}

/// Returns the requirements that an attempt to generate a key lacked. It is empty for any other result.
pub fn missing(generated: &Result<Issued, GenerateError>) -> Vec<Requirement> {
    match generated {
        Err(GenerateError::Missing(missing)) => missing.iter().collect(),
        _ => Vec::new(),
    }
}

/// Returns the texts of an error and of all its sources.
pub fn chain(error: &dyn Error) -> Vec<String> {
    let mut said = vec![error.to_string()];
    let mut at = error;
    while let Some(source) = at.source() {
        said.push(source.to_string());
        at = source;
    }
    said
}

/// Returns the secret of a token, without the checksum.
pub fn secret_of(issued: &Issued) -> &str {
    &issued.token.expose_key_secret()[..32]
}
