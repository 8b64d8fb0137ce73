//! The clock: all ways by turns, in many short rounds. What is compared was measured within milliseconds of each other,
//! so that a machine with other things to do slows all of them, and the medians hold still.

use std::time::{Duration, Instant};

use crate::ways::{EVENTS, Way};

/// How long one way runs in one round, at least.
const TURN: Duration = Duration::from_millis(3);

/// What one way took.
#[derive(Clone, Debug)]
pub struct Took {
    /// Nanoseconds for one event: the median.
    pub nanoseconds: f64,
    /// As a multiple of each of the ways, in their order: the median of what each round says.
    pub ratios: Vec<f64>,
    /// The same at the quarters, for the first way: between these two lies half of the rounds.
    pub quarters: (f64, f64),
}

/// Takes each way in each round.
#[must_use]
pub fn run(ways: &[Way], rounds: usize) -> Vec<Took> {
    let passes: Vec<u32> = ways.iter().map(passes).collect();
    let mut times = vec![Vec::with_capacity(rounds); ways.len()];
    for round in 0..rounds {
        // none is always behind the same other one
        for turn in 0..ways.len() {
            let turn = if round % 2 == 0 { turn } else { ways.len() - 1 - turn };
            let index = (turn + round) % ways.len();
            let begun = Instant::now();
            (0..passes[index]).for_each(|_| ways[index].pass());
            times[index].push(begun.elapsed().as_secs_f64() / f64::from(passes[index]));
        }
    }
    times
        .iter()
        .map(|own| {
            let to = |other: &Vec<f64>| own.iter().zip(other).map(|(own, other)| own / other).collect::<Vec<_>>();
            let first = times.first().map(to).unwrap_or_default();
            Took {
                nanoseconds: at(own.clone(), 2) * 1e9 / EVENTS as f64,
                ratios: times.iter().map(|other| at(to(other), 2)).collect(),
                quarters: (at(first.clone(), 1), at(first, 3)),
            }
        })
        .collect()
}

/// How many passes fill a turn; this warms the way up too.
fn passes(way: &Way) -> u32 {
    way.pass();
    let begun = Instant::now();
    let mut passes = 0;
    while begun.elapsed() < TURN {
        way.pass();
        passes += 1;
    }
    passes
}

/// The value at so many quarters.
fn at(mut values: Vec<f64>, quarters: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() * quarters / 4).copied().unwrap_or(f64::NAN)
}
