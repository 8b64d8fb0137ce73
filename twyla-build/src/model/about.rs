//! How contracts are compiled, for people: their types, the fields and rules of these, and where each stands.

use twyla_contract::Place;

use super::types::{Body, Field, Held, Model, Others, Reason, Shape, Tree, Type, TypeId, Variant};

/// How one contract is compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// The event's name, `api.user_input`; `context` for the context; `<service>.<method>/request` and so on of an RPC.
    pub name: String,
    /// Its types: that of the contract first, then those that it leads to, sorted by their paths.
    pub types: Vec<AboutType>,
}

/// A generated type.
#[derive(Clone, Debug, PartialEq)]
pub struct AboutType {
    /// Its path below the module that includes the contracts: `api::UserInput`.
    pub rust_path: String,
    /// Where its schema begins.
    pub place: Place,
    /// What the schema says to people.
    pub docs: String,
    /// What it is.
    pub body: AboutBody,
    /// The rules of the whole value that a tree holds.
    pub trees: Vec<AboutTree>,
}

/// What a type is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum AboutBody {
    /// A struct.
    Struct {
        /// Its fields, in the schema's order.
        fields: Vec<AboutField>,
        /// What becomes of members that no field is for.
        others: AboutOthers,
    },
    /// An enum of words.
    Words(Vec<String>),
    /// An enum of objects that a property tells apart.
    Union {
        /// The property.
        tag: String,
        /// The words that it may have, and the type of the object then.
        variants: Vec<(Vec<String>, String)>,
    },
    /// An object whose members are all of this type.
    Map(String),
}

/// What becomes of members that no field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AboutOthers {
    /// They are ignored when read, and never written.
    Ignored,
    /// An object that has some is refused.
    Refused,
    /// They are kept, and written.
    Kept,
}

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub struct AboutField {
    /// The name on the wire.
    pub wire: String,
    /// The type, an `Option` where the property may be absent.
    pub rust_type: String,
    /// Whether the schema requires the property.
    pub required: bool,
    /// What the schema says to people, and the rules that are checked in place.
    pub docs: String,
    /// Where its schema begins.
    pub place: Place,
    /// The rules that are checked in place of its items, or of its members.
    pub inner: Vec<String>,
    /// The rules of the value that a tree holds.
    pub trees: Vec<AboutTree>,
}

/// A rule that a tree holds, as the type and checks in place can't tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutTree {
    /// Where it stands.
    pub place: Place,
    /// Why it takes a tree.
    pub why: String,
}

/// All contracts of a model, the context first.
pub(crate) fn all(model: &Model) -> Vec<About> {
    let contexts = std::iter::once(("context".to_owned(), model.context));
    let all = contexts.chain(model.events.iter().map(|(name, id)| (name.to_string(), *id)));
    let rpcs = model.rpcs.iter().flat_map(|method| {
        method.carries().map(|(way, carried)| (format!("{}/{}", method.name, way.name()), carried.type_))
    });
    all.chain(rpcs).map(|(name, id)| About { name, types: types(model, id) }).collect()
}

fn types(model: &Model, id: TypeId) -> Vec<AboutType> {
    let mut reached: Vec<&Type> =
        model.reach(id).into_iter().filter(|it| *it != id).map(|it| &model.types[it]).collect();
    reached.sort_by_key(|it| it.path());
    std::iter::once(&model.types[id]).chain(reached).map(|it| type_(model, it)).collect()
}

fn type_(model: &Model, type_: &Type) -> AboutType {
    let body = match &type_.body {
        Body::Struct { fields, others } => AboutBody::Struct {
            fields: fields.iter().map(|it| field(model, it)).collect(),
            others: match others {
                Others::Ignored => AboutOthers::Ignored,
                Others::Refused => AboutOthers::Refused,
                Others::Kept { .. } => AboutOthers::Kept,
            },
        },
        Body::Enum { words, .. } => AboutBody::Words(words.clone()),
        Body::Union { tag, variants } => {
            let variant = |it: &Variant| (it.words.clone(), model.rust_type(&it.held.shape));
            AboutBody::Union { tag: tag.clone(), variants: variants.iter().map(variant).collect() }
        }
        Body::Map(held) => AboutBody::Map(model.rust_type(&held.shape)),
    };
    let mut trees = reasons(&type_.trees);
    if let Body::Map(held) | Body::Struct { others: Others::Kept { held, .. }, .. } = &type_.body {
        held_trees(held, &mut trees);
    }
    AboutType { rust_path: type_.path(), place: type_.place.clone(), docs: type_.docs.clone(), body, trees }
}

fn field(model: &Model, field: &Field) -> AboutField {
    let rust_type = model.rust_type(&field.held.shape);
    let absent = field.may_be_absent();
    let mut trees = Vec::new();
    held_trees(&field.held, &mut trees);
    AboutField {
        wire: field.wire.clone(),
        rust_type: if absent { format!("Option<{rust_type}>") } else { rust_type },
        required: field.required,
        docs: field.docs.to_string(),
        place: field.place.clone(),
        inner: inner(&field.held.shape),
        trees,
    }
}

/// `each item: `maxLength` 2`, for each level that has rules.
fn inner(shape: &Shape) -> Vec<String> {
    let (word, held) = match shape {
        Shape::Array(held) => ("item", held),
        Shape::Map(held) => ("member", held),
        Shape::Nullable(held) => return inner(&held.shape),
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

fn reasons(trees: &[Tree]) -> Vec<AboutTree> {
    let about = |it: &Reason| AboutTree { place: it.place.clone(), why: it.why.clone() };
    trees.iter().flat_map(|tree| &tree.reasons).map(about).collect()
}

fn held_trees(held: &Held, out: &mut Vec<AboutTree>) {
    out.extend(reasons(&held.trees));
    if let Shape::Array(inner) | Shape::Map(inner) | Shape::Nullable(inner) = &held.shape {
        held_trees(inner, out);
    }
}
