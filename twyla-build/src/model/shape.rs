//! The shapes of values: their types in Rust, with the checks and rule trees of the value.

use std::collections::BTreeSet;

use twyla_contract::Location;

use super::format_type::FormatType;
use super::integer::IntegerType;
use super::rules::Check;
use crate::schema::schemas::Loc;

/// A type by its index in the model.
pub(crate) type TypeId = usize;

/// Rules of a schema that a type and its checks can't express: evaluated as a tree over the typed value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub(crate) loc: Loc,
    /// The keywords that the tree evaluates; empty for the whole schema.
    pub(crate) keywords: BTreeSet<String>,
    pub(crate) reasons: Vec<TreeReason>,
}

/// Why a rule needs a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeReason {
    pub(crate) place: Location,
    pub(crate) why: String,
}

/// The type of a value: its shape, its checks and its rule trees.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ValueType {
    pub(crate) shape: Shape,
    pub(crate) checks: Vec<Check>,
    pub(crate) trees: Vec<Tree>,
}

impl ValueType {
    pub(crate) fn plain(shape: Shape) -> Self {
        Self::checked(shape, Vec::new())
    }

    pub(crate) fn checked(shape: Shape, checks: Vec<Check>) -> Self {
        Self { shape, checks, trees: Vec::new() }
    }
}

/// The shape of a value: its type in Rust.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Any JSON value.
    Any,
    /// `null`
    Null,
    /// `bool`
    Boolean,
    /// An integer type, with the limits of the schema.
    Integer { type_: IntegerType, minimum: Option<i128>, maximum: Option<i128> },
    /// `f64`
    Number,
    /// `String`
    String,
    /// A string whose format has a type in Rust.
    Format(FormatType),
    /// A struct, an enum of words or a union.
    Named(TypeId),
    /// A list of items of one type.
    Array(Box<ValueType>),
    /// An object whose members have one type.
    Map(Box<ValueType>),
    /// A value that may be null.
    Nullable(Box<ValueType>),
    /// A type that replaces the generated one.
    Replaced(ReplacedType),
}

/// A type that replaces a generated one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReplacedType {
    /// The type's absolute path in Rust.
    pub(crate) path: String,
    /// The type parameters.
    pub(crate) parameters: Vec<ValueType>,
    /// The generated type that is replaced.
    pub(crate) held: Box<ValueType>,
}

impl Shape {
    /// Returns the depth of nested types without a name, such as arrays, in this shape.
    pub(crate) fn nested(&self) -> usize {
        let (mut shape, mut depth) = (self, 0);
        while let Self::Array(held)
        | Self::Map(held)
        | Self::Nullable(held)
        | Self::Replaced(ReplacedType { held, .. }) = shape
        {
            (shape, depth) = (&held.shape, depth + 1);
        }
        depth
    }

    /// Returns whether the shape has no untyped part. Doesn't look into named types.
    pub(crate) fn is_typed(&self) -> bool {
        match self {
            Self::Any => false,
            Self::Array(held) | Self::Map(held) | Self::Nullable(held) => held.shape.is_typed(),
            // a replacing type may show what the generated type hides
            Self::Replaced(_) => false,
            _ => true,
        }
    }

    /// Collects the types that this shape contains.
    pub(crate) fn uses(&self, out: &mut BTreeSet<TypeId>) {
        match self {
            Self::Named(id) => {
                out.insert(*id);
            }
            Self::Array(held) | Self::Map(held) | Self::Nullable(held) => held.shape.uses(out),
            Self::Replaced(replaced) => {
                replaced.held.shape.uses(out);
                replaced.parameters.iter().for_each(|parameter| parameter.shape.uses(out));
            }
            _ => {}
        }
    }

    /// Replaces the index of each type by the result of `lead`.
    pub(super) fn redirect(&mut self, lead: &impl Fn(TypeId) -> TypeId) {
        match self {
            Self::Named(id) => *id = lead(*id),
            Self::Array(held) | Self::Map(held) | Self::Nullable(held) => held.shape.redirect(lead),
            Self::Replaced(replaced) => {
                replaced.held.shape.redirect(lead);
                replaced.parameters.iter_mut().for_each(|parameter| parameter.shape.redirect(lead));
            }
            _ => {}
        }
    }

    /// Returns the generated shape, without the type that replaces it.
    pub(crate) fn unreplaced(&self) -> &Self {
        let mut shape = self;
        while let Self::Replaced(replaced) = shape {
            shape = &replaced.held.shape;
        }
        shape
    }

    /// Returns whether the shape is a replacing type, or contains one as items, members or an optional value. Doesn't look
    /// into named types.
    pub(crate) fn is_replaced(&self) -> bool {
        match self {
            Self::Replaced(_) => true,
            Self::Array(held) | Self::Map(held) | Self::Nullable(held) => held.shape.is_replaced(),
            _ => false,
        }
    }
}
