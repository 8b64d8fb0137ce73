//! Reads schemas as types. A rule that neither a type nor a check can express is left to a rule tree, never guessed.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use twyla_contract::Location;

use super::derived::{Custom, Traits};
use super::possible::Possible;
use super::replace::{self, Replacer};
use super::shape::{Shape, Tree, TypeId, ValueType};
use super::types::{Body, Type};
use crate::schema::draft::is_annotation;
use crate::schema::evaluate::{Cache, Evaluator};
use crate::schema::load::{At, FileRole, Json, Node, RpcMessage};
use crate::schema::schemas::{Loc, Schemas};
use crate::schema::sensitive::Sensitive;
use crate::schema::type_names::{self, TypeName};

/// The maximum depth of nested schemas without a named type in between. Values nested deeper are left to a tree.
const MOST_OPEN: usize = 200;

/// The maximum depth of nested types without a name, for the sake of the compiler.
const MOST_NESTED: usize = 16;

/// Reads schemas as types.
///
/// The type of a schema depends on that schema and on what it refers to, not on the schemas that refer to it, nor on the
/// order of reading. So the body of a type is read later, by `finish`, and results that depend on the starting point aren't
/// cached.
pub(super) struct SchemaReader<'a> {
    pub(super) schemas: &'a Schemas,
    /// The types; `None` while the body of a type isn't read yet.
    pub(super) types: Vec<Option<Type>>,
    unread: Vec<PendingType<'a>>,
    known: HashMap<Loc, CachedType>,
    /// The types of whole events, contexts, requests, responses and errors, by file.
    roots: HashMap<usize, TypeId>,
    /// The types of the objects of schemas that allow other types too, by schema.
    pub(super) objects: HashMap<Loc, TypeId>,
    /// The alternatives of unions, with the names of their variants.
    pub(super) alternatives: HashMap<Loc, String>,
    /// Suffixes of type names, after the name that comes from the path.
    pub(super) suffixes: HashMap<TypeId, &'static str>,
    /// The schemas being read, each with its depth, to detect those that contain themselves without a type in between.
    open: HashMap<Loc, usize>,
    /// The depth of the outermost open schema that the current one contains again; `usize::MAX` if it contains none.
    again: usize,
    /// The depth of nested schemas in the current one.
    height: usize,
    /// A stack with an entry for each value being read: its rules that no type expresses, for a rule tree.
    pub(super) trees: Vec<Vec<Tree>>,
    /// The schemas that lead to a dynamic reference.
    pub(super) dynamic: HashSet<Loc>,
    pub(super) sensitive: Sensitive<'a>,
    /// The possible values of schemas, as far as computed.
    pub(super) possibles: RefCell<HashMap<Loc, Possible>>,
    /// Which schemas are unions of objects, as far as computed.
    pub(super) unions: RefCell<HashMap<Loc, bool>>,
    evaluated: Cache,
    pub(super) replacer: Replacer,
}

/// The cached type of a schema, and its depth of nested schemas.
struct CachedType {
    held: ValueType,
    height: usize,
}

/// Reads the body of a type.
type ReadBody<'a> = Box<dyn FnOnce(&mut SchemaReader<'a>) -> Body + 'a>;

/// A type whose body isn't read yet.
struct PendingType<'a> {
    id: TypeId,
    loc: Loc,
    /// The rules left to trees so far.
    trees: Vec<Tree>,
    body: ReadBody<'a>,
}

impl<'a> SchemaReader<'a> {
    pub(super) fn new(schemas: &'a Schemas, replacer: Replacer) -> Self {
        Self {
            schemas,
            types: Vec::new(),
            unread: Vec::new(),
            known: HashMap::new(),
            roots: HashMap::new(),
            objects: HashMap::new(),
            alternatives: HashMap::new(),
            suffixes: HashMap::new(),
            open: HashMap::new(),
            again: usize::MAX,
            height: 0,
            trees: Vec::new(),
            dynamic: schemas.leading_to(schemas.dynamic.keys().cloned()),
            sensitive: Sensitive::of(schemas),
            possibles: RefCell::default(),
            unions: RefCell::default(),
            evaluated: Cache::new(schemas),
            replacer,
        }
    }

    /// Reads the bodies of all types. Returns the types, the names of unions' variants by alternative, and the replacer.
    pub(super) fn finish(mut self) -> (Vec<Type>, HashMap<Loc, String>, Replacer) {
        while let Some(PendingType { id, loc, trees, body }) = self.unread.pop() {
            self.trees.push(trees);
            let body = body(&mut self);
            let trees = self.trees.pop().unwrap_or_default();
            self.types[id] = Some(self.type_of(&loc, body, trees));
        }
        // the variants of all unions are known now
        let mut types: Vec<Type> = std::mem::take(&mut self.types).into_iter().flatten().collect();
        let variant = |at: &Loc| self.alternatives.get(at).map(String::as_str);
        for (id, type_) in types.iter_mut().enumerate() {
            type_.name = type_names::within(self.schemas, &type_.loc, variant).name;
            if let Some(suffix) = self.suffixes.get(&id) {
                type_.name = type_names::joined(&type_.name, suffix);
                type_.place = self.place_of_part(&type_.loc);
            }
        }
        (types, self.alternatives, self.replacer)
    }

    fn type_of(&self, loc: &Loc, body: Body, trees: Vec<Tree>) -> Type {
        let TypeName { module, name, .. } = type_names::at(self.schemas, loc);
        let (docs, place) = (docs(self.node(loc)), self.place(loc));
        let sensitive = self.sensitive.within(loc);
        Type {
            loc: loc.clone(),
            module,
            name,
            place,
            docs,
            body,
            trees,
            looked_at: false,
            word_docs: BTreeMap::new(),
            sensitive,
            hidden: false,
            traits: Traits::NONE,
            custom: Custom::default(),
            plain: None,
            is_foreign: false,
        }
    }

    pub(super) fn node(&self, loc: &Loc) -> &'a Node {
        const NOTHING: &Node = &Node { at: At { line: 1, column: 1 }, json: Json::Bool(true) };
        self.schemas.node(loc).unwrap_or(NOTHING)
    }

    /// Returns the place for the type of a part of a schema: its `properties`, `oneOf`, `anyOf` or `enum`, else the schema.
    fn place_of_part(&self, loc: &Loc) -> Location {
        let node = self.node(loc);
        let said = ["properties", "oneOf", "anyOf", "enum"].into_iter().find_map(|keyword| node.member(keyword));
        self.schemas.files[loc.file].place(said.map_or(node.at, |member| member.key_at))
    }

    pub(super) fn place(&self, loc: &Loc) -> Location {
        self.schemas.files[loc.file].place(self.node(loc).at)
    }

    /// Returns the type of a whole content or context. It has its own type, even if it only refers to another schema.
    pub(super) fn root(&mut self, file: usize) -> TypeId {
        let loc = Loc::root(file);
        if let Some(id) = self.roots.get(&file) {
            return *id;
        }
        let id = self.of_nullable(&loc).unwrap_or_else(|| {
            let root = loc.clone();
            self.type_at(&loc, Vec::new(), move |reader| {
                reader.leave_dynamic(&root);
                reader.object_root(&reader.referred(&root))
            })
        });
        self.roots.insert(file, id);
        id
    }

    /// Returns the type of the object if a schema allows an object or null, without further rules.
    fn of_nullable(&mut self, loc: &Loc) -> Option<TypeId> {
        let refers = self.schemas.refs.contains_key(loc) || self.dynamic.contains(loc);
        let kinds = self.kinds(loc)?;
        if kinds.len() != 2 || !kinds.contains(&"null") || refers || self.implies_object(loc) {
            return None;
        }
        let held = self.held(loc);
        let shape = match held.shape {
            Shape::Nullable(inner) => inner.shape,
            shape => shape,
        };
        if let Shape::Named(id) = shape { held.trees.is_empty().then_some(id) } else { None }
    }

    /// Returns the final target of references without siblings.
    pub(super) fn referred(&self, loc: &Loc) -> Loc {
        let mut at = loc.clone();
        // cycles are reported elsewhere; stop here
        for _ in 0..=self.schemas.infos.len() {
            match self.schemas.refs.get(&at) {
                Some(target) if !self.extends(&at) => at = target.clone(),
                _ => break,
            }
        }
        at
    }

    /// Returns the type of a whole content, context, request, response or error if it covers every value of the schema: then
    /// references to the schema use it too.
    fn contract(&mut self, loc: &Loc) -> Option<TypeId> {
        if !loc.pointer.is_empty() || self.dynamic.contains(loc) {
            return None;
        }
        match *self.schemas.files.get(loc.file)?.role.by_path() {
            FileRole::Context | FileRole::Event(_) => {}
            // such a contract uses the type of the schema that it refers to
            FileRole::Rpc(..) if self.schemas.refs.contains_key(loc) && !self.extends(loc) => return None,
            FileRole::Rpc(_, way) if way == RpcMessage::Response && self.is_no_object(loc) => return None,
            FileRole::Rpc(..) => {}
            FileRole::Shared
            | FileRole::BesideRpc
            | FileRole::Document
            | FileRole::MetaSchema
            | FileRole::LeftOut(_) => return None,
        }
        let at = self.referred(loc);
        let combined = || self.kinds(&at).is_none() && self.possible(&at).is_object();
        let only_objects = || self.implies_object(&at) || combined();
        (self.is_union(&at) || only_objects() && !self.is_map(&at)).then(|| self.root(loc.file))
    }

    /// Adds a type. Its body is read later, so that it may contain the type itself.
    pub(super) fn type_at(&mut self, loc: &Loc, trees: Vec<Tree>, body: impl FnOnce(&mut Self) -> Body + 'a) -> TypeId {
        let id = self.types.len();
        self.types.push(None);
        self.unread.push(PendingType { id, loc: loc.clone(), trees, body: Box::new(body) });
        id
    }

    /// Adds a type for some of a schema's values. The suffix distinguishes its name from that of the schema's own type.
    pub(super) fn type_named(
        &mut self,
        loc: &Loc,
        suffix: &'static str,
        body: impl FnOnce(&mut Self) -> Body + 'a,
    ) -> TypeId {
        let id = self.type_at(loc, Vec::new(), body);
        self.suffixes.insert(id, suffix);
        id
    }

    /// Adds a type whose body is known.
    pub(super) fn type_with(&mut self, loc: &Loc, body: Body) -> TypeId {
        let type_ = self.type_of(loc, body, Vec::new());
        self.types.push(Some(type_));
        self.types.len() - 1
    }

    /// Returns whether null is valid under a schema; `None` if unknown.
    pub(super) fn allows_null(&self, loc: &Loc) -> Option<bool> {
        let evaluator = Evaluator::new(self.schemas, &self.evaluated);
        if self.dynamic.contains(loc) { None } else { evaluator.is_valid(&serde_json::Value::Null, loc).ok() }
    }

    /// Returns whether a schema has a keyword that is in force.
    pub(super) fn has(&self, loc: &Loc, keyword: &str) -> bool {
        self.get(loc, keyword).is_some()
    }

    /// Returns the schemas in the array of a keyword.
    pub(super) fn listed(&self, loc: &Loc, keyword: &str) -> impl Iterator<Item = Loc> + use<> {
        let (count, at) = (self.get(loc, keyword).map_or(0, |node| node.items().len()), loc.step(keyword));
        (0..count).map(move |index| at.step(&index.to_string()))
    }

    pub(super) fn get(&self, loc: &Loc, keyword: &str) -> Option<&'a Node> {
        if self.schemas.knows(loc, keyword) { self.node(loc).get(keyword) } else { None }
    }

    /// Reads the type of a schema, or the type by which the build script or the schema itself replaces it.
    pub(super) fn held(&mut self, loc: &Loc) -> ValueType {
        let held = self.typed(loc);
        if replace::is_contract(self.schemas, loc) {
            return held;
        }
        if let Some(path) = self.replacer.of_schema(loc) {
            return replace::replaced(held, path, Vec::new());
        }
        match self.replacer.named(self.schemas, loc) {
            Some((path, parameters)) => {
                if !parameters.is_empty() && !self.replacer.begin(self.schemas, loc) {
                    return held;
                }
                let own: Vec<ValueType> = parameters.iter().map(|parameter| self.held(parameter)).collect();
                if parameters.is_empty() || self.replacer.end() { replace::replaced(held, path, own) } else { held }
            }
            None => held,
        }
    }

    /// Reads the type of a schema before it is replaced.
    pub(super) fn typed(&mut self, loc: &Loc) -> ValueType {
        let depth = self.open.len();
        if let Some(known) = self.known.get(loc).filter(|known| depth + known.height <= MOST_OPEN) {
            self.height = self.height.max(known.height);
            return known.held.clone();
        }
        if let Some(id) = self.contract(loc) {
            return ValueType::plain(Shape::Named(id));
        }
        self.trees.push(Vec::new());
        let again = std::mem::replace(&mut self.again, usize::MAX);
        let height = std::mem::take(&mut self.height);
        let mut held = if depth >= MOST_OPEN {
            self.again = 0;
            self.leave(loc, "", format!("schemas are nested more than {MOST_OPEN} levels deep"));
            ValueType::plain(Shape::Any)
        } else if let Some(around) = self.open.get(loc) {
            self.again = *around;
            self.leave(loc, "", "the schema contains itself without an object in between");
            ValueType::plain(Shape::Any)
        } else {
            self.open.insert(loc.clone(), depth);
            let held = self.fresh(loc);
            self.open.remove(loc);
            if held.shape.nested() > MOST_NESTED {
                self.leave(loc, "", format!("arrays and maps are nested more than {MOST_NESTED} levels deep"));
                ValueType::plain(Shape::Any)
            } else {
                held
            }
        };
        held.trees.extend(self.trees.pop().unwrap_or_default());
        self.height += 1;
        if self.again == usize::MAX {
            self.known.insert(loc.clone(), CachedType { held: held.clone(), height: self.height });
        }
        // for the outer schemas, only the schemas that are open around them matter
        self.again = if self.again < depth { again.min(self.again) } else { again };
        self.height = self.height.max(height);
        held
    }

    fn fresh(&mut self, loc: &Loc) -> ValueType {
        let any = || ValueType::plain(Shape::Any);
        if let Json::Bool(value) = self.node(loc).json {
            if !value {
                self.leave(loc, "", "no value is allowed");
            }
            return any();
        }
        if let Some(held) = self.narrowed(loc) {
            return held;
        }
        if let Some(target) = self.schemas.refs.get(loc) {
            return if self.extends(loc) && self.has(loc, "properties") && self.implies_object(loc) {
                self.combinators(loc);
                self.object(loc, false)
            } else {
                self.leave_beside_ref(loc);
                self.held(target)
            };
        }
        for keyword in ["$dynamicRef", "$recursiveRef"] {
            if self.has(loc, keyword) {
                self.leave(loc, "", format!("`{keyword}`"));
                return any();
            }
        }
        if let Some(held) = self.or_null(loc).or_else(|| self.only_one(loc)).or_else(|| self.union(loc)) {
            return held;
        }
        self.combinators(loc);
        if self.has(loc, "enum") || self.has(loc, "const") {
            return self.values(loc);
        }
        let Some(kinds) = self.kinds(loc) else {
            if self.implies_object(loc) {
                return self.object(loc, false);
            }
            if let Some(held) = self.of_one_type(loc) {
                return held;
            }
            if self.rules_of(loc).next().is_some() {
                self.leave(loc, "", "rules without a `type`: values of other types are allowed");
            }
            return any();
        };
        let nullable = kinds.contains(&"null");
        let others: Vec<&str> = kinds.into_iter().filter(|kind| *kind != "null").collect();
        let held = match others[..] {
            [] => return ValueType::plain(Shape::Null),
            ["integer", "number"] | ["number", "integer"] | ["number"] => self.of_format(loc, Self::number),
            ["boolean"] => ValueType::plain(Shape::Boolean),
            ["integer"] => self.of_format(loc, Self::integer),
            ["string"] => self.of_format(loc, Self::string),
            ["array"] => self.array(loc),
            ["object"] => return self.object(loc, nullable && self.allows_null(loc) != Some(false)),
            _ => match self.several_types(loc) {
                Some(held) => held,
                None => {
                    self.leave(loc, "", "several types");
                    return any();
                }
            },
        };
        if nullable { ValueType::plain(Shape::Nullable(Box::new(held))) } else { held }
    }

    /// Reads a value. If the build script replaces its format, the value has the replacing type.
    pub(super) fn of_format(&mut self, loc: &Loc, read: fn(&mut Self, &Loc) -> ValueType) -> ValueType {
        let held = read(self, loc);
        match self.replacer.of_format(self.node(loc)) {
            Some(path) => replace::replaced(held, path, Vec::new()),
            None => held,
        }
    }

    /// Returns the keywords that aren't annotations.
    pub(super) fn rules_of(&self, loc: &Loc) -> impl Iterator<Item = &'a str> + use<'a> {
        let (schemas, node, at) = (self.schemas, self.node(loc), loc.clone());
        let format = self.format(loc).is_some();
        let keywords = node.members().iter().map(|member| member.key.as_str());
        keywords.filter(move |keyword| {
            let inert = match *keyword {
                "format" => !format,
                "contentEncoding" | "contentMediaType" | "contentSchema" => true,
                "if" => node.get("then").is_none() && node.get("else").is_none(),
                "then" | "else" => node.get("if").is_none(),
                "minContains" | "maxContains" => node.get("contains").is_none(),
                keyword => is_annotation(keyword),
            };
            schemas.knows(&at, keyword) && !inert
        })
    }

    /// Returns the variant of the runtime's `Format` and the name of an asserted format.
    pub(super) fn format(&self, loc: &Loc) -> Option<(&'static str, &'a str)> {
        let name = self.get(loc, "format")?.str()?;
        Some((self.schemas.format(self.schemas.draft(loc), name)?, name))
    }

    /// Returns the names in `type`.
    pub(super) fn kinds(&self, loc: &Loc) -> Option<Vec<&'a str>> {
        let node = self.get(loc, "type")?;
        node.str().map(|kind| vec![kind]).or_else(|| Some(node.items().iter().filter_map(Node::str).collect()))
    }
}

/// Returns the description of a schema, else its title; empty if it has neither.
pub(super) fn docs(node: &Node) -> String {
    let text = |keyword| node.get(keyword).and_then(Node::str).map(str::trim).filter(|text| !text.is_empty());
    text("description").or_else(|| text("title")).unwrap_or_default().to_owned()
}
