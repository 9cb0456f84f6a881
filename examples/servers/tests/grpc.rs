//! The health service behind a guard, called by a real client of gRPC and by plain HTTP/2.

use http_body_util::BodyExt;
use tonic::Code;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tower::ServiceExt;

use crate::http1::bearer;
use crate::server::Server;

const CHECK: &str = "/grpc.health.v1.Health/Check";

/// What stands in an answer, headers and trailers together.
#[derive(Debug)]
struct Plain {
    status: u16,
    fields: http::HeaderMap,
    body: Vec<u8>,
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

async fn channel(server: &Server) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).expect("a URL");
    endpoint.connect().await.expect("the server listens")
}

/// Asks for the health of the whole server, which is good.
pub(crate) fn check(server: &Server, token: Option<&str>) -> Result<(), Code> {
    ask(server, "authorization", token.map(bearer).as_deref())
}

fn ask(server: &Server, name: &'static str, value: Option<&str>) -> Result<(), Code> {
    run(async {
        let mut request = tonic::Request::new(HealthCheckRequest { service: String::new() });
        if let Some(value) = value {
            request.metadata_mut().insert(name, value.parse().expect("metadata"));
        }
        let mut client = HealthClient::new(channel(server).await);
        let response = client.check(request).await.map_err(|status| status.code())?;
        assert_eq!(response.into_inner().status(), ServingStatus::Serving);
        Ok(())
    })
}

/// One request of HTTP/2, as it is.
fn plain(server: &Server, method: &str, headers: &[(&str, &str)], body: &[u8]) -> Plain {
    try_plain(server, method, headers, body).expect("an answer")
}

fn try_plain(
    server: &Server,
    method: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Plain, tonic::transport::Error> {
    run(async {
        let mut request = http::Request::builder().method(method).uri(CHECK);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Body::new(http_body_util::Full::new(body.to_vec().into()));
        let request = request.body(body).expect("a request");
        let response = channel(server).await.oneshot(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the whole body");
        let mut fields = parts.headers;
        fields.extend(body.trailers().cloned().unwrap_or_default());
        Ok(Plain { status: parts.status.as_u16(), fields, body: body.to_bytes().to_vec() })
    })
}

impl Plain {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(|value| value.to_str().expect("text"))
    }
}

fn server() -> (Server, [String; 2]) {
    let server = Server::new("tonic_server");
    let of = |words: &str| {
        let line = server.lines().into_iter().find(|line| line.what.contains(words));
        line.and_then(|line| line.token()).expect("a line")
    };
    let tokens = [of("account's key"), of("alice's key")];
    (server, tokens)
}

#[test]
fn call_without_metadata_is_unauthenticated() {
    let (server, _) = server();
    assert_eq!(check(&server, None), Err(Code::Unauthenticated));
}

#[test]
fn read_only_key_with_scope_may_call() {
    let (server, [look, _]) = server();
    assert_eq!(check(&server, Some(&look)), Ok(()));
}

#[test]
fn key_without_scope_is_permission_denied() {
    let (server, [_, read]) = server();
    assert_eq!(check(&server, Some(&read)), Err(Code::PermissionDenied));
}

#[test]
fn non_token_is_unauthenticated() {
    let (server, [look, _]) = server();
    assert_eq!(check(&server, Some(&look[1..])), Err(Code::Unauthenticated));
    let (_other, [unknown, _]) = self::server();
    assert_eq!(check(&server, Some(&unknown)), Err(Code::Unauthenticated));
}

#[test]
fn key_is_accepted_as_x_api_key() {
    let (server, [look, _]) = server();
    assert_eq!(ask(&server, "x-api-key", Some(&look)), Ok(()));
}

#[test]
fn t_h12_two_http2_credentials_are_invalid() {
    let (server, [look, _]) = server();
    let value = bearer(&look);
    let two = [("authorization", value.as_str()), ("x-api-key", &look)];
    let same = [("x-api-key", look.as_str()); 2];
    let both = [("authorization", value.as_str()); 2];
    for [first, second] in [two, same, both] {
        let headers = [("content-type", "application/grpc"), ("te", "trailers"), first, second];
        let answer = plain(&server, "POST", &headers, &[0; 5]);
        assert_eq!(answer.field("grpc-status"), Some("3"), "{answer:?}");
    }
}

#[test]
fn refusal_is_trailers_only() {
    let (server, _) = server();
    let headers = [("content-type", "application/grpc"), ("te", "trailers")];
    let answer = plain(&server, "POST", &headers, &[0; 5]);
    assert_eq!((answer.status, answer.body.as_slice()), (200, &[][..]));
    assert_eq!(answer.field("content-type"), Some("application/grpc"));
    assert_eq!(answer.field("grpc-status"), Some("16"));
    assert_eq!(answer.field("grpc-message"), Some("an API key is needed"));
    assert_eq!(answer.field("www-authenticate"), None);
}

#[test]
fn non_grpc_request_is_guarded_too() {
    let (server, _) = server();
    for method in ["GET", "HEAD", "DELETE"] {
        let answer = plain(&server, method, &[], &[]);
        assert_eq!(answer.field("grpc-status"), Some("16"), "{method}: {answer:?}");
    }
}

#[test]
fn t_h12_huge_http2_header_breaks_nothing() {
    let (mut server, [look, _]) = server();
    let long = bearer(&"x".repeat(64 * 1024));
    let headers = [("content-type", "application/grpc"), ("authorization", long.as_str())];
    // A server of HTTP/2 says how large headers may be: the client may not even send them.
    if let Ok(answer) = try_plain(&server, "POST", &headers, &[0; 5]) {
        let is_refused = answer.status == 431 || answer.field("grpc-status") == Some("16");
        assert!(is_refused, "{answer:?}");
    }
    assert!(server.is_running());
    assert_eq!(check(&server, Some(&look)), Ok(()));
}

#[test]
fn printed_lines_give_their_status() {
    let (server, _) = server();
    let lines = server.lines();
    assert_eq!(lines.len(), 3);
    for line in lines {
        assert_eq!((line.method.as_str(), line.path(), line.body.as_str()), ("POST", CHECK, "@-"));
        let headers: Vec<(&str, &str)> =
            line.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let answer = plain(&server, "POST", &headers, &[0; 5]);
        let status = answer.field("grpc-status").map(|code| format!("grpc-status {code}"));
        assert_eq!(status, Some(line.outcome), "{}", line.what);
    }
}
