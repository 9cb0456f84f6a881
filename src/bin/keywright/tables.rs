//! Tables that fit the terminal. Words stay whole if possible. If a table would be too narrow to
//! read, each row becomes a record of one line for each field.

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};
use terminal_size::terminal_size;

/// The width if standard output is not a terminal and `COLUMNS` is not set.
const DEFAULT_WIDTH: u16 = 100;

/// The space between two columns.
const GAP: u16 = 1;

/// A column: its name, and the places where its text may break.
#[derive(Clone)]
pub(crate) struct Column {
    name: &'static str,
    /// The length above which a word may break; `u16::MAX` keeps all words whole.
    least: u16,
    /// The character at which lines may break.
    delimiter: char,
}

impl Column {
    /// Creates a column whose words stay whole.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, least: u16::MAX, delimiter: ' ' }
    }

    /// Creates a column of times, which may break after the date.
    pub(crate) const fn times(name: &'static str) -> Self {
        Self { delimiter: 'T', ..Self::new(name) }
    }

    /// Allows words to break into parts of at least this length.
    pub(crate) const fn least(self, least: u16) -> Self {
        Self { least, ..self }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    fn longest_word<'a>(&'a self, cells: impl Iterator<Item = &'a str>) -> u16 {
        let is_break = |c: char| c.is_whitespace() || c == self.delimiter;
        let words = cells.chain([self.name]).flat_map(|cell| cell.split(is_break));
        let longest = words.map(|word| word.chars().count()).max().unwrap_or_default();
        u16::try_from(longest).unwrap_or(u16::MAX)
    }
}

/// Columns and rows. A row has a cell for each column.
#[derive(Clone, Default)]
pub(crate) struct Sheet {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Sheet {
    /// Returns a table, if it fits.
    pub(crate) fn table(&self) -> Option<String> {
        if self.rows.is_empty() {
            return Some(String::new());
        }
        let longest: Vec<u16> = (self.columns.iter().enumerate())
            .map(|(n, column)| column.longest_word(self.rows.iter().map(|row| row[n].as_str())))
            .collect();
        let least = |(column, longest): (&Column, &u16)| column.least.min(*longest);
        let mut widths: Vec<u16> = self.columns.iter().zip(&longest).map(least).collect();
        let count = self.columns.len();
        let gaps = GAP * u16::try_from(count.saturating_sub(1)).ok()?;
        let taken = widths.iter().try_fold(gaps, |sum, width| sum.checked_add(*width))?;
        let mut spare = width().checked_sub(taken)?;
        for (width, longest) in widths.iter_mut().zip(longest) {
            let more = spare.min(longest - *width);
            *width += more;
            spare -= more;
        }
        let mut table = plain_table();
        table.set_header(self.columns.iter().map(|column| column.name));
        table.add_rows(&self.rows);
        for (place, (column, width)) in table.column_iter_mut().zip(widths).enumerate() {
            let gap = if place + 1 == count { 0 } else { GAP };
            column.set_delimiter(self.columns[place].delimiter);
            column.set_padding((0, gap));
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width + gap)));
        }
        Some(table.trim_fmt())
    }

    /// Returns each row as a record, with the names of the columns.
    pub(crate) fn records(&self) -> String {
        let record = |row: &Vec<String>| {
            let named = self.columns.iter().zip(row);
            fields(named.map(|(column, cell)| (column.name, cell.as_str())))
        };
        self.rows.iter().map(record).collect::<Vec<_>>().join("\n\n")
    }
}

/// Returns one line for each name and value.
pub(crate) fn fields<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut table = plain_table();
    for (name, value) in rows {
        table.add_row([name, value]);
    }
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if place == 0 { GAP } else { 0 }));
    }
    table.trim_fmt()
}

fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width());
    table
}

/// Returns the width of the output: `COLUMNS`, the width of the terminal, or 100.
fn width() -> u16 {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let terminal = || terminal_size().map(|(width, _)| width.0);
    columns.or_else(terminal).filter(|columns| *columns > 0).unwrap_or(DEFAULT_WIDTH)
}
