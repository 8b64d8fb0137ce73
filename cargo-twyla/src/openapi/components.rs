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

use crate::contracts::{Contracts, decoded, name_of as name_of_contract};

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

/// The names of the schemas that are components, by the schemas' addresses.
pub(super) type Names = BTreeMap<usize, String>;

/// A schema that is a component.
struct Component<'a> {
    found: Found<'a>,
    /// Whether it is one, and not a contract that is only a reference to one.
    is_component: bool,
    /// What a contract is called whose schema it is.
    contract: Option<String>,
    /// The dynamic anchors that references in it name; the recursive one has no name.
    asks: BTreeSet<String>,
    /// The components that it refers to.
    refers: BTreeSet<usize>,
}

/// The components of a document.
pub(super) struct Components<'a> {
    contracts: &'a Contracts,
    names: Names,
    /// By their schemas' addresses.
    all: BTreeMap<usize, Component<'a>>,
    open: VecDeque<usize>,
    /// The one that is being written.
    here: usize,
    done: Map<String, Value>,
}

impl<'a> Components<'a> {
    /// None yet, with the names that schemas have: those that [`names`](Self::names) gives, when all are known.
    pub(super) fn new(contracts: &'a Contracts, names: Names) -> Self {
        let (all, open) = (BTreeMap::new(), VecDeque::new());
        Self { contracts, names, all, open, here: 0, done: Map::new() }
    }

    /// The names that the components have: they come from the contracts and from where the schemas stand, and not from what
    /// refers to them first. Some names are for others.
    pub(super) fn names(self, reserved: &[&str]) -> Names {
        let mut taken: BTreeSet<String> = reserved.iter().map(|name| (*name).to_owned()).collect();
        let all = self.all.into_iter().filter(|(_, it)| it.is_component);
        let mut all: Vec<_> = all.map(|(address, it)| (it.order(address), address)).collect();
        all.sort();
        let named = all.into_iter().map(|((_, wanted, ..), address)| {
            let numbered = (2..).map(|number| format!("{wanted}{number}"));
            let mut names = std::iter::once(wanted.clone()).chain(numbered);
            let name = names.find(|it| !taken.contains(it)).unwrap_or_default();
            taken.insert(name.clone());
            (address, name)
        });
        named.collect()
    }

    /// The schema of a contract, as it stands where it is used: a `$ref` to its component.
    pub(super) fn contract(&mut self, contract: &ContractSchema, name: &str) -> Result<Value, Unwritable> {
        let unwritable = |why: String| Unwritable { name: name_of_contract(contract), why };
        let root = self.contracts.root(contract).ok_or_else(|| unwritable("its schema isn't there".to_owned()))?;
        let (schema, resolver, draft) = root;
        let found = Found { schema, resolver, draft };
        // nothing but a `$ref` is what that leads to
        let reference = schema.as_object().filter(|it| it.keys().all(|key| key == "$ref" || key == "$schema"));
        let address = found.address();
        let used = match reference.and_then(|it| it.get("$ref")).and_then(Value::as_str) {
            Some(_) => {
                self.here = address;
                self.all.entry(address).or_insert_with(|| Component::new(found.clone()));
                self.written(&found).map_err(unwritable)?
            }
            None => self.component(&found, Some(name)),
        };
        while let Some(address) = self.open.pop_front() {
            let Some(found) = self.all.get(&address).map(|it| it.found.clone()) else { continue };
            self.here = address;
            let written = self.written(&found).map_err(unwritable)?;
            self.done.insert(self.name(address), written);
        }
        self.check(contract, address).map_err(unwritable)?;
        Ok(used)
    }

    /// Whether no reference leads elsewhere in a contract than where it leads in the components: these may be others' too.
    fn check(&self, contract: &ContractSchema, root: usize) -> Result<(), String> {
        let form = serde_json::from_str(&contract.bundle.to_string()).unwrap_or_default();
        let mut counts = BTreeMap::new();
        anchors(&form, &mut counts);
        let (mut open, mut seen) = (vec![root], BTreeSet::from([root]));
        while let Some(component) = open.pop().and_then(|address| self.all.get(&address)) {
            if component.asks.iter().any(|anchor| counts.get(anchor).is_some_and(|count| *count > 1)) {
                return Err(
                    "a dynamic reference leads elsewhere for whoever refers to it, which a component can't say"
                        .to_owned(),
                );
            }
            open.extend(component.refers.iter().filter(|address| seen.insert(**address)));
        }
        Ok(())
    }

    fn name(&self, address: usize) -> String {
        self.names.get(&address).cloned().unwrap_or_default()
    }

    /// All of them.
    pub(super) fn finished(self) -> Map<String, Value> {
        self.done
    }

    /// A `$ref` to the component that a schema is; a contract's has its name.
    fn component(&mut self, found: &Found<'a>, contract: Option<&str>) -> Value {
        let address = found.address();
        let component = self.all.entry(address).or_insert_with(|| Component::new(found.clone()));
        if !std::mem::replace(&mut component.is_component, true) {
            self.open.push_back(address);
        }
        if let Some(name) = contract {
            component.contract = Some(name.to_owned());
        } else if let Some(here) = self.all.get_mut(&self.here) {
            here.refers.insert(address);
        }
        json!({ "$ref": format!("#/components/schemas/{}", self.name(address)) })
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
                    let asked = asked(&resolver, reference);
                    if let Some(here) = self.all.get_mut(&self.here) {
                        here.asks.extend(asked);
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
        Ok(self.component(&Found { schema, resolver, draft }, None)["$ref"].take())
    }
}

/// The dynamic anchor by which a dynamic reference may lead elsewhere than where it leads here.
fn asked(resolver: &Resolver<'_>, reference: &str) -> Option<String> {
    let resolved = resolver.lookup(reference).ok()?;
    let target = resolved.contents();
    let recursive = target.get("$recursiveAnchor") == Some(&Value::Bool(true));
    target.get("$dynamicAnchor").and_then(Value::as_str).or(recursive.then_some("")).map(str::to_owned)
}

impl<'a> Component<'a> {
    fn new(found: Found<'a>) -> Self {
        Self { found, is_component: false, contract: None, asks: BTreeSet::new(), refers: BTreeSet::new() }
    }

    /// What components are sorted by when they get their names: contracts come first. The second is the name that it wants.
    fn order(&self, address: usize) -> (bool, String, String, String) {
        let base = self.found.resolver.base_uri();
        let base = base.as_str().split('#').next().unwrap_or_default().to_owned();
        let whole = self.found.resolver.lookup(&base);
        let pointer = whole.ok().and_then(|whole| pointer(whole.contents(), address)).unwrap_or_default();
        let wanted = self.contract.clone().unwrap_or_else(|| name_of(&pointer, &decoded(&base)));
        (self.contract.is_none(), wanted, base, pointer)
    }
}

/// The JSON Pointer of the value with an address in another one.
fn pointer(value: &Value, address: usize) -> Option<String> {
    if std::ptr::from_ref(value).addr() == address {
        return Some(String::new());
    }
    let escaped = |step: &str| step.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(members) => members
            .iter()
            .find_map(|(key, value)| pointer(value, address).map(|rest| format!("/{}{rest}", escaped(key)))),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(i, value)| pointer(value, address).map(|rest| format!("/{i}{rest}")))
        }
        _ => None,
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
    fn address(&self) -> usize {
        std::ptr::from_ref(self.schema).addr()
    }

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

/// What a component may be called: by the last word of its pointer, or by its document.
fn name_of(pointer: &str, document: &str) -> String {
    let words = pointer.rsplit('/').filter(|word| word.parse::<u32>().is_err());
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
