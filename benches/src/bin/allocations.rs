//! Counts the allocations of each variant: in a program of its own, so that counting doesn't slow the clock. `cargo
//! bench` runs it.
#![forbid(unsafe_code)]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use twyla_bench::table::{self, Allocated, Direction};
use twyla_bench::ways::{self, EVENTS};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    for contract in ways::all() {
        for direction in Direction::ALL {
            for way in direction.of(&contract) {
                // exclude allocations of the first use
                way.pass();
                let region = Region::new(ALLOCATOR);
                way.pass();
                let stats = region.change();
                let count = (stats.allocations + stats.reallocations) as f64 / EVENTS as f64;
                let allocated = Allocated { count, bytes: stats.bytes_allocated as f64 / EVENTS as f64 };
                println!("{}", table::line(contract.name, direction, way.kind, allocated));
            }
        }
    }
}
