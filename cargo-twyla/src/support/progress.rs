//! The progress of commands that compare contracts, on standard error if that is a terminal.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use twyla_build::lock::{CheckProgress, Observer};

/// A spinner while contracts are read, then a bar with the contract that is compared. It is cleared when dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows that contracts are read.
    pub(crate) fn reading() -> Self {
        let bar = ProgressBar::no_length().with_message("reading the contracts");
        style(&bar, "{spinner} {msg}");
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// Returns an observer that shows how many contracts were compared, and the one that takes longest so far.
    pub(crate) fn observer(&self) -> Observer {
        let (bar, open) = (self.0.clone(), Mutex::new(Vec::<String>::new()));
        Observer::new(move |progress| {
            let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
            match progress {
                CheckProgress::Begun(all) => {
                    bar.set_length(all as u64);
                    bar.set_position(0);
                    style(&bar, "{bar:40} {pos} of {len}  {msg}");
                }
                CheckProgress::Comparing(subject) => open.push(subject.to_string()),
                CheckProgress::Compared(subject) => {
                    let subject = subject.to_string();
                    open.retain(|other| *other != subject);
                    bar.inc(1);
                }
                _ => {}
            }
            if let Some(oldest) = open.first() {
                bar.set_message(oldest.clone());
            }
        })
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}
