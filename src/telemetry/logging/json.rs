//! One flat JSON object a line: what happened, with the fields of the spans around it beside it.
//!
//! A field of the line wins over one of a span, an inner span over an outer one; `timestamp`, `level`
//! and `target` always say what they are called.

use std::{error::Error, fmt, time::SystemTime};

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormattedFields,
        format::{JsonFields, Writer},
    },
    registry::LookupSpan,
};

/// The format; span fields must be formatted by [`JsonFields`].
pub(super) struct FlatJson;

impl<S> FormatEvent<S, JsonFields> for FlatJson
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Map::new();
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let text = extensions.get::<FormattedFields<JsonFields>>();
            if let Some(Ok(of_span)) = text.map(|text| serde_json::from_str::<Map<String, Value>>(text)) {
                fields.extend(of_span);
            }
        }
        event.record(&mut Fields(&mut fields));
        for reserved in ["timestamp", "level", "target"] {
            fields.remove(reserved);
        }
        let metadata = event.metadata();
        let line = Line {
            timestamp: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            level: metadata.level().as_str(),
            message: fields.remove("message").unwrap_or_default(),
            target: metadata.target(),
            fields,
        };
        let text = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
        writeln!(writer, "{text}")
    }
}

/// A line in the order people read it.
#[derive(Serialize)]
struct Line<'event> {
    timestamp: String,
    level: &'static str,
    message: Value,
    target: &'event str,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

/// Takes the fields of an event.
struct Fields<'line>(&'line mut Map<String, Value>);

impl Fields<'_> {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        let name = field.name();
        self.0.insert(name.strip_prefix("r#").unwrap_or(name).to_owned(), value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.insert(field, value.to_string());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }
}
