//! Collects contracts from all schemas: for each, the schemas that its references reach, in canonical form.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::bundle::{Bundle, Formats};
use super::document::{Document, NOWHERE, exact, object};
use crate::schema::draft::{Draft, HOLDERS, Subschemas};
use crate::schema::load::{FileRole, Json, Member, Node};
use crate::schema::null;
use crate::schema::path::SchemaPath;
use crate::schema::pattern;
use crate::schema::rpcs::{self, IDEMPOTENT};
use crate::schema::schemas::{Loc, Schemas};
use crate::schema::uri;

/// Returns the bundle of the contract whose schema is a whole file.
pub(crate) fn bundle(schemas: &Schemas, root: &Loc) -> Bundle {
    Gatherer::new(schemas).bundle(root)
}

/// Returns a text that determines which values are valid under a schema: the form of all schemas that the schema or its
/// dynamic scope `anchors` reaches. Two schemas with equal texts allow the same values.
pub(super) fn content(schemas: &Schemas, loc: &Loc, anchors: &[(String, Loc)]) -> String {
    let roots = anchors.iter().map(|(_, loc)| loc).chain([loc]);
    let form = Gatherer::new(schemas).of_roots(loc, roots);
    let place = |loc: &Loc| SchemaPath::of(schemas, loc).to_string();
    let anchors: Vec<(&str, String)> = anchors.iter().map(|(name, loc)| (name.as_str(), place(loc))).collect();
    format!("{:?} {anchors:?} {}", place(loc), form.line())
}

/// Collects several contracts of the same schemas. The links of a schema are determined once, and a document is written
/// once for all contracts that reach the same parts of it.
pub(crate) struct Gatherer<'a> {
    all: &'a Schemas,
    /// The index of each schema in `schemas`.
    numbers: HashMap<Loc, usize>,
    schemas: Vec<Schema<'a>>,
    /// The documents that are written already, by file and reached schemas.
    written: HashMap<(usize, Vec<usize>), Arc<Document>>,
    /// The documents that are custom meta-schemas, by file.
    dialects: HashMap<usize, Arc<Document>>,
}

/// A schema, with its links once they are determined.
struct Schema<'a> {
    loc: Loc,
    /// `None` until the links are determined.
    links: Option<Links<'a>>,
}

/// The schemas and the meta-schema that a schema leads to.
#[derive(Clone)]
struct Links<'a> {
    /// The indexes of the schema's subschemas, and of the schemas that it refers to.
    next: Arc<[usize]>,
    /// The name of the schema's resource.
    resource: &'a str,
    /// Whether the schema has a dynamic reference.
    is_dynamic: bool,
    /// The schema's `$schema`.
    dialect: Option<&'a str>,
    /// The schema's `format`, if that is a rule only because the settings assert it.
    asserted: Option<&'a str>,
}

impl<'a> Gatherer<'a> {
    pub(crate) fn new(all: &'a Schemas) -> Self {
        let (numbers, schemas, written, dialects) = (HashMap::new(), Vec::new(), HashMap::new(), HashMap::new());
        Self { all, numbers, schemas, written, dialects }
    }

    /// Returns the bundle of the contract whose schema is a whole file.
    pub(crate) fn bundle(&mut self, root: &Loc) -> Bundle {
        self.of_roots(root, std::iter::once(root))
    }

    /// Returns the bundle of all schemas that `roots` reach; `root` is the contract's own schema.
    fn of_roots<'l>(&mut self, root: &Loc, roots: impl Iterator<Item = &'l Loc>) -> Bundle {
        let all = self.all;
        let open: Vec<usize> = roots.map(|loc| self.number(loc)).collect();
        let reach = Reach::of(self, open);
        let name = |file: usize| all.files.get(file).map(|file| file.path.clone()).unwrap_or_default();
        // only the contract's own formats: other contracts' formats don't change it
        let mut asserted = BTreeSet::new();
        let mut files: BTreeMap<usize, Vec<usize>> = reach.dialects.iter().map(|file| (*file, Vec::new())).collect();
        for number in &reach.schemas {
            let Some(Schema { loc, links }) = self.schemas.get(*number) else { continue };
            files.entry(loc.file).or_default().push(*number);
            asserted.extend(links.as_ref().and_then(|links| links.asserted).map(str::to_owned));
        }
        let mut documents = BTreeMap::new();
        for (index, reached) in files {
            if all.files.get(index).is_some_and(|file| file.role != FileRole::MetaSchema) {
                let is_dialect = reach.dialects.contains(&index);
                documents
                    .insert(name(index), if is_dialect { self.dialect(index) } else { self.written(index, reached) });
            }
        }
        let formats = Formats { asserted: all.formats(), in_every_draft: asserted };
        Bundle::new(all.default_draft(), formats, name(root.file), documents)
    }

    fn number(&mut self, loc: &Loc) -> usize {
        if let Some(known) = self.numbers.get(loc) {
            return *known;
        }
        let number = self.schemas.len();
        self.numbers.insert(loc.clone(), number);
        self.schemas.push(Schema { loc: loc.clone(), links: None });
        number
    }

    fn dialect(&mut self, index: usize) -> Arc<Document> {
        let all = self.all;
        let document = || Arc::new(Document::new(exact(&all.files[index].root)));
        self.dialects.entry(index).or_insert_with(document).clone()
    }

    /// Returns the form of a document, of which only these schemas are reached.
    fn written(&mut self, index: usize, reached: Vec<usize>) -> Arc<Document> {
        let key = (index, reached);
        if let Some(known) = self.written.get(&key) {
            return known.clone();
        }
        let locs = key.1.iter().filter_map(|number| self.schemas.get(*number));
        let mut pointers: Vec<&str> = locs.map(|schema| schema.loc.pointer.as_str()).collect();
        pointers.sort_unstable();
        let writer = FormWriter { schemas: self.all, reached: &pointers };
        let document = Arc::new(Document::new(writer.node(&self.all.files[index].root, &Loc::root(index))));
        self.written.insert(key, document.clone());
        document
    }

    /// Returns the links of a schema, which are determined once.
    fn links(&mut self, number: usize) -> Option<Links<'a>> {
        let Schema { loc, links } = self.schemas.get(number)?;
        if links.is_some() {
            return links.clone();
        }
        let (loc, all) = (loc.clone(), self.all);
        let mut next: Vec<Loc> = [all.refs.get(&loc), all.dynamic.get(&loc)].into_iter().flatten().cloned().collect();
        let node = all.node(&loc);
        let is_alone = all.refs.contains_key(&loc) && all.draft(&loc).ref_stands_alone();
        if let Some(node) = node.filter(|_| !is_alone) {
            below(all, &loc, node, &mut next);
        }
        let asserted = || {
            let name = node?.get("format").filter(|_| all.knows(&loc, "format"))?.str()?;
            Some(name).filter(|name| all.asserts(all.draft(&loc), name))
        };
        let links = Links {
            next: next.iter().map(|loc| self.number(loc)).collect(),
            resource: all.base(&loc),
            is_dynamic: all.dynamic.contains_key(&loc),
            dialect: node.and_then(|node| node.get("$schema")?.str()),
            asserted: asserted(),
        };
        self.schemas.get_mut(number)?.links = Some(links.clone());
        Some(links)
    }
}

/// Adds the subschemas of a schema to `out`, except its definitions.
fn below(all: &Schemas, loc: &Loc, node: &Node, out: &mut Vec<Loc>) {
    let info = all.infos.get(loc);
    let knows = |keyword| info.map_or_else(|| all.default_draft().has(keyword), |info| info.knows(keyword));
    for member in node.members() {
        let Some((_, holds)) = HOLDERS.iter().find(|(name, _)| *name == member.key) else { continue };
        if matches!(&*member.key, "$defs" | "definitions") || !knows(&member.key) {
            continue;
        }
        let at = loc.step(&member.key);
        match &member.value.json {
            Json::Object(members) if *holds == Subschemas::Named => {
                let schemas = members.iter().filter(|member| !matches!(member.value.json, Json::Array(_)));
                out.extend(schemas.map(|member| at.step(&member.key)));
            }
            Json::Array(items) if matches!(holds, Subschemas::Many | Subschemas::OneOrMany) => {
                out.extend((0..items.len()).map(|index| at.step(&index.to_string())));
            }
            Json::Object(_) | Json::Bool(_) if matches!(holds, Subschemas::One | Subschemas::OneOrMany) => out.push(at),
            _ => {}
        }
    }
}

/// All schemas that some schemas reach, with their resources and meta-schemas.
struct Reach<'a> {
    all: &'a Schemas,
    /// The reached schemas, by index.
    schemas: BTreeSet<usize>,
    /// The names of the schemas' resources.
    resources: BTreeSet<&'a str>,
    /// The files of the custom meta-schemas that the schemas use.
    dialects: BTreeSet<usize>,
    open: Vec<usize>,
}

impl<'a> Reach<'a> {
    fn of(gatherer: &mut Gatherer<'a>, roots: Vec<usize>) -> Self {
        let all = gatherer.all;
        let (resources, dialects) = (BTreeSet::new(), BTreeSet::new());
        let mut reach = Self { all, schemas: BTreeSet::new(), resources, dialects, open: roots };
        let mut dynamic = false;
        loop {
            while let Some(number) = reach.open.pop() {
                if !reach.schemas.insert(number) {
                    continue;
                }
                let Some(links) = gatherer.links(number) else { continue };
                dynamic |= links.is_dynamic;
                reach.resources.insert(links.resource);
                reach.open.extend(&*links.next);
                if let Some(uri) = links.dialect {
                    reach.dialect(uri);
                }
            }
            if dynamic {
                reach.anchors(gatherer);
            }
            if reach.open.is_empty() {
                return reach;
            }
        }
    }

    /// Adds the dynamic anchors of all resources, since a dynamic reference may lead to any of them.
    fn anchors(&mut self, gatherer: &mut Gatherer<'a>) {
        for base in &self.resources {
            self.open.extend(self.all.dynamic_anchors(base).map(|(_, loc)| gatherer.number(loc)));
        }
        let recursive = self.all.recursive_anchors.iter().filter(|loc| self.resources.contains(self.all.base(loc)));
        self.open.extend(recursive.map(|loc| gatherer.number(loc)));
        self.open.retain(|number| !self.schemas.contains(number));
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

/// Writes the reached schemas of a document. Of the values around them it writes only the structure and identifiers.
struct FormWriter<'a> {
    schemas: &'a Schemas,
    /// The JSON Pointers of the reached schemas of the document, sorted.
    reached: &'a [&'a str],
}

impl FormWriter<'_> {
    /// Returns whether a member is a list of names in `dependencies`, which may also contain schemas.
    fn is_dependency(&self, loc: &Loc, member: &Member) -> bool {
        matches!(member.value.json, Json::Array(_))
            && loc.pointer.strip_suffix("/dependencies").is_some_and(|pointer| self.is_reached(pointer))
    }

    fn node(&self, node: &Node, loc: &Loc) -> Node {
        let json = match &node.json {
            Json::Object(members) => {
                let schema = self.is_reached(&loc.pointer);
                let alone = schema && self.schemas.draft(loc).ref_stands_alone() && self.schemas.refs.contains_key(loc);
                let kept = members.iter().filter_map(|member| self.member(member, loc, schema, alone));
                // `x-null-is-absent` decides which values the types send
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
        let value = if self.is_reached(&at.pointer) || may_lead && self.leads(&at) {
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

    /// Returns whether a keyword has no effect because the schema's draft doesn't define it. The `idempotent` of a
    /// request has an effect.
    fn is_unknown(&self, loc: &Loc, keyword: &str) -> bool {
        let of_rpc = || {
            let file = self.schemas.files.get(loc.file).filter(|_| loc.pointer.is_empty());
            keyword == IDEMPOTENT && file.is_some_and(|file| rpcs::is_request(&file.path))
        };
        !self.schemas.draft(loc).has(keyword) && !is_name(keyword) && !of_rpc()
    }

    /// Writes a `$schema`. A custom URI that stands for a draft becomes the draft's own URI, so that a bundle needs no
    /// settings.
    fn dialect(&self, node: &Node) -> Node {
        match node.str().filter(|uri| Draft::of(uri).is_none()).and_then(|uri| self.schemas.draft_of(uri)) {
            Some(draft) => Node { at: NOWHERE, json: Json::String(draft.uri().to_owned()) },
            None => exact(node),
        }
    }

    fn is_reached(&self, pointer: &str) -> bool {
        self.reached.binary_search(&pointer).is_ok()
    }

    /// Returns whether any schema below a place is reached.
    fn leads(&self, loc: &Loc) -> bool {
        let below = loc.step("").pointer;
        let next = self.reached.partition_point(|pointer| **pointer < *below);
        self.reached.get(next).is_some_and(|pointer| pointer.starts_with(&below))
    }
}

/// Returns whether a keyword is only documentation, which a form omits.
fn is_documentation(keyword: &str) -> bool {
    matches!(keyword, "title" | "description" | "examples" | "$comment" | "deprecated" | "readOnly" | "writeOnly")
        || keyword.starts_with("x-")
}

/// Returns whether a keyword identifies a schema or its dialect.
fn is_name(keyword: &str) -> bool {
    matches!(keyword, "id" | "$id" | "$schema" | "$anchor" | "$dynamicAnchor" | "$recursiveAnchor" | "$vocabulary")
}
