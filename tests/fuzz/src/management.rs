//! Any request at the management API: a documented status with a problem for a refusal, which changes nothing.

use std::sync::OnceLock;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri};
use common::{Random, World, block_on, named, picture_of_now};
use http_body_util::BodyExt;
use keywright::http::management;
use keywright::store::MemoryStore;
use serde_json::Value;
use tower::ServiceExt;

/// The longest answer to a small request over a small store.
const LONGEST: usize = 64 << 10;

struct Document {
    json: Value,
    /// Method and path of each operation.
    operations: Vec<(Method, String)>,
}

fn document() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let json = serde_json::to_value(management::openapi()).expect("a document");
        let mut operations = Vec::new();
        for (path, methods) in json["paths"].as_object().expect("paths") {
            for method in methods.as_object().expect("methods").keys() {
                let method = method.to_uppercase().parse().expect("a method");
                operations.push((method, path.clone()));
            }
        }
        Document { json, operations }
    })
}

/// The first byte chooses the operation, the second one the headers. Then come, each up to a zero: the id in the
/// path, the query, the value of a header, and the body.
pub(crate) fn run(data: &[u8]) {
    let [operation, headers, rest @ ..] = data else { return };
    let document = document();
    let (method, path) = &document.operations[usize::from(*operation) % document.operations.len()];
    let mut parts = rest.splitn(4, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (id, query, value, body) = (part(), part(), part(), part());

    let random = Random::seeded(1);
    let world = World::with(MemoryStore::new(), |builder| builder.random(random));
    let key = block_on(world.key_of(&world.admin, named("prod-a"))).key.id;
    let account = block_on(world.account("nightly", "analyst")).expect("an account").id;
    // The ids that are there are worth a byte, and not sixteen.
    let id = match id {
        b"" if path.contains("account") => account.to_string(),
        b"" => key.to_string(),
        id => String::from_utf8_lossy(id).into_owned(),
    };
    let uri = format!("{}?{}", path.replace("{id}", &id), String::from_utf8_lossy(query));
    // A server refuses others before the router.
    let Ok(uri) = uri.parse::<Uri>() else { return };
    let mut request = Request::new(Body::from(body.to_vec()));
    *request.method_mut() = method.clone();
    *request.uri_mut() = uri;
    request.extensions_mut().insert(world.admin.clone());
    let named = ["content-type", "if-match", "if-none-match", "x-requested-with"];
    let name = named[usize::from(headers >> 1) % named.len()];
    if let Ok(value) = HeaderValue::from_bytes(value) {
        request.headers_mut().append(HeaderName::from_static(name), value);
    }
    if headers & 1 == 0 {
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert("content-type", json);
    }

    let before = block_on(picture_of_now(&world.authority, &world.admin));
    let (answer, body) = block_on(async {
        let router: Router = management::router(world.authority.clone());
        let Ok(response) = router.oneshot(request).await;
        let (parts, body) = response.into_parts();
        (parts, body.collect().await.expect("a body").to_bytes())
    });
    let status = answer.status.as_u16();
    assert!(status < 500, "{method} {path} gave {status}: {body:?}");
    assert!(body.len() < LONGEST || path == "/openapi.json", "an answer of {} bytes", body.len());
    if status >= 400 {
        let after = block_on(picture_of_now(&world.authority, &world.admin));
        assert_eq!(before, after, "a refused request changed something");
        assert_problem(document, (method, path), status, &body);
    }
}

/// Asserts that the body is a problem with a code that the document has for this operation and status.
#[track_caller]
fn assert_problem(document: &Document, (method, path): (&Method, &str), status: u16, body: &[u8]) {
    let problem: Value = serde_json::from_slice(body).expect("a problem is JSON");
    let code = problem["code"].as_str().expect("a problem has a code");
    assert_eq!(problem["status"], status);
    let operation = &document.json["paths"][path][method.as_str().to_lowercase()];
    let described = &operation["responses"][status.to_string()];
    let described = match described["$ref"].as_str() {
        Some(place) => document.json.pointer(place.trim_start_matches('#')).expect("a response"),
        None => described,
    };
    // An id that is no part of a path, such as an empty one, leads to no operation.
    if !["not_found", "method_not_allowed"].contains(&code) {
        let codes = described["description"].as_str().unwrap_or_default();
        let mut listed = codes.split([' ', ',', '.']);
        assert!(listed.any(|listed| listed == code), "{method} {path}: {status} {code}");
    }
}
