//! `keywright init`: creates a store file or prepares a database, and generates the first key.

use serde_json::json;

use crate::args::{Context, InitArgs};
use crate::failure::Failure;
use crate::issued::handed_out;
use crate::key::generated;
use crate::output::Reply;
use crate::policy::{set_plan, switch_on};
use crate::policy_args::PlanChange;
use crate::session::Session;
use crate::target::Place;
use crate::target::call::Call;

pub(crate) async fn run(
    session: &Session,
    context: &Context,
    args: InitArgs,
) -> Result<Reply, Failure> {
    let tenant = session.target.local("init")?.actor.tenant().clone();
    let InitArgs { reads, writes, roles, key } = args;
    let mut done = vec![format!("the store is ready for the tenant {tenant}")];
    if reads.is_some() || writes.is_some() || !roles.is_empty() {
        let change = PlanChange { reads, writes, roles, ..PlanChange::default() };
        let (_, answer) = set_plan(session, change).await?;
        if answer["unchanged"] != true {
            done.push("the plan has the scopes and roles".to_owned());
        }
    }
    if switch_on(session).await? {
        done.push("API access is on".to_owned());
    }
    let plan = session.target.call(Call::get("plan")).await?;
    let scopes: Vec<String> =
        plan["scopes"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let Some(name) = key else {
        let next = next_command(context, &scopes);
        let json = json!({ "tenant": tenant, "scopes": scopes, "next": next });
        let row = vec![tenant.to_string(), scopes.join(" ")];
        let reply = Reply::text(String::new(), &["tenant", "scopes"], vec![row], json);
        let reply = done.into_iter().fold(reply, Reply::note);
        return Ok(reply.note(format!("next: {next}")));
    };
    let body = json!({ "name": name, "scopes": scopes });
    let issued = session.target.call(Call::post("keys", body)).await?;
    let note = generated(&issued, None);
    let next = format!("keywright {}verify", store_option(context));
    let reply = done.into_iter().fold(handed_out(issued, false, note), Reply::note);
    Ok(reply.note(format!("next, check the token, which is read without echo: {next}")))
}

/// Returns the command to type next.
fn next_command(context: &Context, scopes: &[String]) -> String {
    let store = store_option(context);
    match scopes {
        [] => format!("keywright {store}plan set --reads invoices:read --writes invoices:write"),
        [first, ..] => format!("keywright {store}key generate prod-main-app --scopes {first}"),
    }
}

/// Returns the option that names the store, unless the environment names it.
fn store_option(context: &Context) -> String {
    if context.store.is_none() {
        return String::new();
    }
    let place = match context.place() {
        Ok(Place::File(path)) => path.display().to_string(),
        Ok(Place::Database(url) | Place::Service(url)) => url,
        Err(_) => return String::new(),
    };
    // The shell would split or expand other characters.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@".contains(c);
    let quoted = if place.chars().all(is_plain) {
        place
    } else {
        format!("'{}'", place.replace('\'', r"'\''"))
    };
    format!("--store {quoted} ")
}
