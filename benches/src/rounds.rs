//! The clock: all variants in turns, in many short rounds. Compared variants run within milliseconds of each other, so
//! that a busy machine slows all of them, and the medians stay stable.

use std::time::{Duration, Instant};

use crate::ways::{EVENTS, Way};

/// The minimum duration of one variant in one round.
const TURN: Duration = Duration::from_millis(3);

/// The cost of one variant.
#[derive(Clone, Debug)]
pub struct Took {
    /// Nanoseconds per event: the median.
    pub nanoseconds: f64,
    /// The cost as a multiple of each variant, in their order: the median over the rounds.
    pub ratios: Vec<f64>,
    /// The quartiles of the same, for the first variant: half of the rounds are between them.
    pub quarters: (f64, f64),
}

/// Runs each variant in each round.
#[must_use]
pub fn run(ways: &[Way], rounds: usize) -> Vec<Took> {
    let passes: Vec<u32> = ways.iter().map(passes).collect();
    let mut times = vec![Vec::with_capacity(rounds); ways.len()];
    for round in 0..rounds {
        // no variant always follows the same other one
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

/// The number of passes that fill a turn; finding it also warms the variant up.
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

/// The value at this quartile.
fn at(mut values: Vec<f64>, quarters: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() * quarters / 4).copied().unwrap_or(f64::NAN)
}
