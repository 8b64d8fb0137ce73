//! A company's crate: its services have the runtime from here.

pub use twyla_runtime as twyla;
