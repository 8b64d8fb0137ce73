//! The part of the service that is a library: linked whole, of which the program uses some.

/// The contracts.
pub mod contracts {
    twyla_runtime::include_contracts!();
}

use contracts::{Context, marks};
use twyla_runtime::event::Emit;
use twyla_runtime::{Bus, Emitting, Error};

/// Emits whatever it is given.
pub fn send<T: Emit<Context = Context>>(bus: &Bus, content: T) -> Emitting {
    bus.emit(content, Context::new())
}

/// Is called.
///
/// # Errors
/// As those of `emit`.
pub async fn live(bus: &Bus) -> Result<(), Error> {
    bus.emit(marks::Library::new(1), Context::new()).await
}

/// Is not called by anybody.
///
/// # Errors
/// As those of `emit`.
pub async fn dead(bus: &Bus) -> Result<(), Error> {
    bus.emit(marks::DeadLibrary::new(1), Context::new()).await
}

/// Nor this, which is generic.
pub fn dead_generic<T: Default>(bus: &Bus) -> (T, Emitting) {
    (T::default(), bus.emit(marks::DeadGeneric::new(1), Context::new()))
}
