//! `cargo twyla top`: a running service's figures, read from its `/metrics` again and again. [`fetch`] asks for them, [`text`]
//! reads Prometheus' text format, [`figures`] makes rates of two readings, and [`screen`] is the page, which [`live`] keeps on a
//! terminal.

mod fetch;
mod figures;
mod live;
mod screen;
mod text;

use std::error::Error;
use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::run::{Outcome, Run};
use fetch::Place;
use figures::{Figures, Reading};

/// Watch a running service's figures: rates, waiting events, times, by event and group.
///
/// The service tells them with `Service::operations(address)` and the feature `telemetry`. On a terminal they are shown anew
/// until q or ctrl-C; elsewhere, and with --once, once and as plain text.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla top                                the service at 127.0.0.1:9090
  cargo twyla top booking.internal:9090 --interval 5
  cargo twyla top --once | grep user_input")]
pub(crate) struct Args {
    /// Where the service tells of itself.
    #[arg(default_value = "127.0.0.1:9090")]
    address: Place,
    /// Seconds between two readings, from which rates are made.
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = interval)]
    interval: f64,
    /// Show them once.
    #[arg(long)]
    once: bool,
}

fn interval(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "is no number of seconds".to_owned())?;
    if (0.1..=3600.0).contains(&seconds) { Ok(seconds) } else { Err("is not between 0.1 and 3600".to_owned()) }
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn Error + Send + Sync>> {
        let interval = Duration::from_secs_f64(self.interval);
        let mut before = self.read()?;
        if self.once || !live::is_possible() {
            sleep(interval);
            let now = self.read()?;
            write!(crate::support::paint::stdout(), "{}", screen::shown(&self.address, &Figures::new(&before, &now)))?;
            return Ok(Outcome::Fine);
        }
        // there are no rates yet, and everything else
        let first = screen::shown(&self.address, &Figures::new(&before, &before));
        live::show(first, interval, || match self.read() {
            Ok(now) => {
                let page = screen::shown(&self.address, &Figures::new(&before, &now));
                before = now;
                page
            }
            // what doesn't answer now may do so again
            Err(error) => format!("{error}\n"),
        })?;
        Ok(Outcome::Fine)
    }
}

impl Args {
    fn read(&self) -> Result<Reading, fetch::Error> {
        let text = fetch::get(&self.address)?;
        Ok(Reading { at: Instant::now(), figures: text::read(&text) })
    }
}
