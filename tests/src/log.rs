//! The warnings that a test causes.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, OnceLock};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// The warnings about a test's event, from any thread.
pub struct Warnings {
    about: &'static str,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Warnings {
    /// The warnings that name this domain, from now on. Each test has its own domain, and all share one subscriber,
    /// because a subscriber of one thread can hide a warning from all others.
    pub fn about(domain: &'static str) -> Self {
        static LINES: OnceLock<Arc<Mutex<Vec<String>>>> = OnceLock::new();
        let lines = LINES.get_or_init(|| {
            let lines = Arc::<Mutex<Vec<String>>>::default();
            tracing::subscriber::set_global_default(Lines(lines.clone())).unwrap();
            lines
        });
        Self { about: domain, lines: lines.clone() }
    }

    /// All of them, with message and fields.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().iter().filter(|line| line.contains(self.about)).cloned().collect()
    }

    /// Waits for the first one with this text.
    pub async fn with(&self, text: &str) -> String {
        loop {
            if let Some(line) = self.lines().into_iter().find(|line| line.contains(text)) {
                return line;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

struct Lines(Arc<Mutex<Vec<String>>>);

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN && metadata.target().starts_with("twyla")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}
