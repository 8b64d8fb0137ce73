//! The generated decode agrees with the official JSON Schema test suite, and with the `jsonschema` crate.

use std::io::Write as _;
use std::path::Path;

use twyla_conformance::SUITE;
use twyla_conformance::report::Report;

#[test]
fn agrees_with_the_suite_and_with_jsonschema() {
    let program = Path::new(env!("CARGO_BIN_EXE_twyla-conformance"));
    let report = Report::run(program.parent().unwrap());
    if !report.has_suite() {
        // not by a macro: what those print is hidden where the test passes
        let said = format!("\nTHE JSON SCHEMA TEST SUITE IS NOT AT {SUITE}: none of it was run\n\n");
        std::io::stderr().write_all(said.as_bytes()).unwrap();
    }
    assert!(report.failed() == 0 && report.unlisted().is_empty(), "{:#?}\n{report}", report.unlisted());
    assert!(report.passed() > 0, "nothing was run\n{report}");
}
