//! The contracts that a build compiles, by patterns of their names; the rest of the folder is left out.

use std::collections::BTreeSet;

use twyla_contract::similar;

use super::load::{File, FileRole};
use super::problem::{Problem, ProblemKind};
use super::wildcard::matches;

/// The contracts that are compiled: those whose name matches one of the patterns, and the context.
///
/// In a pattern, `*` matches any characters: `api.*` means all events of the domain `api` and all RPCs of the service `api`.
///
/// ```
/// use twyla_build::Only;
///
/// let only = Only::new(["api.*", "bot.reply"]);
/// assert!(only.has("api.user_input") && only.has("bot.reply"));
/// assert!(!only.has("bot.typing"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Only {
    patterns: Vec<String>,
}

impl Only {
    /// Selects the contracts whose name matches one of these patterns.
    #[must_use]
    pub fn new<T: Into<String>>(patterns: impl IntoIterator<Item = T>) -> Self {
        Self { patterns: patterns.into_iter().map(Into::into).collect() }
    }

    /// Adds the patterns of another `Only`.
    pub(crate) fn extend(&mut self, more: Self) {
        self.patterns.extend(more.patterns);
    }

    /// Returns whether an event or an RPC of that name is compiled.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| matches(pattern, name))
    }

    /// Leaves out the files of other contracts: they are compiled only if a compiled schema refers to them. Adds a
    /// problem for each pattern without a contract, and returns the problems of the files that are left out.
    pub(crate) fn leave_out(&self, shown: &str, files: &mut [File], problems: &mut Vec<Problem>) -> Vec<Problem> {
        problems.extend(self.unmatched(files).into_iter().map(|kind| Problem {
            file: shown.to_owned(),
            at: None,
            kind,
        }));
        // a file beside the messages of an RPC may be a misspelled message
        let folder = |file: &File| file.path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let is_compiled = |file: &File| name(&file.role).is_some_and(|name| self.has(name));
        let folders: BTreeSet<_> = files.iter().filter(|file| is_compiled(file)).filter_map(folder).collect();
        let mut left_out = BTreeSet::new();
        for file in files {
            let stays = match &file.role {
                FileRole::Event(_) | FileRole::Rpc(..) => is_compiled(file),
                FileRole::BesideRpc => folder(file).is_some_and(|folder| folders.contains(&folder)),
                FileRole::Shared => false,
                FileRole::Context | FileRole::Document | FileRole::MetaSchema | FileRole::LeftOut(_) => true,
            };
            if !stays {
                file.role = FileRole::LeftOut(Box::new(file.role.clone()));
                left_out.insert(file.shown.as_str());
            }
        }
        let (late, now) = problems.drain(..).partition(|problem| left_out.contains(problem.file.as_str()));
        *problems = now;
        late
    }

    /// Returns a problem for each pattern that matches no contract.
    fn unmatched(&self, files: &[File]) -> Vec<ProblemKind> {
        let names: BTreeSet<&str> = files.iter().filter_map(|file| name(&file.role)).collect();
        let domain = |name: &&str| Some(format!("{}.*", name.split_once('.')?.0));
        let domains: BTreeSet<String> = names.iter().filter_map(domain).collect();
        let is_missing = |pattern: &&String| !names.iter().any(|name| matches(pattern, name));
        let problem = |pattern: &String| {
            let near = match pattern.contains('*') {
                true => similar::nearest(pattern, domains.iter().map(String::as_str)),
                false => similar::nearest(pattern, names.iter().copied()),
            };
            ProblemKind::NoContract { pattern: pattern.clone(), near: near.map(str::to_owned) }
        };
        self.patterns.iter().filter(is_missing).map(problem).collect()
    }
}

/// Returns the name of a file's event or RPC.
fn name(role: &FileRole) -> Option<&str> {
    match role {
        FileRole::Event(name) => Some(name.as_str()),
        FileRole::Rpc(name, _) => Some(name.as_str()),
        _ => None,
    }
}
