//! Compiles each mistake, and holds what the compiler says to it against the `.stderr` beside it.

#[test]
fn mistakes() {
    let tests = trybuild::TestCases::new();
    for theme in ["listener", "arguments", "list", "event", "fields", "uses", "rpc"] {
        tests.compile_fail(format!("{theme}/*.rs"));
    }
    tests.pass("pass/*.rs");
}
