//! Builds the model of a folder: reads its contracts, and makes the names of the types distinct.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::custom::Addition;
use super::reader::SchemaReader;
use super::replace::{self, Replacements, Replacer};
use super::shape::{Shape, TypeId, ValueType};
use super::types::{Method, Model, Type, reach};
use super::{boxes, constants, custom, defaults, hidden, nulls, rpcs, split, traits, tree_inputs};
use crate::schema::load::{At, FileRole};
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::schemas::{Loc, Schemas};
use crate::schema::type_names;

/// The changes that a build script makes to generated types.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) additions: Vec<Addition>,
    pub(crate) replacements: Replacements,
}

/// Builds the model of a folder that has no errors so far. Returns `None` and adds problems if types of several events
/// would have the same name. Warnings are added to the problems too.
pub(crate) fn read(schemas: &Schemas, options: &Options, problems: &mut Vec<Problem>) -> Option<Model> {
    let mut reader = SchemaReader::new(schemas, Replacer::new(schemas, &options.replacements));
    let (context, _) = schemas.of_role(|role| *role == FileRole::Context).next()?;
    let mut context = reader.root(context);
    let mut events: Vec<_> = Vec::new();
    for (file, found) in schemas.of_role(|role| matches!(role, FileRole::Event(_))) {
        if let FileRole::Event(name) = &found.role {
            events.push((name.clone(), reader.root(file)));
        }
    }
    events.sort();
    let mut rpcs = reader.rpcs();
    let (mut types, alternatives, replacer) = reader.finish();
    problems.extend(replacer.finish(schemas, &options.replacements));
    let left_out = (0..types.len()).filter(|id| is_left_out_event(schemas, &types[*id].loc));
    let mut left_out: Vec<TypeId> = left_out.collect();
    let ids = std::iter::once(&mut context).chain(events.iter_mut().map(|(_, id)| id)).chain(&mut left_out);
    let ids: Vec<&mut TypeId> = ids.chain(rpcs.iter_mut().flat_map(Method::types_mut)).collect();
    let indexes = constants::settle(&mut types, &ids.iter().map(|id| **id).collect());
    ids.into_iter().for_each(|id| *id = indexes[*id]);
    let roots: HashSet<TypeId> = events.iter().map(|(_, id)| *id).chain([context]).chain(left_out).collect();
    let carried: HashSet<TypeId> = rpcs.iter().flat_map(Method::carries).map(|(_, carried)| carried.type_).collect();
    split::split(schemas, &mut types, &roots.union(&carried).copied().collect());
    let clashes = keep_apart(schemas, &mut types, &alternatives, &roots, &carried, rpcs::taken(&rpcs));
    if !clashes.is_empty() {
        problems.extend(clashes);
        return None;
    }
    tree_inputs::settle(schemas, &mut types);
    nulls::settle(schemas, &mut types);
    hidden::settle(schemas, &mut types);
    replace::mark(&mut types);
    defaults::settle(schemas, &mut types, problems);
    replace::keep_plain(&mut types);
    boxes::place(&mut types);
    traits::settle(&mut types);
    custom::apply(&mut types, &options.additions, problems);
    Some(Model { types, context, events, rpcs })
}

/// Returns whether a schema is the content of an event that isn't compiled by itself. Its type has the name that it has in
/// a build of that event.
fn is_left_out_event(schemas: &Schemas, loc: &Loc) -> bool {
    let role = &schemas.files[loc.file].role;
    loc.pointer.is_empty() && matches!(role, FileRole::LeftOut(role) if matches!(**role, FileRole::Event(_)))
}

/// Returns the types of one file by itself, and the type of its root.
pub(crate) fn one(schemas: &Schemas, file: usize) -> (Vec<Type>, ValueType) {
    let mut reader = SchemaReader::new(schemas, Replacer::default());
    let mut held = root(&mut reader, file);
    let mut types = finished(reader, std::slice::from_mut(&mut held));
    tree_inputs::settle(schemas, &mut types);
    nulls::settle(schemas, &mut types);
    (types, held)
}

/// Returns the types of several files, read together, and the type of each root. `None` for a root whose types have rule
/// trees or are changed by rules, because other files may share these types.
pub(crate) fn together(schemas: &Schemas, files: &[usize]) -> (Vec<Type>, Vec<Option<ValueType>>) {
    let mut reader = SchemaReader::new(schemas, Replacer::default());
    let mut roots: Vec<ValueType> = files.iter().map(|file| root(&mut reader, *file)).collect();
    let mut types = finished(reader, &mut roots);
    let all: BTreeSet<TypeId> = (0..types.len()).collect();
    let changed = tree_inputs::changed(schemas, &types, &all);
    let is_plain = |file: usize, held: &ValueType| {
        let mut named = BTreeSet::new();
        held.shape.uses(&mut named);
        let reached = reach(&types, named);
        let has_rule = |type_: &Type| !type_.trees.is_empty() || type_.body.holds().into_iter().any(has_tree);
        if has_tree(held) || reached.iter().any(|id| has_rule(&types[*id])) {
            return false;
        }
        reached.is_disjoint(&changed) || {
            // if the file is read alone, the rules of the other roots don't apply; those of shared files may
            let is_other = |at: usize| at != file && files.contains(&at);
            let read = all.iter().copied().filter(|id| reached.contains(id) || !is_other(types[*id].loc.file));
            reached.is_disjoint(&tree_inputs::changed(schemas, &types, &read.collect()))
        }
    };
    let plain: Vec<bool> = files.iter().zip(&roots).map(|(file, held)| is_plain(*file, held)).collect();
    nulls::settle(schemas, &mut types);
    (types, roots.into_iter().zip(plain).map(|(held, is_plain)| is_plain.then_some(held)).collect())
}

/// Returns all types that a reader found, except unused types of constants.
fn finished(reader: SchemaReader<'_>, roots: &mut [ValueType]) -> Vec<Type> {
    let (mut types, ..) = reader.finish();
    let mut used = BTreeSet::new();
    roots.iter().for_each(|held| held.shape.uses(&mut used));
    let indexes = constants::settle(&mut types, &used);
    roots.iter_mut().for_each(|held| held.shape.redirect(&|id| indexes[id]));
    types
}

fn has_tree(held: &ValueType) -> bool {
    !held.trees.is_empty()
        || match &held.shape {
            Shape::Array(inner) | Shape::Map(inner) | Shape::Nullable(inner) => has_tree(inner),
            Shape::Replaced(replaced) => has_tree(&replaced.held),
            _ => false,
        }
}

/// Returns the type of a whole file.
fn root(reader: &mut SchemaReader<'_>, file: usize) -> ValueType {
    match reader.schemas.files.get(file).map(|file| &file.role) {
        Some(FileRole::Context | FileRole::Event(_)) => ValueType::plain(Shape::Named(reader.root(file))),
        Some(FileRole::Rpc(name, way)) => ValueType::plain(Shape::Named(reader.carried(name, *way, file).type_)),
        _ => reader.held(&Loc::root(file)),
    }
}

/// Makes the names of types distinct: of several types with one name, all but the first get a number. The types of events
/// and of the context come first, then those of RPC messages, then the others in the order of file and JSON Pointer. Types
/// within the alternatives of unions come last, so that an added alternative renames no type outside of it. No type gets a
/// name in `taken`.
///
/// Returns a problem for each type of an event that would get a number because of another event: adding that event would
/// rename the type, and user code would then use another type.
fn keep_apart(
    schemas: &Schemas,
    types: &mut [Type],
    alternatives: &HashMap<Loc, String>,
    roots: &HashSet<TypeId>,
    carried: &HashSet<TypeId>,
    mut taken: HashSet<String>,
) -> Vec<Problem> {
    let place = |loc: &Loc| (schemas.files[loc.file].path.clone(), by_index(&loc.pointer));
    let is_within_alternative = |loc: &Loc| {
        let ends = loc.pointer.match_indices('/').map(|(at, _)| at).chain([loc.pointer.len()]);
        ends.filter_map(|end| loc.pointer.get(..end))
            .any(|pointer| alternatives.contains_key(&Loc { file: loc.file, pointer: pointer.to_owned() }))
    };
    let mut order: Vec<TypeId> = (0..types.len()).collect();
    order.sort_by_cached_key(|id| {
        let Type { loc, name, .. } = &types[*id];
        (!roots.contains(id), !carried.contains(id), is_within_alternative(loc), place(loc), name.clone())
    });
    // the last number of each name, so that many equal names take linear time
    let mut counts: HashMap<String, usize> = HashMap::new();
    // the first event schema of each name
    let mut firsts: HashMap<String, Loc> = HashMap::new();
    let mut clashes = Vec::new();
    let variant = |at: &Loc| alternatives.get(at).map(String::as_str);
    for id in order {
        let (plain, path, loc) = (types[id].name.clone(), types[id].path(), types[id].loc.clone());
        if let FileRole::Event(_) = schemas.files[loc.file].role.by_path() {
            let first = firsts.entry(path.clone()).or_insert_with(|| loc.clone());
            if first.file != loc.file {
                clashes.push(clash(schemas, &loc, first, path.clone()));
            }
        }
        if taken.contains(&path)
            && let Some(number) = type_names::within(schemas, &loc, variant).number
        {
            types[id].name = format!("{plain}_{number}");
        }
        let count = counts.entry(path).or_insert(1);
        while !taken.insert(types[id].path()) {
            *count += 1;
            types[id].name = format!("{plain}_{count}");
        }
    }
    clashes
}

/// Returns a key that sorts JSON Pointers with their indices as numbers, so that a branch added at the end of a `oneOf` comes last.
fn by_index(pointer: &str) -> Vec<(usize, String)> {
    let length = |step: &str| if step.bytes().all(|byte| byte.is_ascii_digit()) { step.len() } else { usize::MAX };
    pointer.split('/').map(|step| (length(step), step.to_owned())).collect()
}

/// Returns the problem of a schema whose type would have the name of another event's type.
fn clash(schemas: &Schemas, loc: &Loc, first: &Loc, type_: String) -> Problem {
    let node = |loc: &Loc| schemas.node(loc).map_or(At { line: 1, column: 1 }, |node| node.at);
    let other = match schemas.files[first.file].role.by_path() {
        FileRole::Event(name) if first.pointer.is_empty() => format!("the event `{name}`"),
        _ => format!("the one at {}", schemas.files[first.file].place(node(first))),
    };
    schemas.problem(loc, node(loc), ProblemKind::TypeClash { other, type_ })
}
