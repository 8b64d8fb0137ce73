//! Which keys an object had: compared one by one while they are few, hashed when they are many.

use std::borrow::Cow;
use std::collections::HashSet;

/// More keys than these are hashed, so that a hostile object costs no quadratic time.
const FEW: usize = 16;

/// The few keys of objects within each other, the innermost object's last: one allocation for all of them.
#[derive(Debug, Default)]
pub(super) struct Keys<'a>(Vec<Cow<'a, str>>);

/// The keys of one of these objects.
#[derive(Debug)]
pub(super) struct Level<'a> {
    begin: usize,
    many: Option<HashSet<Cow<'a, str>>>,
}

impl<'a> Keys<'a> {
    /// An object begins.
    #[inline]
    pub(super) fn enter(&self) -> Level<'a> {
        Level { begin: self.0.len(), many: None }
    }

    /// Notes a key of the innermost object; gives it back where it was there already.
    pub(super) fn note(&mut self, level: &mut Level<'a>, key: Cow<'a, str>) -> Result<(), Cow<'a, str>> {
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
        let is_full = few.len() == FEW;
        self.0.push(key);
        if is_full {
            level.many = Some(self.0.drain(level.begin..).collect());
        }
        Ok(())
    }

    /// The innermost object has ended.
    #[inline]
    pub(super) fn leave(&mut self, level: &Level<'a>) {
        self.0.truncate(level.begin);
    }
}

/// The keys of one object, where nobody looks into others.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    keys: Keys<'a>,
    level: Level<'a>,
}

impl<'a> Seen<'a> {
    pub(super) fn new() -> Self {
        let keys = Keys::default();
        Self { level: keys.enter(), keys }
    }

    /// Notes a key; gives it back where it was there already.
    pub(super) fn note(&mut self, key: Cow<'a, str>) -> Result<(), Cow<'a, str>> {
        self.keys.note(&mut self.level, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_keys_are_told_apart() {
        for many in [1, FEW, FEW + 1, 1000] {
            let mut keys = Seen::new();
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
        for many in [1, FEW + 1] {
            let names: Vec<String> = (0..many).map(|i| i.to_string()).collect();
            let mut keys = Keys::default();
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
