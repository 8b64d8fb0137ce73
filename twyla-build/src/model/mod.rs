//! The model: the Rust type of each schema, the checks of single values, and the rules that need a tree.

mod bound;
mod boxes;
mod defaults;
pub mod explain;
mod implied;
mod merge;
mod narrow;
mod nulls;
mod object;
mod possible;
mod read;
mod reader;
mod rpcs;
mod rules;
mod split;
mod tree_inputs;
mod types;
mod union;
mod value;

pub(crate) use defaults::shown;
pub(crate) use read::{one, read};
pub(crate) use rules::Check;
pub(crate) use types::{
    Accessor, Body, Choice, Discriminator, Field, FormatType, JsonType, MessageType, Method, Model, Others, Shape,
    Tree, Type, TypeId, ValueType, Variant,
};
