//! What the rules of one contract need of a type makes a type of that contract, and leaves the schema's own type as it is: what
//! a contract's types send and read depends on that contract alone, as it does where contracts are compared.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::looks::{self, Need};
use super::types::{Body, Shape, Type, TypeId, reach};
use crate::schema::schemas::Schemas;

type Needs = BTreeSet<(TypeId, Need)>;

/// Makes types of contracts whose rules need a schema's type to be another than it is without them.
///
/// Each type has a holder: the contract in whose file its schema stands, if that contract leads to it, or else the type itself.
/// Its own needs are those of the rules that its holder leads to. Wherever a holder leads to a type that has other needs under
/// it, the holder gets a copy, which is called after both: no name depends on other contracts.
pub(super) fn split(schemas: &Schemas, types: &mut Vec<Type>, contracts: &BTreeSet<TypeId>) {
    let needs: Vec<Needs> = (0..types.len()).map(|id| looks::needs(schemas, types, id)).collect();
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
        copy.name = format!("{}{}", types[*holder].name, copy.name);
        types.push(copy);
    }
    for (id, type_) in types.iter_mut().enumerate() {
        let holder = id.checked_sub(plain).map_or_else(|| holders[id], |index| made[index].1);
        let lead = |id: TypeId| copies.get(&(id, holder)).copied().unwrap_or(id);
        type_.body.holds_mut().into_iter().for_each(|held| redirect(&mut held.shape, &lead));
    }
}

struct Splitter<'a> {
    types: &'a [Type],
    /// What the rules of each type need.
    needs: Vec<Needs>,
    holders: Vec<TypeId>,
    /// The types that lead to each type that has rules with needs, or that is needed to be something.
    leading: HashMap<TypeId, HashSet<TypeId>>,
    /// What is needed of all types under a holder, as far as that was asked for.
    under: HashMap<TypeId, Needs>,
    /// The copies of types by what they are copies of, and by their holder.
    copies: BTreeMap<(TypeId, TypeId), TypeId>,
}

impl Splitter<'_> {
    /// The types that are to be copied, each with its holder, in the order of the copies.
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

    /// What is needed under a holder of a type and of those that it leads to.
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

/// For each type that has rules with needs, and each that is needed to be something, the types that lead to it.
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

/// The types that values of a type have in them, in its order.
fn used(body: &Body) -> Vec<TypeId> {
    let of_shape = |shape: &Shape| {
        let mut used = BTreeSet::new();
        shape.uses(&mut used);
        used
    };
    body.holds().into_iter().flat_map(|held| of_shape(&held.shape)).collect()
}

/// The types by where their schemas stand.
fn in_order(schemas: &Schemas, types: &[Type]) -> Vec<TypeId> {
    let mut order: Vec<TypeId> = (0..types.len()).collect();
    order.sort_by_cached_key(|id| (schemas.files[types[*id].loc.file].path.clone(), types[*id].loc.pointer.clone()));
    order
}

fn redirect(shape: &mut Shape, lead: &impl Fn(TypeId) -> TypeId) {
    match shape {
        Shape::Named(id) => *id = lead(*id),
        Shape::Array(held) | Shape::Map(held) | Shape::Nullable(held) => redirect(&mut held.shape, lead),
        _ => {}
    }
}
