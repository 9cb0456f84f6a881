//! Tables that fit the terminal: whole words where they can be, records one below the other where a
//! table would be of no use.

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};

/// The width where nobody says one. Shells know COLUMNS and seldom export it.
const DEFAULT_WIDTH: u16 = 100;

/// Between two columns.
const GAP: u16 = 1;

/// A column: its name, and where its text may break.
pub(crate) struct Column {
    name: &'static str,
    /// A word that is longer may break; `u16::MAX` for words that must stay whole.
    least: u16,
    /// Breaks between words are here.
    delimiter: char,
}

impl Column {
    /// A column of whole words.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, least: u16::MAX, delimiter: ' ' }
    }

    /// A column of times that break behind the date.
    pub(crate) const fn times(name: &'static str) -> Self {
        Self { delimiter: 'T', ..Self::new(name) }
    }

    /// The same; its words may break, into no less than this.
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

/// A table, or records where it does not fit.
pub(crate) fn listing<const N: usize>(columns: &[Column; N], rows: &[[String; N]]) -> String {
    tabulate(columns, rows).unwrap_or_else(|| records(columns, rows))
}

/// A table, if it fits.
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

/// The rows one below the other, each with the names of the columns.
pub(crate) fn records<const N: usize>(columns: &[Column; N], rows: &[[String; N]]) -> String {
    let record = |row: &[String; N]| {
        let named = columns.iter().zip(row).map(|(column, cell)| (column.name, cell.clone()));
        fields(&named.collect::<Vec<_>>())
    };
    rows.iter().map(record).collect::<Vec<_>>().join("\n\n")
}

/// Names and values, one beside the other.
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

/// The width of the terminal: COLUMNS, or 100.
fn width() -> u16 {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    columns.filter(|columns| *columns > 0).unwrap_or(DEFAULT_WIDTH)
}
