//! From schemas to the model. What no type and no check of a type can tell is left to a rule tree, never guessed.

use std::collections::{BTreeSet, HashMap, HashSet};

use twyla_contract::Place;

use super::sensitive::Sensitive;
use super::{Body, Held, Method, Model, Reason, Shape, Tree, Type, TypeId, boxes, looks, rpcs};
use crate::draft::is_annotation;
use crate::format;
use crate::load::{Json, Node, Role};
use crate::names;
use crate::resolve::{Loc, Schemas};

/// Makes the model of a folder that was found free of errors.
pub(crate) fn read(schemas: &Schemas) -> Option<Model> {
    let mut reader = Reader::new(schemas);
    let (context, _) = schemas.of_role(|role| *role == Role::Context).next()?;
    let context = reader.root(context);
    let mut events: Vec<_> = Vec::new();
    for (file, found) in schemas.of_role(|role| matches!(role, Role::Event(_))) {
        if let Role::Event(name) = &found.role {
            events.push((name.clone(), reader.root(file)));
        }
    }
    events.sort();
    let rpcs = reader.rpcs();
    let mut types: Vec<Type> = reader.types.into_iter().flatten().collect();
    let roots: HashSet<TypeId> = events.iter().map(|(_, id)| *id).chain([context]).collect();
    let carried: HashSet<TypeId> = rpcs.iter().flat_map(Method::carries).map(|(_, carried)| carried.type_).collect();
    keep_apart(&mut types, &roots, &carried, rpcs::taken(&rpcs));
    looks::settle(schemas, &mut types);
    boxes::place(&mut types);
    Some(Model { types, context, events, rpcs })
}

/// The types of one file by itself, and what a value of its schema is.
pub(crate) fn one(schemas: &Schemas, file: usize) -> (Vec<Type>, Held) {
    let mut reader = Reader::new(schemas);
    let held = match schemas.files.get(file).map(|file| &file.role) {
        Some(Role::Context | Role::Event(_)) => Held::plain(Shape::Named(reader.root(file))),
        Some(Role::Rpc(name, way)) => Held::plain(Shape::Named(reader.carried(name, *way, file).type_)),
        _ => reader.held(&Loc::root(file)),
    };
    let mut types: Vec<Type> = reader.types.into_iter().flatten().collect();
    looks::settle(schemas, &mut types);
    (types, held)
}

/// The schemas that lead to one of these: those around one, and those that refer to these. They are among them.
pub(super) fn leading_to(schemas: &Schemas, these: impl Iterator<Item = Loc>) -> HashSet<Loc> {
    let mut from: HashMap<&Loc, Vec<&Loc>> = HashMap::new();
    for (loc, target) in schemas.refs.iter().chain(&schemas.dynamic) {
        from.entry(target).or_default().push(loc);
    }
    let mut open: Vec<Loc> = these.collect();
    let mut found = HashSet::new();
    while let Some(loc) = open.pop() {
        if !found.insert(loc.clone()) {
            continue;
        }
        open.extend(from.get(&loc).into_iter().flatten().map(|loc| (*loc).clone()));
        if let Some(end) = loc.pointer.rfind('/') {
            open.push(Loc { file: loc.file, pointer: loc.pointer[..end].into() });
        }
    }
    found
}

/// Gives types of one name different ones: contents and contexts keep theirs, then what RPCs carry, the others are counted
/// by their place. What is `taken` is no type's of the model.
fn keep_apart(types: &mut [Type], roots: &HashSet<TypeId>, carried: &HashSet<TypeId>, mut taken: HashSet<String>) {
    // the objects of a union are called by their tags
    let tagged: Vec<(TypeId, String, String)> = types.iter().flat_map(variants).collect();
    for (id, union, variant) in tagged {
        // not where it stands elsewhere, with a name of its own
        if let Some(type_) = types.get_mut(id).filter(|type_| type_.name == union) {
            type_.name += &variant;
        }
    }
    let mut order: Vec<TypeId> = (0..types.len()).collect();
    order.sort_by_key(|id| (!roots.contains(id), !carried.contains(id), types[*id].place.clone()));
    // where to go on counting, so that many of one name are not many times as much work
    let mut counts: HashMap<String, usize> = HashMap::new();
    for id in order {
        let plain = types[id].name.clone();
        let count = counts.entry(types[id].path()).or_insert(1);
        while !taken.insert(types[id].path()) {
            *count += 1;
            types[id].name = format!("{plain}_{count}");
        }
    }
}

/// The types of a union's variants, with the names of both.
fn variants(union: &Type) -> Vec<(TypeId, String, String)> {
    let Body::Union { variants, .. } = &union.body else { return Vec::new() };
    let named = variants.iter().filter_map(|variant| match variant.held.shape {
        Shape::Named(id) => Some((id, union.name.clone(), variant.name.clone())),
        _ => None,
    });
    named.collect()
}

/// The limit of schemas that are read because others hold them: deeper ones are left to trees.
const MOST_OPEN: usize = 2000;

/// The limit of types without a name in one another, which compilers take less deep than they take schemas.
const MOST_NESTED: usize = 16;

pub(super) struct Reader<'a> {
    pub(super) schemas: &'a Schemas,
    pub(super) types: Vec<Option<Type>>,
    /// What was read already.
    done: HashMap<Loc, Held>,
    /// What will have been read: schemas whose type is being read, which may have themselves in it.
    begun: HashMap<Loc, Held>,
    /// The schemas that are being read, to notice those that hold themselves without a type between.
    open: Vec<Loc>,
    /// The rules found so far that are left to trees, for each value that is being read.
    trees: Vec<Vec<Tree>>,
    /// The schemas that lead to a reference whose target depends on the way there.
    pub(super) dynamic: HashSet<Loc>,
    pub(super) sensitive: Sensitive<'a>,
}

impl<'a> Reader<'a> {
    fn new(schemas: &'a Schemas) -> Self {
        Self {
            schemas,
            types: Vec::new(),
            done: HashMap::new(),
            begun: HashMap::new(),
            open: Vec::new(),
            trees: Vec::new(),
            dynamic: leading_to(schemas, schemas.dynamic.keys().cloned()),
            sensitive: Sensitive::of(schemas),
        }
    }

    pub(super) fn node(&self, loc: &Loc) -> &'a Node {
        const NOTHING: &Node = &Node { at: crate::load::At { line: 1, column: 1 }, json: Json::Bool(true) };
        self.schemas.node(loc).unwrap_or(NOTHING)
    }

    pub(super) fn place(&self, loc: &Loc) -> Place {
        self.schemas.files[loc.file].place(self.node(loc).at)
    }

    /// Leaves a keyword of the value that is being read to a tree; the whole schema where it is empty.
    pub(super) fn leave(&mut self, loc: &Loc, keyword: &str, why: impl Into<String>) {
        // the way begins at the root, and so does the tree that is held there
        if !self.dynamic.contains(loc) {
            self.leave_here(loc, keyword, why);
        }
    }

    /// Leaves a whole document to a tree that is held at its root, where the way from there matters.
    pub(super) fn leave_dynamic(&mut self, loc: &Loc) {
        if self.dynamic.contains(loc) {
            self.leave_here(loc, "", "a reference whose target depends on the way there");
        }
    }

    /// A tree of a whole schema, for a value whose type is that of another one.
    pub(super) fn tree(&self, loc: &Loc, why: String) -> Option<Tree> {
        let reason = Reason { place: self.place(loc), why };
        (!self.dynamic.contains(loc)).then(|| Tree {
            loc: loc.clone(),
            keywords: BTreeSet::new(),
            reasons: vec![reason],
        })
    }

    fn leave_here(&mut self, loc: &Loc, keyword: &str, why: impl Into<String>) {
        let node = self.node(loc);
        let at = node.member(keyword).map_or(node.at, |member| member.key_at);
        let reason = Reason { place: self.schemas.files[loc.file].place(at), why: why.into() };
        let Some(trees) = self.trees.last_mut() else { return };
        let index = trees.iter().position(|tree| tree.loc == *loc).unwrap_or_else(|| {
            trees.push(Tree { loc: loc.clone(), keywords: BTreeSet::from([keyword.to_owned()]), reasons: Vec::new() });
            trees.len() - 1
        });
        let Some(tree) = trees.get_mut(index) else { return };
        if keyword.is_empty() || tree.keywords.is_empty() {
            tree.keywords.clear();
        } else {
            tree.keywords.insert(keyword.to_owned());
        }
        if !tree.reasons.contains(&reason) {
            tree.reasons.push(reason);
        }
    }

    /// The type of a whole content or context: always one of its own, whatever its schema refers to.
    pub(super) fn root(&mut self, file: usize) -> TypeId {
        let loc = Loc::root(file);
        if let Some(Held { shape: Shape::Named(id), .. }) = self.begun.get(&loc) {
            return *id;
        }
        self.type_at(&loc, false, |reader| {
            reader.leave_dynamic(&loc);
            let mut at = loc.clone();
            let mut steps = 0;
            while let Some(target) = reader.schemas.refs.get(&at) {
                if reader.extends(&at) {
                    break;
                }
                at = target.clone();
                steps += 1;
                if steps > reader.schemas.infos.len() {
                    break;
                }
            }
            reader.object_root(&at)
        })
    }

    /// Makes a type; its id is known while its body is read, so that the body may have it in it.
    pub(super) fn type_at(&mut self, loc: &Loc, nullable: bool, body: impl FnOnce(&mut Self) -> Body) -> TypeId {
        let id = self.types.len();
        self.types.push(None);
        let mut held = Held::plain(Shape::Named(id));
        if nullable {
            held = Held::plain(Shape::Nullable(Box::new(held)));
        }
        // what is said of the value beside its type was said before its type is made
        held.trees = self.trees.last().cloned().unwrap_or_default();
        self.begun.insert(loc.clone(), held);
        self.trees.push(Vec::new());
        let open = std::mem::take(&mut self.open);
        let body = body(self);
        self.open = open;
        let trees = self.trees.pop().unwrap_or_default();
        let (module, name) = names::at(self.schemas, loc);
        let docs = docs(self.node(loc));
        let place = self.place(loc);
        let sensitive = self.sensitive.within(loc);
        self.types[id] = Some(Type { module, name, place, docs, body, trees, looked_at: false, sensitive });
        id
    }

    /// Whether the schema there has a keyword that its draft knows.
    pub(super) fn has(&self, loc: &Loc, keyword: &str) -> bool {
        self.get(loc, keyword).is_some()
    }

    pub(super) fn get(&self, loc: &Loc, keyword: &str) -> Option<&'a Node> {
        if self.schemas.knows(loc, keyword) { self.node(loc).get(keyword) } else { None }
    }

    /// Any schema, wherever it stands.
    pub(super) fn held(&mut self, loc: &Loc) -> Held {
        if let Some(held) = self.done.get(loc).or_else(|| self.begun.get(loc)) {
            return held.clone();
        }
        self.trees.push(Vec::new());
        let mut held = if self.trees.len() > MOST_OPEN {
            self.leave(loc, "", format!("more than {MOST_OPEN} schemas hold one another"));
            Held::plain(Shape::Any)
        } else if self.open.contains(loc) {
            self.leave(loc, "", "the schema holds itself with no object between");
            Held::plain(Shape::Any)
        } else {
            self.open.push(loc.clone());
            let held = self.fresh(loc);
            self.open.pop();
            if held.shape.nested() > MOST_NESTED {
                self.leave(loc, "", format!("more than {MOST_NESTED} arrays and maps in one another"));
                Held::plain(Shape::Any)
            } else {
                held
            }
        };
        held.trees.extend(self.trees.pop().unwrap_or_default());
        if !self.open.contains(loc) {
            self.done.insert(loc.clone(), held.clone());
        }
        held
    }

    pub(super) fn fresh(&mut self, loc: &Loc) -> Held {
        let any = || Held::plain(Shape::Any);
        if let Json::Bool(value) = self.node(loc).json {
            if !value {
                self.leave(loc, "", "no value is allowed");
            }
            return any();
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
            if self.rules_of(loc).next().is_some() {
                self.leave(loc, "", "rules without a `type`: values of other types are allowed");
            }
            return any();
        };
        let nullable = kinds.contains(&"null");
        let others: Vec<&str> = kinds.into_iter().filter(|kind| *kind != "null").collect();
        let held = match others[..] {
            [] => return Held::plain(Shape::Null),
            ["integer", "number"] | ["number", "integer"] | ["number"] => self.number(loc),
            ["boolean"] => Held::plain(Shape::Boolean),
            ["integer"] => self.integer(loc),
            ["string"] => self.string(loc),
            ["array"] => self.array(loc),
            // nullable objects are known as such while their members are read
            ["object"] => return self.object(loc, nullable),
            _ => {
                self.leave(loc, "", "several types");
                return any();
            }
        };
        if nullable { Held::plain(Shape::Nullable(Box::new(held))) } else { held }
    }

    /// The keywords that are more than annotations.
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

    /// The variant of the runtime's `Format` and the name of a format that is a rule there.
    pub(super) fn format(&self, loc: &Loc) -> Option<(&'static str, &'a str)> {
        let name = self.get(loc, "format").filter(|_| self.schemas.formats())?.str()?;
        Some((format::variant(self.schemas.draft(loc), name)?, name))
    }

    /// `anyOf` or `oneOf` of one schema and null.
    fn or_null(&mut self, loc: &Loc) -> Option<Held> {
        let mut rules = self.rules_of(loc);
        let (Some(keyword @ ("anyOf" | "oneOf")), None) = (rules.next(), rules.next()) else { return None };
        let [first, second] = self.get(loc, keyword)?.items() else { return None };
        let null =
            |node: &Node| matches!(node.members(), [only] if only.key == "type" && only.value.str() == Some("null"));
        let index = match (null(first), null(second)) {
            (true, false) => "1",
            (false, true) => "0",
            _ => return None,
        };
        let held = self.held(&loc.step(keyword).step(index));
        Some(match held.shape {
            Shape::Any | Shape::Null | Shape::Nullable(_) if keyword == "anyOf" && held.trees.is_empty() => held,
            Shape::Any | Shape::Null | Shape::Nullable(_) => {
                self.leave(loc, keyword, format!("`{keyword}` of schemas that both may allow null"));
                Held { trees: Vec::new(), ..held }
            }
            _ => Held::plain(Shape::Nullable(Box::new(held))),
        })
    }

    /// `allOf` of one schema, with nothing beside.
    fn only_one(&mut self, loc: &Loc) -> Option<Held> {
        let mut rules = self.rules_of(loc);
        let (Some(keyword @ ("allOf" | "anyOf" | "oneOf")), None) = (rules.next(), rules.next()) else { return None };
        let [_] = self.get(loc, keyword)?.items() else { return None };
        Some(self.held(&loc.step(keyword).step("0")))
    }

    /// The names in `type`.
    pub(super) fn kinds(&self, loc: &Loc) -> Option<Vec<&'a str>> {
        let node = self.get(loc, "type")?;
        node.str().map(|kind| vec![kind]).or_else(|| Some(node.items().iter().filter_map(Node::str).collect()))
    }
}

/// What the schema says to people.
pub(super) fn docs(node: &Node) -> String {
    let text = |keyword| node.get(keyword).and_then(Node::str).map(str::trim).filter(|text| !text.is_empty());
    text("description").or_else(|| text("title")).unwrap_or_default().to_owned()
}
