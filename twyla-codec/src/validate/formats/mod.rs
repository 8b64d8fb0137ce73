//! The formats of JSON Schema, and the types that are exactly one of them.

pub mod date_time;
pub mod typed;

pub use twyla_formats::{Format, holds};

/// Names a format that needs IDNA, which is a feature because its tables make a build seconds longer.
#[cfg(feature = "idna")]
#[doc(hidden)]
#[macro_export]
macro_rules! __idna {
    ($contract:literal, $format:literal) => {};
}

/// Without the feature such a contract can't be held, so nothing may pretend to.
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
