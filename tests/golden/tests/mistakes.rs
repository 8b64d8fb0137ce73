//! Compiles each mistake in `mistakes/`, and compares the compiler's output with the `.stderr` beside it.

#[test]
fn mistakes() {
    trybuild::TestCases::new().compile_fail("mistakes/*.rs");
}
