//! The store that a command works on: a file, a PostgreSQL database, or a service with the
//! management API.
//!
//! Every command is a call of the management API. For a file and a database, the API runs inside this
//! process, so the rules, the audit trail and the JSON are the same everywhere.

pub(crate) mod call;
mod local;
mod place;
mod service;
mod tls;

use serde_json::Value;

pub(crate) use self::local::{Local, connect, schema};
pub(crate) use self::place::{Opening, Place, has_no_password};

use self::call::{Answer, Call};
use self::service::Service;
use crate::args::Context;
use crate::failure::Failure;

pub(crate) enum Target {
    Local(Box<Local>),
    Service(Service),
}

impl Target {
    /// Opens the store that the options name.
    pub(crate) async fn open(context: &Context, opening: Opening) -> Result<Self, Failure> {
        match context.place()? {
            Place::Service(url) => Ok(Self::Service(Service::new(context, &url)?)),
            place => Ok(Self::Local(Box::new(Local::open(context, &place, opening).await?))),
        }
    }

    /// Makes a call of the management API, and returns its answer.
    pub(crate) async fn answer(&self, call: Call) -> Result<Answer, Failure> {
        let answer = match self {
            Self::Local(local) => local.call(call).await?,
            Self::Service(service) => service.call(&call)?,
        };
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        Err(Failure::of_problem(&answer.json).because(answer.cause.as_deref()))
    }

    /// Makes a call of the management API, and returns the JSON of its answer.
    pub(crate) async fn call(&self, call: Call) -> Result<Value, Failure> {
        Ok(self.answer(call).await?.json)
    }

    /// Returns the store if it is open in this process, for commands that are not in the management
    /// API.
    pub(crate) fn local(&self, command: &str) -> Result<&Local, Failure> {
        match self {
            Self::Local(local) => Ok(local),
            Self::Service(_) => {
                Err(Failure::unsupported(command, "a service", "a file and on PostgreSQL"))
            }
        }
    }

    /// Closes the store.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        match self {
            Self::Local(local) => local.close().await,
            Self::Service(_) => Ok(()),
        }
    }
}
