//! The library part of the service: linked as a whole, and used in part.

/// The contracts.
pub mod contracts {
    twyla_runtime::include_contracts!();
}

use contracts::{Context, marks};
use twyla_runtime::event::Emit;
use twyla_runtime::{Bus, Emitting, Error};

/// Emits any event.
pub fn send<T: Emit<Context = Context>>(bus: &Bus, content: T) -> Emitting {
    bus.emit(content, Context::new())
}

/// Called by the program.
///
/// # Errors
/// The errors of `emit`.
pub async fn live(bus: &Bus) -> Result<(), Error> {
    bus.emit(marks::Library::new(1), Context::new()).await
}

/// Never called.
///
/// # Errors
/// The errors of `emit`.
pub async fn dead(bus: &Bus) -> Result<(), Error> {
    bus.emit(marks::DeadLibrary::new(1), Context::new()).await
}

/// Never called either, and generic.
pub fn dead_generic<T: Default>(bus: &Bus) -> (T, Emitting) {
    (T::default(), bus.emit(marks::DeadGeneric::new(1), Context::new()))
}
