//! Output: a table for people, JSON and CSV for programs.

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::{Failure, whole_chain};
use crate::tables::{Column, Sheet, fields};

/// The form of the output.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// Tables and sentences for people.
    #[default]
    Table,
    /// One JSON document; errors are a JSON object on standard error.
    Json,
    /// Rows with a header, as RFC 4180.
    Csv,
}

/// The result of a command for people and as rows.
#[derive(Default)]
enum Shown {
    #[default]
    Nothing,
    /// A table in several layouts, the widest first. The first that fits is printed.
    Table(Vec<Sheet>),
    /// The fields of one record, and a table of what belongs to it.
    Fields(Vec<(String, String)>, Vec<Sheet>),
    /// A text, and the same as rows.
    Text(String, Sheet),
}

/// The result of a command.
#[derive(Default)]
pub(crate) struct Reply {
    shown: Shown,
    /// Notes for standard error: they are for people, not for the next program of a pipe.
    notes: Vec<String>,
    json: Value,
    /// The failure of a part of the work.
    failure: Option<Failure>,
    /// The id of the key whose token is printed. If it cannot be written, the token is lost.
    token_of: Option<String>,
}

impl Reply {
    /// Creates a reply of a table, in layouts of which the first that fits is printed.
    pub(crate) fn table(layouts: Vec<Sheet>, json: Value) -> Self {
        Self { shown: Shown::Table(layouts), json, ..Self::default() }
    }

    /// Creates a reply of one record.
    pub(crate) fn fields(rows: Vec<(String, String)>, json: Value) -> Self {
        Self { shown: Shown::Fields(rows, Vec::new()), json, ..Self::default() }
    }

    /// Adds a table below the fields of a record.
    pub(crate) fn with_table(mut self, layouts: Vec<Sheet>) -> Self {
        if let Shown::Fields(_, below) = &mut self.shown {
            *below = layouts;
        }
        self
    }

    /// Creates a reply of a text, with the same as rows under named columns.
    pub(crate) fn text(
        text: impl Into<String>,
        columns: &[&'static str],
        rows: Vec<Vec<String>>,
        json: Value,
    ) -> Self {
        let columns = columns.iter().map(|name| Column::new(name)).collect();
        Self { shown: Shown::Text(text.into(), Sheet { columns, rows }), json, ..Self::default() }
    }

    /// Marks the reply as the only place of a new token.
    pub(crate) fn with_token_of(self, key: String) -> Self {
        Self { token_of: Some(key), ..self }
    }

    /// Adds a note.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds a note if the condition holds.
    pub(crate) fn note_if(self, condition: bool, note: &str) -> Self {
        if condition { self.note(note) } else { self }
    }

    /// Adds the failure of a part of the work, unless there is one already.
    pub(crate) fn failing(mut self, failure: Option<Failure>) -> Self {
        self.failure = self.failure.or(failure);
        self
    }

    /// Writes the reply to standard output and standard error, and returns the exit code.
    pub(crate) fn print(self, format: Format) -> ExitCode {
        let is_json = format == Format::Json;
        let text = match format {
            Format::Json if self.json.is_null() => String::new(),
            Format::Json => self.json.to_string(),
            Format::Csv => self.shown.rows(),
            Format::Table => visible(&self.shown.for_people()),
        };
        // A reader that closes the pipe early, such as `head`, is not a failure. A lost token is.
        if let Err(error) = write_out(&text)
            && (error.kind() != ErrorKind::BrokenPipe || self.token_of.is_some())
        {
            let lost = self.token_of.map_or_else(String::new, |key| {
                format!("; the token of key {key} is lost, rotate the key")
            });
            let cause = whole_chain(&error);
            let message = format!("cannot write to standard output: {cause}{lost}");
            return Failure::new(Exit::Unwritten, "output_failed", message).report(is_json);
        }
        if !is_json {
            let mut stderr = std::io::stderr().lock();
            let on_screen = self.token_of.is_some() && std::io::stdout().is_terminal();
            let screen = on_screen.then(|| ON_SCREEN.to_owned());
            for note in self.notes.into_iter().chain(screen) {
                // The work is done, so a closed standard error is not a failure.
                let _ = writeln!(stderr, "{}", visible(&note));
            }
        }
        self.failure.map_or(Exit::Done.into(), |failure| failure.report(is_json))
    }
}

const ON_SCREEN: &str = "The token is on your screen and in its scrollback. A pipe such as \
    `| pass insert -m NAME` or `> FILE` keeps it off.";

impl Shown {
    fn for_people(&self) -> String {
        let tabulate = |layouts: &[Sheet]| {
            let narrow = || layouts.first().map(Sheet::records);
            layouts.iter().find_map(Sheet::table).or_else(narrow).unwrap_or_default()
        };
        match self {
            Self::Nothing => String::new(),
            Self::Table(layouts) => tabulate(layouts),
            Self::Text(text, _) => text.clone(),
            Self::Fields(rows, layouts) => {
                let fields = fields(rows.iter().map(|(name, value)| (&**name, &**value)));
                let below = tabulate(layouts);
                if below.is_empty() { fields } else { format!("{fields}\n\n{below}") }
            }
        }
    }

    fn rows(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Text(_, sheet) => csv(sheet),
            Self::Table(layouts) => layouts.first().map(csv).unwrap_or_default(),
            Self::Fields(rows, _) => {
                let columns = ["field", "value"].map(Column::new).to_vec();
                let rows = rows.iter().map(|(name, value)| vec![name.clone(), value.clone()]);
                csv(&Sheet { columns, rows: rows.collect() })
            }
        }
    }
}

/// Returns a sheet as CSV. The names of the columns have underscores.
fn csv(sheet: &Sheet) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = sheet.columns.iter().map(|column| column.name().replace(' ', "_"));
    let rows = sheet.rows.iter().map(|row| row.iter().map(|cell| harmless(cell)).collect());
    for row in std::iter::once(header.collect::<Vec<_>>()).chain(rows) {
        // Each row has as many cells as the header, and a vector takes every write.
        let _ = writer.write_record(row);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned()
}

/// Returns a cell that no spreadsheet takes for a formula: other people write names and contacts.
pub(crate) fn harmless(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.len() > 1;
    if is_formula { format!("'{cell}") } else { cell.to_owned() }
}

/// Returns a text without control characters, which could change what a terminal shows.
pub(crate) fn visible(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n' && c != '\t', "\u{FFFD}")
}

fn write_out(text: &str) -> std::io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// Returns `done`, or `unchanged` for an answer to a change that made no difference.
pub(crate) fn outcome(answer: &Value) -> &'static str {
    if answer["unchanged"] == true { "unchanged" } else { "done" }
}

/// Joins items with spaces, or returns `none` if there are none.
pub(crate) fn words(items: impl IntoIterator<Item = impl Display>, none: &str) -> String {
    let words: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    if words.is_empty() { none.to_owned() } else { words.join(" ") }
}
