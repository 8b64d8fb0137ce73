//! Compiles a folder of JSON Schema files into typed events: the build script of a service is one line.
//!
//! ```no_run
//! // build.rs
//! fn main() {
//!     twyla_build::compile("schemas")
//! }
//! ```
//!
//! The generated code is included with `mod contracts { twyla_runtime::include_contracts!(); }`. All problems of
//! the folder are reported at once, with file, line and column, and nothing is written if one of them is an error.
//!
//! The layers, from bottom to top:
//!
//! - `schema`: the files, loaded with line and column; each schema under its URI, each `$ref` resolved; all problems
//!   ([`problem`]) and the folder's [`settings`]; and `evaluate`, which validates a value against the keywords directly.
//! - `model`: the Rust type of each schema, the checks of single values, and the rules that need more than one value.
//! - [`compare`]: whether one contract accepts all that another sends.
//! - `codegen`: the generated file, with types, JSON codec, checks, rule trees and RPC methods.
//! - [`lock`]: compares the contracts with those accepted before.
//! - `builder`: [`Builder`], and the run of a build script. With the feature `schemars`, `typed` is `assert_contract`, which
//!   compares a type of your own with a contract in a test.
//!
//! Integers become `u64` if the schema allows no negative number, else `i64`, or a narrower type such as `u16` if a bound
//! is its limit or `format` names it, and both bounds fit; numbers become `f64`; a value that no other Rust type can hold
//! becomes a `serde_json::Value`.
#![forbid(unsafe_code)]
#![allow(clippy::needless_doctest_main, reason = "a build script is its `main`")]

mod builder;
mod codegen;
pub mod compare;
mod decimal;
mod json_type;
pub mod lock;
mod markdown;
mod model;
mod number;
mod schema;
mod stack;
#[cfg(feature = "schemars")]
mod typed;

use std::path::{Path, PathBuf};

pub use builder::{Builder, Generated};
pub use model::explain;
pub use schema::draft::{Draft, NoDraft};
pub use schema::load::At;
pub use schema::only::Only;
pub use schema::problem::{Problem, ProblemKind, Problems};
pub use schema::settings::Settings;
pub use schema::{problem, settings};
#[cfg(feature = "schemars")]
pub use typed::{Holds, Misfits, NotHeld, assert_contract, assert_emits, assert_reads};

/// Compiles the schemas of a folder for `twyla_runtime::include_contracts!()`; call it in `build.rs`.
///
/// Prints problems for cargo. If contracts can't be compiled, it ends the process, and cargo stops.
///
/// If the folder is in the workspace, messages show its path relative to the workspace, as rustc shows files.
pub fn compile(folder: impl AsRef<Path>) {
    let builder = Builder::new(&folder);
    let builder = match from_workspace(folder.as_ref()) {
        Some(shown) => builder.shown_as(shown),
        None => builder,
    };
    builder.compile_or_exit();
}

/// Returns the folder's path below the workspace, which is the nearest folder with a `Cargo.lock` at or above the package.
/// `None` if the folder isn't below it.
fn from_workspace(folder: &Path) -> Option<String> {
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?).canonicalize().ok()?;
    let workspace = package.ancestors().find(|folder| folder.join("Cargo.lock").is_file())?;
    let folder = folder.canonicalize().ok()?;
    let shown = folder.strip_prefix(workspace).ok()?.to_str()?.replace('\\', "/");
    (!shown.is_empty()).then_some(shown)
}
