//! The compiler's command line: how the crate being compiled names its dependencies, and the file of its root.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The parts of the command line that expansions need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Invocation {
    /// The crate's own name.
    own: Option<String>,
    /// The dependencies, by their names in this crate, each with the file of its library.
    dependencies: Vec<(String, String)>,
    root: Option<PathBuf>,
    has_response_file: bool,
}

impl Invocation {
    /// Returns the command line of this process. In an editor, which expands macros outside of the compiler, nothing is
    /// known.
    pub(crate) fn current() -> &'static Self {
        static CURRENT: OnceLock<Invocation> = OnceLock::new();
        CURRENT.get_or_init(|| Self::read(std::env::args_os().map(|arg| arg.to_string_lossy().into_owned())))
    }

    fn read(mut args: impl Iterator<Item = String>) -> Self {
        let mut read = Self::default();
        let mut roots = Vec::new();
        while let Some(arg) = args.next() {
            let mut value = |option: &str| match arg.strip_prefix(option)? {
                "" => args.next(),
                rest => rest.strip_prefix('=').map(str::to_owned),
            };
            if let Some(dependency) = value("--extern") {
                let (name, file) = dependency.split_once('=').unwrap_or((&dependency, ""));
                // options stand before the name: `priv:name`
                let name = name.rsplit(':').next().unwrap_or(name);
                read.dependencies.push((name.to_owned(), file.to_owned()));
            } else if let Some(name) = value("--crate-name") {
                read.own = Some(name);
            } else if arg.starts_with('@') {
                read.has_response_file = true;
            } else if arg.ends_with(".rs") && !arg.starts_with('-') {
                roots.push(arg);
            }
        }
        if let [root] = &roots[..] {
            read.root = Some(PathBuf::from(root));
        }
        read
    }

    /// Returns whether the crate certainly has no dependency of a name.
    pub(crate) fn lacks(&self, name: &str) -> bool {
        let is_named = |(dependency, _): &(String, String)| dependency == name;
        // the crate may name itself, with `extern crate self as name`
        let is_own = self.own.as_deref() == Some(name);
        let is_known = !self.has_response_file && !self.dependencies.is_empty();
        is_known && !is_own && !self.dependencies.iter().any(is_named)
    }

    /// Returns the name of the dependency whose library is called `library`.
    pub(crate) fn name_of(&self, library: &str) -> Option<&str> {
        self.dependencies.iter().find(|(_, file)| is_library(file, library)).map(|(name, _)| name.as_str())
    }

    /// Returns the names of the dependencies.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = &str> {
        self.dependencies.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the file of the crate's root, if it is known.
    pub(crate) fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }
}

/// Returns whether a file is the library of a crate: `libtwyla_runtime-0123456789abcdef.rmeta`.
fn is_library(file: &str, name: &str) -> bool {
    let file = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
    let rest = file.strip_prefix("lib").unwrap_or(&file).strip_prefix(name);
    rest.is_some_and(|rest| rest.starts_with(['-', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &str) -> Invocation {
        Invocation::read(args.split(' ').map(str::to_owned))
    }

    #[test]
    fn finds_the_name_that_a_manifest_gives_a_crate() {
        let found = |args| read(args).name_of("twyla_runtime").map(str::to_owned);
        assert_eq!(found("rustc --extern tokio=/d/libtokio-1.rmeta --extern x=/d/libtwyla_runtime_x-1.rmeta"), None);
        assert_eq!(
            found("rustc --extern bus=/d/libtwyla_runtime-0a.rlib --extern a=/d/liba-1.rlib"),
            Some("bus".into())
        );
        assert_eq!(found("rustc --extern=priv:bus=/d/libtwyla_runtime.rlib"), Some("bus".into()));
    }

    #[test]
    fn lacks_only_what_is_certainly_no_dependency() {
        let lacks = |args| read(args).lacks("twyla_runtime");
        assert!(lacks("rustc --crate-name a src/main.rs --extern kit=/d/libkit-1.rmeta"));
        assert!(!lacks("proc-macro-srv"));
        assert!(!lacks("rustc @/tmp/args --extern kit=/d/libkit-1.rmeta"));
        assert!(!lacks("rustc --crate-name twyla_runtime --extern kit=/d/libkit-1.rmeta"));
        assert!(!lacks("rustc --extern kit=/d/libkit-1.rmeta --extern noprelude:twyla_runtime"));
    }

    #[test]
    fn finds_the_root_of_the_crate() {
        let root = |args| read(args).root;
        assert_eq!(root("rustc --crate-name a --edition=2024 src/main.rs --emit=link"), Some("src/main.rs".into()));
        assert_eq!(root("clippy-driver /bin/rustc --crate-name a b/lib.rs"), Some("b/lib.rs".into()));
        assert_eq!(root("rustc --crate-name a - --emit=link"), None);
    }
}
