//! The model of a folder: its contracts read, each type with a name of its own.

use std::collections::{HashMap, HashSet};

use super::reader::Reader;
use super::types::{Held, Method, Model, Shape, Type, TypeId};
use super::{boxes, defaults, looks, rpcs, split};
use crate::schema::load::{At, Role};
use crate::schema::problem::{Problem, What};
use crate::schema::schemas::{Loc, Schemas};

/// Makes the model of a folder that was found free of errors. None where types of several events would have one name, which
/// is a problem then. Warnings are added to the problems.
pub(crate) fn read(schemas: &Schemas, problems: &mut Vec<Problem>) -> Option<Model> {
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
    let (mut types, alternatives) = reader.finish();
    let roots: HashSet<TypeId> = events.iter().map(|(_, id)| *id).chain([context]).collect();
    let carried: HashSet<TypeId> = rpcs.iter().flat_map(Method::carries).map(|(_, carried)| carried.type_).collect();
    split::split(schemas, &mut types, &roots.union(&carried).copied().collect());
    let clashes = keep_apart(schemas, &mut types, &alternatives, &roots, &carried, rpcs::taken(&rpcs));
    if !clashes.is_empty() {
        problems.extend(clashes);
        return None;
    }
    looks::settle(schemas, &mut types);
    defaults::settle(schemas, &mut types, problems);
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
    let (mut types, _) = reader.finish();
    looks::settle(schemas, &mut types);
    (types, held)
}

/// Gives types of one name different ones: contents and contexts keep theirs, then what RPCs carry, the others are counted
/// by the path of their file and their JSON Pointer in it. No type of the model gets a name that is `taken`.
///
/// Returns the types of an event whose name would be counted for another event's: that would be given another name when that
/// event comes, and what is written in Rust would mean something else.
fn keep_apart(
    schemas: &Schemas,
    types: &mut [Type],
    alternatives: &HashMap<Loc, String>,
    roots: &HashSet<TypeId>,
    carried: &HashSet<TypeId>,
    mut taken: HashSet<String>,
) -> Vec<Problem> {
    for type_ in types.iter_mut() {
        if let Some(variant) = alternatives.get(&type_.loc) {
            type_.name += variant;
        }
    }
    let place = |loc: &Loc| (schemas.files[loc.file].path.clone(), loc.pointer.clone());
    let mut order: Vec<TypeId> = (0..types.len()).collect();
    order.sort_by_cached_key(|id| (!roots.contains(id), !carried.contains(id), place(&types[*id].loc)));
    // where to go on counting, so that many of one name are not many times as much work
    let mut counts: HashMap<String, usize> = HashMap::new();
    // the schema of an event that has a name
    let mut firsts: HashMap<String, Loc> = HashMap::new();
    let mut clashes = Vec::new();
    for id in order {
        let (plain, path, loc) = (types[id].name.clone(), types[id].path(), types[id].loc.clone());
        if let Role::Event(_) = schemas.files[loc.file].role {
            let first = firsts.entry(path.clone()).or_insert_with(|| loc.clone());
            if first.file != loc.file {
                clashes.push(clash(schemas, &loc, first, path.clone()));
            }
        }
        let count = counts.entry(path).or_insert(1);
        while !taken.insert(types[id].path()) {
            *count += 1;
            types[id].name = format!("{plain}_{count}");
        }
    }
    clashes
}

/// That a schema would have the name of another event's type.
fn clash(schemas: &Schemas, loc: &Loc, first: &Loc, type_: String) -> Problem {
    let node = |loc: &Loc| schemas.node(loc).map_or(At { line: 1, column: 1 }, |node| node.at);
    let other = match &schemas.files[first.file].role {
        Role::Event(name) if first.pointer.is_empty() => format!("the event `{name}`"),
        _ => format!("the one at {}", schemas.files[first.file].place(node(first))),
    };
    schemas.problem(loc, node(loc), What::TypeClash { other, type_ })
}
