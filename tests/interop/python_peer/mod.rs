//! Tests that need the Python peer. `cargo xtask test` skips tests with `python_peer` in their names if PyPI is
//! unreachable.

mod carried;
mod cloud_events;
mod envelope;
mod groups;
mod properties;
