//! Minimizes a witness: removes and simplifies parts of the value as long as it remains a witness.

use serde_json::Value;

use crate::schema::evaluate::Demands;

/// The maximum number of smaller values that are evaluated.
const TRIED: usize = 3_000;
/// The maximum number of smaller values that are refused without being evaluated.
const REFUSED: u64 = 1_000_000;

/// Returns the smallest value for which `fits` returns true. `fits` is called with smaller and smaller values; if it
/// returns `None`, the search ends. A value that the `demands` refuse isn't tried.
pub(super) fn smallest<'a>(
    mut value: Value,
    demands: impl Fn(&Value) -> Demands<'a>,
    mut fits: impl FnMut(&Value) -> Option<bool>,
) -> Value {
    let (mut left, mut refused) = (TRIED, REFUSED);
    loop {
        let mut step = Search {
            demands: demands(&value),
            root: &value,
            path: Vec::new(),
            left: &mut left,
            refused: &mut refused,
            fits: &mut fits,
            found: None,
        };
        step.part(&value);
        match step.found {
            Some(smaller) => value = smaller,
            None => return value,
        }
    }
}

/// The search for one smaller value.
struct Search<'v, 'a> {
    root: &'v Value,
    demands: Demands<'a>,
    /// The path from the root to the current part.
    path: Vec<Step<'v>>,
    left: &'v mut usize,
    refused: &'v mut u64,
    fits: &'v mut dyn FnMut(&Value) -> Option<bool>,
    found: Option<Value>,
}

#[derive(Clone, Copy)]
enum Step<'v> {
    Key(&'v str),
    Index(usize),
}

impl<'v> Search<'v, '_> {
    /// Tries each smaller value of a part and of the parts in it. Returns whether the search has ended.
    fn part(&mut self, part: &'v Value) -> bool {
        match part {
            Value::Object(members) => {
                for key in members.keys() {
                    let refused = self.demands.need_member(part, key);
                    if self.one(refused, |part| drop(part.as_object_mut().map(|members| members.remove(key)))) {
                        return true;
                    }
                }
                members.iter().any(|(key, inner)| self.inner(Step::Key(key), inner))
            }
            Value::Array(items) => {
                let refused = self.demands.need_item(part);
                for index in (0..items.len()).rev() {
                    if self.one(refused, |part| drop(part.as_array_mut().map(|items| items.remove(index)))) {
                        return true;
                    }
                }
                items.iter().enumerate().any(|(index, inner)| self.inner(Step::Index(index), inner))
            }
            Value::String(text) if !text.is_empty() => {
                let half: String = text.chars().take(text.chars().count() / 2).collect();
                let mut shorter = text.clone();
                shorter.pop();
                let all = ["", &half, &shorter].into_iter().filter(|one| one.len() < text.len());
                all.into_iter().any(|one| self.other(part, one.into()))
            }
            Value::Number(number) => {
                let text = number.to_string();
                let all = ["0", "1", "-1", "0.5"].into_iter().take_while(|one| *one != text);
                let all = all.filter(|one| one.len() <= text.len());
                all.filter_map(|one| serde_json::from_str(one).ok()).any(|one| self.other(part, one))
            }
            _ => false,
        }
    }

    fn inner(&mut self, step: Step<'v>, part: &'v Value) -> bool {
        self.path.push(step);
        let ended = self.part(part);
        self.path.pop();
        ended
    }

    /// Tries another value in the place of a part. Returns whether the search has ended.
    fn other(&mut self, part: &Value, other: Value) -> bool {
        let refused = self.demands.refuse(part, &other);
        self.one(refused, |part| *part = other)
    }

    /// Tries the root with a change of the current part, unless the change is `refused`. Returns whether the search has
    /// ended.
    fn one(&mut self, refused: bool, change: impl FnOnce(&mut Value)) -> bool {
        if refused {
            *self.refused = self.refused.saturating_sub(1);
            return *self.refused == 0;
        }
        let Some(left) = self.left.checked_sub(1) else { return true };
        *self.left = left;
        let mut candidate = self.root.clone();
        let part = self.path.iter().try_fold(&mut candidate, |value, step| match step {
            Step::Key(key) => value.get_mut(*key),
            Step::Index(index) => value.get_mut(*index),
        });
        part.map(change);
        match (self.fits)(&candidate) {
            Some(true) => {
                self.found = Some(candidate);
                true
            }
            Some(false) => false,
            None => true,
        }
    }
}
