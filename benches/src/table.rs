//! The printed table: a row for each variant, with its target.

use std::collections::BTreeMap;

use crate::rounds::Took;
use crate::ways::{Contract, Kind, Way};

/// Decoding or encoding.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Direction {
    /// From text to a value.
    Decode,
    /// From a value to text.
    Encode,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Decode, Self::Encode];

    /// The name in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Encode => "encode",
        }
    }

    /// The variants of a contract in this direction.
    #[must_use]
    pub fn of(self, contract: &Contract) -> &[Way] {
        match self {
            Self::Decode => &contract.decode,
            Self::Encode => &contract.encode,
        }
    }
}

/// The number and size of allocations for one event.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allocated {
    /// Allocations, and reallocations to a larger block.
    pub count: f64,
    /// Requested bytes.
    pub bytes: f64,
}

/// By contract, direction and variant, as named in the table.
pub type Allocations = BTreeMap<(String, String, String), Allocated>;

/// One line of output of the program that counts allocations.
#[must_use]
pub fn line(contract: &str, direction: Direction, kind: Kind, allocated: Allocated) -> String {
    format!("{contract}\t{}\t{}\t{:.1}\t{:.0}", direction.name(), kind.name(), allocated.count, allocated.bytes)
}

/// Parses such lines.
#[must_use]
pub fn parse(lines: &str) -> Allocations {
    let parsed = lines.lines().filter_map(|line| {
        let [contract, direction, kind, count, bytes] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
        let allocated = Allocated { count: count.parse().ok()?, bytes: bytes.parse().ok()? };
        Some(((contract.to_owned(), direction.to_owned(), kind.to_owned()), allocated))
    });
    parsed.collect()
}

/// The target of a variant: its text, and whether it is reached.
fn bar(direction: Direction, kind: Kind, to_bare: f64, to_twyla: f64) -> Option<(&'static str, bool)> {
    match (direction, kind) {
        (Direction::Decode, Kind::Twyla) => Some(("<= 1.00x bare", to_bare <= 1.0)),
        (Direction::Decode, Kind::Typify) => Some(("> 1x Twyla", to_twyla > 1.0)),
        (Direction::Decode, Kind::Compiled) => Some((">= 2x Twyla", to_twyla >= 2.0)),
        (Direction::Encode, Kind::Twyla) => Some(("<= 1.15x bare", to_bare <= 1.15)),
        (Direction::Encode, Kind::Compiled | Kind::Runtime) => Some((">= 3x Twyla", to_twyla >= 3.0)),
        _ => None,
    }
}

/// The head of the table.
#[must_use]
pub fn head() -> String {
    format!(
        "| {:<12} | {:<6} | {:<20} | {:>9} | {:>6} | {:>11} | {:>8} | {:>8} | {:>8} | {:<21} |\n|{}|{}|{}|{}:|{}:|{}:|{}:|{}:|{}:|{}|",
        "contract",
        "",
        "way",
        "ns/event",
        "x bare",
        "half within",
        "x Twyla",
        "allocs",
        "bytes",
        "bar",
        "-".repeat(14),
        "-".repeat(8),
        "-".repeat(22),
        "-".repeat(10),
        "-".repeat(7),
        "-".repeat(12),
        "-".repeat(9),
        "-".repeat(9),
        "-".repeat(9),
        "-".repeat(23),
    )
}

/// The rows of one contract and direction; with `plain`, as tab-separated lines for other programs.
#[must_use]
pub fn rows(
    contract: &Contract,
    direction: Direction,
    took: &[Took],
    allocations: &Allocations,
    plain: bool,
) -> String {
    let ways = direction.of(contract);
    let twyla = ways.iter().position(|way| way.kind == Kind::Twyla).unwrap_or_default();
    let rows = ways.iter().zip(took).map(|(way, took)| {
        let key = (contract.name.to_owned(), direction.name().to_owned(), way.kind.name().to_owned());
        let allocated = allocations.get(&key).copied().unwrap_or_default();
        let ratio = |index: usize| took.ratios.get(index).copied().unwrap_or(f64::NAN);
        let (to_bare, to_twyla) = (ratio(0), ratio(twyla));
        let bar = match bar(direction, way.kind, to_bare, to_twyla) {
            Some((bar, reached)) => format!("{bar}: {}", if reached { "ok" } else { "MISSED" }),
            None => String::new(),
        };
        let Allocated { count, bytes } = allocated;
        let (low, high) = took.quarters;
        if plain {
            let fields = [took.nanoseconds, to_bare, to_twyla, count, bytes].map(|number| format!("{number:.3}"));
            return format!("{}\t{}\t{}\t{}\t{bar}\n", contract.name, direction.name(), way.kind.name(), fields.join("\t"));
        }
        format!(
            "| {:<12} | {:<6} | {:<20} | {:>9.0} | {to_bare:>6.2} | {:>11} | {to_twyla:>8.2} | {count:>8.1} | {bytes:>8.0} | {bar:<21} |\n",
            contract.name, direction.name(), way.kind.name(), took.nanoseconds, format!("{low:.2}-{high:.2}"),
        )
    });
    rows.collect()
}
