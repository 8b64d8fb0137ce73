//! Attributes and generated code that don't name the runtime as Cargo.toml does: one error each, which says what to write.

#[test]
fn a_forgotten_name_of_the_runtime_is_one_error() {
    trybuild::TestCases::new().compile_fail("mistakes/*.rs");
}
