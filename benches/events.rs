//! Prints the table of an event's cost: `cargo bench -p twyla-bench [-- [--rounds N] [--lines] [CONTRACT]]`. `--loop
//! decode Twyla`, for example, runs one variant alone for three seconds, under a profiler.
#![forbid(unsafe_code)]

use std::process::Command;
use std::time::{Duration, Instant};

use twyla_bench::table::{self, Direction};
use twyla_bench::{rounds, ways};

fn main() {
    let (mut count, mut plain, mut only, mut looped) = (101, false, None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => count = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(count),
            "--lines" => plain = true,
            "--loop" => looped = arguments.next().zip(arguments.next()),
            // an argument of cargo's own
            "--bench" => {}
            _ => only = Some(argument),
        }
    }
    if let Some((direction, kind)) = looped {
        return turn(&direction, &kind, only.as_deref().unwrap_or_default());
    }
    let counted = Command::new(env!("CARGO_BIN_EXE_allocations")).output().expect("the counting program runs");
    assert!(counted.status.success(), "{}", String::from_utf8_lossy(&counted.stderr));
    let allocations = table::parse(&String::from_utf8_lossy(&counted.stdout));
    if !plain {
        println!("{}", table::head());
    }
    let mut sizes = Vec::new();
    for contract in ways::all() {
        if only.as_ref().is_some_and(|only| !contract.name.contains(only.as_str())) {
            continue;
        }
        for direction in Direction::ALL {
            let took = rounds::run(direction.of(&contract), count);
            print!("{}", table::rows(&contract, direction, &took, &allocations, plain));
        }
        sizes.push(format!("{} {}", contract.name, contract.bytes / ways::EVENTS));
    }
    if !plain {
        println!("\n{} events of each contract; bytes of one on average: {}.", ways::EVENTS, sizes.join(", "));
        println!("{count} rounds, each way in turn; x bare and x Twyla are medians over the rounds.");
    }
}

fn turn(direction: &str, kind: &str, contract: &str) {
    for contract in ways::all().iter().filter(|known| known.name.contains(contract)) {
        for known in Direction::ALL.into_iter().filter(|known| known.name() == direction) {
            for way in known.of(contract).iter().filter(|way| way.kind.name() == kind) {
                let begun = Instant::now();
                while begun.elapsed() < Duration::from_secs(3) {
                    way.pass();
                }
            }
        }
    }
}
