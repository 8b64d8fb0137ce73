//! Tests that need the Python peer: `cargo xtask test` leaves out what is named `python_peer` if PyPI can't be reached.

mod carried;
mod envelope;
mod groups;
mod properties;
