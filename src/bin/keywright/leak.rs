//! `keywright leak report`: finds the tokens in a text, and revokes the key of each.

use std::io::stdin;

use keywright::scan::{Found, Scanner};
use keywright::{Credential, LeakReport};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::{Failure, unreadable, whole_chain};
use crate::leak_args::{LeakArgs, LeakCommand};
use crate::output::Reply;
use crate::session::Session;

/// The maximum number of tokens in one run.
const MOST: usize = 100_000;

/// Finds the tokens in standard input.
pub(crate) fn read_tokens() -> Result<Vec<Found>, Failure> {
    let mut tokens = Vec::new();
    for found in Scanner::new().read(stdin().lock()) {
        let found = found.map_err(|error| unreadable("cannot read the text", &error))?;
        if tokens.len() == MOST {
            let message = format!("the text has more than {MOST} tokens: report it in parts");
            return Err(Failure::usage(message));
        }
        tokens.push(found);
    }
    if tokens.is_empty() {
        return Err(Failure::new(Exit::NotFound, "no_token", "the text has no token"));
    }
    Ok(tokens)
}

pub(crate) async fn run(
    session: &Session,
    command: LeakCommand,
    tokens: &[Found],
) -> Result<Reply, Failure> {
    let LeakCommand::Report(args) = command;
    let verifier = &session.target.local("leak report")?.verifier;
    if !args.alert_only {
        let count = match tokens.len() {
            1 => "the key of 1 token".to_owned(),
            count => format!("the keys of {count} tokens"),
        };
        session.confirm(&format!("revoke {count} permanently"))?;
    }
    let (mut lines, mut rows, mut results) = (Vec::new(), Vec::new(), Vec::new());
    let mut stopped = None;
    for found in tokens {
        let outcome = match verifier.report_leak(&report(&args, found)).await {
            Ok(outcome) => outcome,
            // The keys before are revoked, and the answer must name them.
            Err(error) => {
                stopped = Some(Failure::unavailable(whole_chain(&error)));
                break;
            }
        };
        let (id, word) = (found.token.key_id().to_string(), outcome.as_str());
        lines.push(format!("{id} {word}"));
        results.push(json!({ "id": id, "prefix": found.prefix.as_str(), "outcome": word }));
        rows.push(vec![id, word.to_owned()]);
    }
    let reply =
        Reply::text(lines.join("\n"), &["id", "outcome"], rows, json!({ "results": results }));
    Ok(reply.failing(stopped))
}

fn report<'a>(args: &LeakArgs, found: &'a Found) -> LeakReport<'a> {
    let report = LeakReport::new(Credential::Token(found.token.expose())).reporter(&args.reporter);
    let report = match &args.source {
        Some(source) => report.source(source),
        None => report,
    };
    if args.alert_only { report.alert_only() } else { report }
}
