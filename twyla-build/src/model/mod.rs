//! The contracts as types: what shape each value has in Rust, what is checked of it by itself, and which rules are held
//! by a tree.

pub mod about;
mod boxes;
mod defaults;
mod looks;
mod merge;
mod object;
mod read;
mod reader;
mod rpcs;
mod rules;
mod split;
mod types;
mod union;
mod value;

pub(crate) use defaults::shown;
pub(crate) use read::{one, read};
pub(crate) use rules::Check;
pub(crate) use types::{
    Accessor, Body, Carried, Field, Held, Method, Model, Others, Real, Shape, Tree, Type, TypeId, Variant,
};
