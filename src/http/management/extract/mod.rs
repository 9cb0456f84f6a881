//! What a handler takes from a request: caller, id, condition, query and body.

pub(super) mod caller;
pub(super) mod json_body;
pub(super) mod path_id;
pub(super) mod precondition;
pub(super) mod query;
