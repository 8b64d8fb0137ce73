//! The groups of draft4, compiled and run.
#![allow(mixed_script_confusables, reason = "the suite has names in any script")]

twyla_conformance::draft!("draft4");
