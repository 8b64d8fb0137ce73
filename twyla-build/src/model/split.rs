//! Gives a contract its own copy of a type if the contract's rules need more of the type than the type's schema does.
//!
//! So the values that the types of a contract send and read depend on that contract alone, as in a comparison.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::nulls;
use super::shape::{Shape, TypeId};
use super::tree_inputs::{self, Need};
use super::types::{Body, Type, reach};
use crate::schema::schemas::Schemas;
use crate::schema::type_names;

type Needs = BTreeSet<(TypeId, Need)>;

/// Gives contracts their own copies of the types that their rules would change.
///
/// Each type has a holder: the contract whose file contains its schema, if that contract leads to it, else the type itself.
/// The type satisfies the needs of the rules that its holder leads to. If another holder leads to the type and has other
/// needs, it gets a copy that is named after both, so that no name depends on other contracts.
pub(super) fn split(schemas: &Schemas, types: &mut Vec<Type>, contracts: &BTreeSet<TypeId>) {
    let nulls = nulls::read_as_absence(types);
    let needs: Vec<Needs> = (0..types.len()).map(|id| tree_inputs::needs(schemas, types, &nulls, id)).collect();
    if needs.iter().all(Needs::is_empty) {
        return;
    }
    let mut splitter = Splitter {
        leading: leading(types, &needs),
        holders: holders(types, contracts),
        needs,
        types,
        under: HashMap::new(),
        copies: BTreeMap::new(),
    };
    let order = in_order(schemas, splitter.types);
    let made = splitter.made(order);
    let Splitter { holders, copies, .. } = splitter;
    let plain = types.len();
    for (id, holder) in &made {
        let mut copy = types[*id].clone();
        copy.module = types[*holder].module.clone();
        copy.name = type_names::joined(&types[*holder].name, &copy.name);
        types.push(copy);
    }
    for (id, type_) in types.iter_mut().enumerate() {
        let holder = id.checked_sub(plain).map_or_else(|| holders[id], |index| made[index].1);
        let lead = |id: TypeId| copies.get(&(id, holder)).copied().unwrap_or(id);
        type_.body.holds_mut().into_iter().for_each(|held| held.shape.redirect(&lead));
    }
}

struct Splitter<'a> {
    types: &'a [Type],
    /// The needs of the rules of each type.
    needs: Vec<Needs>,
    holders: Vec<TypeId>,
    /// The types that lead to each type with needs.
    leading: HashMap<TypeId, HashSet<TypeId>>,
    /// The needs of all types under a holder, as far as computed.
    under: HashMap<TypeId, Needs>,
    /// The copies of types, by original and holder.
    copies: BTreeMap<(TypeId, TypeId), TypeId>,
}

impl Splitter<'_> {
    /// Returns the types to copy, each with its holder, in order.
    fn made(&mut self, order: Vec<TypeId>) -> Vec<(TypeId, TypeId)> {
        let mut made: Vec<(TypeId, TypeId)> = Vec::new();
        for id in order {
            let mut open = vec![(id, self.holders[id])];
            while let Some((id, holder)) = open.pop() {
                for used in used(&self.types[id].body) {
                    let is_known = self.copies.contains_key(&(used, holder));
                    if !is_known && self.within(used, holder) != self.within(used, self.holders[used]) {
                        self.copies.insert((used, holder), self.types.len() + made.len());
                        made.push((used, holder));
                        open.push((used, holder));
                    }
                }
            }
        }
        made
    }

    /// Returns the needs of a holder's rules in a type and in the types that it leads to.
    fn within(&mut self, id: TypeId, holder: TypeId) -> Needs {
        let (needs, leading) = (&self.needs, &self.leading);
        let leads = |from: TypeId, to: TypeId| leading.get(&to).is_some_and(|leading| leading.contains(&from));
        let under = self.under.entry(holder).or_insert_with(|| {
            let ruled = needs.iter().enumerate().filter(|(ruled, needs)| !needs.is_empty() && leads(holder, *ruled));
            ruled.flat_map(|(_, needs)| needs).copied().collect()
        });
        under.iter().filter(|(needed, _)| leads(id, *needed)).copied().collect()
    }
}

/// Returns the types that lead to each type with needs.
fn leading(types: &[Type], needs: &[Needs]) -> HashMap<TypeId, HashSet<TypeId>> {
    let mut back: Vec<Vec<TypeId>> = vec![Vec::new(); types.len()];
    for (id, type_) in types.iter().enumerate() {
        used(&type_.body).into_iter().for_each(|used| back[used].push(id));
    }
    let ruled = needs.iter().enumerate().filter(|(_, needs)| !needs.is_empty()).map(|(id, _)| id);
    let ends: BTreeSet<TypeId> = ruled.chain(needs.iter().flatten().map(|(id, _)| *id)).collect();
    let leading_to = |end: TypeId| {
        let (mut open, mut found) = (vec![end], HashSet::from([end]));
        while let Some(id) = open.pop() {
            open.extend(back[id].iter().filter(|id| found.insert(**id)));
        }
        (end, found)
    };
    ends.into_iter().map(leading_to).collect()
}

fn holders(types: &[Type], contracts: &BTreeSet<TypeId>) -> Vec<TypeId> {
    let mut holders: Vec<TypeId> = (0..types.len()).collect();
    for contract in contracts.iter().filter(|id| types[**id].loc.pointer.is_empty()) {
        for id in reach(types, BTreeSet::from([*contract])) {
            if types[id].loc.file == types[*contract].loc.file {
                holders[id] = *contract;
            }
        }
    }
    holders
}

/// Returns the types that a type contains, in order.
fn used(body: &Body) -> Vec<TypeId> {
    let of_shape = |shape: &Shape| {
        let mut used = BTreeSet::new();
        shape.uses(&mut used);
        used
    };
    body.holds().into_iter().flat_map(|held| of_shape(&held.shape)).collect()
}

/// Returns the types in the order of file and JSON Pointer of their schemas.
fn in_order(schemas: &Schemas, types: &[Type]) -> Vec<TypeId> {
    let mut order: Vec<TypeId> = (0..types.len()).collect();
    order.sort_by_cached_key(|id| (schemas.files[types[*id].loc.file].path.clone(), types[*id].loc.pointer.clone()));
    order
}
