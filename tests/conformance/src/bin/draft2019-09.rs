//! The groups of draft2019-09, compiled and run.
#![allow(mixed_script_confusables, reason = "the suite has names in any script")]

twyla_conformance::draft!("draft2019-09");
