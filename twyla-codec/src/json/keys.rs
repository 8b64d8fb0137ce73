//! Detects duplicate keys: a linear scan for few keys, a hash set for many.

use std::borrow::Cow;
use std::collections::HashSet;

/// The number of keys up to which a linear scan is used. Above it keys are hashed, so that a hostile object costs no
/// quadratic time.
const LINEAR: usize = 16;

/// The unhashed keys of nested objects, the innermost object's last: one allocation for all levels.
#[derive(Debug, Default)]
pub(super) struct KeyStack<'a>(Vec<Cow<'a, str>>);

/// The keys of one nested object.
#[derive(Debug)]
pub(super) struct KeyLevel<'a> {
    begin: usize,
    many: Option<HashSet<Cow<'a, str>>>,
}

impl<'a> KeyStack<'a> {
    /// Begins a nested object.
    #[inline]
    pub(super) fn enter(&self) -> KeyLevel<'a> {
        KeyLevel { begin: self.0.len(), many: None }
    }

    /// Adds a key of the innermost object; returns it as an error if it is a duplicate.
    pub(super) fn note(&mut self, level: &mut KeyLevel<'a>, key: Cow<'a, str>) -> Result<(), Cow<'a, str>> {
        if let Some(many) = &mut level.many {
            if many.contains(&key) {
                return Err(key);
            }
            many.insert(key);
            return Ok(());
        }
        let few = self.0.get(level.begin..).unwrap_or_default();
        if few.iter().any(|known| **known == *key) {
            return Err(key);
        }
        let is_full = few.len() == LINEAR;
        self.0.push(key);
        if is_full {
            level.many = Some(self.0.drain(level.begin..).collect());
        }
        Ok(())
    }

    /// Ends the innermost object.
    #[inline]
    pub(super) fn leave(&mut self, level: &KeyLevel<'a>) {
        self.0.truncate(level.begin);
    }
}

/// The keys of a single object, without the keys of nested objects.
#[derive(Debug)]
pub(super) struct ObjectKeys<'a> {
    keys: KeyStack<'a>,
    level: KeyLevel<'a>,
}

impl<'a> ObjectKeys<'a> {
    pub(super) fn new() -> Self {
        let keys = KeyStack::default();
        Self { level: keys.enter(), keys }
    }

    /// Adds a key; returns it as an error if it is a duplicate.
    pub(super) fn note(&mut self, key: Cow<'a, str>) -> Result<(), Cow<'a, str>> {
        self.keys.note(&mut self.level, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinguishes_few_and_many_keys() {
        for many in [1, LINEAR, LINEAR + 1, 1000] {
            let mut keys = ObjectKeys::new();
            for i in 0..many {
                assert!(keys.note(Cow::Owned(i.to_string())).is_ok());
            }
            for i in 0..many {
                assert!(keys.note(Cow::Owned(i.to_string())).is_err(), "{i} of {many}");
            }
            assert!(keys.note(Cow::Borrowed("other")).is_ok());
        }
    }

    #[test]
    fn objects_within_each_other_have_their_own() {
        for many in [1, LINEAR + 1] {
            let names: Vec<String> = (0..many).map(|i| i.to_string()).collect();
            let mut keys = KeyStack::default();
            let mut outer = keys.enter();
            let (last, before) = names.split_last().unwrap();
            for name in before {
                keys.note(&mut outer, Cow::Borrowed(name)).unwrap();
            }
            let mut inner = keys.enter();
            for name in &names {
                keys.note(&mut inner, Cow::Borrowed(name)).unwrap();
            }
            assert!(keys.note(&mut inner, Cow::Borrowed(last)).is_err());
            keys.leave(&inner);
            keys.note(&mut outer, Cow::Borrowed(last)).unwrap();
            for name in &names {
                assert!(keys.note(&mut outer, Cow::Borrowed(name)).is_err());
            }
        }
    }
}
