//! JSON Schema formats, and the Rust types that represent one of them exactly.

pub mod date_time;
pub mod typed;

pub use twyla_formats::{Format, holds};

/// Names a format that needs IDNA. A feature, because its tables make a build seconds longer.
#[cfg(feature = "idna")]
#[doc(hidden)]
#[macro_export]
macro_rules! __idna {
    ($contract:literal, $format:literal) => {};
}

/// Without the feature the contract can't be checked, so the build fails.
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
            "`, which needs the feature `idna` of twyla-runtime: switch it on"
        ));
    };
}
