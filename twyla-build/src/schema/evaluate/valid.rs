//! The parts of one valid value that are known to keep their schemas, so that a change of one part asks for no other again.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Value;

use super::evaluator::Seen;
use crate::schema::load::Node;

/// What keeps which schema, by the addresses of both: those of a value that stays where it is, and of schemas that outlive it.
#[derive(Debug, Default)]
pub(crate) struct Valid {
    parts: HashMap<(usize, usize), Seen>,
    /// The part that is changed and those around it, of which nothing is known.
    changed: Vec<usize>,
}

/// [`Valid`] while it is made.
pub(super) type Record = RefCell<HashMap<(usize, usize), Seen>>;

impl Valid {
    pub(super) fn new(record: Record) -> Self {
        Self { parts: record.into_inner(), changed: Vec::new() }
    }

    /// Says that the value behind a pointer is another one from here on. False if there is none.
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

    /// What of a part its schema has looked at, if it keeps that.
    pub(super) fn get(&self, node: &Node, value: &Value) -> Option<&Seen> {
        let value = address(value);
        if self.changed.contains(&value) { None } else { self.parts.get(&(address(node), value)) }
    }
}

pub(super) fn note(record: &Record, node: &Node, value: &Value, seen: &Seen) {
    record.borrow_mut().insert((address(node), address(value)), seen.clone());
}

fn address<T>(of: &T) -> usize {
    std::ptr::from_ref(of).addr()
}
