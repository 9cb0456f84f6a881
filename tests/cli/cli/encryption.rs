//! The way to a service: the certificates that the program accepts over TLS, how it refuses the others,
//! and where a login goes without TLS.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::serve::Listener;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::desk::{NO_KEY, Ran, error_of};
use crate::service::{Desk, app};

/// The name and the address of the services.
const HERE: [&str; 2] = ["localhost", "127.0.0.1"];

/// A certificate with its key.
struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

/// An authority for certificates, which lives for one test.
struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Ca {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(Self::params(), key).expect("a certificate");
        fs::write(folder.path().join("ca.pem"), issuer.pem()).expect("a file");
        Self { issuer, folder }
    }

    /// Returns the same name and rights for every authority.
    fn params() -> CertificateParams {
        let mut params = CertificateParams::new(HERE.map(str::to_owned)).expect("names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, "Acme internal CA");
        params
    }

    /// Returns the file with the certificate of the authority.
    fn file(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }

    /// Issues a certificate for these names, which is valid from the first to the second year.
    fn issue(&self, names: &[&str], years: [i32; 2]) -> Identity {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity { certificate: certificate.der().clone(), key: private(&key) }
    }

    /// Returns the certificate of the authority itself.
    fn itself(&self) -> Identity {
        Identity { certificate: self.issuer.der().clone(), key: private(self.issuer.key()) }
    }
}

fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

/// Connections over TLS.
struct TlsListener {
    listener: tokio::net::TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = self.listener.accept().await.expect("a connection");
            // The program ends the connection if it refuses the certificate.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A service over TLS, and the number of requests that it got.
struct Secured {
    port: u16,
    requests: Arc<AtomicUsize>,
    desk: Desk,
}

impl Secured {
    fn of(identity: Identity) -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&requests);
        let app = app().layer(from_fn(move |request: Request, next: Next| {
            seen.fetch_add(1, Ordering::SeqCst);
            next.run(request)
        }));
        let config = ServerConfig::builder_with_provider(default_provider().into());
        let config = config.with_safe_default_protocol_versions().expect("TLS");
        let config = config.with_no_client_auth();
        let config = config.with_single_cert(vec![identity.certificate], identity.key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("a certificate and its key")));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        listener.set_nonblocking(true).expect("a setting");
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                axum::serve(TlsListener { listener, acceptor }, app).await.expect("it serves");
            });
        });
        Self { port, requests, desk: Desk::open() }
    }

    /// Runs a command at this name of the service.
    fn run(&self, name: &str, args: &[&str]) -> Ran {
        let url = format!("https://{name}:{}/keys-api", self.port);
        self.desk.run(&[&["--store", &url, "--output", "json"], args].concat())
    }

    /// Asserts that a change is refused with this text, and that nothing is sent.
    #[track_caller]
    fn is_refused(&self, args: &[&str], said: &str) {
        let refused = self.run("localhost", &[&["key", "disable", NO_KEY], args].concat());
        let (code, message) = error_of(&refused);
        assert_eq!((refused.code, code.as_str()), (4, "unavailable"), "{message}");
        assert!(message.contains(said), "{said}: {message}");
        assert!(!message.contains("may have been made"), "{message}");
        assert_eq!(self.requests.load(Ordering::SeqCst), 0, "{said}");
    }
}

#[test]
fn own_authority_is_trusted_by_option() {
    let ca = Ca::new();
    let service = Secured::of(ca.issue(&HERE, [2000, 3000]));
    service.is_refused(&[], "signed by an unknown authority; give the certificate of that");
    let another = Ca::new();
    service.is_refused(&["--ca-file", &another.file()], "--ca-file");
    for name in HERE {
        let listed = service.run(name, &["key", "list", "--ca-file", &ca.file()]);
        assert_eq!(listed.code, 0, "{name}: {listed:?}");
    }
    let both = ca.folder.path().join("both.pem");
    fs::write(&both, another.issuer.pem() + &ca.issuer.pem()).expect("a file");
    let both = both.display().to_string();
    assert_eq!(service.run("localhost", &["key", "list", "--ca-file", &both]).code, 0);
}

#[test]
fn wrong_certificate_is_refused_with_reason() {
    let ca = Ca::new();
    let refused = [
        (ca.issue(&["keys.internal"], [2000, 3000]), "is for keys.internal, not for localhost"),
        (ca.issue(&["10.0.0.1"], [2000, 3000]), "is for 10.0.0.1, not for localhost"),
        (ca.issue(&HERE, [2000, 2020]), "expired at 2020-01-01T00:00:00Z"),
        (ca.issue(&HERE, [2999, 3000]), "is not valid before 2999-01-01T00:00:00Z"),
        (ca.itself(), "is refused: Ca used as end entity"),
    ];
    for (identity, said) in refused {
        Secured::of(identity).is_refused(&["--ca-file", &ca.file()], said);
    }
}

#[test]
fn file_of_authorities_must_be_readable() {
    let service = Secured::of(Ca::new().issue(&HERE, [2000, 3000]));
    let folder = tempfile::tempdir().expect("a folder");
    let key = KeyPair::generate().expect("a key").serialize_pem();
    let malformed = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let files = [
        ("no certificate", 2, "the file has no certificate"),
        (&key, 2, "the file has no certificate"),
        (malformed, 2, "certificate 1 is malformed"),
    ];
    for (text, code, said) in files {
        let file = folder.path().join("ca.pem");
        fs::write(&file, text).expect("a file");
        let file = file.display().to_string();
        let refused = service.run("localhost", &["--ca-file", &file, "key", "list"]);
        assert_eq!(refused.code, code, "{refused:?}");
        assert!(error_of(&refused).1.contains(said), "{refused:?}");
    }
    let absent = service.run("localhost", &["--ca-file", "/nowhere/ca.pem", "key", "list"]);
    assert_eq!(absent.code, 4, "{absent:?}");
    assert_eq!(service.requests.load(Ordering::SeqCst), 0);
}

#[test]
fn service_without_tls_is_told() {
    let desk = Desk::open();
    let url = desk.url("/keys-api").replace("http:", "https:");
    let failed = desk.run(&["--output", "json", "--store", &url, "key", "list"]);
    let (code, message) = error_of(&failed);
    assert_eq!((failed.code, code.as_str()), (4, "unavailable"), "{message}");
    assert!(message.contains("does not answer with TLS"), "{message}");
}

#[test]
fn login_travels_only_where_it_is_safe() {
    let desk = Desk::open();
    let addresses = [
        ("http://keys.example/api", "unencrypted"),
        ("HTTP://keys.example/api", "unencrypted"),
        ("http://localhost.keys.example/api", "unencrypted"),
        ("http://127.0.0.1.keys.example/api", "unencrypted"),
        ("https://carol:hunter2@keys.example/api", "--login-file"),
        ("https://keys.example/api?key=1", "no query"),
        ("ftp://localhost/api", "https://HOST/PATH"),
        ("localhost", "https://HOST/PATH"),
    ];
    for (address, said) in addresses {
        // The same rule holds for both addresses of a service.
        let refused = desk.run(&["--operator-store", address, "key", "list"]);
        assert!(refused.code == 2 && refused.err.contains(said), "{address}: {refused:?}");
        assert!(!refused.err.contains("hunter2"), "{refused:?}");
        if address.starts_with("http") {
            let refused = desk.run(&["--store", address, "key", "list"]);
            assert!(refused.code == 2 && refused.err.contains(said), "{address}: {refused:?}");
            assert!(!refused.err.contains("hunter2"), "{refused:?}");
        }
    }
}

/// On Linux, 0.0.0.0 reaches this machine, and is no loopback address.
#[cfg(target_os = "linux")]
#[test]
fn plain_http_needs_an_option() {
    let desk = Desk::at("0.0.0.0:0");
    let refused = desk.run(&["key", "list"]);
    assert!(refused.code == 2 && refused.err.contains("--danger-plain-http"), "{refused:?}");
    assert_eq!(desk.run(&["--danger-plain-http", "key", "list"]).code, 0);
}

#[test]
fn plain_http_uses_no_proxy() {
    let desk = Desk::open();
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", proxy.local_addr().expect("its address"));
    proxy.set_nonblocking(true).expect("a setting");
    for scheme in ["http:", "HTTP:"] {
        let operator = desk.url("/staff/keys").replace("http:", scheme);
        let mut command = desk.command(&["--operator-store", &operator, "tenant", "list"]);
        for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(name, &address);
        }
        let listed = crate::desk::ran(&mut command);
        assert_eq!(listed.code, 0, "{listed:?}");
    }
    let asked = proxy.accept().expect_err("the proxy is never called");
    assert_eq!(asked.kind(), ErrorKind::WouldBlock);
}
