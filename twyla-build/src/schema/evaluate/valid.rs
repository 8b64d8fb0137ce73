//! The valid parts of a valid value: after a change of one part, the others aren't evaluated again.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Value;

use super::evaluated::Evaluated;
use crate::schema::load::Node;

/// The valid parts, by the addresses of schema and part. The value must not be moved, and the schemas outlive it.
#[derive(Debug, Default)]
pub(crate) struct Valid {
    parts: HashMap<(usize, usize), Evaluated>,
    /// The addresses of the changed part and of the parts around it, whose validity is unknown.
    changed: Vec<usize>,
}

/// A [`Valid`] under construction.
pub(super) type Record = RefCell<HashMap<(usize, usize), Evaluated>>;

impl Valid {
    pub(super) fn new(record: Record) -> Self {
        Self { parts: record.into_inner(), changed: Vec::new() }
    }

    /// Marks the value at a pointer as changed. Returns false if no value is at the pointer.
    pub(crate) fn change(&mut self, root: &Value, pointer: &str) -> bool {
        self.changed.clear();
        self.changed.push(address(root));
        let ends = pointer.match_indices('/').map(|(at, _)| at).skip(1).chain([pointer.len()]);
        for end in ends.filter(|end| *end > 0) {
            let Some(part) = pointer.get(..end).and_then(|pointer| root.pointer(pointer)) else { return false };
            self.changed.push(address(part));
        }
        true
    }

    /// Returns the items and members of a part that a schema has evaluated; `None` if the part isn't known to be valid.
    pub(super) fn get(&self, node: &Node, value: &Value) -> Option<&Evaluated> {
        let value = address(value);
        if self.changed.contains(&value) { None } else { self.parts.get(&(address(node), value)) }
    }
}

pub(super) fn note(record: &Record, node: &Node, value: &Value, seen: &Evaluated) {
    record.borrow_mut().insert((address(node), address(value)), seen.clone());
}

fn address<T>(of: &T) -> usize {
    std::ptr::from_ref(of).addr()
}
