//! Which keys an object had: compared one by one while they are few, hashed when they are many.

use std::borrow::Cow;
use std::collections::HashSet;

/// More keys than these are hashed, so that a hostile object costs no quadratic time.
const FEW: usize = 16;

/// The keys that were seen in one object.
#[derive(Debug, Default)]
pub(super) struct Keys<'a> {
    few: Vec<Cow<'a, str>>,
    many: Option<HashSet<Cow<'a, str>>>,
}

impl<'a> Keys<'a> {
    pub(super) const fn new() -> Self {
        Self { few: Vec::new(), many: None }
    }

    /// Notes a key; gives it back where it was there already.
    pub(super) fn note(&mut self, key: Cow<'a, str>) -> Result<(), Cow<'a, str>> {
        if let Some(many) = &mut self.many {
            if many.contains(&key) {
                return Err(key);
            }
            many.insert(key);
            return Ok(());
        }
        if self.few.contains(&key) {
            return Err(key);
        }
        self.few.push(key);
        if self.few.len() > FEW {
            self.many = Some(self.few.drain(..).collect());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_keys_are_told_apart() {
        for many in [1, FEW, FEW + 1, 1000] {
            let mut keys = Keys::new();
            for i in 0..many {
                assert!(keys.note(Cow::Owned(i.to_string())).is_ok());
            }
            for i in 0..many {
                assert!(keys.note(Cow::Owned(i.to_string())).is_err(), "{i} of {many}");
            }
            assert!(keys.note(Cow::Borrowed("other")).is_ok());
        }
    }
}
