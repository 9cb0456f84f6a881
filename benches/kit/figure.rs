//! A figure: what was measured, its reference, their ratio with its spread, and the target.

use std::fmt;

use serde_json::{Value, json};

use crate::rounds::percentile;

/// The unit of a measured value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// Seconds, shown in the unit that fits.
    Seconds,
    /// Events per second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// A number without a unit.
    Count,
    /// A part of 1, shown in percent.
    Share,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::PerSecond => "1/s",
            Self::Bytes => "bytes",
            Self::Count => "",
            Self::Share => "share",
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::Seconds => seconds(value),
            Self::PerSecond => format!("{}/s", number(value)),
            Self::Bytes => format!("{} B", number(value)),
            Self::Count => number(value),
            Self::Share => format!("{:.2} %", value * 100.0),
        }
    }
}

fn seconds(value: f64) -> String {
    let scales = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")];
    match scales.iter().find(|(scale, _)| value >= *scale) {
        Some((scale, unit)) => format!("{} {unit}", number(value / scale)),
        None => format!("{} ns", number(value * 1e9)),
    }
}

/// Shows three digits, or all digits before the point.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// The bound that a figure has to keep: of its ratio, or of its value if it has no reference.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// At most this.
    Most(f64),
    /// At least this.
    Least(f64),
}

impl Target {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::Most(bound) => value <= bound,
            Self::Least(bound) => value >= bound,
        }
    }

    fn show(self, show: impl Fn(f64) -> String) -> String {
        match self {
            Self::Most(bound) => format!("<= {}", show(bound)),
            Self::Least(bound) => format!(">= {}", show(bound)),
        }
    }
}

/// A measured figure.
#[derive(Clone, Debug)]
pub struct Figure {
    name: String,
    unit: Unit,
    ours: Vec<f64>,
    reference: Vec<f64>,
    target: Option<Target>,
}

impl Figure {
    /// Creates a figure from rounds in which ours and the reference took turns.
    ///
    /// # Panics
    /// Panics if one of them has no rounds, or if their numbers of rounds differ.
    pub fn beside(name: impl Into<String>, unit: Unit, ours: &[f64], reference: &[f64]) -> Self {
        assert_eq!(ours.len(), reference.len(), "each round measures both");
        Self { reference: reference.to_vec(), ..Self::alone(name, unit, ours) }
    }

    /// Creates a figure without a reference.
    ///
    /// # Panics
    /// Panics if there are no rounds.
    pub fn alone(name: impl Into<String>, unit: Unit, ours: &[f64]) -> Self {
        assert!(!ours.is_empty(), "a figure has rounds");
        Self { name: name.into(), unit, ours: ours.to_vec(), reference: Vec::new(), target: None }
    }

    /// Sets the target of the ratio, or of the value if there is no reference.
    #[must_use]
    pub fn target(self, target: Target) -> Self {
        Self { target: Some(target), ..self }
    }

    fn ratios(&self) -> Vec<f64> {
        self.ours.iter().zip(&self.reference).map(|(ours, reference)| ours / reference).collect()
    }

    /// Returns what the target bounds: the ratio, or the value if there is no reference.
    fn bounded(&self) -> Vec<f64> {
        if self.reference.is_empty() { self.ours.clone() } else { self.ratios() }
    }

    fn verdict(&self) -> Option<&'static str> {
        let met = self.target?.is_met(percentile(&self.bounded(), 0.5));
        Some(if met { "ok" } else { "short" })
    }

    fn target_text(&self) -> Option<String> {
        let show =
            |bound| if self.reference.is_empty() { self.unit.show(bound) } else { number(bound) };
        self.target.map(|target| target.show(show))
    }

    /// Returns the header of the lines.
    pub fn head() -> String {
        format!(
            "{:<58} {:>11} {:>11} {:>7}  {:<17} {:<11} verdict",
            "name", "ours", "reference", "ratio", "10 % to 90 %", "target"
        )
    }

    /// Returns the figure as JSON. Times are in seconds.
    pub fn to_json(&self) -> Value {
        let median = |values: &[f64]| (!values.is_empty()).then(|| percentile(values, 0.5));
        let bounded = self.bounded();
        json!({
            "name": self.name,
            "unit": self.unit.name(),
            "ours": median(&self.ours),
            "reference": median(&self.reference),
            "ratio": median(&self.ratios()),
            "p10": percentile(&bounded, 0.1),
            "p90": percentile(&bounded, 0.9),
            "rounds": self.ours.len(),
            "target": self.target_text(),
            "verdict": self.verdict(),
        })
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dash = || "-".to_owned();
        let has_reference = !self.reference.is_empty();
        let bounded = self.bounded();
        let show = |value: f64| if has_reference { number(value) } else { self.unit.show(value) };
        let middle = percentile(&bounded, 0.5);
        let reference = percentile(&self.reference, 0.5);
        write!(
            f,
            "{:<58} {:>11} {:>11} {:>7}  {:<17} {:<11} {}",
            self.name,
            self.unit.show(percentile(&self.ours, 0.5)),
            if has_reference { self.unit.show(reference) } else { dash() },
            if has_reference { number(middle) } else { dash() },
            format!("{} to {}", show(percentile(&bounded, 0.1)), show(percentile(&bounded, 0.9))),
            self.target_text().unwrap_or_else(dash),
            self.verdict().unwrap_or("-"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow() -> Figure {
        let (ours, reference) = ([3e-7, 2e-7, 4e-7], [1e-7; 3]);
        Figure::beside("verify", Unit::Seconds, &ours, &reference).target(Target::Most(2.8))
    }

    #[test]
    fn line_has_ratio_target_and_verdict() {
        let line = slow().to_string();
        let words: Vec<&str> = line.split_whitespace().collect();
        let expected = "verify 300 ns 100 ns 3.00 2.00 to 4.00 <= 2.80 short";
        assert_eq!(words.join(" "), expected);
        assert_eq!(Figure::head().find("verdict"), line.find("short"));
    }

    #[test]
    fn target_without_reference_bounds_value() {
        let figure = |bytes| Figure::alone("memory", Unit::Bytes, &[bytes]);
        let judged = |bytes| figure(bytes).target(Target::Most(500.0)).verdict();
        assert_eq!([judged(499.0), judged(501.0)], [Some("ok"), Some("short")]);
        assert_eq!(figure(1.0).verdict(), None);
        let least = figure(1.0).target(Target::Least(2.0));
        assert_eq!(least.verdict(), Some("short"));
    }

    #[test]
    fn json_has_numbers_and_verdict() {
        let json = slow().to_json();
        let near = |field: &str, value: f64| {
            assert!((json[field].as_f64().expect("a number") - value).abs() < 1e-9, "{json}");
        };
        near("ours", 3e-7);
        near("ratio", 3.0);
        near("p90", 4.0);
        assert_eq!(json["target"], "<= 2.80");
        assert_eq!(json["verdict"], "short");
        let alone = Figure::alone("keys", Unit::Count, &[0.0]).to_json();
        assert!(alone["ratio"].is_null() && alone["verdict"].is_null());
    }

    #[test]
    fn values_are_shown_in_fitting_units() {
        let shown = [4.2e-8, 1.5e-5, 0.0421, 12.0].map(|value| Unit::Seconds.show(value));
        assert_eq!(shown, ["42.0 ns", "15.0 µs", "42.1 ms", "12.0 s"]);
        assert_eq!(Unit::PerSecond.show(12_345.6), "12346/s");
        assert_eq!(Unit::Share.show(0.995), "99.50 %");
    }
}
