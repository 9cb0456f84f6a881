//! The tables of the guide, which tests compare with their own.

/// Returns the first table of a page of the guide, with its header as the first row.
pub fn table_in(page: &str) -> Vec<Vec<String>> {
    let path = crate::root().join(page);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {error}"));
    let rows = text.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells = |row: &str| -> Vec<String> {
        let cells = row.trim().trim_matches('|').split('|');
        cells.map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    let is_ruler =
        |row: &Vec<String>| row.iter().all(|cell| cell.trim_matches([':', '-']).is_empty());
    rows.map(cells).filter(|row| !is_ruler(row)).collect()
}

/// Converts a table of a test to the form of [`table_in`].
pub fn as_rows<const N: usize>(header: &[&str], table: &[(&str, [&str; N])]) -> Vec<Vec<String>> {
    let owned = |cell: &&str| (*cell).to_owned();
    let mut rows = vec![header.iter().map(owned).collect::<Vec<_>>()];
    for (operation, cells) in table {
        rows.push([&[*operation], cells.as_slice()].concat().iter().map(owned).collect());
    }
    rows
}
