//! A recorder that keeps the metrics of this crate.

use std::collections::{BTreeMap, BTreeSet};

use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

/// The metrics of one moment: names with their labels, such as `keywright_denials_total reason=revoked`.
#[derive(Debug, Default)]
pub struct Metrics {
    series: BTreeMap<String, DebugValue>,
    /// The name, the type and the labels of each metric.
    pub shapes: BTreeSet<(String, &'static str, Vec<String>)>,
}

impl Metrics {
    /// Returns the names with their labels.
    pub fn series(&self) -> impl Iterator<Item = &str> {
        self.series.keys().map(String::as_str)
    }

    /// Returns the value of a counter.
    #[track_caller]
    pub fn count(&self, name: &str) -> u64 {
        match self.series.get(name) {
            Some(DebugValue::Counter(count)) => *count,
            other => panic!("{name} is {other:?} in {self:#?}"),
        }
    }

    /// Returns the value of a gauge as text.
    #[track_caller]
    pub fn gauge(&self, name: &str) -> String {
        match self.series.get(name) {
            Some(DebugValue::Gauge(value)) => value.to_string(),
            other => panic!("{name} is {other:?} in {self:#?}"),
        }
    }

    /// Returns how many values a histogram has.
    #[track_caller]
    pub fn recorded(&self, name: &str) -> u64 {
        match self.series.get(name) {
            Some(DebugValue::Histogram(values)) => values.len() as u64,
            other => panic!("{name} is {other:?} in {self:#?}"),
        }
    }
}

/// Runs `work` with a recorder of this thread, and returns its value and what was recorded.
pub fn recorded<T>(work: impl FnOnce() -> T) -> (T, Metrics) {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let done = metrics::with_local_recorder(&recorder, work);
    let mut metrics = Metrics::default();
    for (key, _, text, value) in snapshotter.snapshot().into_vec() {
        let (kind, key) = key.into_parts();
        assert!(!key.name().contains("_cache_") || text.is_some(), "{} has no text", key.name());
        let mut labels: Vec<_> =
            key.labels().map(|label| format!(" {}={}", label.key(), label.value())).collect();
        labels.sort();
        metrics.series.insert(format!("{}{}", key.name(), labels.concat()), value);
        let mut labels: Vec<_> = key.labels().map(|label| label.key().to_owned()).collect();
        labels.sort();
        let kind = match kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        metrics.shapes.insert((key.name().to_owned(), kind, labels));
    }
    (done, metrics)
}
