//! Arbitrary bytes as a folder of schemas.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| twyla_fuzz::folder::hold(bytes));
