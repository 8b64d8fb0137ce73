//! The progress of commands that compare contracts, on standard error if that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use twyla_build::lock::Observer;

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

    /// Returns an observer that shows each contract that is compared.
    pub(crate) fn observer(&self) -> Observer {
        let bar = self.0.clone();
        Observer::new(move |subject, all| {
            if bar.length() != Some(all as u64) {
                bar.set_length(all as u64);
                bar.set_position(0);
                style(&bar, "{bar:40} {pos} of {len}  {msg}");
            }
            bar.set_message(subject.to_string());
            bar.inc(1);
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
