//! `cargo bench -p twyla-bench [-- [--rounds N] [--lines] [CONTRACT]]`: the table of what an event costs.
#![forbid(unsafe_code)]

use std::process::Command;

use twyla_bench::table::{self, Direction};
use twyla_bench::{rounds, ways};

fn main() {
    let (mut count, mut plain, mut only) = (101, false, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => count = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(count),
            "--lines" => plain = true,
            // cargo's own
            "--bench" => {}
            _ => only = Some(argument),
        }
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
        println!("{count} rounds, the ways by turns; x bare and x Twyla are the medians of what the rounds say.");
    }
}
