//! A type of one's own held to a contract by a test, so that a service that exists can move in step by step.
//!
//! Its rooms: [`schema`] is what serde makes of a type, as schemars derives it, and [`advice`] is what can be done.

mod advice;
mod schema;

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use twyla_contract::similar;
use twyla_contract::text::Visible;

use crate::Builder;
use crate::Problems;
use crate::compare::{self, Options, Verdict, Witness};
use crate::lock::{Subject, brief};

/// Holds a type to a contract, both ways: what its `Serialize` may send is what the contract allows, and what the contract's
/// producers may send is what its `Deserialize` reads.
///
/// It is for tests of services that have types of their own, and needs the feature `schemars` of this crate, which is then a
/// dependency of tests as well:
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
/// The schemas are those of the folder `schemas` in the package, or in the nearest folder above it that has one;
/// [`Builder::holds`] takes them from elsewhere. What a derived schema says is believed: of a rule that only `#[schemars(…)]`
/// tells, the code has to make sure. An `Option` with a `skip_serializing_if` (in the schema of what is sent: a property
/// that may be `null` and isn't required) is taken to be left out where it is `None`; one without it may send `null`, as serde
/// does. Numbers are compared as numbers: that serde's integers refuse `1.0`, which JSON Schema calls an integer, isn't seen.
///
/// # Panics
/// Where the type doesn't hold to the contract, with what is sent and refused, where, and what can be done; and where there
/// is no such contract, or the schemas are broken.
#[track_caller]
pub fn assert_contract<T: JsonSchema>(contract: &str) {
    held::<T>(contract, Holds::Both);
}

/// Holds a type to a contract as its producer: what its `Serialize` may send is what the contract allows.
///
/// # Panics
/// As [`assert_contract`] does.
#[track_caller]
pub fn assert_emits<T: JsonSchema>(contract: &str) {
    held::<T>(contract, Holds::Emits);
}

/// Holds a type to a contract as its listener: what the contract's producers may send is what its `Deserialize` reads.
///
/// # Panics
/// As [`assert_contract`] does.
#[track_caller]
pub fn assert_reads<T: JsonSchema>(contract: &str) {
    held::<T>(contract, Holds::Reads);
}

#[track_caller]
#[expect(clippy::panic, reason = "it is an assertion")]
fn held<T: JsonSchema>(contract: &str, holds: Holds) {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from);
    let folder = package.ancestors().map(|folder| folder.join("schemas")).find(|folder| folder.is_dir());
    let folder = folder.unwrap_or_else(|| PathBuf::from("schemas"));
    if let Err(error) = Builder::new(&folder).shown_as(shown(&folder, &package)).holds::<T>(contract, holds) {
        panic!("{error}");
    }
}

/// The folder as it is seen from the package.
fn shown(folder: &Path, package: &Path) -> String {
    let above = package.ancestors().position(|above| above.join("schemas") == folder).unwrap_or(0);
    format!("{}schemas", "../".repeat(above))
}

/// In which way a type holds to a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// What it may send, the contract allows.
    Emits,
    /// What the contract allows, it reads.
    Reads,
    /// Both.
    Both,
}

impl Builder {
    /// Whether a type holds to a contract of this folder, as [`assert_contract`] asserts it.
    ///
    /// # Errors
    /// [`NotHeld`] where it doesn't, or where that can't be told.
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
                    Some(format) => (Wrong::Format(format), None),
                    None => return Ok(()),
                },
                Verdict::Breaks(witness) => {
                    let place = sources.place(&witness.path).filter(|_| emits).map(|place| place.to_string());
                    (Wrong::Breaks(witness), place)
                }
                Verdict::Undecided(why) => (Wrong::Undecided(why.to_string()), None),
            };
            misfits.push(Misfit { emits, wrong, at });
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

/// Why a type isn't held to a contract.
#[derive(Debug)]
pub enum NotHeld {
    /// The schemas are broken.
    Problems(Problems),
    /// There is no such contract.
    Unknown {
        /// Its name.
        contract: String,
        /// The nearest that there is.
        near: Option<String>,
    },
    /// The type's own schema is none that could be compared.
    NoSchema {
        /// The type.
        name: String,
        /// What is wrong.
        problems: Problems,
    },
    /// It doesn't hold to it, or that can't be told.
    Misfits(Misfits),
}

/// In what a type doesn't hold to a contract.
#[derive(Debug)]
pub struct Misfits {
    name: String,
    contract: String,
    place: String,
    misfits: Vec<Misfit>,
}

#[derive(Debug)]
struct Misfit {
    emits: bool,
    wrong: Wrong,
    at: Option<String>,
}

#[derive(Debug)]
enum Wrong {
    Breaks(Box<Witness>),
    Undecided(String),
    /// A format that only the type's own code knows.
    Format(String),
}

impl std::error::Error for NotHeld {}

impl fmt::Display for NotHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problems(problems) => write!(f, "the schemas are broken\n{problems}"),
            Self::Unknown { contract, near } => {
                write!(f, "there is no contract `{contract}`")?;
                near.as_ref().map_or(Ok(()), |near| write!(f, "; did you mean `{near}`?"))
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
        write!(f, "`{name}` doesn't hold to the contract `{contract}` ({place})")?;
        for Misfit { emits, wrong, at } in misfits {
            let (word, what) = match emits {
                true => ("emit", format!("what `{name}` may send, the contract refuses")),
                false => ("read", format!("what the contract's producers may send, `{name}` refuses")),
            };
            write!(f, "\n  {word:<7}  {what}")?;
            match wrong {
                Wrong::Breaks(witness) => {
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
                Wrong::Undecided(why) => write!(f, "\n  unknown  nobody can tell: {why}")?,
                Wrong::Format(format) => write!(
                    f,
                    "\n  unknown  nobody can tell: `{format}` is a format that only the code of `{name}` knows\
                     \n  do       read it as a `String`, or give its field a schema that says what it reads"
                )?,
            }
        }
        Ok(())
    }
}
