//! Reads the index of the contracts of the crate being compiled, which the build script wrote.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use twyla_contract::{Contracts, index};

/// Contracts, or why there are none.
pub(crate) type Found = Result<Arc<Contracts>, Missing>;

/// Why there are no contracts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Cargo runs no build script for this crate.
    NoBuildScript,
    /// The build script has compiled no schemas.
    NoIndex,
    /// The index can't be read: why.
    Unreadable(String),
}

/// The contracts of the crate being compiled.
pub(crate) fn of_crate() -> Found {
    match std::env::var_os("OUT_DIR") {
        Some(folder) => of_folder(&PathBuf::from(folder)),
        None => Err(Missing::NoBuildScript),
    }
}

/// Reads the contracts of a build script's folder. One process may expand several crates (rust-analyzer does), and schemas may change
/// in between, so indexes are cached by path and content.
fn of_folder(folder: &Path) -> Found {
    static READ: Mutex<Option<HashMap<PathBuf, (String, Found)>>> = Mutex::new(None);
    let path = folder.join(index::FILE_NAME);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Missing::NoIndex),
        Err(error) => return Err(Missing::Unreadable(error.to_string())),
    };
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let read = read.get_or_insert_default();
    if let Some((of, found)) = read.get(&path)
        && *of == text
    {
        return found.clone();
    }
    let found = index::read(&text).map(Arc::new).map_err(|error| Missing::Unreadable(error.to_string()));
    read.insert(path, (text, found.clone()));
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The contracts that the golden expansions are made with.
    pub(crate) fn sample() -> Found {
        index::read(include_str!("../golden/contracts.index"))
            .map(Arc::new)
            .map_err(|error| Missing::Unreadable(error.to_string()))
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
        assert_eq!(of_folder(&folder), Err(Missing::NoIndex));
        std::fs::write(folder.join(index::FILE_NAME), "twyla-index 1\nevent\tapi").unwrap();
        assert!(matches!(of_folder(&folder), Err(Missing::Unreadable(why)) if why.contains("line 2")));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
