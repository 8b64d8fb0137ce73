//! The allowed warnings, for all subjects or for some, and the grouping of repeated warnings.

use std::collections::{BTreeMap, BTreeSet};

use twyla_contract::similar;

use crate::schema::problem::{Problem, ProblemKind, WARNINGS};

/// Returns the subject of a warning: the keyword, format or property that it names, otherwise the name of its file.
fn subject(problem: &Problem) -> &str {
    match &problem.kind {
        ProblemKind::RequiredUndeclared { name, .. }
        | ProblemKind::UnknownKeyword { name, .. }
        | ProblemKind::ForeignKeyword { name, .. }
        | ProblemKind::OfRequest { name }
        | ProblemKind::UnknownFormat { name, .. }
        | ProblemKind::FieldRenamed { name, .. } => name,
        ProblemKind::Nullable => "nullable",
        ProblemKind::WrongAnnotation { keyword, .. } => keyword,
        ProblemKind::LoosePattern { pattern, .. } => pattern,
        _ => problem.file.rsplit('/').next().unwrap_or(&problem.file),
    }
}

/// The allowed warnings by name, each with its subjects; if these are empty, it is allowed for all subjects.
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

    /// Returns the warnings that `self` or `other` allows.
    pub(crate) fn or(&self, other: Self) -> Self {
        let mut all = other;
        self.0.iter().for_each(|(name, about)| all.allow(name, about.iter().cloned()));
        all
    }

    /// Returns a problem for each name that isn't the name of a warning.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = ProblemKind> {
        self.0.keys().filter_map(|name| unknown(name))
    }

    fn allows(&self, problem: &Problem) -> bool {
        let about = problem.kind.warning().and_then(|name| self.0.get(name));
        about.is_some_and(|about| about.is_empty() || about.contains(subject(problem)))
    }
}

/// Returns the problem of a name that isn't the name of a warning; `None` for the name of a warning.
pub(crate) fn unknown(name: &str) -> Option<ProblemKind> {
    let near = || similar::nearest(name, WARNINGS).map(str::to_owned);
    (!WARNINGS.contains(&name)).then(|| ProblemKind::UnknownWarning { name: name.to_owned(), near: near() })
}

/// Sorts problems, removes duplicates and allowed warnings, and merges repeated warnings about a keyword or format.
pub(crate) fn settled(mut problems: Vec<Problem>, allowed: &Allowed) -> Vec<Problem> {
    problems.sort_by_cached_key(Problem::order);
    problems.dedup();
    problems.retain(|problem| !allowed.allows(problem));
    // warnings that are reported once for all places
    let group = |kind: &ProblemKind| match kind {
        ProblemKind::WrongAnnotation { keyword, .. } => Some(format!("wrong-annotation {keyword}")),
        _ => {
            matches!(kind.warning()?, "unknown-keyword" | "unknown-format" | "loose-pattern").then(|| kind.to_string())
        }
    };
    // for each group, the index of its first problem, the count, and the files
    let mut seen: Vec<(usize, usize, BTreeSet<String>)> = Vec::new();
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<Problem> = Vec::with_capacity(problems.len());
    for problem in problems {
        if let Some(group) = group(&problem.kind) {
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
            let kind = Box::new(problem.kind.clone());
            problem.kind = ProblemKind::Repeated { kind, times, files: files.len() };
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::load::At;

    fn keyword(name: &str, file: &str, line: u32) -> Problem {
        let kind = ProblemKind::UnknownKeyword { name: name.to_owned(), near: "examples".to_owned() };
        Problem { file: file.to_owned(), at: Some(At { line, column: 1 }), kind }
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
        // a warning that is allowed for everything stays so
        allowed.allow("unknown-keyword", ["a".to_owned()]);
        assert_eq!(settled(all(), &allowed), []);
    }

    #[test]
    fn an_error_is_never_allowed() {
        let mut allowed = Allowed::default();
        WARNINGS.iter().for_each(|name| allowed.allow(name, []));
        let error = Problem { file: "x".to_owned(), at: None, kind: ProblemKind::NoEvents };
        assert_eq!(settled(vec![error.clone()], &allowed), [error]);
        assert_eq!(allowed.unknown().count(), 0);
    }
}
