//! Derives and attributes that a build script adds to generated types, by the path of a type or of a field.

use std::collections::BTreeSet;

use twyla_contract::similar;

use super::call_place::CallPlace;
use super::derived::Traits;
use super::format_type::FormatType;
use super::rules::Check;
use super::rust_text;
use super::shape::{Shape, TypeId, ValueType};
use super::traits;
use super::types::{Body, Field, Others, Type, rust_type};
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::wildcard;

/// What one call of `derive` or `attribute` in a build script adds, and the place of that call.
#[derive(Clone, Debug)]
pub(crate) struct Addition {
    /// The path of types or members below the module that includes the contracts. `*` stands for any text.
    pub(crate) pattern: String,
    pub(crate) added: Added,
    pub(crate) place: CallPlace,
}

/// The derives or the attribute that are added.
#[derive(Clone, Debug)]
pub(crate) enum Added {
    Derives(Vec<String>),
    Attribute(String),
}

/// Adds derives and attributes to the types that their patterns name.
pub(super) fn apply(types: &mut [Type], additions: &[Addition], problems: &mut Vec<Problem>) {
    let possible = traits::possible(types);
    let is_attribute = |addition: &&Addition| matches!(addition.added, Added::Attribute(_));
    // whether an enum can derive `Default` depends on the attributes of its variants
    let (attributes, derives): (Vec<_>, Vec<_>) = additions.iter().partition(is_attribute);
    for addition in attributes.into_iter().chain(derives) {
        match &addition.added {
            Added::Attribute(text) => add_attribute(types, addition, text, problems),
            Added::Derives(derives) => add_derives(types, &possible, addition, derives, problems),
        }
    }
}

fn add_attribute(types: &mut [Type], addition: &Addition, text: &str, problems: &mut Vec<Problem>) {
    if let Err(why) = rust_text::attribute(text) {
        problems.push(addition.place.problem(ProblemKind::NoAttribute { text: text.to_owned(), why }));
        return;
    }
    let mut found = false;
    for type_ in types.iter_mut().filter(|type_| !type_.is_plain()) {
        if addition.names_type(type_) {
            found = true;
            type_.custom.attributes.push(text.to_owned());
        }
        for member in members(&type_.body) {
            if names_member(&addition.pattern, &format!("{}.{member}", type_.path())) {
                found = true;
                type_.custom.members.entry(member).or_default().push(text.to_owned());
            }
        }
    }
    if !found {
        problems.push(addition.unmatched(types));
    }
}

fn add_derives(
    types: &mut [Type],
    possible: &[Traits],
    addition: &Addition,
    derives: &[String],
    problems: &mut Vec<Problem>,
) {
    for text in derives {
        if let Err(why) = rust_text::derive(text) {
            problems.push(addition.place.problem(ProblemKind::NoDerive { text: text.clone(), why }));
            return;
        }
    }
    let named: Vec<TypeId> = (0..types.len()).filter(|id| addition.names_type(&types[*id])).collect();
    if named.is_empty() {
        problems.push(addition.unmatched(types));
        return;
    }
    // a pattern for several types applies to those that can have the derive
    let is_exact = matches!(*named, [id] if types[id].path() == addition.pattern);
    let mut refused = Vec::new();
    loop {
        let mut added = false;
        refused.clear();
        for id in &named {
            for text in derives {
                match derivable(types, possible, *id, text) {
                    Derivable::Already => {}
                    Derivable::Yes => {
                        types[*id].custom.derives.push(text.clone());
                        added = true;
                    }
                    Derivable::No(reason) => {
                        let (derive, type_) = (text.clone(), types[*id].path());
                        refused.push(ProblemKind::CannotDerive { derive, type_, reason });
                    }
                }
            }
        }
        // a type can have `Default` only after the types of its members: repeat until nothing is added
        if !added {
            break;
        }
    }
    if is_exact {
        problems.extend(refused.into_iter().map(|kind| addition.place.problem(kind)));
    }
}

/// Whether a type can have a further derive.
enum Derivable {
    /// The type already has the trait, by a derive or an impl.
    Already,
    Yes,
    /// No, for this reason.
    No(String),
}

fn derivable(types: &[Type], possible: &[Traits], id: TypeId, text: &str) -> Derivable {
    let type_ = &types[id];
    let same = |other: &String| known(other).unwrap_or(other) == known(text).unwrap_or(text);
    if type_.custom.derives.iter().any(same) {
        return Derivable::Already;
    }
    let wanted = match known(text) {
        Some("Clone" | "Debug" | "PartialEq" | "Serialize" | "Deserialize") => return Derivable::Already,
        Some("Copy") => Traits::COPY,
        Some("Eq") => Traits::EQ,
        Some("PartialOrd") => Traits::PARTIAL_ORD,
        Some("Ord") => Traits::ORD,
        Some("Hash") => Traits::HASH,
        Some("Default") => return default(types, type_),
        _ => return Derivable::Yes,
    };
    match traits::lacking(types, possible, id, wanted) {
        None if type_.traits.has(if wanted == Traits::PARTIAL_ORD { Traits::ORD } else { wanted }) => {
            Derivable::Already
        }
        // only the compiler knows whether a replacing type has the trait
        None => Derivable::Yes,
        Some((member, shape)) => {
            let of = if member.is_empty() { "it holds".to_owned() } else { format!("its `{member}` is") };
            let name = known(text).unwrap_or(text);
            Derivable::No(format!("{of} `{}`, which doesn't implement `{name}`", rust_type(types, shape)))
        }
    }
}

/// Returns whether a type can derive `Default`.
fn default(types: &[Type], type_: &Type) -> Derivable {
    let is_marked = |attributes: &Vec<String>| attributes.iter().any(|text| text.replace(' ', "") == "#[default]");
    let is_marked_at = |name: &str| type_.custom.members.get(name).is_some_and(is_marked);
    match &type_.body {
        _ if is_default(types, type_) => Derivable::Already,
        Body::Struct { fields, .. } => {
            match fields.iter().find(|it| it.required && it.constant.is_none() && !has_default(types, &it.held.shape)) {
                Some(field) => {
                    let (name, type_) = (&field.name, rust_type(types, &field.held.shape));
                    Derivable::No(format!("its `{name}` is `{type_}`, which doesn't implement `Default`"))
                }
                None => Derivable::Yes,
            }
        }
        Body::Map(held) if has_default(types, &held.shape) => Derivable::Yes,
        Body::Map(held) => {
            let type_ = rust_type(types, &held.shape);
            Derivable::No(format!("its values are `{type_}`, which doesn't implement `Default`"))
        }
        Body::Enum { .. } if type_.custom.members.values().any(is_marked) => Derivable::Yes,
        Body::Union { variants, .. }
            if variants.iter().filter(|it| it.held.is_none()).any(|it| is_marked_at(&it.name)) =>
        {
            Derivable::Yes
        }
        Body::Union { variants, .. } if variants.iter().all(|it| it.held.is_some()) => {
            Derivable::No("each of its variants has a value, but a default variant must not have one".to_owned())
        }
        _ => Derivable::No(
            "none of its variants has the attribute `#[default]`: add it with `.attribute(\"…::Color.Red\", \
             \"#[default]\")`"
                .to_owned(),
        ),
    }
}

/// Returns whether a type has a `Default` without an added derive, because it has no required members.
fn is_default(types: &[Type], type_: &Type) -> bool {
    match &type_.body {
        Body::Struct { fields, .. } => {
            let is_given =
                |field: &Field| field.required && field.constant.is_none() && !is_constant(types, &field.held);
            !fields.iter().any(is_given)
        }
        _ => type_.traits.has(Traits::DEFAULT),
    }
}

/// Returns whether the type of a value has a `Default`, by itself or by a derive added so far. A replacing type counts as
/// having one: the compiler checks it.
fn has_default(types: &[Type], shape: &Shape) -> bool {
    match shape {
        Shape::Format(format) => !matches!(format, FormatType::DateTime | FormatType::Ipv4 | FormatType::Ipv6),
        Shape::Named(id) => {
            let derived = |text: &String| known(text) == Some("Default");
            is_default(types, &types[*id]) || types[*id].custom.derives.iter().any(derived)
        }
        _ => true,
    }
}

/// Returns whether only one value is possible, so that `new` takes no argument for it.
fn is_constant(types: &[Type], held: &ValueType) -> bool {
    fn alike<T: PartialEq>(values: &[T]) -> bool {
        values.split_first().is_some_and(|(first, others)| others.iter().all(|other| other == first))
    }
    let only = |check: &Check| match check {
        Check::Integers(values) => alike(values),
        Check::Numbers(values) => alike(values),
        Check::Booleans(values) => alike(values),
        _ => false,
    };
    match &held.shape {
        Shape::Null => true,
        Shape::Named(id) => matches!(&types[*id].body, Body::Enum { variants, .. } if variants.len() == 1),
        _ => held.checks.iter().any(only),
    }
}

/// Returns the name of a trait of the standard library or of serde; `None` for other derives.
fn known(text: &str) -> Option<&str> {
    const NAMES: [&str; 10] =
        ["Clone", "Copy", "Debug", "Default", "Deserialize", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"];
    let path = text.trim().trim_start_matches("::");
    let (first, last) = match path.split_once("::") {
        Some((first, rest)) => (first.trim(), rest.rsplit("::").next().unwrap_or(rest).trim()),
        None => ("std", path),
    };
    let is_known = matches!(first, "std" | "core" | "serde") && (NAMES.contains(&last) || last == "Serialize");
    is_known.then_some(last)
}

impl Addition {
    fn names_type(&self, type_: &Type) -> bool {
        if type_.is_plain() {
            return false;
        }
        let path = type_.path();
        let is_module = path.strip_prefix(&*self.pattern).is_some_and(|rest| rest.starts_with("::"));
        is_module || wildcard::matches(&self.pattern, &path)
    }

    fn unmatched(&self, types: &[Type]) -> Problem {
        let types = || types.iter().filter(|type_| !type_.is_plain());
        let of_type = |type_: &Type| {
            let names = members(&type_.body).into_iter().map(|member| format!("{}.{member}", type_.path()));
            names.collect::<Vec<_>>()
        };
        let members: BTreeSet<String> = types().flat_map(of_type).collect();
        let pattern = self.pattern.clone();
        if matches!(self.added, Added::Derives(_)) && members.iter().any(|name| names_member(&pattern, name)) {
            return self.place.problem(ProblemKind::DeriveOnMember { pattern });
        }
        let mut names: BTreeSet<String> = types().filter_map(|type_| type_.module.clone()).collect();
        names.extend(types().map(Type::path));
        if pattern.contains('.') {
            names.extend(members);
        }
        let near = similar::nearest(&pattern, names.iter().map(String::as_str)).map(str::to_owned);
        self.place.problem(ProblemKind::UnmatchedPattern { pattern, near })
    }
}

/// Returns the names of the fields or variants of a type.
fn members(body: &Body) -> Vec<String> {
    match body {
        Body::Struct { fields, others } => {
            let kept = if let Others::Kept { name, .. } = others { Some(name.clone()) } else { None };
            let fields = fields.iter().filter(|field| field.constant.is_none());
            fields.map(|field| field.name.clone()).chain(kept).collect()
        }
        Body::Enum { variants, .. } => variants.clone(),
        Body::Union { variants, .. } => variants.iter().map(|variant| variant.name.clone()).collect(),
        Body::Map(_) => Vec::new(),
    }
}

/// Returns whether a pattern names a member, by its type and its name. A pattern without a dot names types.
fn names_member(pattern: &str, member: &str) -> bool {
    pattern.contains('.') && wildcard::matches(pattern, member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_with_a_dot_names_members() {
        for (pattern, name) in
            [("*.total", "shop::Order.total"), ("shop::*.*", "shop::Order.total"), ("s*r.t*", "shop::Order.total")]
        {
            assert!(names_member(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("*", "shop::Order.total"), ("shop::*", "shop::Order.total"), ("*.totals", "shop::Order.total")]
        {
            assert!(!names_member(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_known_derive_may_be_written_as_a_path() {
        for (text, name) in
            [("Eq", "Eq"), ("std::cmp::Eq", "Eq"), ("::core::hash::Hash", "Hash"), ("serde::Serialize", "Serialize")]
        {
            assert_eq!(known(text), Some(name));
        }
        assert_eq!(known("derive_more::Debug"), None);
        assert_eq!(known("Visit"), None);
    }
}
