//! Tables that fit the terminal. Words stay whole if possible. If a table would be too narrow to
//! read, each row becomes a record of one line for each field.

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};

/// The width without `COLUMNS`: shells set that variable, but rarely export it.
const DEFAULT_WIDTH: u16 = 100;

/// The space between two columns.
const GAP: u16 = 1;

/// A column: its name, and the places where its text may break.
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

    fn longest_word<'a>(&'a self, cells: impl Iterator<Item = &'a String>) -> u16 {
        let is_break = |c: char| c.is_whitespace() || c == self.delimiter;
        let words = cells.map(String::as_str).chain([self.name]).flat_map(|c| c.split(is_break));
        let longest = words.map(|word| word.chars().count()).max().unwrap_or_default();
        u16::try_from(longest).unwrap_or(u16::MAX)
    }
}

/// Returns a table, or records if the table does not fit.
pub(crate) fn listing<const N: usize>(columns: &[Column; N], rows: &[[String; N]]) -> String {
    tabulate(columns, rows).unwrap_or_else(|| records(columns, rows))
}

/// Returns a table, if it fits.
pub(crate) fn tabulate<const N: usize>(
    columns: &[Column; N],
    rows: &[[String; N]],
) -> Option<String> {
    if rows.is_empty() {
        return Some(String::new());
    }
    let longest: [u16; N] =
        std::array::from_fn(|n| columns[n].longest_word(rows.iter().map(|row| &row[n])));
    let mut widths: [u16; N] = std::array::from_fn(|n| longest[n].min(columns[n].least));
    let gaps = GAP * u16::try_from(N.saturating_sub(1)).ok()?;
    let taken = widths.iter().try_fold(gaps, |sum, width| sum.checked_add(*width))?;
    let mut spare = width().checked_sub(taken)?;
    for (width, longest) in widths.iter_mut().zip(longest) {
        let more = spare.min(longest - *width);
        *width += more;
        spare -= more;
    }
    let mut table = plain_table();
    table.set_header(columns.iter().map(|column| column.name));
    table.add_rows(rows);
    for (place, (column, width)) in table.column_iter_mut().zip(widths).enumerate() {
        let gap = if place + 1 == N { 0 } else { GAP };
        column.set_delimiter(columns[place].delimiter);
        column.set_padding((0, gap));
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width + gap)));
    }
    Some(table.trim_fmt())
}

/// Returns each row as a record, with the names of the columns.
pub(crate) fn records<const N: usize>(columns: &[Column; N], rows: &[[String; N]]) -> String {
    let record = |row: &[String; N]| {
        let named = columns.iter().zip(row).map(|(column, cell)| (column.name, cell.clone()));
        fields(&named.collect::<Vec<_>>())
    };
    rows.iter().map(record).collect::<Vec<_>>().join("\n\n")
}

/// Returns one line for each name and value.
pub(crate) fn fields(rows: &[(&str, String)]) -> String {
    let mut table = plain_table();
    for (name, value) in rows {
        table.add_row([*name, value.as_str()]);
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

/// Returns the width of the terminal: `COLUMNS`, or 100.
fn width() -> u16 {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    columns.filter(|columns| *columns > 0).unwrap_or(DEFAULT_WIDTH)
}
