//! Counts the types and fields of a folder's contracts.

use std::collections::BTreeMap;
use std::path::Path;

use twyla_build::explain::{BodyExplanation, FieldExplanation, TypeExplanation, UnionDiscriminator};
use twyla_build::{Builder, Problems};
use twyla_contract::Location;

use crate::cause::Sources;

/// How messages show the folder.
const SHOWN: &str = "schemas";

const VALUE: &str = "::serde_json::Value";
/// Structs with fewer fields are never called copies.
const LEAST_FIELDS: usize = 3;

const MAP: &str = "::serde_json::Map<String, ::serde_json::Value>";

/// What a folder of schemas becomes.
#[derive(Debug, Default)]
pub(crate) struct Measurement {
    pub(crate) events: usize,
    /// The size of the generated code.
    pub(crate) bytes: usize,
    pub(crate) structs: usize,
    pub(crate) words: usize,
    pub(crate) tagged: usize,
    pub(crate) untagged: usize,
    pub(crate) maps: usize,
    pub(crate) fields: usize,
    /// Fields that are `Option<Option<T>>`.
    pub(crate) doubled: usize,
    /// Fields that hold any JSON value.
    pub(crate) values: Vec<Untyped>,
    /// Fields that hold any JSON object.
    pub(crate) bare_maps: Vec<Untyped>,
    /// Types of one schema, where there are several.
    pub(crate) repeated: Vec<Vec<String>>,
    /// Structs with the same fields of the same schemas.
    pub(crate) twins: Vec<Vec<String>>,
    /// The longest name of a type.
    pub(crate) longest: String,
}

/// A field without a type of its own.
#[derive(Debug)]
pub(crate) struct Untyped {
    pub(crate) place: Location,
    /// The type and the property: `shop::Order.note`.
    pub(crate) field: String,
    pub(crate) rust_type: String,
    pub(crate) cause: String,
}

impl Measurement {
    /// Measures the contracts of a folder.
    pub(crate) fn of(folder: &Path) -> Result<Self, Problems> {
        let builder = Builder::new(folder).shown_as(SHOWN);
        let generated = builder.generate()?;
        let mut types: BTreeMap<String, TypeExplanation> = BTreeMap::new();
        for contract in builder.explain()? {
            types.extend(contract.types.into_iter().map(|it| (it.rust_path.clone(), it)));
        }
        let mut out = Self { events: generated.contracts.events.len(), bytes: generated.code.len(), ..Self::default() };
        let sources = Sources::new(folder, SHOWN);
        for (path, type_) in &types {
            out.count(path, type_, &sources);
        }
        out.repeated = repeated(types.iter().map(|(path, type_)| (type_.place.to_string(), path)));
        out.twins = twins(&types);
        Ok(out)
    }

    pub(crate) fn types(&self) -> usize {
        self.structs + self.words + self.tagged + self.untagged + self.maps
    }

    fn count(&mut self, path: &str, type_: &TypeExplanation, sources: &Sources) {
        let name = path.rsplit("::").next().unwrap_or(path);
        if name.chars().count() > self.longest.chars().count() {
            self.longest = name.to_owned();
        }
        match &type_.body {
            BodyExplanation::Struct { fields, .. } => {
                self.structs += 1;
                for field in fields {
                    self.field(path, field, sources);
                }
            }
            BodyExplanation::Words(_) => self.words += 1,
            BodyExplanation::Union { by: UnionDiscriminator::JsonType, .. } => self.untagged += 1,
            BodyExplanation::Union { .. } => self.tagged += 1,
            BodyExplanation::Map(_) | BodyExplanation::Newtype(_) => self.maps += 1,
        }
    }

    fn field(&mut self, path: &str, field: &FieldExplanation, sources: &Sources) {
        self.fields += 1;
        self.doubled += usize::from(field.rust_type.starts_with("Option<Option<"));
        let innermost = innermost(&field.rust_type);
        let list = match innermost {
            VALUE => &mut self.values,
            MAP => &mut self.bare_maps,
            _ => return,
        };
        list.push(Untyped {
            place: field.place.clone(),
            field: format!("{path}.{}", field.wire),
            rust_type: field.rust_type.clone(),
            cause: sources.cause(field),
        });
    }
}

/// The type in `Option`, `Vec` and maps.
fn innermost(mut type_: &str) -> &str {
    while type_ != MAP {
        let Some((outer, inner)) = type_.strip_suffix('>').and_then(|type_| type_.split_once('<')) else { break };
        type_ = if outer == "BTreeMap" { inner.strip_prefix("String, ").unwrap_or(inner) } else { inner };
    }
    type_
}

/// Structs with the same properties, most of them declared by the same schemas.
fn twins(types: &BTreeMap<String, TypeExplanation>) -> Vec<Vec<String>> {
    let mut alike: BTreeMap<Vec<&str>, Vec<(&String, Vec<&Location>)>> = BTreeMap::new();
    for (path, type_) in types {
        let BodyExplanation::Struct { fields, .. } = &type_.body else { continue };
        let mut fields: Vec<(&str, &Location)> = fields.iter().map(|field| (&*field.wire, &field.place)).collect();
        fields.sort_unstable_by_key(|(wire, _)| *wire);
        let (wires, places) = fields.into_iter().unzip();
        alike.entry(wires).or_default().push((path, places));
    }
    let mut groups: Vec<Vec<String>> = Vec::new();
    for (wires, mut structs) in alike.into_iter().filter(|(wires, _)| wires.len() >= LEAST_FIELDS) {
        while let Some((first, places)) = structs.pop() {
            let is_copy =
                |other: &[&Location]| 2 * other.iter().zip(&places).filter(|(a, b)| a == b).count() >= wires.len();
            let (copies, others): (Vec<_>, Vec<_>) = structs.into_iter().partition(|(_, other)| is_copy(other));
            structs = others;
            let group: Vec<String> = [first].into_iter().chain(copies.iter().map(|(path, _)| *path)).cloned().collect();
            groups.extend((group.len() > 1).then_some(group));
        }
    }
    groups
}

/// The names with the same key, where there are several.
fn repeated<'t>(all: impl Iterator<Item = (String, &'t String)>) -> Vec<Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    all.for_each(|(key, name)| groups.entry(key).or_default().push(name.clone()));
    groups.into_values().filter(|group| group.len() > 1).collect()
}
