//! The program without a mistake, on a contracts crate.

#![allow(dead_code, clippy::all, reason = "the program has handlers and structs of every shape")]

use ::contracts;

include!("../pass/everything.rs");
