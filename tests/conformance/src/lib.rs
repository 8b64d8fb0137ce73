//! Compares the generated decoders with the official JSON Schema test suite, and with the `jsonschema` crate on
//! generated schemas.
//!
//! The build script compiles every group of cases into code, a program for each draft (`src/bin`), so that the drafts
//! compile in parallel. It places a group's schema in `shared/`, and also as an event that another one refers to, under
//! `items`, under `allOf` and so on ([`group::Placement`]): by turns, or everywhere
//! (`TWYLA_CONFORMANCE_PLACEMENTS=all`). Each program runs its groups and prints a [`summary`]; the program
//! `twyla-conformance` runs them all and prints the [`report`], and `cargo test` does the same with smaller numbers.
//!
//! [`group`] is the build script's output, [`run`] decodes and encodes a content by its generated type, [`validate`]
//! runs the same contents through `cargo twyla validate`, [`draft`](mod@draft) runs the groups of a draft, [`known`]
//! lists known disagreements with optional files and their reasons.
#![forbid(unsafe_code)]

pub mod draft;
pub mod group;
pub mod known;
pub mod report;
pub mod run;
pub mod summary;
pub mod validate;

/// The folder of the compiled suite.
pub const SUITE: &str = env!("TWYLA_SUITE_FOLDER");

/// The program of a draft: its generated code, and what runs it.
#[macro_export]
macro_rules! draft {
    ($name:literal) => {
        #[allow(warnings, clippy::all, clippy::pedantic, reason = "the code is generated of any schema")]
        mod groups {
            include!(concat!(env!("OUT_DIR"), "/", $name, ".rs"));
        }

        fn main() {
            let prepared = include_str!(concat!(env!("OUT_DIR"), "/", $name, ".json"));
            $crate::draft::main($name, prepared, groups::CHECKS);
        }
    };
}
