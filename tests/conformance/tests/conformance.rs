//! The generated decoders agree with the official JSON Schema test suite, with the `jsonschema` crate, and with `cargo
//! twyla validate`, in every placement of a schema.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use twyla_conformance::SUITE;
use twyla_conformance::report::Report;
use twyla_conformance::validate::PROGRAM;

#[test]
fn agrees_with_the_suite_and_with_jsonschema() {
    let program = Path::new(env!("CARGO_BIN_EXE_twyla-conformance"));
    let folder = program.parent().unwrap();
    // the program exists if all packages are tested
    if !folder.join(format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX)).is_file() {
        let built = Command::new(env!("CARGO")).args(["build", "--quiet", "--package", PROGRAM]).status();
        assert!(built.unwrap().success(), "{PROGRAM} can't be built");
    }
    let report = Report::run(folder);
    if !report.has_suite() {
        // not with a macro: the test harness hides its output if the test passes
        let notice = format!("\nTHE JSON SCHEMA TEST SUITE IS NOT AT {SUITE}: none of it was run\n\n");
        std::io::stderr().write_all(notice.as_bytes()).unwrap();
    }
    assert!(report.failed() == 0 && report.unlisted().is_empty(), "{:#?}\n{report}", report.unlisted());
    assert!(report.passed() > 0 && report.validated() > 0, "nothing was run\n{report}");
}
