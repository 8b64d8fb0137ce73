//! Collects one contract from all schemas: what its references reach, in canonical form.

use std::collections::{BTreeMap, BTreeSet};

use super::bundle::{Bundle, Formats};
use crate::decimal::Decimal;
use crate::schema::draft::{Draft, HOLDERS, Subschemas};
use crate::schema::load::{At, FileRole, Json, Member, Members, Node};
use crate::schema::null;
use crate::schema::path::SchemaPath;
use crate::schema::pattern;
use crate::schema::rpcs::{self, IDEMPOTENT};
use crate::schema::schemas::{Loc, Schemas};
use crate::schema::uri;

/// Returns the bundle of the contract whose schema is a whole file.
pub(crate) fn bundle(schemas: &Schemas, root: &Loc) -> Bundle {
    of_reached(schemas, root, Reach::of(schemas, vec![root.clone()]))
}

/// Returns what decides which values are valid under a schema, as text: the form of everything that it reaches, and of what its
/// dynamic scope `anchors` reaches. Two schemas with equal texts allow the same values.
pub(super) fn content(schemas: &Schemas, loc: &Loc, anchors: &[(String, Loc)]) -> String {
    let roots = anchors.iter().map(|(_, loc)| loc).chain([loc]);
    let form = of_reached(schemas, loc, Reach::of(schemas, roots.cloned().collect()));
    let place = |loc: &Loc| SchemaPath::of(schemas, loc).to_string();
    let anchors: Vec<(&str, String)> = anchors.iter().map(|(name, loc)| (name.as_str(), place(loc))).collect();
    format!("{:?} {anchors:?} {}", place(loc), form.line())
}

/// Returns the bundle of what a schema reaches.
fn of_reached(schemas: &Schemas, root: &Loc, reached: Reach<'_>) -> Bundle {
    let name = |file: usize| schemas.files.get(file).map(|file| file.path.clone()).unwrap_or_default();
    let mut documents = BTreeMap::new();
    let files: BTreeSet<usize> =
        reached.schemas.iter().map(|loc| loc.file).chain(reached.dialects.iter().copied()).collect();
    for index in files {
        let Some(file) = schemas.files.get(index).filter(|file| file.role != FileRole::MetaSchema) else { continue };
        let form = if reached.dialects.contains(&index) {
            exact(&file.root)
        } else {
            FormWriter { schemas, reached: &reached.schemas }.node(&file.root, &Loc::root(index))
        };
        documents.insert(file.path.clone(), form);
    }
    // only the contract's own formats: other contracts' formats don't change it
    let asserted = reached.schemas.iter().filter(|loc| schemas.knows(loc, "format")).filter_map(|loc| {
        let name = schemas.node(loc)?.get("format")?.str()?;
        schemas.asserts(schemas.draft(loc), name).then(|| name.to_owned())
    });
    let formats = Formats { asserted: schemas.formats(), in_every_draft: asserted.collect() };
    Bundle::new(schemas.default_draft(), formats, name(root.file), documents)
}

/// Everything that a schema leads to.
struct Reach<'a> {
    all: &'a Schemas,
    schemas: BTreeSet<Loc>,
    /// The names of their resources.
    resources: BTreeSet<&'a str>,
    /// The files of the custom meta-schemas that the schemas use.
    dialects: BTreeSet<usize>,
    open: Vec<Loc>,
}

impl<'a> Reach<'a> {
    fn of(all: &'a Schemas, roots: Vec<Loc>) -> Self {
        let mut reach =
            Self { all, schemas: BTreeSet::new(), resources: BTreeSet::new(), dialects: BTreeSet::new(), open: roots };
        let mut dynamic = false;
        loop {
            while let Some(loc) = reach.open.pop() {
                if reach.schemas.insert(loc.clone()) {
                    dynamic |= all.dynamic.contains_key(&loc);
                    reach.schema(&loc);
                }
            }
            if dynamic {
                reach.anchors();
            }
            if reach.open.is_empty() {
                return reach;
            }
        }
    }

    fn schema(&mut self, loc: &Loc) {
        self.resources.insert(self.all.base(loc));
        let targets = [self.all.refs.get(loc), self.all.dynamic.get(loc)];
        self.open.extend(targets.into_iter().flatten().cloned());
        let Some(node) = self.all.node(loc) else { return };
        if let Some(uri) = node.get("$schema").and_then(Node::str) {
            self.dialect(uri);
        }
        if self.all.draft(loc).ref_stands_alone() && self.all.refs.contains_key(loc) {
            return;
        }
        for member in node.members() {
            let Some((_, holds)) = HOLDERS.iter().find(|(name, _)| *name == member.key) else { continue };
            if matches!(&*member.key, "$defs" | "definitions") || !self.all.knows(loc, &member.key) {
                continue;
            }
            let at = loc.step(&member.key);
            match &member.value.json {
                Json::Object(members) if *holds == Subschemas::Named => {
                    let schemas = members.iter().filter(|member| !matches!(member.value.json, Json::Array(_)));
                    self.open.extend(schemas.map(|member| at.step(&member.key)));
                }
                Json::Array(items) if matches!(holds, Subschemas::Many | Subschemas::OneOrMany) => {
                    self.open.extend((0..items.len()).map(|index| at.step(&index.to_string())));
                }
                Json::Object(_) | Json::Bool(_) if matches!(holds, Subschemas::One | Subschemas::OneOrMany) => {
                    self.open.push(at)
                }
                _ => {}
            }
        }
    }

    /// Adds the dynamic anchors of all resources, since a dynamic reference may lead to any of them.
    fn anchors(&mut self) {
        for base in &self.resources {
            self.open.extend(self.all.dynamic_anchors(base).map(|(_, loc)| loc.clone()));
        }
        let recursive = self.all.recursive_anchors.iter().filter(|loc| self.resources.contains(self.all.base(loc)));
        self.open.extend(recursive.cloned());
        self.open.retain(|loc| !self.schemas.contains(loc));
    }

    /// Adds a custom meta-schema, and the meta-schemas that it uses.
    fn dialect(&mut self, uri: &str) {
        let mut uri = uri.to_owned();
        while self.all.draft_of(&uri).is_none() {
            let document = uri::of_document(&uri);
            let Some(loc) = document.and_then(|uri| self.all.resources.get(uri.as_str())) else { return };
            let next = self.all.files.get(loc.file).and_then(|file| file.root.get("$schema")?.str());
            let (true, Some(next)) = (self.dialects.insert(loc.file), next) else { return };
            uri = next.to_owned();
        }
    }
}

/// Writes what is reached, and for what is around it only the structure and identifiers.
struct FormWriter<'a> {
    schemas: &'a Schemas,
    reached: &'a BTreeSet<Loc>,
}

impl FormWriter<'_> {
    /// Returns whether it is a list of names in `dependencies`, which may also contain schemas.
    fn is_dependency(&self, loc: &Loc, member: &Member) -> bool {
        let outer = || loc.pointer.strip_suffix("/dependencies").map(str::to_owned);
        matches!(member.value.json, Json::Array(_))
            && outer().is_some_and(|pointer| self.reached.contains(&Loc { file: loc.file, pointer }))
    }

    fn node(&self, node: &Node, loc: &Loc) -> Node {
        let json = match &node.json {
            Json::Object(members) => {
                let schema = self.reached.contains(loc);
                let alone = schema && self.schemas.draft(loc).ref_stands_alone() && self.schemas.refs.contains_key(loc);
                let kept = members.iter().filter_map(|member| self.member(member, loc, schema, alone));
                // the keyword decides what the types send
                let null = (schema && null::is_absent(self.schemas, loc)).then(|| Member {
                    key: null::KEYWORD.to_owned(),
                    key_at: NOWHERE,
                    value: Node { at: NOWHERE, json: Json::Bool(true) },
                });
                object(kept.chain(null).collect())
            }
            Json::Array(items) if self.leads(loc) => {
                let items = items.iter().enumerate();
                Json::Array(items.map(|(index, item)| self.node(item, &loc.step(&index.to_string()))).collect())
            }
            _ => return exact(node),
        };
        Node { at: NOWHERE, json }
    }

    fn member(&self, member: &Member, loc: &Loc, schema: bool, alone: bool) -> Option<Member> {
        let key = member.key.as_str();
        let at = loc.step(key);
        let may_lead = matches!(member.value.json, Json::Array(_) | Json::Object(_));
        let value = if self.reached.contains(&at) || may_lead && self.leads(&at) {
            self.node(&member.value, &at)
        } else if key == "$schema" && self.schemas.infos.contains_key(loc) {
            self.dialect(&member.value)
        } else if schema && !alone {
            if is_documentation(key) || matches!(key, "$defs" | "definitions") || self.is_unknown(loc, key) {
                return None;
            }
            match member.value.str().filter(|_| key == "pattern").and_then(pattern::with_flag) {
                // every JSON Schema validator accepts this form
                Some(written) => Node { at: NOWHERE, json: Json::String(written.into_owned()) },
                None => exact(&member.value),
            }
        } else if key == "$ref" && alone
            || self.is_dependency(loc, member)
            || is_name(key) && self.schemas.infos.contains_key(loc)
        {
            exact(&member.value)
        } else {
            return None;
        };
        Some(Member { key: key.to_owned(), key_at: NOWHERE, value })
    }

    /// Returns whether a keyword is unknown to the schema's draft and so without effect. The `idempotent` of a request has
    /// one.
    fn is_unknown(&self, loc: &Loc, keyword: &str) -> bool {
        let of_rpc = || {
            let file = self.schemas.files.get(loc.file).filter(|_| loc.pointer.is_empty());
            keyword == IDEMPOTENT && file.is_some_and(|file| rpcs::is_request(&file.path))
        };
        !self.schemas.draft(loc).has(keyword) && !is_name(keyword) && !of_rpc()
    }

    /// Writes a `$schema`. A custom one that stands for a draft becomes the draft's own, so that a bundle needs no settings.
    fn dialect(&self, node: &Node) -> Node {
        match node.str().filter(|uri| Draft::of(uri).is_none()).and_then(|uri| self.schemas.draft_of(uri)) {
            Some(draft) => Node { at: NOWHERE, json: Json::String(draft.uri().to_owned()) },
            None => exact(node),
        }
    }

    /// Returns whether anything below a place is reached.
    fn leads(&self, loc: &Loc) -> bool {
        let below = loc.step("");
        self.reached
            .range(&below..)
            .next()
            .is_some_and(|found| found.file == below.file && found.pointer.starts_with(&below.pointer))
    }
}

/// Returns whether a keyword only documents, so that no form has it.
fn is_documentation(keyword: &str) -> bool {
    matches!(keyword, "title" | "description" | "examples" | "$comment" | "deprecated" | "readOnly" | "writeOnly")
        || keyword.starts_with("x-")
}

/// Returns whether a keyword identifies a schema or its dialect.
fn is_name(keyword: &str) -> bool {
    matches!(keyword, "id" | "$id" | "$schema" | "$anchor" | "$dynamicAnchor" | "$recursiveAnchor" | "$vocabulary")
}

const NOWHERE: At = At { line: 1, column: 1 };

/// Returns a value in canonical form: numbers written one way, and members sorted. A number beyond the largest `f64` becomes
/// that one, so that every JSON parser accepts the form.
pub(super) fn exact(node: &Node) -> Node {
    let json = match &node.json {
        Json::Number(text) => {
            let nearest = text.parse::<f64>().ok().filter(|value| value.is_infinite());
            let number = match nearest {
                Some(far) => Decimal::of(f64::MAX.copysign(far)),
                None => Decimal::parse(text),
            };
            Json::Number(number.map_or_else(|| text.clone(), |number| number.to_string()))
        }
        Json::Array(items) => Json::Array(items.iter().map(exact).collect()),
        Json::Object(members) => {
            let member =
                |member: &Member| Member { key: member.key.clone(), key_at: NOWHERE, value: exact(&member.value) };
            object(members.iter().map(member).collect())
        }
        json => json.clone(),
    };
    Node { at: NOWHERE, json }
}

fn object(mut members: Vec<Member>) -> Json {
    members.sort_by(|a, b| a.key.cmp(&b.key));
    Json::Object(Members::new(members))
}
