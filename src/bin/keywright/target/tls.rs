//! TLS to a service: the authorities that are trusted, and the failures in words.

use std::fmt::Display;
use std::path::Path;

use keywright::Timestamp;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, RootCertStore};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::failure::{Failure, unreadable};

/// Returns the settings that trust the certificates in a file, and no public authority.
pub(super) fn trusting(path: &Path) -> Result<TlsConfig, Failure> {
    let what = format!("cannot read the certificates in {}", path.display());
    let pem = std::fs::read(path).map_err(|error| unreadable(&what, &error))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(Failure::usage(format!("{what}: {error}"))),
        }
    }
    if certificates.is_empty() {
        return Err(Failure::usage(format!("{what}: the file has no certificate")));
    }
    for (place, certificate) in certificates.iter().enumerate() {
        // A connection would leave out a malformed certificate without an error.
        if RootCertStore::empty().add(CertificateDer::from(certificate.der())).is_err() {
            return Err(Failure::usage(format!("{what}: certificate {} is malformed", place + 1)));
        }
    }
    Ok(TlsConfig::builder().root_certs(RootCerts::from(certificates)).build())
}

/// Returns the failure of TLS behind an error, if that is its cause.
pub(super) fn failure(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref().and_then(|error| error.downcast_ref()),
        _ => None,
    }
}

/// Returns what is wrong with the connection, and what to do about it.
pub(super) fn explained(error: &rustls::Error) -> String {
    use CertificateError as E;
    let refused = match error {
        rustls::Error::InvalidCertificate(refused) => refused,
        rustls::Error::InvalidMessage(_) => {
            return "it does not answer with TLS; check the address and the port".to_owned();
        }
        other => return words(&other.to_string()),
    };
    match refused {
        // An authority that was created anew under its old name has another signature.
        E::UnknownIssuer | E::BadSignature => {
            "its certificate is signed by an unknown authority; give the certificate of that authority with \
             --ca-file"
                .to_owned()
        }
        E::ExpiredContext { not_after, .. } => format!(
            "its certificate expired at {}; renew it, or set the clock of this machine",
            shown(*not_after)
        ),
        E::NotValidYetContext { not_before, .. } => format!(
            "its certificate is not valid before {}; set the clock of this machine",
            shown(*not_before)
        ),
        E::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
            let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
            format!(
                "its certificate is for {names}, not for {}; call the service by a name of its certificate",
                expected.to_str()
            )
        }
        E::Other(refused) => refusal(refused),
        refused => refusal(refused),
    }
}

fn refusal(reason: &impl Display) -> String {
    format!("its certificate is refused: {}", words(&reason.to_string()))
}

fn shown(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_unix_seconds(seconds).unwrap_or(Timestamp::MAX).to_string()
}

/// Returns the name in a text such as `DnsName("keys.internal")`.
fn bare(name: &str) -> &str {
    let inside = name.split_once('(').and_then(|(_, inside)| inside.strip_suffix(')'));
    inside.unwrap_or(name).trim_matches('"')
}

/// Returns a text with names such as `UnknownIssuer` as words. A failure hides long names, because
/// they look like parts of a token.
fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_uppercase() && words.ends_with(|last: char| last.is_ascii_lowercase()) {
            words.push(' ');
            words.push(c.to_ascii_lowercase());
        } else {
            words.push(c);
        }
    }
    words
}
