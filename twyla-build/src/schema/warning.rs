//! The warnings by their names: each may be allowed, for everything or for some of what it is about.

use std::collections::{BTreeMap, BTreeSet};

use twyla_contract::similar;

use crate::schema::problem::{Problem, WARNINGS, What};

/// What a warning is about: the keyword, the format or the property that it names, else the name of its file.
fn subject(problem: &Problem) -> &str {
    match &problem.what {
        What::RequiredUndeclared { name, .. }
        | What::UnknownKeyword { name, .. }
        | What::ForeignKeyword { name, .. }
        | What::OfRequest { name }
        | What::UnknownFormat { name, .. }
        | What::FieldRenamed { name, .. } => name,
        What::Nullable => "nullable",
        What::WrongAnnotation { keyword, .. } => keyword,
        What::LoosePattern { pattern, .. } => pattern,
        _ => problem.file.rsplit('/').next().unwrap_or(&problem.file),
    }
}

/// The warnings that are allowed: by name, with what they may be about; everything where that is empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowed(BTreeMap<String, BTreeSet<String>>);

impl Allowed {
    pub(crate) fn allow(&mut self, name: &str, about: impl IntoIterator<Item = String>) {
        let about: BTreeSet<String> = about.into_iter().collect();
        let everything = about.is_empty() || self.0.get(name).is_some_and(BTreeSet::is_empty);
        let all = self.0.entry(name.to_owned()).or_default();
        all.extend(about);
        if everything {
            all.clear();
        }
    }

    /// These and others.
    pub(crate) fn or(&self, other: Self) -> Self {
        let mut all = other;
        self.0.iter().for_each(|(name, about)| all.allow(name, about.iter().cloned()));
        all
    }

    /// What is wrong with the names: that there is no such warning.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = What> {
        self.0.keys().filter_map(|name| unknown(name))
    }

    fn allows(&self, problem: &Problem) -> bool {
        let about = problem.what.warning().and_then(|name| self.0.get(name));
        about.is_some_and(|about| about.is_empty() || about.contains(subject(problem)))
    }
}

/// What is wrong with the name of a warning.
pub(crate) fn unknown(name: &str) -> Option<What> {
    let near = || similar::nearest(name, WARNINGS).map(str::to_owned);
    (!WARNINGS.contains(&name)).then(|| What::UnknownWarning { name: name.to_owned(), near: near() })
}

/// Problems in their order, each once: without the warnings that are allowed, and with one for all places of a keyword or
/// format.
pub(crate) fn settled(mut problems: Vec<Problem>, allowed: &Allowed) -> Vec<Problem> {
    problems.sort_by_cached_key(Problem::order);
    problems.dedup();
    problems.retain(|problem| !allowed.allows(problem));
    // what is said once for all its places
    let group = |what: &What| match what {
        What::WrongAnnotation { keyword, .. } => Some(format!("wrong-annotation {keyword}")),
        _ => {
            matches!(what.warning()?, "unknown-keyword" | "unknown-format" | "loose-pattern").then(|| what.to_string())
        }
    };
    // the first place of each, and how often it comes in which files
    let mut seen: Vec<(usize, usize, BTreeSet<String>)> = Vec::new();
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<Problem> = Vec::with_capacity(problems.len());
    for problem in problems {
        if let Some(group) = group(&problem.what) {
            if let Some(index) = first.get(&group) {
                if let Some((_, times, files)) = seen.get_mut(*index) {
                    *times += 1;
                    files.insert(problem.file);
                }
                continue;
            }
            first.insert(group, seen.len());
            seen.push((kept.len(), 1, BTreeSet::from([problem.file.clone()])));
        }
        kept.push(problem);
    }
    for (place, times, files) in seen.into_iter().filter(|(_, times, _)| *times > 1) {
        if let Some(problem) = kept.get_mut(place) {
            let what = Box::new(problem.what.clone());
            problem.what = What::Repeated { what, times, files: files.len() };
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::load::At;

    fn keyword(name: &str, file: &str, line: u32) -> Problem {
        let what = What::UnknownKeyword { name: name.to_owned(), near: "examples".to_owned() };
        Problem { file: file.to_owned(), at: Some(At { line, column: 1 }), what }
    }

    #[test]
    fn a_keyword_is_reported_once_with_its_count() {
        let all = vec![keyword("b", "y", 1), keyword("a", "y", 2), keyword("a", "x", 3), keyword("a", "x", 1)];
        let said: Vec<String> = settled(all, &Allowed::default()).iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(
            said[0].starts_with("x:1:1: `a`") && said[0].ends_with("(3 times, in 2 files) [unknown-keyword]"),
            "{said:?}"
        );
        assert!(said[1].starts_with("y:1:1: `b`") && said[1].ends_with("`examples`? [unknown-keyword]"), "{said:?}");
    }

    #[test]
    fn a_warning_is_allowed_for_what_is_named_or_for_everything() {
        let all = || vec![keyword("a", "x", 1), keyword("b", "x", 2)];
        let mut allowed = Allowed::default();
        allowed.allow("unknown-keyword", ["a".to_owned()]);
        assert_eq!(settled(all(), &allowed), [keyword("b", "x", 2)]);
        allowed.allow("unknown-keyword", []);
        assert_eq!(settled(all(), &allowed), []);
        // and stays so
        allowed.allow("unknown-keyword", ["a".to_owned()]);
        assert_eq!(settled(all(), &allowed), []);
    }

    #[test]
    fn an_error_is_never_allowed() {
        let mut allowed = Allowed::default();
        WARNINGS.iter().for_each(|name| allowed.allow(name, []));
        let error = Problem { file: "x".to_owned(), at: None, what: What::NoEvents };
        assert_eq!(settled(vec![error.clone()], &allowed), [error]);
        assert_eq!(allowed.unknown().count(), 0);
    }
}
