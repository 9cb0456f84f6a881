//! The response to a refused request, in types of the `http` crate.

use bytes::Bytes;
use http::header::HeaderValue;
use http::{Response, StatusCode};

use crate::http::guard::rejection::Rejection;

/// Converts a rejection into its response, and leaves the rejection in the extensions.
pub(crate) fn response(rejection: Rejection) -> Response<Bytes> {
    let answer = rejection.answer();
    let mut response = Response::new(Bytes::from_static(answer.body.as_bytes()));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).expect("the table has only statuses of HTTP");
    for (name, value) in answer.headers {
        let value = HeaderValue::from_str(&value).expect("the table's values are visible ASCII");
        response.headers_mut().insert(name, value);
    }
    response.extensions_mut().insert(rejection);
    response
}
