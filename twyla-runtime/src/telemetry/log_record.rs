//! One line of a log, before it is written: its message, its fields, and what was being handled.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata};

use super::current::{self, About, Here};

/// What a line tells.
pub(crate) struct Record<'a> {
    pub(crate) at: DateTime<Utc>,
    pub(crate) metadata: &'static Metadata<'static>,
    pub(crate) message: String,
    pub(crate) fields: Vec<(&'a str, Value)>,
    here: Option<Arc<Here>>,
}

impl<'a> Record<'a> {
    pub(crate) fn new(event: &'a Event<'_>) -> Self {
        let mut fields = Fields { message: String::new(), fields: Vec::new() };
        event.record(&mut fields);
        let Fields { message, fields } = fields;
        Self { at: Utc::now(), metadata: event.metadata(), message, fields, here: current::now() }
    }

    /// What was being handled, except what the line says by itself.
    pub(crate) fn around(&self) -> Vec<(&'static str, Value)> {
        let mut around = Vec::new();
        let mut trace = None;
        if let Some(here) = &self.here {
            around.push(("session_id", here.session.id.to_string().into()));
            if let Some(text) = &here.session.text {
                around.push(("session_text", (**text).into()));
            }
            match here.about {
                About::Event { event, group } => {
                    around.push(("event", event.into()));
                    around.push(("group", group.into()));
                }
                About::Call { method } => around.push(("method", method.into())),
            }
            around.push(("attempt", here.attempt.into()));
            trace = here.trace.as_ref().map(|trace| (trace.trace_id(), trace.span_id()));
        }
        let current = Context::map_current(|context| {
            let span = context.span();
            let context = span.span_context();
            context.is_valid().then(|| (context.trace_id().to_string(), context.span_id().to_string()))
        });
        if let Some((trace, span)) = current.or(trace) {
            around.push(("trace_id", trace.into()));
            around.push(("span_id", span.into()));
        }
        around.retain(|(name, _)| self.fields.iter().all(|(field, _)| field != name));
        around
    }
}

struct Fields<'a> {
    message: String,
    fields: Vec<(&'a str, Value)>,
}

impl Fields<'_> {
    fn add(&mut self, field: &Field, value: Value) {
        match field.name() {
            "message" => self.message = value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            name => self.fields.push((name, value)),
        }
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.add(field, value.to_string().into());
    }
}
