//! The event that every variant sends, and the error type of the bench.

use crate::contracts::{Context, api::UserInput};

/// The bench ends at the first error.
pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Returns a text that makes an envelope of about 350 bytes.
pub(crate) fn emission() -> String {
    "I would like to change the seats of my booking from Berlin to Lisbon, two of them, by the window, please."
        .to_owned()
}

pub(crate) fn content() -> UserInput {
    UserInput { language: Some("en".to_owned()), attempt: Some(1), ..UserInput::new(emission()) }
}

pub(crate) fn context() -> Context {
    Context { user: Some("Ada".to_owned()), ..Context::new("web".to_owned()) }
}
