//! Programs without a mistake: compiled and run.

#![allow(dead_code, clippy::all, reason = "the program has handlers and structs of every shape")]

mod contracts {
    twyla_runtime::include_contracts!();
}

include!("pass/everything.rs");
