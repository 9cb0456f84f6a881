//! The headers that carry a signature.

use axum::http::HeaderMap;

use super::refusal::ReportRefusal;

/// The maximum length of a header of a signature, in bytes.
const MAX_LEN: usize = 4_096;

/// Returns the value of a header that is there exactly once.
pub(super) fn one<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<&'a str, ReportRefusal> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|value| value.len() <= MAX_LEN);
    let text = value.and_then(|value| value.to_str().ok());
    text.filter(|_| values.next().is_none()).ok_or(ReportRefusal::Header(name))
}
