//! Generates Rust code from the model.

mod alike;
mod builder;
mod checks;
mod codec;
mod compiled;
mod defaults;
pub(crate) mod emit;
mod extended;
mod foreign;
mod layout;
mod methods;
#[cfg(test)]
mod order_tests;
mod prelude;
mod trees;
mod type_names;
mod types;
mod union;
