//! A subscriber that keeps the spans and events of this crate.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// A span or an event, with its fields as text.
#[derive(Clone, Debug)]
pub struct Seen {
    pub name: &'static str,
    pub level: Level,
    pub fields: BTreeMap<&'static str, String>,
    /// The name of the span around it.
    pub within: Option<&'static str>,
}

impl Seen {
    fn of(metadata: &'static Metadata<'static>, within: Option<&'static str>) -> Self {
        let (name, level) = (metadata.name(), *metadata.level());
        Self { name, level, fields: BTreeMap::new(), within }
    }

    /// Returns a field, or an empty text if it was not recorded.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |value| value)
    }

    pub fn outcome(&self) -> &str {
        self.field("keywright.outcome")
    }
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

/// The spans that have ended, and the events, each in its order.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    pub spans: Vec<Seen>,
    pub events: Vec<Seen>,
}

impl Captured {
    /// Returns the only span with this name.
    #[track_caller]
    pub fn span(&self, name: &str) -> &Seen {
        only(&self.spans, name)
    }

    /// Returns the only event with this name.
    #[track_caller]
    pub fn event(&self, name: &str) -> &Seen {
        only(&self.events, name)
    }
}

#[track_caller]
fn only<'s>(seen: &'s [Seen], name: &str) -> &'s Seen {
    let found: Vec<_> = seen.iter().filter(|seen| seen.name == name).collect();
    let [only] = found.as_slice() else { panic!("{} times {name} in {seen:#?}", found.len()) };
    only
}

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Captured>>);

impl Capture {
    fn with<T>(&self, see: impl FnOnce(&mut Captured) -> T) -> T {
        see(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("keywright")
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let within = span.parent().map(|parent| parent.name());
        let mut seen = Seen::of(attributes.metadata(), within);
        attributes.record(&mut seen);
        span.extensions_mut().insert(seen);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(seen) = span.extensions_mut().get_mut::<Seen>() {
            values.record(seen);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if is_ours(event.metadata()) {
            let within = context.event_span(event).map(|span| span.name());
            let mut seen = Seen::of(event.metadata(), within);
            event.record(&mut seen);
            self.with(|captured| captured.events.push(seen));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        if is_ours(span.metadata())
            && let Some(seen) = span.extensions_mut().remove::<Seen>()
        {
            self.with(|captured| captured.spans.push(seen));
        }
    }
}

/// Runs `work`, and returns its value with the spans and events of this thread.
pub fn captured<T>(work: impl FnOnce() -> T) -> (T, Captured) {
    let capture = Capture::default();
    let subscriber = Registry::default().with(capture.clone());
    let value = tracing::subscriber::with_default(subscriber, work);
    let captured = capture.with(std::mem::take);
    (value, captured)
}
