//! Both values of each field that somebody else changed while a form was open.

use maud::{Markup, html};

use crate::http::page::form::Form;
use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;

/// The labels of the fields of a key, by their names in a form.
const LABELS: [(&str, Text); 6] = [
    ("name", Text::NAME),
    ("description", Text::DESCRIPTION_FIELD),
    ("contact", Text::CONTACT_FIELD),
    ("scope", Text::SCOPES_FIELD),
    ("networks", Text::NETWORKS_FIELD),
    ("rate", Text::RATE_FIELD),
];

/// Returns a table of the fields that differ, with the stored value and that of the form.
pub(in crate::http::page) fn panel(frame: &Frame, stored: &Form, sent: &Form) -> Markup {
    let all = |form: &Form, name: &str| form.all(name).collect::<Vec<_>>().join(" ");
    let differs = |name: &&str| *name != "version" && all(stored, name) != all(sent, name);
    let names: Vec<_> = stored.names().into_iter().filter(differs).collect();
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
                        tr {
                            th scope="row" { (label(frame, name)) }
                            td data-label=(frame.say(Text::STORED_VALUE)) { (all(stored, name)) }
                            td data-label=(frame.say(Text::YOUR_VALUE)) { (all(sent, name)) }
                        }
                    }
                }
            }
        }
    }
}

fn label(frame: &Frame, name: &str) -> String {
    let of_host = |key: &str| frame.page.custom_fields.iter().find(|field| field.key == key);
    let known = LABELS.iter().find(|(field, _)| *field == name);
    match (known, name.strip_prefix("custom-").and_then(of_host)) {
        (Some((_, text)), _) => frame.say(*text),
        (None, Some(field)) => field.label.clone(),
        (None, None) => name.to_owned(),
    }
}
