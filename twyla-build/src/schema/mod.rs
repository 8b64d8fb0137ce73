//! The JSON Schema files of a folder: loaded with their places, resolved and checked.

pub(crate) mod check;
pub(crate) mod cycles;
pub(crate) mod draft;
pub(crate) mod evaluate;
pub(crate) mod format;
pub(crate) mod keyword_values;
pub(crate) mod load;
pub(crate) mod meta;
pub(crate) mod names;
pub(crate) mod null;
pub(crate) mod only;
pub(crate) mod path;
pub(crate) mod pattern;
pub mod problem;
#[cfg(test)]
mod reference_tests;
pub(crate) mod register;
pub(crate) mod resolve;
pub(crate) mod rpcs;
pub(crate) mod schemas;
pub(crate) mod scope;
pub(crate) mod sensitive;
pub mod settings;
pub(crate) mod type_names;
pub(crate) mod uri;
pub(crate) mod warning;
pub(crate) mod wildcard;
