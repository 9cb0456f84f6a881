//! The guard in an actix-web app.

use std::net::SocketAddr;

use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::test::TestRequest;
use actix_web::{HttpRequest, HttpResponse, Route, web};
use keywright::Grant;
use keywright::http::{OptionalGrant, Rejection};

use crate::exchange::{Answered, Asked, HANDLED, Seen, Witness, cause};

use super::Taken;

/// Returns a route that answers every method.
pub(crate) fn handler(taken: Taken, witness: &Witness) -> Route {
    let witness = witness.clone();
    match taken {
        Taken::Grant => web::route().to(move |grant: Grant, request: HttpRequest| {
            std::future::ready(handle(&witness, Some(&grant), &request))
        }),
        Taken::Optional => {
            web::route().to(move |OptionalGrant(grant): OptionalGrant, request: HttpRequest| {
                std::future::ready(handle(&witness, grant.as_ref(), &request))
            })
        }
    }
}

fn handle(witness: &Witness, grant: Option<&Grant>, request: &HttpRequest) -> HttpResponse {
    let headers = request.headers();
    let values = headers.iter();
    let printed = format!("{request:?} {headers:#?}");
    witness.note(
        Seen::new(grant, printed).with(
            values.map(|(name, value)| (name.as_str(), value.as_bytes(), value.is_sensitive())),
        ),
    );
    let (name, value, body) = HANDLED;
    HttpResponse::Ok().insert_header((name, value)).body(body)
}

/// Converts the request.
pub(crate) fn request(asked: &Asked) -> TestRequest {
    let method = Method::from_bytes(asked.method.as_bytes()).expect("a method");
    let mut request = TestRequest::with_uri(&asked.uri).method(method);
    for (name, value) in &asked.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        let value = HeaderValue::from_bytes(value).expect("a value that can be sent");
        request = request.append_header((name, value));
    }
    if let Some(peer) = asked.peer {
        request = request.peer_addr(SocketAddr::new(peer, 40_000));
    }
    request
}

/// Converts the response of `call_service`, which needs no normalization.
pub(crate) async fn answered<B: MessageBody>(
    response: ServiceResponse<B>,
    witness: &Witness,
) -> Answered {
    let cause = response.response().extensions().get::<Rejection>().map(cause);
    let headers = response.headers().iter();
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    headers.sort();
    Answered {
        status: response.status().as_u16(),
        headers,
        body: actix_web::test::read_body(response).await.to_vec(),
        cause,
        seen: witness.take(),
    }
}
