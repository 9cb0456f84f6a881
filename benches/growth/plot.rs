//! The plot and the table of the guide.
//!
//! The plot stands in the page itself, so it takes the text color of the theme.

use std::fmt::Write as _;

use crate::measure::LINES;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 340.0;
/// The room around the plot: left, top, right, bottom.
const ROOM: [f64; 4] = [56.0, 16.0, 16.0, 44.0];
/// Colors that are readable on white and on black.
const COLORS: [&str; LINES.len()] = ["#2f81f7", "#d1791f", "#2e9e4f", "#d6409f", "#8b6be0"];
/// The marks of the points, for readers who do not see the colors.
const MARKS: [&str; LINES.len()] = ["●", "■", "▲", "◆", "✚"];

type Column = [f64; LINES.len()];

/// Returns the page: the plot, and the same numbers as a table. `columns` has the seconds of each
/// operation for each number of keys.
pub(crate) fn page(sizes: &[usize], columns: &[Column]) -> String {
    let first = columns.first().copied().unwrap_or([1.0; LINES.len()]);
    let ratios: Vec<Column> = columns
        .iter()
        .map(|column| std::array::from_fn(|line| column[line] / first[line]))
        .collect();
    format!("{}\n{}", svg(sizes, &ratios), table(sizes, &ratios))
}

fn table(sizes: &[usize], ratios: &[Column]) -> String {
    let mut table = String::from("| keys in the store |");
    for line in LINES {
        _ = write!(table, " {line} |");
    }
    _ = writeln!(table, "\n|---|{}", "---|".repeat(LINES.len()));
    for (size, ratios) in sizes.iter().zip(ratios) {
        _ = write!(table, "| {} |", grouped(*size));
        for ratio in ratios {
            _ = write!(table, " {} |", short(*ratio));
        }
        table.push('\n');
    }
    table
}

/// Shows a ratio with two digits.
fn short(ratio: f64) -> String {
    match ratio {
        _ if ratio < 10.0 => format!("{ratio:.1}"),
        _ if ratio < 100.0 => format!("{ratio:.0}"),
        _ => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let whole = ((ratio / 10.0).round() * 10.0) as usize;
            grouped(whole)
        }
    }
}

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "a position in a plot")]
fn decades(size: usize) -> f64 {
    (size as f64).log10()
}

fn svg(sizes: &[usize], ratios: &[Column]) -> String {
    let [left, top, right, bottom] = ROOM;
    let all = || ratios.iter().flatten().map(|ratio| ratio.log10());
    let (low, high) = (all().fold(0.0, f64::min).floor(), all().fold(1.0, f64::max).ceil());
    let from = sizes.first().map_or(0.0, |size| decades(*size));
    let to = sizes.last().map_or(1.0, |size| decades(*size)).max(from + 1.0);
    let x = |size: usize| left + (decades(size) - from) / (to - from) * (WIDTH - left - right);
    let y = |log: f64| HEIGHT - bottom - (log - low) / (high - low) * (HEIGHT - top - bottom);

    let mut svg = String::from("<figure>\n");
    let alt = alt(sizes, ratios);
    _ = writeln!(
        svg,
        "<svg role=\"img\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" style=\"max-width: 100%; width: {WIDTH}px\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"currentColor\" xmlns=\"http://www.w3.org/2000/svg\">"
    );
    _ = writeln!(svg, "<title>{alt}</title>");
    let mut log = low;
    while log <= high {
        let y = y(log);
        _ = writeln!(
            svg,
            "<path d=\"M{left} {y:.1}H{:.0}\" stroke=\"currentColor\" stroke-opacity=\"0.2\"></path>\
             <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - right,
            left - 8.0,
            y + 4.0,
            if log < 0.0 { format!("{}", 10_f64.powf(log)) } else { short(10_f64.powf(log)) },
        );
        log += 1.0;
    }
    for size in sizes {
        _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
            x(*size).min(WIDTH - right - 24.0),
            HEIGHT - bottom + 18.0,
            grouped(*size),
        );
    }
    _ = writeln!(
        svg,
        "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">keys in the store</text>",
        f64::midpoint(left, WIDTH - right),
        HEIGHT - 8.0,
    );
    for (line, ((name, color), mark)) in LINES.iter().zip(COLORS).zip(MARKS).enumerate() {
        let points: Vec<(f64, f64)> = sizes
            .iter()
            .zip(ratios)
            .map(|(size, ratios)| (x(*size), y(ratios[line].log10())))
            .collect();
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        _ = writeln!(
            svg,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"></path>",
            path.join("L")
        );
        for (x, y) in points {
            _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" fill=\"{color}\" text-anchor=\"middle\">{mark}</text>",
                y + 4.0
            );
        }
        let row = top + 12.0 + 18.0 * [0.0, 1.0, 2.0, 3.0, 4.0][line];
        _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{row:.0}\"><tspan fill=\"{color}\">{mark}</tspan> {name}</text>",
            left + 12.0
        );
    }
    svg.push_str("</svg>\n</figure>\n");
    svg
}

/// Describes the plot to readers who cannot see it.
fn alt(sizes: &[usize], ratios: &[Column]) -> String {
    let (Some(size), Some(last)) = (sizes.last(), ratios.last()) else { return String::new() };
    let lines: Vec<String> = LINES
        .iter()
        .zip(last)
        .map(|(name, ratio)| format!("{name}: {} times", short(*ratio)))
        .collect();
    let [from, to] = [sizes[0], *size].map(grouped);
    format!(
        "The cost of five operations among {to} keys, relative to {from} keys. {}.",
        lines.join("; ")
    )
}
