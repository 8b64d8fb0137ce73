//! Converts contracts to components of a document: JSON Schema 2020-12, with every `$ref` to a component, and no `$id` or anchor.
//!
//! Keywords of earlier drafts are converted: `definitions`, arrays of `items`, `dependencies`, boolean `exclusiveMinimum`, and ignored
//! siblings of a `$ref`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value, json};
use twyla_build::Draft;
use twyla_build::compare::{ContractSchema, Schema, SchemaPath};
use twyla_contract::rust::type_name;

use crate::support::contracts::{Contracts, name_of as name_of_contract};

/// A contract that can't be converted.
#[derive(Debug, thiserror::Error)]
#[error("{name} can't be converted to OpenAPI: {why}")]
pub(super) struct Unwritable {
    name: String,
    why: String,
}

/// The component names, by the places of the schemas.
pub(super) type Names = BTreeMap<SchemaPath, String>;

/// A schema that is a component.
struct Component<'a> {
    schema: Schema<'a>,
    /// Whether a component is written for the schema; otherwise it is only a `$ref` to another component.
    is_component: bool,
    /// The name of the contract that the schema belongs to.
    contract: Option<String>,
    /// The dynamic anchors that dynamic references in the schema lead to; the empty text for `$recursiveAnchor`.
    asks: BTreeSet<String>,
    /// The components that the schema refers to.
    refers: BTreeSet<SchemaPath>,
}

/// The components of a document.
pub(super) struct Components<'a> {
    contracts: &'a Contracts,
    names: Names,
    /// The components, by the places of their schemas.
    all: BTreeMap<SchemaPath, Component<'a>>,
    open: VecDeque<SchemaPath>,
    /// The component that is being written.
    here: Option<SchemaPath>,
    done: Map<String, Value>,
}

impl<'a> Components<'a> {
    /// Creates an empty set. `names` is the result of [`names`](Self::names) after all schemas were added.
    pub(super) fn new(contracts: &'a Contracts, names: Names) -> Self {
        let (all, open) = (BTreeMap::new(), VecDeque::new());
        Self { contracts, names, all, open, here: None, done: Map::new() }
    }

    /// Returns the names of the components. They depend on the contracts and the places of the schemas, not on the order of
    /// references. `reserved` names are not used.
    pub(super) fn names(self, reserved: &[&str]) -> Names {
        let mut taken: BTreeSet<String> = reserved.iter().map(|name| (*name).to_owned()).collect();
        let all = self.all.into_iter().filter(|(_, it)| it.is_component);
        // contracts come first
        let mut all: Vec<_> = all
            .map(|(path, it)| (it.contract.is_none(), it.contract.unwrap_or_else(|| name_of(&path)), path))
            .collect();
        all.sort();
        let named = all.into_iter().map(|(_, wanted, path)| {
            let numbered = (2..).map(|number| format!("{wanted}{number}"));
            let mut names = std::iter::once(wanted.clone()).chain(numbered);
            let name = names.find(|it| !taken.contains(it)).unwrap_or_default();
            taken.insert(name.clone());
            (path, name)
        });
        named.collect()
    }

    /// Adds a contract, and returns a `$ref` to its component.
    pub(super) fn contract(&mut self, contract: &ContractSchema, name: &str) -> Result<Value, Unwritable> {
        let unwritable = |why: String| Unwritable { name: name_of_contract(contract), why };
        let root = self.contracts.root(contract).ok_or_else(|| unwritable("its schema is missing".to_owned()))?;
        // a contract that is only a `$ref` uses the component of the target
        let reference = root.value().as_object().filter(|it| it.keys().all(|key| key == "$ref" || key == "$schema"));
        let used = match reference.and_then(|it| it.get("$ref")) {
            Some(_) => {
                self.here = Some(root.path().clone());
                self.all.entry(root.path().clone()).or_insert_with(|| Component::new(root.clone()));
                self.written(&root).map_err(unwritable)?
            }
            None => self.component(&root, Some(name)),
        };
        while let Some(path) = self.open.pop_front() {
            let Some(schema) = self.all.get(&path).map(|it| it.schema.clone()) else { continue };
            self.here = Some(path.clone());
            let written = self.written(&schema).map_err(unwritable)?;
            self.done.insert(self.name(&path), written);
        }
        self.check(contract, root.path()).map_err(unwritable)?;
        Ok(used)
    }

    /// Returns an error if a dynamic reference may have another target in the components, which contracts share, than in the
    /// contract.
    fn check(&self, contract: &ContractSchema, root: &SchemaPath) -> Result<(), String> {
        let form = serde_json::from_str(&contract.bundle.to_string()).unwrap_or_default();
        let mut counts = BTreeMap::new();
        anchors(&form, &mut counts);
        let (mut open, mut seen) = (vec![root], BTreeSet::from([root]));
        while let Some(component) = open.pop().and_then(|path| self.all.get(path)) {
            if component.asks.iter().any(|anchor| counts.get(anchor).is_some_and(|count| *count > 1)) {
                let why =
                    "the target of a dynamic reference depends on what refers to it, which a component can't express";
                return Err(why.to_owned());
            }
            open.extend(component.refers.iter().filter(|path| seen.insert(*path)));
        }
        Ok(())
    }

    fn name(&self, path: &SchemaPath) -> String {
        self.names.get(path).cloned().unwrap_or_default()
    }

    /// Returns all components.
    pub(super) fn finished(self) -> Map<String, Value> {
        self.done
    }

    /// Returns a `$ref` to the component of a schema.
    fn component(&mut self, schema: &Schema<'a>, contract: Option<&str>) -> Value {
        let path = schema.path();
        let component = self.all.entry(path.clone()).or_insert_with(|| Component::new(schema.clone()));
        if !std::mem::replace(&mut component.is_component, true) {
            self.open.push_back(path.clone());
        }
        if let Some(name) = contract {
            component.contract = Some(name.to_owned());
        } else if let Some(here) = self.here.as_ref().and_then(|here| self.all.get_mut(here)) {
            here.refers.insert(path.clone());
        }
        json!({ "$ref": format!("#/components/schemas/{}", self.name(path)) })
    }

    /// Converts a schema to 2020-12.
    fn written(&mut self, at: &Schema<'a>) -> Result<Value, String> {
        let Value::Object(schema) = at.value() else { return Ok(at.value().clone()) };
        let draft = at.draft();
        let mut out = Map::new();
        if schema.contains_key("$ref") {
            out.insert("$ref".to_owned(), self.referred(at.reference())?);
            if draft <= Draft::Draft7 {
                // the draft ignores siblings of a `$ref`
                return Ok(out.into());
            }
        }
        for (keyword, value) in schema {
            if Draft::Draft202012.is_rule(keyword) && !draft.is_rule(keyword) {
                // the schema's own draft doesn't know the keyword
                continue;
            }
            let written = match keyword.as_str() {
                "$ref" | "$schema" | "$id" | "id" | "$anchor" | "$defs" | "definitions" | "$vocabulary"
                | "idempotent" => {
                    continue;
                }
                "$dynamicAnchor" | "$recursiveAnchor" => continue,
                "$dynamicRef" | "$recursiveRef" => {
                    let target = at.dynamic_reference();
                    let asked = target.as_ref().and_then(asked);
                    if let Some(here) = self.here.as_ref().and_then(|here| self.all.get_mut(here)) {
                        here.asks.extend(asked);
                    }
                    let referred = self.referred(target)?;
                    // a second reference goes into `allOf`
                    match out.get("$ref") {
                        None => drop(out.insert("$ref".to_owned(), referred)),
                        Some(_) => also(&mut out, json!({ "$ref": referred })),
                    }
                    continue;
                }
                "exclusiveMinimum" | "exclusiveMaximum" if value.is_boolean() => continue,
                "minimum" | "maximum" if exclusive(schema, keyword) => {
                    let keyword = if keyword == "minimum" { "exclusiveMinimum" } else { "exclusiveMaximum" };
                    out.insert(keyword.to_owned(), value.clone());
                    continue;
                }
                "items" if value.is_array() => {
                    out.insert("prefixItems".to_owned(), self.list(at, keyword)?);
                    continue;
                }
                "additionalItems" => {
                    if schema.get("items").is_some_and(Value::is_array) {
                        out.insert("items".to_owned(), self.one(at, keyword)?);
                    }
                    continue;
                }
                "dependencies" if draft != Draft::Draft202012 => {
                    self.dependencies(at, &mut out)?;
                    continue;
                }
                "allOf" | "anyOf" | "oneOf" | "prefixItems" => self.list(at, keyword)?,
                "properties" | "patternProperties" | "dependentSchemas" => self.named(at, keyword)?,
                "not"
                | "if"
                | "then"
                | "else"
                | "items"
                | "contains"
                | "additionalProperties"
                | "propertyNames"
                | "unevaluatedItems"
                | "unevaluatedProperties"
                | "contentSchema" => self.one(at, keyword)?,
                _ => value.clone(),
            };
            match keyword.as_str() {
                "allOf" => written.as_array().into_iter().flatten().for_each(|it| also(&mut out, it.clone())),
                _ => drop(out.insert(keyword.clone(), written)),
            }
        }
        Ok(out.into())
    }

    fn one(&mut self, at: &Schema<'a>, keyword: &str) -> Result<Value, String> {
        at.at(&[keyword]).map_or(Ok(Value::Null), |below| self.written(&below))
    }

    fn list(&mut self, at: &Schema<'a>, keyword: &str) -> Result<Value, String> {
        let count = at.value().get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
        let items = (0..count).filter_map(|index| at.at(&[keyword, &index.to_string()]));
        items.map(|below| self.written(&below)).collect::<Result<Vec<_>, _>>().map(Value::from)
    }

    fn named(&mut self, at: &Schema<'a>, keyword: &str) -> Result<Value, String> {
        let members = at.value().get(keyword).and_then(Value::as_object).into_iter().flatten();
        let below = members.filter_map(|(name, _)| Some((name.clone(), at.at(&[keyword, name])?)));
        let written = below.map(|(name, below)| Ok((name, self.written(&below)?)));
        written.collect::<Result<Map<_, _>, String>>().map(Value::from)
    }

    fn dependencies(&mut self, at: &Schema<'a>, out: &mut Map<String, Value>) -> Result<(), String> {
        for (name, it) in at.value().get("dependencies").and_then(Value::as_object).into_iter().flatten() {
            let (keyword, written) = match (it, at.at(&["dependencies", name])) {
                (Value::Array(_), _) | (_, None) => ("dependentRequired", it.clone()),
                (_, Some(below)) => ("dependentSchemas", self.written(&below)?),
            };
            let all = out.entry(keyword).or_insert_with(|| json!({}));
            if let Some(all) = all.as_object_mut() {
                all.insert(name.clone(), written);
            }
        }
        Ok(())
    }

    /// Returns the URI of the component of a reference.
    fn referred(&mut self, target: Option<Schema<'a>>) -> Result<Value, String> {
        let target = target.ok_or("a reference refers to a schema that doesn't exist")?;
        Ok(self.component(&target, None)["$ref"].take())
    }
}

/// Returns the dynamic anchor of a dynamic reference's target, with which other schemas may become the target; the empty text
/// for `$recursiveAnchor`.
fn asked(target: &Schema<'_>) -> Option<String> {
    let target = target.value();
    let recursive = target.get("$recursiveAnchor") == Some(&Value::Bool(true));
    target.get("$dynamicAnchor").and_then(Value::as_str).or(recursive.then_some("")).map(str::to_owned)
}

impl<'a> Component<'a> {
    fn new(schema: Schema<'a>) -> Self {
        Self { schema, is_component: false, contract: None, asks: BTreeSet::new(), refers: BTreeSet::new() }
    }
}

/// Counts the dynamic anchors in a value.
fn anchors(value: &Value, into: &mut BTreeMap<String, usize>) {
    let own = value.get("$dynamicAnchor").and_then(Value::as_str);
    let recursive = (value.get("$recursiveAnchor") == Some(&Value::Bool(true))).then_some("");
    own.into_iter().chain(recursive).for_each(|anchor| *into.entry(anchor.to_owned()).or_insert(0) += 1);
    match value {
        Value::Object(members) => members.values().for_each(|it| anchors(it, into)),
        Value::Array(items) => items.iter().for_each(|it| anchors(it, into)),
        _ => {}
    }
}

/// Adds a schema to `allOf`.
fn also(out: &mut Map<String, Value>, schema: Value) {
    let all = out.entry("allOf").or_insert_with(|| json!([]));
    if let Some(all) = all.as_array_mut() {
        all.push(schema);
    }
}

/// Returns whether draft 4 makes a bound exclusive.
fn exclusive(schema: &Map<String, Value>, keyword: &str) -> bool {
    let flag = if keyword == "minimum" { "exclusiveMinimum" } else { "exclusiveMaximum" };
    schema.get(flag) == Some(&Value::Bool(true))
}

/// Returns a component name: from the last step of the pointer that isn't a number, or from the document's file name.
fn name_of(SchemaPath { document, pointer }: &SchemaPath) -> String {
    let words = pointer.rsplit('/').filter(|word| word.parse::<u32>().is_err());
    let word = words
        .map(|word| word.replace("~1", "/").replace("~0", "~"))
        .find(|word| !word.is_empty())
        .unwrap_or_else(|| {
            let file = document.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            file.strip_suffix(".json").unwrap_or(file).to_owned()
        });
    let name: String = type_name(&word).chars().filter(char::is_ascii_alphanumeric).collect();
    if name.is_empty() { "Schema".to_owned() } else { name }
}

/// Returns a version that changes with the contracts: a hash of their digests.
pub(super) fn digest(digests: &[String]) -> String {
    let hash = hmac_sha256::Hash::hash(digests.join(" ").as_bytes());
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
