//! Leaves the rules that neither a type nor a check can express to rule trees.

use std::collections::BTreeSet;

use super::reader::SchemaReader;
use super::shape::{Tree, TreeReason};
use crate::schema::schemas::Loc;

impl SchemaReader<'_> {
    /// Leaves a keyword of the current value to a tree; the whole schema if `keyword` is empty.
    pub(super) fn leave(&mut self, loc: &Loc, keyword: &str, why: impl Into<String>) {
        // with dynamic references, one tree at the root holds all rules (`leave_dynamic`)
        if !self.dynamic.contains(loc) {
            self.leave_here(loc, keyword, why);
        }
    }

    /// Leaves a whole document to a rule tree at its root, if dynamic references need the scope from the root on.
    pub(super) fn leave_dynamic(&mut self, loc: &Loc) {
        if self.dynamic.contains(loc) {
            self.leave_here(loc, "", "a dynamic reference, whose target depends on what refers to it");
        }
    }

    /// Returns a rule tree with all rules of a schema, for a value that has the type of another schema. `None` if the
    /// schema leads to a dynamic reference.
    pub(super) fn tree(&self, loc: &Loc, why: String) -> Option<Tree> {
        let reason = TreeReason { place: self.place(loc), why };
        (!self.dynamic.contains(loc)).then(|| Tree {
            loc: loc.clone(),
            keywords: BTreeSet::new(),
            reasons: vec![reason],
        })
    }

    fn leave_here(&mut self, loc: &Loc, keyword: &str, why: impl Into<String>) {
        let node = self.node(loc);
        let at = node.member(keyword).map_or(node.at, |member| member.key_at);
        let reason = TreeReason { place: self.schemas.files[loc.file].place(at), why: why.into() };
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

    /// Takes the rules left to trees so far for the current value; the type evaluates them wherever it is used.
    pub(super) fn take_trees(&mut self) -> Vec<Tree> {
        self.trees.last_mut().map(std::mem::take).unwrap_or_default()
    }
}
