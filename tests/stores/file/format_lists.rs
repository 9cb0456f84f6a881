//! The lists on the format page match the crate.

use keywright::{DetailField, EventKind, RefusalCode};
use serde_json::json;

use super::format::fits;
use super::format_reader::{code, section, tables};

#[test]
fn documented_lists_match_the_crate() {
    let text = section("What the records are");
    let times = code(text).into_iter().filter(|code| code.starts_with("20"));
    assert_eq!(times.filter(|text| fits("time", &json!(text))).count(), 2, "{text}");
    let section = section("An event");
    let (_, kinds) = section.split_once("The kinds are").expect("the kinds");
    let (kinds, codes) = kinds.split_once("The codes of a refusal are").expect("the codes");
    assert!(code(kinds).into_iter().eq(EventKind::all().map(EventKind::as_str)), "{kinds}");
    let possible = RefusalCode::ALL.iter().map(|code| code.as_str());
    assert!(code(codes).into_iter().eq(possible), "{codes}");
    let details = &tables("Details of an event")[0];
    let fields = details.iter().map(|row| code(&row[0])[0]);
    assert!(fields.eq(DetailField::ALL.iter().map(|field| field.as_str())), "{details:?}");
}
