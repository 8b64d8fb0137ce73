//! Bound structs on the wire.
#[test]
fn t() {}
