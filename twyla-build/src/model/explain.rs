//! Explains how contracts are compiled: their types, the fields and rules of these, and their places.

use twyla_contract::Location;

use super::shape::{ReplacedType, Shape, Tree, TreeReason, TypeId, ValueType};
use super::types::{Body, Field, Model, Others, Type};
use super::variant::{Discriminator, Variant};

/// The explanation of how one contract is compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct ContractExplanation {
    /// The name of the event, `api.user_input`; `context` for the context; `<service>.<method>/request` and so on for an RPC.
    pub name: String,
    /// The type of the contract, then the types that it uses, sorted by path.
    pub types: Vec<TypeExplanation>,
}

/// A generated type.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeExplanation {
    /// The type's path below the module that includes the contracts: `api::UserInput`.
    pub rust_path: String,
    /// The place of the schema.
    pub place: Location,
    /// The description in the schema.
    pub docs: String,
    /// The fields or variants of the type.
    pub body: BodyExplanation,
    /// The rules of the whole value that a tree evaluates.
    pub trees: Vec<RuleExplanation>,
}

/// The content of a type.
#[derive(Clone, Debug, PartialEq)]
pub enum BodyExplanation {
    /// A struct.
    Struct {
        /// The struct's fields, in the schema's order.
        fields: Vec<FieldExplanation>,
        /// What happens to undeclared members.
        others: UndeclaredMembers,
    },
    /// An enum of words, in the schema's order.
    Words(Vec<WordExplanation>),
    /// An enum of values that can be distinguished.
    Union {
        /// The way in which the values are distinguished.
        by: UnionDiscriminator,
        /// The enum's variants.
        variants: Vec<VariantExplanation>,
    },
    /// A newtype of a map: an object whose members all have this type.
    Map(String),
    /// A newtype of this other type: a response that isn't an object, or a value of a type that replaces the generated one.
    Newtype(String),
}

/// A word of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordExplanation {
    /// The word on the wire.
    pub word: String,
    /// The description in the schema.
    pub docs: String,
}

/// A variant of a union.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantExplanation {
    /// What selects the variant: the values of the member, the JSON types, or the name of its own member. Empty for the
    /// variant of all other values.
    pub choices: Vec<String>,
    /// The type of the variant's values; `None` if the variant stands for one word.
    pub rust_type: Option<String>,
    /// The description in the schema if the variant stands for one word; else empty, because its type has its own docs.
    pub docs: String,
}

/// The way in which the variants of a union are distinguished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnionDiscriminator {
    /// The value of this member.
    Member(String),
    /// The JSON type of the value.
    JsonType,
    /// The presence of a member that only this variant declares and requires.
    OwnMember,
}

/// What happens to undeclared members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndeclaredMembers {
    /// Undeclared members are ignored on reading and never written.
    Ignored,
    /// An object with undeclared members is refused.
    Refused,
    /// Undeclared members are kept and written.
    Kept,
}

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldExplanation {
    /// The name on the wire.
    pub wire: String,
    /// The type: an `Option` if the property may be absent, a `Nullable` if it may be null too. For a property whose
    /// only value is one string, that string as JSON.
    pub rust_type: String,
    /// Whether the schema requires the property.
    pub required: bool,
    /// The description in the schema, and the rules that are checked in place.
    pub docs: String,
    /// The place of the schema.
    pub place: Location,
    /// The rules of the value's items or members that are checked in place.
    pub inner: Vec<String>,
    /// The rules of the value that a tree evaluates.
    pub trees: Vec<RuleExplanation>,
}

/// A rule that a tree evaluates, since types and checks can't express it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleExplanation {
    /// The rule's place.
    pub place: Location,
    /// Why the rule needs a tree.
    pub why: String,
}

/// Explains all contracts of a model, the context first.
pub(crate) fn all(model: &Model) -> Vec<ContractExplanation> {
    let contexts = std::iter::once(("context".to_owned(), model.context));
    let all = contexts.chain(model.events.iter().map(|(name, id)| (name.to_string(), *id)));
    let rpcs = model.rpcs.iter().flat_map(|method| {
        method.carries().map(|(way, carried)| (format!("{}/{}", method.name, way.name()), carried.type_))
    });
    all.chain(rpcs).map(|(name, id)| ContractExplanation { name, types: types(model, id) }).collect()
}

fn types(model: &Model, id: TypeId) -> Vec<TypeExplanation> {
    let mut reached: Vec<&Type> =
        model.reach(id).into_iter().filter(|it| *it != id).map(|it| &model.types[it]).collect();
    reached.sort_by_key(|it| it.path());
    std::iter::once(&model.types[id]).chain(reached).map(|it| type_(model, it)).collect()
}

fn type_(model: &Model, type_: &Type) -> TypeExplanation {
    let body = match &type_.body {
        Body::Struct { fields, others } => BodyExplanation::Struct {
            fields: fields.iter().map(|it| field(model, it)).collect(),
            others: match others {
                Others::Ignored => UndeclaredMembers::Ignored,
                Others::Refused => UndeclaredMembers::Refused,
                Others::Kept { .. } => UndeclaredMembers::Kept,
            },
        },
        Body::Enum { words, .. } => {
            let docs = |word: &String| type_.word_docs.get(word).cloned().unwrap_or_default();
            let word = |word: &String| WordExplanation { word: word.clone(), docs: docs(word) };
            BodyExplanation::Words(words.iter().map(word).collect())
        }
        Body::Union { by, variants } => {
            let by = match by {
                Discriminator::Member(name) => UnionDiscriminator::Member(name.clone()),
                Discriminator::JsonType => UnionDiscriminator::JsonType,
                Discriminator::OwnMember | Discriminator::RequiredMember(_) => UnionDiscriminator::OwnMember,
            };
            let variant = |it: &Variant| VariantExplanation {
                choices: it.wanted(),
                rust_type: it.held.as_ref().map(|held| model.rust_type(&held.shape)),
                docs: it.docs.clone(),
            };
            BodyExplanation::Union { by, variants: variants.iter().map(variant).collect() }
        }
        Body::Map(held) => match &held.shape {
            Shape::Map(member) => BodyExplanation::Map(model.rust_type(&member.shape)),
            shape => BodyExplanation::Newtype(model.rust_type(shape)),
        },
    };
    let mut trees = reasons(&type_.trees);
    match &type_.body {
        Body::Map(held) | Body::Struct { others: Others::Kept { held, .. }, .. } => held_trees(held, &mut trees),
        Body::Union { .. } => type_.body.holds().into_iter().for_each(|held| held_trees(held, &mut trees)),
        Body::Struct { .. } | Body::Enum { .. } => {}
    }
    TypeExplanation { rust_path: type_.path(), place: type_.place.clone(), docs: type_.docs.clone(), body, trees }
}

fn field(model: &Model, field: &Field) -> FieldExplanation {
    let constant = field.constant.as_deref().map(|word| serde_json::Value::from(word).to_string());
    let rust_type = constant.unwrap_or_else(|| match field.nullable() {
        Some(inner) => format!("Nullable<{}>", model.rust_type(&inner.shape)),
        None if field.may_be_absent() => format!("Option<{}>", model.rust_type(&field.held.shape)),
        None => model.rust_type(&field.held.shape),
    });
    let mut trees = Vec::new();
    held_trees(&field.held, &mut trees);
    FieldExplanation {
        wire: field.wire.clone(),
        rust_type,
        required: field.required,
        docs: field.docs.to_string(),
        place: field.place.clone(),
        inner: inner(&field.held.shape),
        trees,
    }
}

/// Returns the rules of items and members, one text per level.
fn inner(shape: &Shape) -> Vec<String> {
    let (word, held) = match shape {
        Shape::Array(held) => ("item", held),
        Shape::Map(held) => ("member", held),
        Shape::Nullable(held) | Shape::Replaced(ReplacedType { held, .. }) => return inner(&held.shape),
        _ => return Vec::new(),
    };
    let checks = match &held.shape {
        Shape::Nullable(inner) => held.checks.iter().chain(&inner.checks),
        _ => held.checks.iter().chain(&[]),
    };
    let rules: Vec<String> = checks.map(ToString::to_string).collect();
    let own = (!rules.is_empty()).then(|| format!("Rules of each {word}: {}.", rules.join(", ")));
    own.into_iter().chain(inner(&held.shape)).collect()
}

fn reasons(trees: &[Tree]) -> Vec<RuleExplanation> {
    let about = |it: &TreeReason| RuleExplanation { place: it.place.clone(), why: it.why.clone() };
    trees.iter().flat_map(|tree| &tree.reasons).map(about).collect()
}

fn held_trees(held: &ValueType, out: &mut Vec<RuleExplanation>) {
    out.extend(reasons(&held.trees));
    if let Shape::Array(inner)
    | Shape::Map(inner)
    | Shape::Nullable(inner)
    | Shape::Replaced(ReplacedType { held: inner, .. }) = &held.shape
    {
        held_trees(inner, out);
    }
}
