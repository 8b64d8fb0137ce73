//! Decides what a generated type must keep because rules that are checked at run time (rule trees) read it: undeclared members
//! if a rule is about them, and the string itself if a rule is about its text.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::nulls;
use super::rules::Check;
use super::shape::{ReplacedType, Shape, Tree, TreeReason, TypeId, ValueType};
use super::types::{Body, Field, Others, Type, reach};
use super::variant::Discriminator;
use crate::schema::load::{Json, Member, Node};
use crate::schema::names;
use crate::schema::schemas::{Loc, Schemas};

/// Decides which structs keep undeclared members and which types are read by trees, once all types are known.
pub(super) fn settle(schemas: &Schemas, types: &mut [Type]) {
    // each shape has its own address, which identifies it
    let whole: Vec<Shape> = (0..types.len()).map(Shape::Named).collect();
    let mut walker = Walker::new(schemas, types);
    types.iter().zip(&whole).for_each(|(type_, shape)| walker.rules_of(type_, shape));
    let chosen = walker.chosen_by_rules(|_| true);
    let Walker { kept, from, texts, .. } = walker;
    for id in chosen {
        let tree = choice(schemas, &types[id].body);
        types[id].trees.extend(tree);
    }
    types.iter_mut().flat_map(|type_| type_.body.holds_mut()).for_each(|held| keep_text(held, &texts));
    let looked_at = reach(types, from);
    for (id, type_) in types.iter_mut().enumerate() {
        type_.looked_at = looked_at.contains(&id);
        let Body::Struct { fields, others } = &mut type_.body else { continue };
        if kept.contains(&id) && *others == Others::Ignored {
            let name = names::extra(&fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>());
            let hidden = !type_.sensitive.is_empty();
            *others = Others::Kept { name, held: ValueType::plain(Shape::Any), hidden };
        }
    }
}

/// Returns the types that [`settle`] and later passes would change if there were only the rules of the types in `ids`.
pub(super) fn changed(schemas: &Schemas, types: &[Type], ids: &BTreeSet<TypeId>) -> BTreeSet<TypeId> {
    let whole: Vec<Shape> = (0..types.len()).map(Shape::Named).collect();
    let mut walker = Walker::new(schemas, types);
    for id in ids {
        walker.rules_of(&types[*id], &whole[*id]);
    }
    let mut changed = walker.chosen_by_rules(|id| ids.contains(&id));
    let Walker { kept, from, texts, .. } = walker;
    changed.extend(kept);
    let nulls = nulls::read_as_absence(types);
    changed.extend(reach(types, from).into_iter().filter(|id| nulls.contains(id)));
    let is_needed = |type_: &Type| with_format(&type_.body).iter().any(|it| texts.contains(&std::ptr::from_ref(*it)));
    if !texts.is_empty() {
        changed.extend(types.iter().enumerate().filter(|(_, type_)| is_needed(type_)).map(|(id, _)| id));
    }
    changed
}

/// A change of a type that a rule needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// The type keeps undeclared members.
    Members,
    /// A string with a format stays a string; the index of this string within the type.
    Text(usize),
    /// The type distinguishes `null` from absence.
    Nulls,
}

/// Returns the changes that the rules of one type need in the types that they read. `nulls` are the types with properties
/// whose `null` is read as absence.
pub(super) fn needs(
    schemas: &Schemas,
    types: &[Type],
    nulls: &HashSet<TypeId>,
    id: TypeId,
) -> BTreeSet<(TypeId, Need)> {
    let whole = Shape::Named(id);
    let mut walker = Walker::new(schemas, types);
    walker.rules_of(&types[id], &whole);
    let is_quiet = walker.kept.is_empty();
    walker.chosen_by_rules(|union| !is_quiet || union == id);
    let Walker { kept, from, texts, .. } = walker;
    let mut needs = BTreeSet::new();
    if !nulls.is_empty() {
        needs.extend(reach(types, from).into_iter().filter(|id| nulls.contains(id)).map(|id| (id, Need::Nulls)));
    }
    for id in kept {
        if matches!(types[id].body, Body::Struct { others: Others::Ignored, .. }) {
            needs.insert((id, Need::Members));
        }
    }
    if !texts.is_empty() {
        for (id, type_) in types.iter().enumerate() {
            let with_format = with_format(&type_.body).into_iter().enumerate();
            let needed = with_format.filter(|(_, shape)| texts.contains(&std::ptr::from_ref(*shape)));
            needs.extend(needed.map(|(index, _)| (id, Need::Text(index))));
        }
    }
    needs
}

/// Returns the strings of a type that have the Rust type of their format.
fn with_format(body: &Body) -> Vec<&Shape> {
    let mut open: Vec<&Shape> = body.holds().into_iter().map(|held| &held.shape).collect();
    let mut found = Vec::new();
    while let Some(shape) = open.pop() {
        match shape {
            Shape::Format(_) => found.push(shape),
            Shape::Array(inner)
            | Shape::Map(inner)
            | Shape::Nullable(inner)
            | Shape::Replaced(ReplacedType { held: inner, .. }) => open.push(&inner.shape),
            _ => {}
        }
    }
    found
}

/// Returns the rule tree that chooses a variant of a union; `None` if no rule chooses it.
fn choice(schemas: &Schemas, union: &Body) -> Option<Tree> {
    let Body::Union { by: Discriminator::RequiredMember(loc), .. } = union else { return None };
    let member = schemas.node(loc)?.member("oneOf")?;
    let reason = TreeReason { place: schemas.files[loc.file].place(member.key_at), why: "`oneOf`".to_owned() };
    Some(Tree { loc: loc.clone(), keywords: BTreeSet::from(["oneOf".to_owned()]), reasons: vec![reason] })
}

/// Walks schemas and the shapes of their values side by side.
struct Walker<'a> {
    schemas: &'a Schemas,
    types: &'a [Type],
    kept: HashSet<TypeId>,
    from: BTreeSet<TypeId>,
    /// The strings with a format whose text a rule needs, because two texts may be the same date-time.
    texts: HashSet<*const Shape>,
    seen: HashSet<(Loc, *const Shape)>,
}

impl<'a> Walker<'a> {
    fn new(schemas: &'a Schemas, types: &'a [Type]) -> Self {
        Self {
            schemas,
            types,
            kept: HashSet::new(),
            from: BTreeSet::new(),
            texts: HashSet::new(),
            seen: HashSet::new(),
        }
    }

    /// Walks the rules of a type; `whole` is its shape.
    fn rules_of(&mut self, type_: &'a Type, whole: &'a Shape) {
        type_.trees.iter().for_each(|tree| self.start(tree, whole));
        type_.body.holds().into_iter().for_each(|held| self.held(held));
    }

    fn held(&mut self, held: &'a ValueType) {
        held.trees.iter().for_each(|tree| self.start(tree, &held.shape));
        if held.checks.contains(&Check::UniqueItems) {
            self.all_texts(&held.shape);
        }
        if let Shape::Array(inner)
        | Shape::Map(inner)
        | Shape::Nullable(inner)
        | Shape::Replaced(ReplacedType { held: inner, .. }) = &held.shape
        {
            self.held(inner);
        }
    }

    /// Returns the unions, among those that `is_asked` selects, whose variants keep undeclared members, so that a value
    /// could have the members of several variants. Walks the rule that chooses the variant.
    fn chosen_by_rules(&mut self, is_asked: impl Fn(TypeId) -> bool) -> BTreeSet<TypeId> {
        let (types, mut found) = (self.types, BTreeSet::new());
        let is_choice = |type_: &Type| matches!(type_.body, Body::Union { by: Discriminator::RequiredMember(_), .. });
        let unions: Vec<TypeId> = (0..types.len()).filter(|id| is_asked(*id) && is_choice(&types[*id])).collect();
        while let Some(id) = unions.iter().find(|id| !found.contains(*id) && self.keeps_members(&types[**id].body)) {
            found.insert(*id);
            self.from.insert(*id);
            if let Some(tree) = choice(self.schemas, &types[*id].body) {
                for held in types[*id].body.holds() {
                    self.keywords(&tree.loc, Some(&tree.keywords), &held.shape);
                }
            }
        }
        found
    }

    /// Returns whether a variant of a union is anything other than a struct with only its declared members.
    fn keeps_members(&self, union: &Body) -> bool {
        union.holds().iter().any(|held| match held.shape {
            Shape::Named(id) => match &self.types[id].body {
                Body::Struct { others, .. } => {
                    self.kept.contains(&id) && *others == Others::Ignored || matches!(others, Others::Kept { .. })
                }
                _ => true,
            },
            _ => true,
        })
    }

    fn start(&mut self, tree: &Tree, shape: &'a Shape) {
        shape.uses(&mut self.from);
        self.keywords(&tree.loc, (!tree.keywords.is_empty()).then_some(&tree.keywords), shape);
    }

    fn whole(&mut self, loc: &Loc, shape: &'a Shape) {
        if !self.seen.insert((loc.clone(), std::ptr::from_ref(shape))) {
            return;
        }
        self.keywords(loc, None, shape);
    }

    fn keywords(&mut self, loc: &Loc, only: Option<&BTreeSet<String>>, shape: &'a Shape) {
        let Some(node) = self.schemas.node(loc) else { return };
        let (fields, id) = match shape {
            Shape::Nullable(inner) | Shape::Replaced(ReplacedType { held: inner, .. }) => {
                return self.keywords(loc, only, &inner.shape);
            }
            Shape::Named(id) => match &self.types[*id].body {
                Body::Struct { fields, .. } => (fields.as_slice(), Some(*id)),
                Body::Union { variants, .. } => {
                    let held = variants.iter().filter_map(|variant| variant.held.as_ref());
                    return held.for_each(|held| self.keywords(loc, only, &held.shape));
                }
                Body::Map(held) => return self.keywords(loc, only, &held.shape),
                Body::Enum { .. } => return,
            },
            Shape::Array(_) | Shape::Map(_) | Shape::Format(_) => (&[][..], None),
            _ => return,
        };
        let by_wire: HashMap<&str, &Field> = fields.iter().map(|field| (field.wire.as_str(), field)).collect();
        let has = |name: &str| by_wire.contains_key(name);
        let schemas = self.schemas;
        let in_force = |keyword: &str| only.is_none_or(|only| only.contains(keyword)) && schemas.knows(loc, keyword);
        let of_text = |member: &Member| match (&*member.key, shape) {
            ("enum" | "const" | "pattern" | "minLength" | "maxLength", _) => true,
            ("format", Shape::Format(real)) => member.value.str() != Some(real.format()),
            _ => false,
        };
        if let Shape::Format(_) = shape
            && node.members().iter().any(|member| in_force(&member.key) && of_text(member))
        {
            self.texts.insert(std::ptr::from_ref(shape));
        }
        let mut keep = false;
        // schemas for the same value, for items and members, and for named members
        let (mut here, mut below, mut named) = (Vec::new(), Vec::new(), Vec::new());
        for member in node.members().iter().filter(|member| in_force(&member.key)) {
            let (keyword, value, at) = (member.key.as_str(), &member.value, loc.step(&member.key));
            let items = || (0..value.items().len()).map(|index| at.step(&index.to_string()));
            let by_name = || value.members().iter().map(|member| (member.key.as_str(), at.step(&member.key)));
            match keyword {
                "$ref" => here.extend(self.schemas.refs.get(loc).cloned()),
                "allOf" | "anyOf" | "oneOf" => here.extend(items()),
                "not" | "if" | "then" | "else" => here.push(at),
                "dependentSchemas" | "dependencies" => {
                    keep |= by_name().any(|(name, _)| !has(name));
                    let names = value.members().iter().flat_map(|member| member.value.items()).filter_map(Node::str);
                    keep |= names.into_iter().any(|name| !has(name));
                    here.extend(by_name().map(|(_, at)| at));
                }
                "dependentRequired" => {
                    let names = value.members().iter().flat_map(|member| member.value.items()).filter_map(Node::str);
                    keep |= by_name().any(|(name, _)| !has(name)) || names.into_iter().any(|name| !has(name));
                }
                "required" => keep |= value.items().iter().filter_map(Node::str).any(|name| !has(name)),
                "properties" => {
                    let trivial = |node: &Node| {
                        matches!(node.json, Json::Bool(true))
                            || matches!(&node.json, Json::Object(members) if members.is_empty())
                    };
                    keep |= value.members().iter().any(|member| !has(&member.key) && !trivial(&member.value));
                    named.extend(by_name().map(|(name, at)| (name.to_owned(), at)));
                }
                "patternProperties" => {
                    keep = true;
                    below.extend(by_name().map(|(_, at)| at));
                }
                "additionalProperties" | "unevaluatedProperties" => {
                    keep |= !matches!(value.json, Json::Bool(true));
                    below.push(at);
                }
                "propertyNames" | "minProperties" | "maxProperties" => keep = true,
                "enum" | "const" => {
                    keep = true;
                    self.all_texts(shape);
                }
                "uniqueItems" => self.all_texts(shape),
                "items" | "prefixItems" | "additionalItems" | "contains" | "unevaluatedItems" => {
                    below.extend(items());
                    below.push(at);
                }
                "$dynamicRef" | "$recursiveRef" => {
                    // the target of a dynamic reference is known only with a value
                    let mut all = BTreeSet::new();
                    shape.uses(&mut all);
                    let all = reach(self.types, all);
                    self.all_texts(shape);
                    self.kept.extend(all);
                }
                _ => {}
            }
        }
        if let Some(id) = id.filter(|_| keep) {
            self.kept.insert(id);
        }
        here.into_iter().for_each(|at| self.whole(&at, shape));
        match shape {
            Shape::Array(inner) | Shape::Map(inner) => {
                let named = named.into_iter().map(|(_, at)| at);
                below.into_iter().chain(named).for_each(|at| self.whole(&at, &inner.shape));
            }
            _ => {
                for (name, at) in named {
                    if let Some(field) = by_wire.get(name.as_str()) {
                        self.whole(&at, &field.held.shape);
                    }
                }
                for at in below {
                    fields.iter().for_each(|field| self.whole(&at, &field.held.shape));
                }
            }
        }
    }

    /// Keeps the text of all strings in a shape.
    fn all_texts(&mut self, shape: &'a Shape) {
        let mut ids = BTreeSet::new();
        shape.uses(&mut ids);
        let mut open: Vec<&'a Shape> = vec![shape];
        for id in reach(self.types, ids) {
            open.extend(self.types[id].body.holds().into_iter().map(|held| &held.shape));
        }
        while let Some(shape) = open.pop() {
            match shape {
                Shape::Format(_) => {
                    self.texts.insert(std::ptr::from_ref(shape));
                }
                Shape::Array(inner)
                | Shape::Map(inner)
                | Shape::Nullable(inner)
                | Shape::Replaced(ReplacedType { held: inner, .. }) => open.push(&inner.shape),
                _ => {}
            }
        }
    }
}

/// Turns the shapes in `texts` into strings with a check of their format.
fn keep_text(held: &mut ValueType, texts: &HashSet<*const Shape>) {
    let found = texts.contains(&std::ptr::from_ref(&held.shape));
    match &mut held.shape {
        Shape::Format(real) if found => {
            held.checks.push(Check::Format(real.variant(), real.format().to_owned()));
            held.shape = Shape::String;
        }
        Shape::Array(inner)
        | Shape::Map(inner)
        | Shape::Nullable(inner)
        | Shape::Replaced(ReplacedType { held: inner, .. }) => keep_text(inner, texts),
        _ => {}
    }
}
