//! `cargo twyla top`: watches the metrics of a running service.
//!
//! [`fetch`] reads its `/metrics`, [`text`] parses Prometheus' text format, [`rates`] computes rates of two readings, [`screen`]
//! formats the page, and [`live`] shows it on a terminal.

mod fetch;
mod live;
mod rates;
mod screen;
mod text;

use std::error::Error;
use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::run::{Outcome, Run};
use fetch::Endpoint;
use rates::{Metrics, Reading};

/// Watch the metrics of a running service: rates, waiting events and times, by event and group.
///
/// The service serves them with `Service::operations(address)` and the feature `telemetry`. On a terminal the page is updated until
/// q or ctrl-C; elsewhere, and with --once, it is printed once as plain text.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla top                                the service at 127.0.0.1:9090
  cargo twyla top booking.internal:9090 --interval 5
  cargo twyla top --once | grep user_input")]
pub(crate) struct Args {
    /// The address of the service's metrics: host:port, or a URL.
    #[arg(default_value = "127.0.0.1:9090")]
    address: Endpoint,
    /// Seconds between two readings.
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = interval)]
    interval: f64,
    /// Print the page once, and exit.
    #[arg(long)]
    once: bool,
}

fn interval(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    if (0.1..=3600.0).contains(&seconds) { Ok(seconds) } else { Err("expected a number from 0.1 to 3600".to_owned()) }
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn Error + Send + Sync>> {
        let interval = Duration::from_secs_f64(self.interval);
        let mut before = self.read()?;
        if self.once || !live::is_possible() {
            sleep(interval);
            let now = self.read()?;
            write!(crate::support::paint::stdout(), "{}", screen::shown(&self.address, &Metrics::new(&before, &now)))?;
            return Ok(Outcome::Fine);
        }
        // the first page has no rates
        let first = screen::shown(&self.address, &Metrics::new(&before, &before));
        live::show(first, interval, || match self.read() {
            Ok(now) => {
                let page = screen::shown(&self.address, &Metrics::new(&before, &now));
                before = now;
                page
            }
            // a service that doesn't answer now may answer later
            Err(error) => format!("{error}\n"),
        })?;
        Ok(Outcome::Fine)
    }
}

impl Args {
    fn read(&self) -> Result<Reading, fetch::Error> {
        let text = fetch::get(&self.address)?;
        Ok(Reading { at: Instant::now(), series: text::read(&text) })
    }
}
