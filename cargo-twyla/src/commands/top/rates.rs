//! Computes rates and times from two readings of a service's metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::text::Series;

/// The metrics at one moment.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) at: Instant,
    pub(super) series: BTreeMap<Series, f64>,
}

/// The page of a service.
#[derive(Clone, Debug, Default)]
pub(super) struct Metrics {
    /// Seconds between the readings.
    pub(super) seconds: f64,
    /// Each connection, whether it is up, and how often it reconnected.
    pub(super) links: Vec<(String, bool, f64)>,
    pub(super) listens: Vec<Row>,
    pub(super) emits: Vec<Row>,
    pub(super) serves: Vec<Row>,
    pub(super) calls: Vec<Row>,
}

/// One line of a table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The names in the row: event and group, only an event, or a method.
    pub(super) names: Vec<String>,
    pub(super) cells: Vec<Cell>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    /// The rate per second, and the total.
    Rate { rate: f64, total: f64 },
    /// The total of a counter that should be zero.
    Bad(f64),
    /// The current value, if it is known.
    Now(Option<f64>),
    /// The median and the 99th percentile in seconds, if anything was measured.
    Times(Option<(f64, f64)>),
}

impl Metrics {
    pub(super) fn new(before: &Reading, now: &Reading) -> Self {
        let both = Readings { before, now };
        let links = both.labels(&["twyla_connected"], &["link"]).into_iter().map(|link| {
            let up = both.value("twyla_connected", &[("link", &link[0])]).unwrap_or(0.0) > 0.0;
            let again = both.value("twyla_reconnects_total", &[("link", &link[0])]).unwrap_or(0.0);
            (link[0].clone(), up, again)
        });
        let listens = both.rows(
            &["twyla_handled_total", "twyla_failed_total", "twyla_queue_ready", "twyla_handling"],
            &["event", "group"],
            |of| {
                vec![
                    of.rate("twyla_handled_total"),
                    of.rate("twyla_failed_total"),
                    of.rate("twyla_retried_total"),
                    of.bad("twyla_parked_total"),
                    of.bad("twyla_dropped_total"),
                    of.now("twyla_handling"),
                    of.now("twyla_queue_ready"),
                    of.times("twyla_handler_seconds"),
                ]
            },
        );
        let emits = both.rows(&["twyla_emitted_total", "twyla_refused_total"], &["event"], |of| {
            vec![
                of.rate("twyla_confirmed_total"),
                of.bad("twyla_unconfirmed_total"),
                of.bad("twyla_refused_total"),
                of.now("twyla_confirming"),
                of.times("twyla_confirm_seconds"),
            ]
        });
        let serves = both.rows(&["twyla_served_total", "twyla_serving"], &["method"], |of| {
            vec![
                of.rate("twyla_served_total"),
                of.bad("twyla_turned_away_total"),
                of.now("twyla_serving"),
                of.times("twyla_serve_seconds"),
            ]
        });
        let calls = both.rows(&["twyla_calls_total"], &["method"], |of| {
            vec![of.rate("twyla_calls_total"), of.times("twyla_call_seconds")]
        });
        Self { seconds: both.seconds(), links: links.collect(), listens, emits, serves, calls }
    }
}

struct Readings<'a> {
    before: &'a Reading,
    now: &'a Reading,
}

/// The metrics of one row.
struct Labelled<'a> {
    both: &'a Readings<'a>,
    labels: Vec<(&'static str, &'a str)>,
}

impl Readings<'_> {
    fn seconds(&self) -> f64 {
        self.now.at.duration_since(self.before.at).as_secs_f64().max(1e-3)
    }

    /// Returns the distinct values that `labels` have in `metrics`.
    fn labels(&self, metrics: &[&str], labels: &[&str]) -> Vec<Vec<String>> {
        let series = self.now.series.keys().filter(|series| metrics.contains(&series.name.as_str()));
        let values = series.filter_map(|series| labels.iter().map(|it| series.labels.get(*it).cloned()).collect());
        values.collect::<BTreeSet<Vec<String>>>().into_iter().collect()
    }

    /// Returns the sum of a metric's current values with these labels, whatever other labels they have.
    fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        sum(self.now, name, labels)
    }

    fn rows(&self, metrics: &[&str], labels: &[&'static str], cells: impl Fn(&Labelled<'_>) -> Vec<Cell>) -> Vec<Row> {
        let rows = self.labels(metrics, labels).into_iter().map(|names| {
            let of =
                Labelled { both: self, labels: labels.iter().copied().zip(names.iter().map(String::as_str)).collect() };
            let cells = cells(&of);
            Row { names, cells }
        });
        rows.collect()
    }
}

impl Labelled<'_> {
    /// Returns the increase of a counter between the readings. A counter that is less than before was reset when the service
    /// restarted.
    fn increase(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let (now, before) = (sum(self.both.now, name, labels), sum(self.both.before, name, labels));
        let (now, before) = (now.unwrap_or(0.0), before.unwrap_or(0.0));
        if now < before { now } else { now - before }
    }

    fn rate(&self, name: &str) -> Cell {
        let total = sum(self.both.now, name, &self.labels).unwrap_or(0.0);
        Cell::Rate { rate: self.increase(name, &self.labels) / self.both.seconds(), total }
    }

    fn bad(&self, name: &str) -> Cell {
        Cell::Bad(sum(self.both.now, name, &self.labels).unwrap_or(0.0))
    }

    fn now(&self, name: &str) -> Cell {
        Cell::Now(sum(self.both.now, name, &self.labels))
    }

    /// Returns the quantiles of the times between the readings or, without any, of all times since the service began.
    fn times(&self, name: &str) -> Cell {
        let bucket = format!("{name}_bucket");
        let series = self.both.now.series.keys().filter(|series| series.name == bucket);
        let bounds: BTreeSet<&String> = series.filter_map(|series| series.labels.get("le")).collect();
        let labelled = |bound| -> Vec<_> { self.labels.iter().copied().chain([("le", bound)]).collect() };
        let since = quantiles(&bounds, |bound| self.increase(&bucket, &labelled(bound)));
        let ever = || quantiles(&bounds, |bound| sum(self.both.now, &bucket, &labelled(bound)).unwrap_or(0.0));
        Cell::Times(since.or_else(ever))
    }
}

/// Returns the median and the 99th percentile of a histogram: cumulative counts by upper bounds.
fn quantiles<'a>(bounds: &BTreeSet<&'a String>, count: impl Fn(&'a str) -> f64) -> Option<(f64, f64)> {
    let counts = bounds.iter().filter_map(|bound| Some((bound.parse::<f64>().ok()?, count(bound))));
    let mut counts: Vec<(f64, f64)> = counts.collect();
    counts.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    Some((quantile(&counts, 0.5)?, quantile(&counts, 0.99)?))
}

fn sum(reading: &Reading, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let has =
        |series: &Series| labels.iter().all(|(label, value)| series.labels.get(*label).is_some_and(|it| it == value));
    let from = Series { name: name.to_owned(), labels: BTreeMap::new() };
    let series = reading.series.range(from..).take_while(|(series, _)| series.name == name);
    series.filter(|(series, _)| has(series)).map(|(_, value)| *value).reduce(|a, b| a + b)
}

/// Returns a quantile of cumulative counts by upper bounds, interpolated linearly as Prometheus does.
fn quantile(counts: &[(f64, f64)], part: f64) -> Option<f64> {
    let total = counts.last().map(|(_, count)| *count).filter(|total| *total > 0.0)?;
    let wanted = total * part;
    let (mut below, mut bound) = (0.0, 0.0);
    for (upper, count) in counts {
        if *count >= wanted {
            if upper.is_infinite() {
                return Some(bound);
            }
            let within = if *count > below { (wanted - below) / (count - below) } else { 1.0 };
            return Some(bound + (upper - bound) * within);
        }
        (below, bound) = (*count, *upper);
    }
    Some(bound)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::commands::top::text;

    fn metrics(before: &str, now: &str) -> Metrics {
        let at = Instant::now();
        let before = Reading { at, series: text::read(before) };
        Metrics::new(&before, &Reading { at: at + Duration::from_secs(2), series: text::read(now) })
    }

    #[test]
    fn rates_count_the_events_between_two_reads() {
        let of = |handled: u32| format!("twyla_handled_total{{event=\"a.b\",group=\"g\"}} {handled}\n");
        let rate = |before, now| metrics(&of(before), &of(now)).listens[0].cells[0];
        assert_eq!(rate(10, 30), Cell::Rate { rate: 10.0, total: 30.0 });
        // restarted
        assert_eq!(rate(10, 4), Cell::Rate { rate: 2.0, total: 4.0 });
        let shown = metrics("", &of(4));
        assert_eq!(shown.listens[0].names, ["a.b", "g"]);
        assert_eq!(shown.listens[0].cells[6], Cell::Now(None));
        assert!(shown.emits.is_empty());
    }

    #[test]
    fn times_are_those_of_the_interval() {
        let of = |counts: [u32; 3]| {
            let [a, b, c] = counts;
            format!(
                "twyla_handling{{event=\"a.b\",group=\"g\"}} 1\n\
                 twyla_handler_seconds_bucket{{event=\"a.b\",group=\"g\",le=\"0.1\"}} {a}\n\
                 twyla_handler_seconds_bucket{{event=\"a.b\",group=\"g\",le=\"1\"}} {b}\n\
                 twyla_handler_seconds_bucket{{event=\"a.b\",group=\"g\",le=\"+Inf\"}} {c}\n"
            )
        };
        let times = |before, now| metrics(&of(before), &of(now)).listens[0].cells[7];
        assert_eq!(times([0, 0, 0], [10, 10, 10]), Cell::Times(Some((0.05, 0.099))));
        // nothing between: since the beginning
        assert_eq!(times([10, 10, 10], [10, 10, 10]), Cell::Times(Some((0.05, 0.099))));
        assert_eq!(times([10, 10, 10], [10, 20, 20]), Cell::Times(Some((0.55, 0.991))));
        assert_eq!(times([0, 0, 0], [0, 0, 0]), Cell::Times(None));
        // longer than the largest bound
        assert_eq!(times([0, 0, 0], [0, 0, 5]), Cell::Times(Some((1.0, 1.0))));
    }
}
