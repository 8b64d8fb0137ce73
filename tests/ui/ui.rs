//! Compiles each mistake, and compares the compiler's output with the `.stderr` beside it.

#[test]
fn mistakes() {
    // only mistakes: trybuild compiles them at once if no program among them has to run
    let tests = trybuild::TestCases::new();
    for theme in ["listener", "arguments", "list", "event", "fields", "uses", "rpc"] {
        tests.compile_fail(format!("{theme}/*.rs"));
    }
}
