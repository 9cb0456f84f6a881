//! The author of an audit event.

use crate::http::page::frame::Frame;
use crate::http::page::texts::Text;
use crate::record::event::EventActor;
use crate::record::key::Owner;

/// Returns the name of the author: that of a user as pages show it, or what else made the change.
pub(in crate::http::page) fn name(frame: &Frame, author: &EventActor) -> String {
    match author {
        EventActor::User(id) => frame.name_of(&Owner::User(id.clone()), None),
        EventActor::Operator(id) => frame.say(Text::AUTHOR_OPERATOR.with("id", id)),
        EventActor::Possessor => frame.say(Text::AUTHOR_POSSESSOR),
        EventActor::System => frame.say(Text::AUTHOR_SYSTEM),
    }
}
