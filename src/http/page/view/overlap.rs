//! The overlap of a rotation, in which two secrets of a key work.

use maud::{Markup, html};

use super::facts;
use crate::authority::Overlap;
use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;
use crate::value::time::Timestamp;

/// Returns the last use of each secret, the end of the overlap, and whether it can be ended now.
pub(in crate::http::page) fn progress(frame: &Frame, overlap: &Overlap) -> Markup {
    let old = facts::time_or(frame, overlap.old_last_used_at, Text::OLD_SECRET_NOT_SEEN);
    html! {
        dl class="kw-facts" {
            dt { (frame.say(Text::OLD_SECRET_USED)) } dd { (old) }
            dt { (frame.say(Text::NEW_SECRET_USED)) }
            dd { (facts::time_or(frame, overlap.new_last_used_at, Text::NOT_YET)) }
            dt { (frame.say(Text::OLD_SECRET_WORKS_UNTIL)) } dd { (facts::time(overlap.overlap_ends_at)) }
        }
        p {
            @if overlap.safe_to_finish {
                strong { (frame.say(Text::SAFE_TO_FINISH)) }
            } @else {
                (frame.say(reason_to_wait(overlap.new_last_used_at)))
            }
        }
    }
}

/// Returns why the old secret is still needed, from the last use of the new one.
fn reason_to_wait(new_last_used_at: Option<Timestamp>) -> Text {
    match new_last_used_at {
        None => Text::NEW_SECRET_UNUSED,
        Some(_) => Text::OLD_SECRET_IN_USE,
    }
}
