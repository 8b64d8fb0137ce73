//! Rates and times out of two readings of a service's figures. Their names are those of the runtime's page on telemetry.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::text::Series;

/// The figures at one moment.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) at: Instant,
    pub(super) figures: BTreeMap<Series, f64>,
}

/// What is shown of a service.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    /// Seconds between the readings.
    pub(super) seconds: f64,
    /// Each connection, whether it is up and how often it was made again.
    pub(super) links: Vec<(String, bool, f64)>,
    pub(super) listens: Vec<Row>,
    pub(super) emits: Vec<Row>,
    pub(super) serves: Vec<Row>,
    pub(super) calls: Vec<Row>,
}

/// One line of a table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Event and group, or event, or method.
    pub(super) names: Vec<String>,
    pub(super) cells: Vec<Cell>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    /// So many a second, and so many in all.
    Rate { rate: f64, total: f64 },
    /// So many in all of what should not be.
    Bad(f64),
    /// So many now; none where it isn't told.
    Now(Option<f64>),
    /// The time that half of them took at most, and the one that 99 in 100 did; none where there were none.
    Times(Option<(f64, f64)>),
}

impl Figures {
    pub(super) fn new(before: &Reading, now: &Reading) -> Self {
        let both = Both { before, now };
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

struct Both<'a> {
    before: &'a Reading,
    now: &'a Reading,
}

/// The figures of one line.
struct Of<'a> {
    both: &'a Both<'a>,
    labels: Vec<(&'static str, &'a str)>,
}

impl Both<'_> {
    fn seconds(&self) -> f64 {
        self.now.at.duration_since(self.before.at).as_secs_f64().max(1e-3)
    }

    /// The values that these labels have in some figures.
    fn labels(&self, figures: &[&str], labels: &[&str]) -> Vec<Vec<String>> {
        let series = self.now.figures.keys().filter(|series| figures.contains(&series.name.as_str()));
        let values = series.filter_map(|series| labels.iter().map(|it| series.labels.get(*it).cloned()).collect());
        values.collect::<BTreeSet<Vec<String>>>().into_iter().collect()
    }

    /// The sum of a figure's values now where it has these labels, whatever others it has besides.
    fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        sum(self.now, name, labels)
    }

    fn rows(&self, figures: &[&str], labels: &[&'static str], cells: impl Fn(&Of<'_>) -> Vec<Cell>) -> Vec<Row> {
        let rows = self.labels(figures, labels).into_iter().map(|names| {
            let of = Of { both: self, labels: labels.iter().copied().zip(names.iter().map(String::as_str)).collect() };
            let cells = cells(&of);
            Row { names, cells }
        });
        rows.collect()
    }
}

impl Of<'_> {
    /// What a counter has grown by. One that is less than before was begun anew with its service.
    fn grown(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let (now, before) = (sum(self.both.now, name, labels), sum(self.both.before, name, labels));
        let (now, before) = (now.unwrap_or(0.0), before.unwrap_or(0.0));
        if now < before { now } else { now - before }
    }

    fn rate(&self, name: &str) -> Cell {
        let total = sum(self.both.now, name, &self.labels).unwrap_or(0.0);
        Cell::Rate { rate: self.grown(name, &self.labels) / self.both.seconds(), total }
    }

    fn bad(&self, name: &str) -> Cell {
        Cell::Bad(sum(self.both.now, name, &self.labels).unwrap_or(0.0))
    }

    fn now(&self, name: &str) -> Cell {
        Cell::Now(sum(self.both.now, name, &self.labels))
    }

    /// Times between the readings; where there were none, those since the service began.
    fn times(&self, name: &str) -> Cell {
        let bucket = format!("{name}_bucket");
        let series = self.both.now.figures.keys().filter(|series| series.name == bucket);
        let bounds: BTreeSet<&String> = series.filter_map(|series| series.labels.get("le")).collect();
        let labelled = |bound| -> Vec<_> { self.labels.iter().copied().chain([("le", bound)]).collect() };
        let since = quantiles(&bounds, |bound| self.grown(&bucket, &labelled(bound)));
        let ever = || quantiles(&bounds, |bound| sum(self.both.now, &bucket, &labelled(bound)).unwrap_or(0.0));
        Cell::Times(since.or_else(ever))
    }
}

/// The times of half of them and of 99 in 100, out of the counts up to some bounds.
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
    let series = reading.figures.range(from..).take_while(|(series, _)| series.name == name);
    series.filter(|(series, _)| has(series)).map(|(_, value)| *value).reduce(|a, b| a + b)
}

/// A quantile out of cumulative counts by upper bounds, between the two bounds in a straight line, as Prometheus has it.
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

    fn figures(before: &str, now: &str) -> Figures {
        let at = Instant::now();
        let before = Reading { at, figures: text::read(before) };
        Figures::new(&before, &Reading { at: at + Duration::from_secs(2), figures: text::read(now) })
    }

    #[test]
    fn rates_are_what_came_between() {
        let of = |handled: u32| format!("twyla_handled_total{{event=\"a.b\",group=\"g\"}} {handled}\n");
        let rate = |before, now| figures(&of(before), &of(now)).listens[0].cells[0];
        assert_eq!(rate(10, 30), Cell::Rate { rate: 10.0, total: 30.0 });
        // begun anew
        assert_eq!(rate(10, 4), Cell::Rate { rate: 2.0, total: 4.0 });
        let shown = figures("", &of(4));
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
        let times = |before, now| figures(&of(before), &of(now)).listens[0].cells[7];
        assert_eq!(times([0, 0, 0], [10, 10, 10]), Cell::Times(Some((0.05, 0.099))));
        // nothing between: since the beginning
        assert_eq!(times([10, 10, 10], [10, 10, 10]), Cell::Times(Some((0.05, 0.099))));
        assert_eq!(times([10, 10, 10], [10, 20, 20]), Cell::Times(Some((0.55, 0.991))));
        assert_eq!(times([0, 0, 0], [0, 0, 0]), Cell::Times(None));
        // longer than any bound tells
        assert_eq!(times([0, 0, 0], [0, 0, 5]), Cell::Times(Some((1.0, 1.0))));
    }
}
