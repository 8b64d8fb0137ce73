//! Contracts as components of a document: JSON Schema 2020-12, each `$ref` to a component, and nothing that names a schema
//! otherwise.
//!
//! What earlier drafts write otherwise is written as 2020-12 has it: `definitions`, arrays of `items`, `dependencies`, boolean
//! `exclusiveMinimum`, and what stands beside a `$ref` where that is alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jsonschema::Draft;
use referencing::Resolver;
use serde_json::{Map, Value, json};
use twyla_build::compare::ContractSchema;
use twyla_contract::rust::type_name;

use crate::contracts::{Contracts, name_of as name_of_contract};

/// Why a contract can't be a component.
#[derive(Debug, thiserror::Error)]
#[error("{name} can't be written: {why}")]
pub(super) struct Unwritable {
    name: String,
    why: String,
}

/// A schema somewhere in the folder.
#[derive(Clone)]
struct Found<'a> {
    schema: &'a Value,
    resolver: Resolver<'a>,
    draft: Draft,
}

/// The components of a document.
pub(super) struct Components<'a> {
    contracts: &'a Contracts,
    /// The names of the schemas that are components, by the schemas' addresses.
    names: BTreeMap<usize, String>,
    taken: BTreeSet<String>,
    open: VecDeque<(String, Found<'a>)>,
    done: Map<String, Value>,
    /// How many schemas of the contract at hand have each dynamic anchor; the recursive one has no name.
    anchors: BTreeMap<String, usize>,
}

impl<'a> Components<'a> {
    /// None yet; some names are for others.
    pub(super) fn new(contracts: &'a Contracts, reserved: &[&str]) -> Self {
        let taken = reserved.iter().map(|name| (*name).to_owned()).collect();
        Self {
            contracts,
            names: BTreeMap::new(),
            taken,
            open: VecDeque::new(),
            done: Map::new(),
            anchors: BTreeMap::new(),
        }
    }

    /// The schema of a contract, as it stands where it is used: a `$ref` to its component.
    pub(super) fn contract(&mut self, contract: &ContractSchema, name: &str) -> Result<Value, Unwritable> {
        let unwritable = |why: String| Unwritable { name: name_of_contract(contract), why };
        let root = self.contracts.root(contract).ok_or_else(|| unwritable("its schema isn't there".to_owned()))?;
        let (schema, resolver, draft) = root;
        let found = Found { schema, resolver, draft };
        let form = serde_json::from_str(&contract.bundle.to_string()).unwrap_or_default();
        self.anchors.clear();
        anchors(&form, &mut self.anchors);
        // nothing but a `$ref` is what that leads to
        let reference = schema.as_object().filter(|it| it.keys().all(|key| key == "$ref" || key == "$schema"));
        let used = match reference.and_then(|it| it.get("$ref")).and_then(Value::as_str) {
            Some(_) => self.written(&found).map_err(unwritable)?,
            None => self.component(&found, name),
        };
        while let Some((name, found)) = self.open.pop_front() {
            let written = self.written(&found).map_err(unwritable)?;
            self.done.insert(name, written);
        }
        Ok(used)
    }

    /// All of them.
    pub(super) fn finished(self) -> Map<String, Value> {
        self.done
    }

    /// A `$ref` to the component that a schema is.
    fn component(&mut self, found: &Found<'a>, wanted: &str) -> Value {
        let address = std::ptr::from_ref(found.schema).addr();
        let name = match self.names.get(&address) {
            Some(name) => name.clone(),
            None => {
                let numbered = (2..).map(|number| format!("{wanted}{number}"));
                let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
                let name = names.find(|it| !self.taken.contains(it)).unwrap_or_default();
                self.taken.insert(name.clone());
                self.names.insert(address, name.clone());
                self.open.push_back((name.clone(), found.clone()));
                name
            }
        };
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// A schema as 2020-12 has it.
    fn written(&mut self, found: &Found<'a>) -> Result<Value, String> {
        let Value::Object(schema) = found.schema else { return Ok(found.schema.clone()) };
        let Found { resolver, draft, .. } = found.clone().entered(schema);
        let old = matches!(draft, Draft::Draft4 | Draft::Draft6 | Draft::Draft7);
        let mut out = Map::new();
        let reference = schema.get("$ref").and_then(Value::as_str);
        if let Some(reference) = reference {
            out.insert("$ref".to_owned(), self.referred(&resolver, reference)?);
            if old {
                // nothing else is looked at there
                return Ok(out.into());
            }
        }
        let below = |schema: &'a Value| Found { schema, resolver: resolver.clone(), draft };
        for (keyword, value) in schema {
            if Draft::Draft202012.is_known_keyword(keyword) && !draft.is_known_keyword(keyword) {
                // its own draft takes no notice of it
                continue;
            }
            let written = match keyword.as_str() {
                "$ref" | "$schema" | "$id" | "id" | "$anchor" | "$defs" | "definitions" | "$vocabulary"
                | "idempotent" => {
                    continue;
                }
                "$dynamicAnchor" | "$recursiveAnchor" => continue,
                "$dynamicRef" | "$recursiveRef" => {
                    let reference = value.as_str().unwrap_or_default();
                    if self.is_dynamic(&resolver, reference) {
                        return Err(format!(
                            "`{keyword}` leads elsewhere for whoever refers to it, which a component can't say"
                        ));
                    }
                    let referred = self.referred(&resolver, reference)?;
                    // beside a `$ref` it is one more
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
                    out.insert("prefixItems".to_owned(), self.list(value, below)?);
                    continue;
                }
                "additionalItems" => {
                    if schema.get("items").is_some_and(Value::is_array) {
                        out.insert("items".to_owned(), self.written(&below(value))?);
                    }
                    continue;
                }
                "dependencies" if draft != Draft::Draft202012 => {
                    self.dependencies(value, below, &mut out)?;
                    continue;
                }
                "allOf" | "anyOf" | "oneOf" | "prefixItems" => self.list(value, below)?,
                "properties" | "patternProperties" | "dependentSchemas" => self.named(value, below)?,
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
                | "contentSchema" => self.written(&below(value))?,
                _ => value.clone(),
            };
            match keyword.as_str() {
                "allOf" => written.as_array().into_iter().flatten().for_each(|it| also(&mut out, it.clone())),
                _ => drop(out.insert(keyword.clone(), written)),
            }
        }
        Ok(out.into())
    }

    fn list(&mut self, value: &'a Value, below: impl Fn(&'a Value) -> Found<'a>) -> Result<Value, String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .map(|it| self.written(&below(it)))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::from)
    }

    fn named(&mut self, value: &'a Value, below: impl Fn(&'a Value) -> Found<'a>) -> Result<Value, String> {
        let members = value.as_object().into_iter().flatten();
        let written = members.map(|(name, it)| Ok((name.clone(), self.written(&below(it))?)));
        written.collect::<Result<Map<_, _>, String>>().map(Value::from)
    }

    fn dependencies(
        &mut self,
        value: &'a Value,
        below: impl Fn(&'a Value) -> Found<'a>,
        out: &mut Map<String, Value>,
    ) -> Result<(), String> {
        for (name, it) in value.as_object().into_iter().flatten() {
            let (keyword, written) = match it {
                Value::Array(_) => ("dependentRequired", it.clone()),
                schema => ("dependentSchemas", self.written(&below(schema))?),
            };
            let all = out.entry(keyword).or_insert_with(|| json!({}));
            if let Some(all) = all.as_object_mut() {
                all.insert(name.clone(), written);
            }
        }
        Ok(())
    }

    /// The URI of the component that a reference leads to.
    fn referred(&mut self, resolver: &Resolver<'a>, reference: &str) -> Result<Value, String> {
        let resolved = resolver.lookup(reference).map_err(|error| error.to_string())?;
        let (schema, resolver, draft) = resolved.into_inner();
        let found = Found { schema, resolver, draft };
        let name = name_of(reference, found.resolver.base_uri().as_str());
        Ok(self.component(&found, &name)["$ref"].take())
    }

    /// Whether a dynamic reference may lead elsewhere than where it leads here.
    fn is_dynamic(&self, resolver: &Resolver<'a>, reference: &str) -> bool {
        let Ok(resolved) = resolver.lookup(reference) else { return false };
        let target = resolved.contents();
        let recursive = target.get("$recursiveAnchor") == Some(&Value::Bool(true));
        let anchor = target.get("$dynamicAnchor").and_then(Value::as_str).or(recursive.then_some(""));
        anchor.and_then(|anchor| self.anchors.get(anchor)).is_some_and(|count| *count > 1)
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

impl<'a> Found<'a> {
    /// Within a schema that has a name of its own, references are read from there.
    fn entered(self, schema: &Map<String, Value>) -> Self {
        let id = schema.get("$id").or_else(|| schema.get("id")).and_then(Value::as_str);
        let Some(id) = id.filter(|id| !id.starts_with('#')) else { return self };
        let base = self.resolver.base_uri();
        let own = self.resolver.resolve_uri(&base.borrow(), id);
        match own.ok().filter(|own| own.as_str() != base.as_str()).map(|own| self.resolver.lookup(own.as_str())) {
            Some(Ok(resolved)) => Self { resolver: resolved.resolver().clone(), ..self },
            _ => self,
        }
    }
}

/// Adds a schema to those that all hold.
fn also(out: &mut Map<String, Value>, schema: Value) {
    let all = out.entry("allOf").or_insert_with(|| json!([]));
    if let Some(all) = all.as_array_mut() {
        all.push(schema);
    }
}

/// Whether draft 4 makes a bound exclusive.
fn exclusive(schema: &Map<String, Value>, keyword: &str) -> bool {
    let flag = if keyword == "minimum" { "exclusiveMinimum" } else { "exclusiveMaximum" };
    schema.get(flag) == Some(&Value::Bool(true))
}

/// What a component may be called: by the last word of the reference that leads to it.
fn name_of(reference: &str, base: &str) -> String {
    let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
    let document = if document.is_empty() { base.split('#').next().unwrap_or_default() } else { document };
    let words = fragment.rsplit('/').filter(|word| word.parse::<u32>().is_err());
    let word = words.map(str::to_owned).find(|word| !word.is_empty()).unwrap_or_else(|| {
        let file = document.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        file.strip_suffix(".json").unwrap_or(file).to_owned()
    });
    let name: String = type_name(&word).chars().filter(char::is_ascii_alphanumeric).collect();
    if name.is_empty() { "Schema".to_owned() } else { name }
}

/// A version that is another for other contracts.
pub(super) fn digest(digests: &[String]) -> String {
    let hash = hmac_sha256::Hash::hash(digests.join(" ").as_bytes());
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
