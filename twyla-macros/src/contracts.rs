//! Reads the index of contracts: that of the crate being compiled, which its build script wrote, or one that comes as text.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use twyla_contract::{Contracts, index};

/// Contracts, or why there are none.
pub(crate) type Found = Result<Arc<Contracts>, Missing>;

/// Why there are no contracts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The crate has none of its own.
    NotHere,
    /// The index can't be read: why.
    Unreadable(String),
    /// `include_contracts!()` has reported it.
    Reported,
}

/// Why a crate has no contracts of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotCompiled {
    /// Cargo runs no build script for this crate.
    NoBuildScript,
    /// The build script has compiled no schemas.
    NoIndex,
    /// The index can't be read: why.
    Unreadable(String),
}

impl From<NotCompiled> for Missing {
    fn from(why: NotCompiled) -> Self {
        match why {
            NotCompiled::NoBuildScript | NotCompiled::NoIndex => Self::NotHere,
            NotCompiled::Unreadable(why) => Self::Unreadable(why),
        }
    }
}

/// The contracts of the crate being compiled.
pub(crate) fn of_crate() -> Found {
    match std::env::var_os("OUT_DIR") {
        Some(folder) => of_folder(&PathBuf::from(folder)),
        None => Err(Missing::NotHere),
    }
}

/// Returns the text of the index in a build script's folder.
pub(crate) fn text(folder: Option<&Path>) -> Result<String, NotCompiled> {
    let path = folder.ok_or(NotCompiled::NoBuildScript)?.join(index::FILE_NAME);
    std::fs::read_to_string(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => NotCompiled::NoIndex,
        _ => NotCompiled::Unreadable(error.to_string()),
    })
}

/// Reads the contracts of a text. Those of each digest are read once.
pub(crate) fn of_text(digest: u64, text: impl FnOnce() -> String) -> Found {
    static READ: Mutex<Option<HashMap<u64, Found>>> = Mutex::new(None);
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    read.get_or_insert_default().entry(digest).or_insert_with(|| parse(&text())).clone()
}

fn parse(text: &str) -> Found {
    index::read(text).map(Arc::new).map_err(|error| Missing::Unreadable(error.to_string()))
}

/// Reads the contracts of a build script's folder. One process may expand several crates (rust-analyzer does), and schemas may change
/// in between, so indexes are cached by path and content.
fn of_folder(folder: &Path) -> Found {
    static READ: Mutex<Option<HashMap<PathBuf, (String, Found)>>> = Mutex::new(None);
    let path = folder.join(index::FILE_NAME);
    let text = text(Some(folder))?;
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let read = read.get_or_insert_default();
    if let Some((of, found)) = read.get(&path)
        && *of == text
    {
        return found.clone();
    }
    let found = parse(&text);
    read.insert(path, (text, found.clone()));
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The contracts that the golden expansions are made with.
    pub(crate) fn sample() -> Found {
        parse(include_str!("../golden/contracts.index"))
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("twyla-macros-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn an_index_is_read_again_when_it_changes() {
        let folder = folder("changes");
        let file = folder.join(index::FILE_NAME);
        std::fs::write(&file, include_str!("../golden/contracts.index")).unwrap();
        assert!(of_folder(&folder).unwrap().event("api.user_input").is_some());
        std::fs::write(&file, include_str!("../golden/contracts.index").replace("api.user_input", "api.other"))
            .unwrap();
        assert!(of_folder(&folder).unwrap().event("api.user_input").is_none());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_missing_is_told_apart() {
        let folder = folder("missing");
        assert_eq!(of_folder(&folder), Err(Missing::NotHere));
        assert_eq!(text(Some(&folder)), Err(NotCompiled::NoIndex));
        assert_eq!(text(None), Err(NotCompiled::NoBuildScript));
        std::fs::write(folder.join(index::FILE_NAME), "twyla-index 1\nevent\tapi").unwrap();
        assert!(matches!(of_folder(&folder), Err(Missing::Unreadable(why)) if why.contains("line 2")));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
