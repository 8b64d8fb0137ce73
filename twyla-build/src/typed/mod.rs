//! Tests a type of your own against a contract, so that an existing service can adopt contracts step by step.
//!
//! [`schema`] corrects the schema that schemars derives, so that it describes what serde does; [`advice`] says how to fix a
//! type.

mod advice;
mod crates;
mod schema;

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use twyla_contract::similar::{self, DidYouMean};
use twyla_contract::text::Visible;

use crate::Builder;
use crate::Problems;
use crate::compare::{self, Options, Verdict, Witness};
use crate::lock::{Subject, brief};

/// Asserts that a type satisfies a contract in both directions: the contract allows what the type's `Serialize` may send,
/// and its `Deserialize` reads what the contract's producers may send.
///
/// It is for tests of services with their own types, and needs the feature `schemars` of this crate:
///
/// ```toml
/// [dev-dependencies]
/// schemars = "1"
/// twyla-build = { version = "0.1", features = ["schemars"] }
/// ```
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// struct Said {
///     #[schemars(length(min = 1, max = 4000))]
///     emission: String,
///     #[serde(skip_serializing_if = "Option::is_none")]
///     #[schemars(regex(pattern = "^[a-z]{2}$"))]
///     language: Option<String>,
/// }
///
/// // #[test]
/// fn said_is_the_contract() {
///     twyla_build::assert_contract::<Said>("api.user_input");
/// }
/// # said_is_the_contract();
/// ```
///
/// The schemas are those of the folder `schemas` in the package, or in the nearest folder above it that has one. If they
/// don't have the contract, the contracts crates that the package depends on are searched. For another folder, use
/// [`Builder::holds`]. The derived schema is trusted: your code must enforce the rules that only `#[schemars(…)]` states.
/// `None` counts as absent if the `Option` has a `skip_serializing_if` (in the schema for sending: a property that may be
/// `null` and isn't required); otherwise it may be sent as `null`, as serde does. Numbers are compared as numbers: serde's
/// integers refuse `1.0`, which JSON Schema calls an integer, and this isn't detected.
///
/// # Panics
/// Panics if the type doesn't satisfy the contract, with the witness, the rule, its place and advice; and if there is no such
/// contract, or the schemas have errors.
#[track_caller]
pub fn assert_contract<T: JsonSchema>(contract: &str) {
    held::<T>(contract, Holds::Both);
}

/// Asserts that a type satisfies a contract as its producer: the contract allows what the type's `Serialize` may send.
///
/// # Panics
/// Panics in the same cases as [`assert_contract`].
#[track_caller]
pub fn assert_emits<T: JsonSchema>(contract: &str) {
    held::<T>(contract, Holds::Emits);
}

/// Asserts that a type satisfies a contract as its listener: the type's `Deserialize` reads what the contract's producers
/// may send.
///
/// # Panics
/// Panics in the same cases as [`assert_contract`].
#[track_caller]
pub fn assert_reads<T: JsonSchema>(contract: &str) {
    held::<T>(contract, Holds::Reads);
}

#[track_caller]
#[expect(clippy::panic, reason = "the function is an assertion")]
fn held<T: JsonSchema>(contract: &str, holds: Holds) {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from);
    let folder = package.ancestors().map(|folder| folder.join("schemas")).find(|folder| folder.is_dir());
    let own = folder.map(|folder| Builder::new(&folder).shown_as(shown(&folder, &package)).holds::<T>(contract, holds));
    let missing = matches!(own, None | Some(Err(NotHeld::Unknown { .. })));
    let folders = if missing { crates::folders(&package) } else { Vec::new() };
    let mut found =
        folders.iter().map(|(folder, shown)| Builder::new(folder).shown_as(shown).holds::<T>(contract, holds));
    let found = found.find(|held| !matches!(held, Err(NotHeld::Unknown { .. })));
    let none = || Builder::new("schemas").holds::<T>(contract, holds);
    if let Err(error) = found.or(own).unwrap_or_else(none) {
        panic!("{error}");
    }
}

/// Returns the folder relative to the package.
fn shown(folder: &Path, package: &Path) -> String {
    let above = package.ancestors().position(|above| above.join("schemas") == folder).unwrap_or(0);
    format!("{}schemas", "../".repeat(above))
}

/// The directions in which a type satisfies a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The contract allows what the type may send.
    Emits,
    /// The type reads what the contract allows.
    Reads,
    /// Both directions.
    Both,
}

impl Builder {
    /// Checks that a type satisfies a contract of this folder, as [`assert_contract`] does.
    ///
    /// # Errors
    /// [`NotHeld`] if it doesn't, or if that is undecided.
    pub fn holds<T: JsonSchema>(&self, contract: &str, holds: Holds) -> Result<(), NotHeld> {
        let sources = self.contracts().map_err(NotHeld::Problems)?;
        let named = |name: &str| sources.contracts.iter().find(|it| Subject::of(it).to_string() == name);
        let Some(found) = named(contract) else {
            let names: Vec<String> = sources.contracts.iter().map(|it| Subject::of(it).to_string()).collect();
            let near = similar::nearest(contract, names.iter().map(String::as_str)).map(str::to_owned);
            return Err(NotHeld::Unknown { contract: contract.to_owned(), near });
        };
        let name = schema::name::<T>();
        let mut misfits = Vec::new();
        let mut hold = |emits: bool| -> Result<(), NotHeld> {
            let own = schema::of::<T>(emits).map_err(|problems| NotHeld::NoSchema { name: name.clone(), problems })?;
            let (producer, consumer) = if emits { (&own.bundle, &found.bundle) } else { (&found.bundle, &own.bundle) };
            let (wrong, at) = match compare::compare(producer, consumer, &Options::default()) {
                Verdict::Fits => match own.unknown_format.filter(|_| !emits) {
                    Some(format) => (Mismatch::Format(format), None),
                    None => return Ok(()),
                },
                Verdict::Breaks(witness) => {
                    let place = sources.place(&witness.path).filter(|_| emits).map(|place| place.to_string());
                    (Mismatch::Breaks(witness), place)
                }
                Verdict::Undecided(why) => (Mismatch::Undecided(why.to_string()), None),
            };
            misfits.push(TypeMisfit { emits, wrong, at });
            Ok(())
        };
        if holds != Holds::Reads {
            hold(true)?;
        }
        if holds != Holds::Emits {
            hold(false)?;
        }
        if misfits.is_empty() {
            return Ok(());
        }
        Err(NotHeld::Misfits(Misfits { name, contract: contract.to_owned(), place: found.place.to_string(), misfits }))
    }
}

/// Why a type doesn't satisfy a contract.
#[derive(Debug)]
pub enum NotHeld {
    /// The schemas have errors.
    Problems(Problems),
    /// The folder has no such contract.
    Unknown {
        /// The name of the contract.
        contract: String,
        /// The nearest existing name.
        near: Option<String>,
    },
    /// The derived schema of the type can't be compared.
    NoSchema {
        /// The type.
        name: String,
        /// The errors in the derived schema.
        problems: Problems,
    },
    /// The type doesn't satisfy the contract, or that is undecided.
    Misfits(Misfits),
}

/// The misfits between a type and a contract.
#[derive(Debug)]
pub struct Misfits {
    name: String,
    contract: String,
    place: String,
    misfits: Vec<TypeMisfit>,
}

#[derive(Debug)]
struct TypeMisfit {
    emits: bool,
    wrong: Mismatch,
    at: Option<String>,
}

#[derive(Debug)]
enum Mismatch {
    Breaks(Box<Witness>),
    Undecided(String),
    /// A custom format of the type.
    Format(String),
}

impl std::error::Error for NotHeld {}

impl fmt::Display for NotHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problems(problems) => write!(f, "the schemas have errors\n{problems}"),
            Self::Unknown { contract, near } => {
                write!(f, "there is no contract `{contract}`{}", DidYouMean(near.as_deref()))
            }
            Self::NoSchema { name, problems } => {
                write!(f, "the schema that `{name}` derives can't be compared\n{problems}")
            }
            Self::Misfits(misfits) => write!(f, "{misfits}"),
        }
    }
}

impl fmt::Display for Misfits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, contract, place, misfits } = self;
        write!(f, "`{name}` doesn't satisfy the contract `{contract}` ({place})")?;
        for TypeMisfit { emits, wrong, at } in misfits {
            let refuses = if matches!(wrong, Mismatch::Breaks(_)) { "refuses" } else { "may refuse" };
            let (word, what) = match emits {
                true => ("emit", format!("the contract {refuses} values that `{name}` may send")),
                false => ("read", format!("`{name}` {refuses} values that the contract's producers may send")),
            };
            write!(f, "\n  {word:<7}  {what}")?;
            match wrong {
                Mismatch::Breaks(witness) => {
                    let Witness { event, pointer, keyword, path, rule, .. } = &**witness;
                    let stands = match at {
                        Some(place) => place.clone(),
                        None => format!("of `{name}`: #{}", path.pointer),
                    };
                    let at = if pointer.is_empty() { String::new() } else { format!("at {pointer}, ") };
                    write!(f, "\n  witness  {}", Visible(&brief(event)))?;
                    let refused = format!("{at}for `{keyword}` ({stands}): {rule}");
                    write!(f, "\n  refused  {}", Visible(&refused))?;
                    if let Some(way) = advice::of(name, *emits, witness) {
                        write!(f, "\n  do       {way}")?;
                    }
                }
                Mismatch::Undecided(why) => write!(f, "\n  unknown  undecided: {why}")?,
                Mismatch::Format(format) => write!(
                    f,
                    "\n  unknown  undecided: `{format}`, a custom format of `{name}`, can't be compared\
                     \n  do       make the field a `String`, or give it a schema that describes the values that it accepts"
                )?,
            }
        }
        Ok(())
    }
}
