//! Log formats: text for people, JSON, and JSON with the field names of the platform's log pipeline, which Python's
//! `logging` uses too.

use std::borrow::Cow;
use std::fmt;

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;
use twyla_contract::text::{Visible, VisibleJson};

use super::log_record::LogRecord;

/// Text for people: time, level, target, message, fields.
pub(crate) struct Pretty {
    pub(crate) colours: bool,
}

/// A JSON object: `timestamp`, `level`, `target`, `message`, the log context, and the record's own fields; a field that has
/// one of the first four names gets the prefix `fields.`.
pub(crate) struct Json;

/// A JSON object in the format of the platform's Python services.
pub(crate) struct Platform;

impl<S: Subscriber + for<'a> LookupSpan<'a>, N: for<'a> FormatFields<'a> + 'static> FormatEvent<S, N> for Pretty {
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let record = LogRecord::new(event);
        let level = *record.metadata.level();
        let (colour, dim, end) = match (self.colours, level) {
            (false, _) => ("", "", ""),
            (true, Level::ERROR) => ("\x1b[31m", "\x1b[2m", "\x1b[0m"),
            (true, Level::WARN) => ("\x1b[33m", "\x1b[2m", "\x1b[0m"),
            (true, Level::INFO) => ("\x1b[32m", "\x1b[2m", "\x1b[0m"),
            (true, _) => ("\x1b[34m", "\x1b[2m", "\x1b[0m"),
        };
        let at = record.at.format("%H:%M:%S%.3f");
        write!(
            out,
            "{dim}{at}{end} {colour}{level:>5}{end} {dim}{}{end} {}",
            record.metadata.target(),
            lines(&record.message)
        )?;
        let context_fields = record.context_fields();
        for (name, value) in record.fields.iter().map(|(name, value)| (*name, value)) {
            write!(out, " {dim}{name}={end}{}", plain(value))?;
        }
        // trace ids are for machines
        for (name, value) in context_fields.iter().filter(|(name, _)| !matches!(*name, "trace_id" | "span_id")) {
            write!(out, " {dim}{name}={}{end}", plain(value))?;
        }
        writeln!(out)
    }
}

/// Indents all lines after the first, so that a message can't forge a log line.
fn lines(message: &str) -> String {
    let lines: Vec<String> = message.split('\n').map(|line| Visible(line).to_string()).collect();
    lines.join("\n    ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let quoted = format!("{text:?}");
            let needs_quotes = text.contains(char::is_whitespace) || quoted.len() != text.len() + 2;
            if needs_quotes { quoted } else { text.clone() }
        }
        value => VisibleJson(&value.to_string()).to_string(),
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>, N: for<'a> FormatFields<'a> + 'static> FormatEvent<S, N> for Json {
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let record = LogRecord::new(event);
        let first = [
            ("timestamp", record.at.to_rfc3339_opts(SecondsFormat::Micros, true).into()),
            ("level", record.metadata.level().as_str().into()),
            ("target", record.metadata.target().into()),
            ("message", record.message.as_str().into()),
        ];
        // readers disagree on which value of a duplicate key counts
        let own = |name: &str| first.iter().any(|(first, _)| *first == name);
        let fields = record.fields.iter().map(|(name, value)| {
            (if own(name) { Cow::from(format!("fields.{name}")) } else { Cow::from(*name) }, value.clone())
        });
        let context_fields = record.context_fields().into_iter().map(|(name, value)| (Cow::from(name), value));
        let named = first.iter().map(|(name, value): &(_, Value)| (Cow::from(*name), value.clone()));
        write!(out, "{{")?;
        let mut before = "";
        for (name, value) in named.chain(context_fields).chain(fields) {
            write!(out, "{before}{}:{value}", Value::from(name))?;
            before = ",";
        }
        writeln!(out, "}}")
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>, N: for<'a> FormatFields<'a> + 'static> FormatEvent<S, N> for Platform {
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let record = LogRecord::new(event);
        let metadata = record.metadata;
        let (number, name) = match *metadata.level() {
            Level::ERROR => (40, "ERROR"),
            Level::WARN => (30, "WARNING"),
            Level::INFO => (20, "INFO"),
            Level::DEBUG => (10, "DEBUG"),
            Level::TRACE => (5, "TRACE"),
        };
        let file = metadata.file().unwrap_or_default();
        let function = context.lookup_current().map(|span| span.name());
        let micros = record.at.timestamp_micros();
        let mut line = json!({
            "loggerName": metadata.target().replace("::", "."),
            "timestamp": record.at.format("%Y-%m-%d %H:%M:%S,%3f").to_string(),
            "fileName": file.rsplit(['/', '\\']).next().unwrap_or(file),
            "logRecordCreationTime": micros as f64 / 1e6,
            "functionName": function.or(metadata.module_path()).unwrap_or_default(),
            "levelNo": number,
            "lineNo": metadata.line().unwrap_or_default(),
            "time": f64::from(record.at.timestamp_subsec_millis()),
            "levelName": name,
            "message": record.message.as_str(),
        });
        let fields = record.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let context_fields = record.context_fields().into_iter().map(|(name, value)| (name.to_owned(), value));
        let extra: Map<String, Value> = context_fields.chain(fields).collect();
        if let (false, Some(line)) = (extra.is_empty(), line.as_object_mut()) {
            line.insert("extra".to_owned(), extra.into());
        }
        writeln!(out, "{line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_can_t_forge_a_log_line() {
        assert_eq!(
            lines("a\n12:00:00.000 ERROR b\r\u{1b}[2J\u{2067}"),
            "a\n    12:00:00.000 ERROR b\\r\\u{1b}[2J\\u{2067}"
        );
        assert_eq!(plain(&json!(["\u{2067}"])), r#"["\u2067"]"#);
    }
}
