//! The extractors of the handlers: caller, id, precondition, query and body.

pub(super) mod caller;
pub(super) mod json_body;
pub(super) mod path_id;
pub(super) mod precondition;
pub(super) mod query;
