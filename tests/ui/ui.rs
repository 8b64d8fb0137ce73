//! Compiles each mistake, and compares the compiler's output with the `.stderr` beside it.

#[test]
fn mistakes() {
    let tests = trybuild::TestCases::new();
    for theme in ["listener", "arguments", "list", "event", "fields", "uses", "rpc"] {
        tests.compile_fail(format!("{theme}/*.rs"));
    }
    tests.pass("pass/*.rs");
}
