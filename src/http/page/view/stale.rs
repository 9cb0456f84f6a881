//! The stored and the sent value of each field that another change has altered meanwhile.

use maud::{Markup, html};

use crate::http::page::form::Form;
use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;
use crate::http::page::typed;

/// Returns a table of the fields that differ, with the stored value and that of the form.
///
/// `stored` has every field of the form and no other: a client can send more.
pub(in crate::http::page) fn panel(frame: &Frame, stored: &Form, sent: &Form) -> Markup {
    let mut names = stored.names();
    names.retain(|name| *name != "version" && all(stored, name) != all(sent, name));
    html! {
        div class="kw-errors" role="alert" tabindex="-1" id="errors" aria-labelledby="errors-title" {
            h2 id="errors-title" { (frame.say(Text::STALE)) }
            p { (frame.say(Text::STALE_BOTH)) }
            table class="kw-table" {
                caption class="kw-hidden" { (frame.say(Text::STALE)) }
                thead {
                    tr {
                        th scope="col" { (frame.say(Text::FIELD)) }
                        th scope="col" { (frame.say(Text::STORED_VALUE)) }
                        th scope="col" { (frame.say(Text::YOUR_VALUE)) }
                    }
                }
                tbody {
                    @for name in names {
                        @let (stored, sent) = both(frame, stored, sent, name);
                        tr {
                            th scope="row" data-label=(frame.say(Text::FIELD)) { (label(frame, name)) }
                            td data-label=(frame.say(Text::STORED_VALUE)) { (stored) }
                            td data-label=(frame.say(Text::YOUR_VALUE)) { (sent) }
                        }
                    }
                }
            }
        }
    }
}

/// Returns the values of a field, in one order and with one kind of line break. A browser sends `\r\n`.
fn all(form: &Form, name: &str) -> String {
    let mut values: Vec<_> = form.all(name).collect();
    values.sort_unstable();
    values.join(" ").replace("\r\n", "\n")
}

/// Returns the values of a field in both forms, as text.
fn both(frame: &Frame, stored: &Form, sent: &Form, name: &str) -> (String, String) {
    let text = |form: &Form| match &*all(form, name) {
        "on" => frame.say(Text::BOX_CHECKED),
        "" => frame.say(Text::BOX_UNCHECKED),
        other => other.to_owned(),
    };
    let is_box = [stored, sent].iter().all(|form| ["", "on"].contains(&form.value(name)));
    if is_box { (text(stored), text(sent)) } else { (all(stored, name), all(sent, name)) }
}

/// The fields of the forms, with their labels.
const LABELS: [(&str, Text); 20] = [
    ("name", Text::NAME),
    ("description", Text::DESCRIPTION),
    ("contact", Text::CONTACT),
    ("scope", Text::SCOPES_FIELD),
    ("networks", Text::NETWORKS),
    ("rate", Text::RATE),
    ("require_expiry", Text::REQUIRE_EXPIRY),
    ("max_lifetime", Text::MAX_LIFETIME),
    ("default_lifetime", Text::DEFAULT_LIFETIME),
    ("max_keys_per_user", Text::MAX_KEYS_PER_USER),
    ("max_overlap", Text::MAX_OVERLAP),
    ("name_pattern", Text::NAME_PATTERN_FIELD),
    ("environments", Text::ENVIRONMENTS),
    ("default_rate", Text::DEFAULT_RATE),
    ("extensive_use", Text::EXTENSIVE_USE_ALERT),
    ("suspicious_use", Text::SUSPICIOUS_USE_ALERT),
    ("retention", Text::RETENTION),
    ("event_retention", Text::EVENT_RETENTION),
    ("role", Text::ROLE),
    ("read_only", Text::READ_ONLY_FIELD),
];

/// Returns the label of a field: a text of the page, or that of a field of the host.
fn label(frame: &Frame, name: &str) -> String {
    let known = |field: &str| {
        let (_, label) = LABELS.iter().find(|(known, _)| *known == field)?;
        Some(frame.say(*label))
    };
    let of_unit = || {
        let setting = name.strip_suffix("_unit").and_then(known)?;
        Some(frame.say(Text::UNIT_OF.with("setting", setting)))
    };
    let custom = frame.page.custom_fields.iter().find(|field| typed::custom_name(field) == name);
    let of_host = || custom.map(|field| field.label.clone());
    known(name).or_else(of_unit).or_else(of_host).unwrap_or_else(|| name.to_owned())
}
