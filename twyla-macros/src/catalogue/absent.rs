//! The errors of a crate without the runtime under its expected name, or without contracts.

use super::Text;
use crate::runtime::Place;

/// Returns the error for an attribute without `crate =` in a crate without a dependency `twyla_runtime`.
pub(crate) fn runtime(attribute: &str, place: &Place) -> Text {
    let example = match place {
        Place::Dependency(path) => {
            return Text::new(format!(
                "`#[{attribute}]` needs the path of `twyla-runtime`, which is `{path}` in this crate"
            ))
            .help(format!("write `#[{attribute}(.., crate = {path})]`"));
        }
        Place::Macros(path) => path,
        Place::Unknown => "kit::twyla",
    };
    Text::new(format!("`#[{attribute}]` needs `twyla-runtime`, which this crate doesn't depend on")).help(format!(
        "add it to Cargo.toml's `[dependencies]`, or give the path at which another crate re-exports it, for example \
         `#[{attribute}(.., crate = {example})]`"
    ))
}

/// Returns the error for generated code that names a crate which isn't a dependency.
pub(crate) fn generated(name: &str, place: &Place) -> Text {
    let text = Text::new(format!("the generated code needs `{name}`, which is not a dependency of this crate"));
    let call = |path: &str| {
        format!("`twyla_build::Builder::new(\"schemas\").runtime(\"{path}\").compile_or_exit()` in `build.rs`")
    };
    let example = match place {
        Place::Dependency(path) => {
            return text.help(format!("`{name}` is `{path}` in this crate: call {}", call(path)));
        }
        Place::Macros(path) => path,
        Place::Unknown => "kit::twyla",
    };
    text.help(format!(
        "add it to Cargo.toml's `[dependencies]`, or give the path at which another crate re-exports it, for example {}",
        call(example)
    ))
}

/// Returns the error for a crate without contracts. `root`: the file of the crate's root; `meant`: a dependency whose
/// name contains `contracts`; `include`: the path of `include_contracts!`.
pub(crate) fn contracts(root: &str, meant: Option<&str>, include: &str) -> Text {
    let import = match meant {
        Some("contracts") => "use ::contracts;".to_owned(),
        meant => format!("use ::{} as contracts;", meant.unwrap_or("platform_contracts")),
    };
    let include = include.trim_start_matches("::");
    Text::new(format!("this crate has no contracts: there is no `contracts` in {root}"))
        .help(format!("to use a contracts crate, import it in {root}, for example `{import}`"))
        .help(format!(
            "to compile schemas in this crate, write `mod contracts {{ {include}!(); }}` in {root}, and a `build.rs` with \
             `fn main() {{ twyla_build::compile(\"schemas\") }}`"
        ))
}

/// Returns the error for a path to contracts whose first item isn't in the root of the crate.
pub(crate) fn no_item(name: &str) -> Text {
    Text::new(format!("there is no `{name}` in the root of this crate"))
        .help("`contracts` takes the path of a contracts crate, or of the module with `include_contracts!()`")
}
