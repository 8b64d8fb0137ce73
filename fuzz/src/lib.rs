//! Checks of arbitrary bytes: [`contract`] as an event or context, [`folder`] as schemas.
#![forbid(unsafe_code)]

pub mod contract;
pub mod folder;

/// The demo platform's contracts.
pub mod contracts {
    twyla_codec::include_contracts!();
}
