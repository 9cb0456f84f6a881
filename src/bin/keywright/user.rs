//! `keywright user` and `keywright owner`: users, and all keys of an owner.

use serde_json::{Value, json};

use crate::args::{OwnerCommand, UserCommand};
use crate::failure::Failure;
use crate::output::{Reply, outcome};
use crate::read::{Read, rows};
use crate::session::Session;
use crate::target::call::{Call, encoded};

pub(crate) async fn run(session: &Session, command: UserCommand) -> Result<Reply, Failure> {
    let place = |id: &keywright::UserId| format!("users/{}", encoded(id.as_str()));
    let act = |id, action| Call::post(format!("{}/{action}", place(id)), json!({}));
    let (call, done, already) = match command {
        UserCommand::Show { id } => {
            let user = session.target.call(Call::get(place(&id))).await?;
            return Ok(Reply::fields(whole(&user), user));
        }
        UserCommand::Name { id, name } => {
            let body = json!({ "display_name": name.name });
            (Call::patch(place(&id), body), "named", "already named so")
        }
        UserCommand::Suspend { id } => (act(&id, "suspend"), "suspended", "already suspended"),
        UserCommand::Restore { id } => (act(&id, "restore"), "restored", "not suspended"),
    };
    Ok(changed(session.target.call(call).await?, done, already))
}

pub(crate) async fn run_of_owner(
    session: &Session,
    command: OwnerCommand,
) -> Result<Reply, Failure> {
    let OwnerCommand::Transfer { from, to } = command;
    let (from, to) = (from.0, to.0);
    session.confirm(&format!("hand all live keys of {from} to {to}"))?;
    let body = json!({ "from": from, "to": to });
    let answer = session.target.call(Call::post("owners/transfer", body)).await?;
    let keys = answer.list("/keys");
    let ids: Vec<String> = keys.iter().map(|key| key.text("/key/id", "")).collect();
    let lines: Vec<String> = ids.iter().map(|id| format!("{id} now of {to}")).collect();
    let rows = ids.into_iter().map(|id| vec![id, to.to_string()]).collect();
    let is_empty = lines.is_empty();
    let reply = Reply::text(lines.join("\n"), &["id", "owner"], rows, answer);
    Ok(reply.note_if(is_empty, &format!("{from} has no live keys")))
}

fn changed(answer: Value, done: &str, already: &str) -> Reply {
    let said = if answer.is("/unchanged") { already } else { done };
    let id = answer.text("/user/id", "");
    let text = format!("user {id} {said}");
    let row = vec![id, outcome(&answer).to_owned()];
    Reply::text(text, &["id", "outcome"], vec![row], answer)
}

fn whole(user: &Value) -> Vec<(String, String)> {
    rows([
        ("id", user.text("/id", "")),
        ("tenant", user.text("/tenant", "")),
        ("name", user.text("/display_name", "none")),
        ("suspended", user.text("/suspended", "no")),
        ("updated", user.time("/updated_at", "")),
        ("version", user.text("/version", "")),
    ])
}
