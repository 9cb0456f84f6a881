//! Both values of each field that somebody else changed while a form was open.

use maud::{Markup, html};

use crate::http::page::form::Form;
use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;

/// Returns a table of the fields that differ, with the stored value and that of the form.
pub(in crate::http::page) fn panel(frame: &Frame, stored: &Form, sent: &Form) -> Markup {
    let all = |form: &Form, name: &str| form.all(name).collect::<Vec<_>>().join(" ");
    let differs = |name: &&str| *name != "version" && all(stored, name) != all(sent, name);
    let names: Vec<_> = stored.names().into_iter().filter(differs).collect();
    html! {
        div class="kw-errors" role="alert" tabindex="-1" id="errors" {
            h2 { (frame.say(Text::STALE)) }
            p { (frame.say(Text::STALE_BOTH)) }
            table class="kw-table" {
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
                            th scope="row" { (name) }
                            td data-label=(frame.say(Text::STORED_VALUE)) { (all(stored, name)) }
                            td data-label=(frame.say(Text::YOUR_VALUE)) { (all(sent, name)) }
                        }
                    }
                }
            }
        }
    }
}
