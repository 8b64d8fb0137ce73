//! The model: the Rust type of each schema, the checks of single values, and the rules that need a tree.

mod base;
mod bound;
mod boxes;
mod call_place;
mod custom;
mod defaults;
mod derived;
pub mod explain;
mod implied;
mod integer;
mod merge;
mod narrow;
mod narrow_docs;
mod nulls;
mod object;
mod possible;
mod read;
mod reader;
mod replace;
mod rpcs;
mod rules;
mod rust_text;
mod split;
mod traits;
mod tree_inputs;
mod types;
mod union;
mod value;

pub(crate) use call_place::CallPlace;
pub(crate) use custom::{Added, Addition};
pub(crate) use defaults::shown;
pub(crate) use derived::Traits;
pub(crate) use integer::IntegerType;
pub(crate) use read::{Options, one, read};
pub(crate) use replace::{Replacement, Target};
pub(crate) use rules::Check;
pub(crate) use rust_text::checked;
pub(crate) use types::{
    Accessor, Body, Choice, Discriminator, Field, FormatType, JsonType, MessageType, Method, Model, Others, PLAIN,
    Shape, Tree, Type, TypeId, ValueType, Variant,
};
