//! Reads the index of contracts: the index that the crate's build script wrote, or the text of an index from another
//! crate.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use twyla_contract::{Contracts, index};

/// Contracts, or why there are none.
pub(crate) type ContractsResult = Result<Arc<Contracts>, Missing>;

/// The reason why there are no contracts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The index can't be read, for this reason.
    Unreadable(String),
    /// Another error already reports the reason: the error of `include_contracts!()`, or of an attribute without a name.
    Reported,
}

/// The reason why a crate has no contracts of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotCompiled {
    /// Cargo runs no build script for this crate.
    NoBuildScript,
    /// The build script has compiled no schemas.
    NoIndex,
    /// The index can't be read, for this reason.
    Unreadable(String),
}

/// Returns the contracts of the crate being compiled; `None` if it has none of its own.
pub(crate) fn of_crate() -> Option<ContractsResult> {
    std::env::var_os("OUT_DIR").and_then(|folder| of_folder(&PathBuf::from(folder)))
}

/// Returns the text of the index in a build script's folder.
pub(crate) fn text(folder: Option<&Path>) -> Result<String, NotCompiled> {
    let path = folder.ok_or(NotCompiled::NoBuildScript)?.join(index::FILE_NAME);
    std::fs::read_to_string(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => NotCompiled::NoIndex,
        _ => NotCompiled::Unreadable(error.to_string()),
    })
}

/// Parses the text of an index. The contracts are cached by the digest.
pub(crate) fn of_text(digest: u64, text: impl FnOnce() -> String) -> ContractsResult {
    static READ: Mutex<Option<HashMap<u64, ContractsResult>>> = Mutex::new(None);
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    read.get_or_insert_default().entry(digest).or_insert_with(|| parse(&text())).clone()
}

fn parse(text: &str) -> ContractsResult {
    index::read(text).map(Arc::new).map_err(|error| Missing::Unreadable(error.to_string()))
}

/// Reads the contracts from a build script's folder; `None` if it has no index. One process may expand several crates,
/// as rust-analyzer does, and schemas may change in between, so indexes are cached by path and content.
fn of_folder(folder: &Path) -> Option<ContractsResult> {
    static READ: Mutex<Option<HashMap<PathBuf, (String, ContractsResult)>>> = Mutex::new(None);
    let text = match text(Some(folder)) {
        Ok(text) => text,
        Err(NotCompiled::NoBuildScript | NotCompiled::NoIndex) => return None,
        Err(NotCompiled::Unreadable(why)) => return Some(Err(Missing::Unreadable(why))),
    };
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let read = read.get_or_insert_default();
    if let Some((of, found)) = read.get(folder)
        && *of == text
    {
        return Some(found.clone());
    }
    let found = parse(&text);
    read.insert(folder.to_owned(), (text, found.clone()));
    Some(found)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns the contracts that the golden expansions are made with.
    pub(crate) fn sample() -> ContractsResult {
        parse(include_str!("../golden/contracts.index"))
    }

    /// Returns them with an event whose only property is a constant.
    pub(crate) fn with_constant() -> ContractsResult {
        let place = "schemas/events/shop/signed.json";
        let signed = format!("event\tshop.signed\t{place}\t1\t1\tshop::Signed\tyes");
        let kind = format!("property\tkind\tkind\tyes\tString\t{place}\t5\t5\tenum1\torder");
        let index = include_str!("../golden/contracts.index");
        parse(&index.replacen("\nrpc\t", &format!("\n{signed}\n{kind}\nrpc\t"), 1))
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
        assert!(of_folder(&folder).unwrap().unwrap().event("api.user_input").is_some());
        std::fs::write(&file, include_str!("../golden/contracts.index").replace("api.user_input", "api.other"))
            .unwrap();
        assert!(of_folder(&folder).unwrap().unwrap().event("api.user_input").is_none());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn distinguishes_the_reasons_for_missing_contracts() {
        let folder = folder("missing");
        assert_eq!(of_folder(&folder), None);
        assert_eq!(text(Some(&folder)), Err(NotCompiled::NoIndex));
        assert_eq!(text(None), Err(NotCompiled::NoBuildScript));
        std::fs::write(folder.join(index::FILE_NAME), "twyla-index 1\nevent\tapi").unwrap();
        assert!(matches!(of_folder(&folder), Some(Err(Missing::Unreadable(why))) if why.contains("line 2")));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
