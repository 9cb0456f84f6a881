//! A row of the table: the description of a route for the router and the document.

use super::names::{Parameter, RouteId, Schema, Tag};
use crate::http::management::wire::problem::Code;
use crate::record::operation::Operation;

/// A route of the API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) id: RouteId,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) tag: Tag,
    /// The kind of record that `{id}` in the path identifies.
    pub(crate) subject: Option<Subject>,
    /// The operation of the authority. A request that can't be parsed is recorded as a refusal of
    /// this operation. `None` for a route that needs no login.
    pub(crate) operation: Option<Operation>,
    /// The parameters besides the id in the path.
    pub(crate) parameters: &'static [Parameter],
    pub(crate) body: Option<Schema>,
    pub(crate) success: Success,
    /// The problems of this operation, besides those that follow from the rest of the row.
    pub(crate) problems: &'static [&'static [Code]],
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Subject {
    Key,
    Account,
    User,
}

/// The answer to a request that succeeds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Success {
    /// 204 without a body.
    Empty,
    /// 200 with a body.
    Body(Schema),
    /// 200 with a record, and its version as the entity tag.
    Tagged(Schema),
    /// 201 with a new record, its version as the entity tag, and its location.
    Created(Schema),
}

impl Route {
    /// Returns whether a request without a body is like one with an empty object.
    pub(crate) fn needs_no_body(&self) -> bool {
        self.body == Some(Schema::Nothing)
    }

    /// Returns whether the route can answer with this problem.
    pub(crate) fn may_answer(&self, code: Code) -> bool {
        let follows = match code {
            Code::InvalidQuery => true,
            Code::LoginRequired | Code::Unavailable => self.operation.is_some(),
            Code::InvalidPrecondition => {
                let is_if_match =
                    |p: &Parameter| matches!(p, Parameter::IfMatch | Parameter::RequiredIfMatch);
                self.parameters.iter().any(is_if_match)
            }
            Code::PreconditionNotSupported => self.method != Method::Get,
            Code::MalformedJson
            | Code::BodyTooLarge
            | Code::UnsupportedMediaType
            | Code::InvalidBody => self.body.is_some(),
            Code::CrossSite => self.needs_no_body(),
            _ => false,
        };
        follows || self.problems.iter().any(|codes| codes.contains(&code))
    }
}
