//! A log record before it is formatted: message, fields and log context.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata};

use super::current::{self, LogContext, WorkItem};

/// A log record.
pub(crate) struct LogRecord<'a> {
    pub(crate) at: DateTime<Utc>,
    pub(crate) metadata: &'static Metadata<'static>,
    pub(crate) message: String,
    pub(crate) fields: Vec<(&'a str, Value)>,
    log_context: Option<Arc<LogContext>>,
}

impl<'a> LogRecord<'a> {
    pub(crate) fn new(event: &'a Event<'_>) -> Self {
        let mut fields = Fields { message: String::new(), fields: Vec::new() };
        event.record(&mut fields);
        let Fields { message, fields } = fields;
        Self { at: Utc::now(), metadata: event.metadata(), message, fields, log_context: current::current() }
    }

    /// Returns the fields of the log context and the ids of the current trace and span, except those that the record sets itself.
    pub(crate) fn context_fields(&self) -> Vec<(&'static str, Value)> {
        let mut context_fields = Vec::new();
        let mut trace = None;
        if let Some(log_context) = &self.log_context {
            if let Some(session) = &log_context.session {
                context_fields.push(("session_id", session.id.to_string().into()));
                if let Some(text) = &session.text {
                    context_fields.push(("session_text", (**text).into()));
                }
            }
            match log_context.work {
                WorkItem::Event { event, group } => {
                    context_fields.push(("event", event.into()));
                    context_fields.push(("group", group.into()));
                }
                WorkItem::Call { method } => context_fields.push(("method", method.into())),
            }
            context_fields.extend(log_context.attempt.map(|attempt| ("attempt", attempt.into())));
            trace = log_context.trace.as_ref().map(|trace| (trace.trace_id(), trace.span_id()));
        }
        let current = Context::map_current(|context| {
            let span = context.span();
            let context = span.span_context();
            context.is_valid().then(|| (context.trace_id().to_string(), context.span_id().to_string()))
        });
        if let Some((trace, span)) = current.or(trace) {
            context_fields.push(("trace_id", trace.into()));
            context_fields.push(("span_id", span.into()));
        }
        context_fields.retain(|(name, _)| self.fields.iter().all(|(field, _)| field != name));
        context_fields
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
