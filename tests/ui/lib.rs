//! The tests are in `ui.rs` and `fits.rs`; see the README.
