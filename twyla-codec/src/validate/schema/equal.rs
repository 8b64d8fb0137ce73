//! JSON equality: `1` equals `1.0`, and the order of members doesn't matter.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::ops::ControlFlow;

use super::number::Number;
use super::{ArrayView, Choices, Const, JsonView, View};
use crate::received::Received;

/// The depth up to which values are compared. Values that nest deeper equal nothing.
const DEEPEST: usize = 200;
/// Arrays of up to this number of items are compared pairwise.
const PAIRWISE: usize = 6;

/// A value, with its large numbers as they were received.
type Part<'a> = (&'a JsonView<'a>, Option<&'a Received>);

pub(super) fn equal(a: Part<'_>, b: Part<'_>) -> bool {
    same(a, b, DEEPEST)
}

fn same((a, a_received): Part<'_>, (b, b_received): Part<'_>, deeper: usize) -> bool {
    if let (Some(a), Some(b)) = (a.number(a_received), b.number(b_received)) {
        return a.equals(b);
    }
    let Some(deeper) = deeper.checked_sub(1) else { return false };
    match (a, b) {
        (JsonView::Null, JsonView::Null) => true,
        (JsonView::Boolean(a), JsonView::Boolean(b)) => a == b,
        (JsonView::Text(a), JsonView::Text(b)) => a == b,
        (JsonView::Array(a), JsonView::Array(b)) => {
            a.count() == b.count()
                && (0..a.count()).all(|index| match (a.item(index), b.item(index)) {
                    (Some(a), Some(b)) => {
                        let a_received = a_received.and_then(|received| received.item(index));
                        let b_received = b_received.and_then(|received| received.item(index));
                        same((&a.view(), a_received), (&b.view(), b_received), deeper)
                    }
                    _ => false,
                })
        }
        (JsonView::Object(a), JsonView::Object(b)) => {
            a.count() == b.count()
                && a.each(&mut |name, value| {
                    let is_same = b.member(name).is_some_and(|other| {
                        let a_received = a_received.and_then(|received| received.member(name));
                        let b_received = b_received.and_then(|received| received.member(name));
                        same((&value.view(), a_received), (&other.view(), b_received), deeper)
                    });
                    if is_same { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                })
                .is_continue()
        }
        _ => false,
    }
}

/// Returns the index of the first item that equals an earlier one.
pub(super) fn twice(items: &dyn ArrayView, received: Option<&Received>) -> Option<usize> {
    let count = items.count();
    let at = |index: usize| {
        let received = received.and_then(|received| received.item(index));
        items.item(index).map(|item| (item.view(), received))
    };
    let both = |a: usize, b: usize| match (at(a), at(b)) {
        (Some((a, a_received)), Some((b, b_received))) => equal((&a, a_received), (&b, b_received)),
        _ => false,
    };
    if count <= PAIRWISE {
        return (1..count).find(|later| (0..*later).any(|earlier| both(earlier, *later)));
    }
    // random keys, so that hostile input can't provoke collisions
    let keys = RandomState::new();
    let hashed = |index| at(index).map(|(item, received)| (hash((&item, received), &keys, DEEPEST), index));
    let mut hashes: Vec<(u64, usize)> = (0..count).filter_map(hashed).collect();
    hashes.sort_unstable();
    let runs = hashes.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1);
    let firsts = runs.filter_map(|run| {
        let earlier = |at: usize| run.iter().take(at).any(|(_, before)| both(*before, run[at].1));
        (1..run.len()).find(|at| earlier(*at)).map(|at| run[at].1)
    });
    firsts.min()
}

fn hash((view, received): Part<'_>, keys: &RandomState, deeper: usize) -> u64 {
    let mut hasher = keys.build_hasher();
    if let Some(number) = view.number(received) {
        match (number.whole(), number) {
            (Some(whole), _) => (0_u8, whole).hash(&mut hasher),
            (None, Number::Float(value) | Number::Exact(value)) => (1_u8, value.to_bits()).hash(&mut hasher),
            _ => {}
        }
        return hasher.finish();
    }
    let Some(deeper) = deeper.checked_sub(1) else { return 0 };
    match view {
        JsonView::Boolean(value) => (2_u8, value).hash(&mut hasher),
        JsonView::Text(text) => (3_u8, text).hash(&mut hasher),
        JsonView::Array(items) => {
            (4_u8, items.count()).hash(&mut hasher);
            for index in 0..items.count() {
                let Some(item) = items.item(index) else { continue };
                let received = received.and_then(|received| received.item(index));
                hash((&item.view(), received), keys, deeper).hash(&mut hasher);
            }
        }
        JsonView::Object(members) => {
            let mut sum = 0_u64;
            let _ = members.each(&mut |name, value| {
                let received = received.and_then(|received| received.member(name));
                sum = sum.wrapping_add(keys.hash_one((name, hash((&value.view(), received), keys, deeper))));
                ControlFlow::Continue(())
            });
            (5_u8, members.count(), sum).hash(&mut hasher);
        }
        _ => 6_u8.hash(&mut hasher),
    }
    hasher.finish()
}

impl Choices {
    pub(super) fn count(&self) -> usize {
        self.words.len() + self.integers.len() + self.numbers.len() + self.others.len()
    }

    /// Returns whether the value is one of the choices, with its large numbers as they were received.
    pub(super) fn has(&self, view: &JsonView<'_>, received: Option<&Received>) -> bool {
        if let JsonView::Text(text) = view {
            return self.words.binary_search(&&**text).is_ok();
        }
        if let Some(number) = view.number(received) {
            return number.whole().is_some_and(|value| self.integers.binary_search(&value).is_ok())
                || matches!(number, Number::Float(value) if self.numbers.binary_search_by(|known| known.total_cmp(&value)).is_ok())
                || self.others.iter().any(|known| matches!(known, Const::Number(known) if known.equals(number)));
        }
        self.others.iter().any(|known| equal((&known.view(), None), (view, received)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn are_equal(a: &Value, b: &Value) -> bool {
        let equal = equal((&a.view(), None), (&b.view(), None));
        let keys = RandomState::new();
        assert!(!equal || hash((&a.view(), None), &keys, DEEPEST) == hash((&b.view(), None), &keys, DEEPEST));
        equal
    }

    #[test]
    fn equality_is_that_of_json() {
        assert!(are_equal(&json!(1), &json!(1.0)));
        assert!(are_equal(&json!(0), &json!(-0.0)));
        assert!(are_equal(&json!({"a": [1, {}], "b": null}), &json!({"b": null, "a": [1.0, {}]})));
        for (a, b) in [
            (json!(1), json!(true)),
            (json!(0), json!(false)),
            (json!("1"), json!(1)),
            (json!([1, 2]), json!([2, 1])),
            (json!({"a": null}), json!({"b": null})),
            (json!({"a": 1}), json!({"a": 1, "b": 2})),
            (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992.0)),
            (json!([]), json!({})),
            (json!(null), json!("")),
        ] {
            assert!(!are_equal(&a, &b), "{a} {b}");
        }
    }

    #[test]
    fn finds_what_is_there_twice() {
        let found = |value: Value| match value.view() {
            JsonView::Array(items) => twice(items, None),
            _ => None,
        };
        assert_eq!(found(json!([1, 2, 1.0])), Some(2));
        assert_eq!(found(json!([])), None);
        assert_eq!(found(json!([1, true, "1", [1], [true], {"a": 1}, {"a": true}, null, 0, false, [[]], {}])), None);
        assert_eq!(found(json!([7, 1, 2, 3, 4, 5, {"a": 1, "b": 2}, 8, {"b": 2.0, "a": 1}, 7])), Some(8));
        let many: Vec<u64> = (0..50_000).chain([49_999]).collect();
        assert_eq!(twice(&many, None), Some(50_000));
    }

    #[test]
    fn finds_a_value_among_choices() {
        static CHOICES: Choices = Choices {
            words: &["a", "b"],
            integers: &[-1, 5, 18_446_744_073_709_551_617],
            numbers: &[0.5, 1e300],
            others: &[Const::Null, Const::Array(&[Const::Number(Number::Integer(1))])],
        };
        for value in [json!("a"), json!(5.0), json!(-1), json!(0.5), json!(1e300), json!(null), json!([1.0])] {
            assert!(CHOICES.has(&value.view(), None), "{value}");
        }
        for value in [json!("c"), json!(4), json!(18_446_744_073_709_551_616.0), json!(true), json!([]), json!([1, 1])]
        {
            assert!(!CHOICES.has(&value.view(), None), "{value}");
        }
    }
}
