//! JSON Schema formats, and the Rust types that represent one of them exactly.

pub mod date_time;
pub mod typed;

pub use twyla_formats::{Format, holds};

/// Accepts a contract with a format that needs IDNA. The feature `idna` is optional, because its tables make a build
/// some seconds longer.
#[cfg(feature = "idna")]
#[doc(hidden)]
#[macro_export]
macro_rules! __idna {
    ($contract:literal, $format:literal) => {};
}

/// Fails the build: without the feature `idna`, a contract with such a format can't be checked.
#[cfg(not(feature = "idna"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __idna {
    ($contract:literal, $format:literal) => {
        compile_error!(concat!(
            "the contract ",
            $contract,
            " has the format `",
            $format,
            "`, which needs the feature `idna` of twyla-runtime: enable it"
        ));
    };
}
