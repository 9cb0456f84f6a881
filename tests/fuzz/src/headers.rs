//! Any headers at a guard: the answer is that of a shorter rule, and shows no secret.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request, Response};
use base64ct::{Base64, Encoding};
use common::header_rule::{Accepted, status};
use common::{Random, World, block_on, named};
use http_body_util::BodyExt;
use keywright::Grant;
use keywright::http::{Guard, GuardService, PeerAddr, TrustedProxies};
use keywright::store::MemoryStore;
use tower::{Layer, Service, ServiceExt};

/// The headers that a line can name, by its first byte.
const NAMES: [&str; 6] =
    ["authorization", "x-api-key", "x-forwarded-for", "cookie", "proxy-authorization", "x-real-ip"];

/// The addresses that the connection can come from. The first is a trusted proxy.
const PEERS: [[u8; 4]; 2] = [[10, 0, 0, 2], [192, 0, 2, 7]];

/// A handler that answers every request with a grant.
#[derive(Clone)]
struct Handler;

impl Service<Request<Body>> for Handler {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        assert!(request.extensions().get::<Grant>().is_some(), "a request passed without a grant");
        ready(Ok(Response::new(String::new())))
    }
}

struct Site {
    guard: GuardService<Handler>,
    proxies: TrustedProxies,
    accepted: [Accepted; 2],
}

/// A guard over two keys, which are the same in every run.
fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        let random = Random::seeded(1);
        let world = World::with(MemoryStore::new(), |builder| builder.random(random));
        let accepted = ["prod-a", "prod-b"].map(|name| {
            let token = block_on(world.key_of(&world.admin, named(name))).token;
            let parts = format!("{}:{}", token.key_id(), token.expose_key_secret());
            let basic = format!("Basic {}", Base64::encode_string(parts.as_bytes()));
            Accepted { token: token.expose().to_owned(), basic }
        });
        let networks = "10.0.0.0/24 2001:db8:1::/64".parse().expect("networks");
        let proxies = TrustedProxies::new(networks).expect("proxies");
        let guard = Guard::new(world.verifier.clone()).trust_proxies(proxies.clone());
        Site { guard: guard.layer(Handler), proxies, accepted }
    })
}

/// The first byte chooses the peer; then each line is a header, whose first byte chooses the name.
pub(crate) fn run(data: &[u8]) {
    let Some((peer, lines)) = data.split_first() else { return };
    let peer = IpAddr::from(PEERS[usize::from(*peer) % PEERS.len()]);
    let site = site();
    let mut request = Request::new(Body::empty());
    request.extensions_mut().insert(PeerAddr(peer));
    let mut headers = Vec::new();
    for line in lines.split(|byte| *byte == b'\n').take(16) {
        let Some((name, value)) = line.split_first() else { continue };
        let name = NAMES[usize::from(*name) % NAMES.len()];
        // A server has refused others before.
        let Ok(sent) = HeaderValue::from_bytes(value) else { continue };
        request.headers_mut().append(HeaderName::from_static(name), sent);
        headers.push((name.to_owned(), value.to_vec()));
    }
    assert_source(site, peer, &headers);

    let expected = status(&headers, &site.accepted);
    let (answer, body) = block_on(async {
        let Ok(response) = site.guard.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        (parts, body.collect().await.expect("a body").to_bytes())
    });
    assert_eq!(answer.status.as_u16(), expected, "{headers:?}");
    assert!(body.len() < 1_000, "an answer of {} bytes", body.len());
    let shown = format!("{:?} {body:?}", answer.headers);
    for Accepted { token, .. } in &site.accepted {
        assert!(!shown.contains(&token[token.len() - 38..]), "the answer shows a secret");
    }
}

/// Asserts that the source is the peer, or an address that a trusted proxy has written.
fn assert_source(site: &Site, peer: IpAddr, headers: &[(String, Vec<u8>)]) {
    let forwarded = headers.iter().filter(|(name, _)| name == site.proxies.header_name());
    let values: Vec<&[u8]> = forwarded.map(|(_, value)| value.as_slice()).collect();
    let source = site.proxies.source_of(peer, values.iter().copied());
    if peer == IpAddr::from(PEERS[1]) {
        assert_eq!(source, Some(peer), "a client claims another address");
    } else if let Some(source) = source {
        let text = String::from_utf8_lossy(&values.join(&b',')).into_owned();
        let hops = text.split([',', ' ', '\t', '[', ']']).filter(|hop| !hop.is_empty());
        let is_written = hops.into_iter().any(|hop| {
            let host = hop.rsplit_once(':').map_or(hop, |(host, _)| host);
            [hop, host].iter().any(|text| text.parse() == Ok(source))
        });
        assert!(is_written, "{source} is not in {text:?}");
    }
}
