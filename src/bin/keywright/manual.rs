//! `keywright completions` and `keywright man`: generated from the command line itself.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;

use crate::args::Cli;
use crate::failure::{Failure, unreadable};
use crate::output::Reply;

pub(crate) fn completions(shell: Shell) -> Reply {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "keywright", &mut script);
    page(&String::from_utf8_lossy(&script))
}

/// Returns the man page, or writes a page for each command into the folder.
pub(crate) fn man(folder: Option<&Path>) -> Result<Reply, Failure> {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = folder else {
        let rendered = rendered(command).map_err(|error| unreadable("the man page", &error))?;
        return Ok(page(&String::from_utf8_lossy(&rendered)));
    };
    let mut written = Vec::new();
    let done = write_all(&command, "keywright", folder, &mut written);
    done.map_err(|error| unreadable(&format!("cannot write to {}", folder.display()), &error))?;
    let text = format!("{} pages written to {}", written.len(), folder.display());
    let rows = written.iter().map(|name| vec![name.clone()]).collect();
    Ok(Reply::text(text, &["page"], rows, json!({ "pages": written })))
}

fn page(text: &str) -> Reply {
    let text = text.trim_end();
    Reply::text(text, &["text"], vec![vec![text.to_owned()]], json!({ "text": text }))
}

fn rendered(command: Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}

fn write_all(
    command: &Command,
    name: &str,
    folder: &Path,
    written: &mut Vec<String>,
) -> io::Result<()> {
    let file = format!("{name}.1");
    fs::write(folder.join(&file), rendered(command.clone())?)?;
    written.push(file);
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        write_all(inner, &format!("{name}-{}", inner.get_name()), folder, written)?;
    }
    Ok(())
}
