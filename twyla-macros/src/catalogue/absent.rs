//! The errors of a crate that lacks what an expansion refers to: the runtime under the expected name, or contracts.

use twyla_contract::similar;

use super::Text;

/// An attribute without `crate =`, in a crate that doesn't call the runtime `twyla_runtime`. `path`: where it has it.
pub(crate) fn runtime(attribute: &str, path: Option<&str>) -> Text {
    match path {
        Some(path) => {
            Text::new(format!("`#[{attribute}]` needs the path of `twyla-runtime`, which is `{path}` in this crate"))
                .help(format!("write `#[{attribute}(.., crate = {path})]`"))
        }
        None => Text::new(format!("`#[{attribute}]` needs `twyla-runtime`, which this crate doesn't depend on")).help(
            format!(
                "add it to Cargo.toml's `[dependencies]`, or give the path at which another crate re-exports it: \
                 `#[{attribute}(.., crate = kit::twyla)]`"
            ),
        ),
    }
}

/// Generated code that names a crate which isn't a dependency. `path`: where this crate has the runtime.
pub(crate) fn generated(name: &str, path: Option<&str>) -> Text {
    let text = Text::new(format!("the generated code needs `{name}`, and this crate has no dependency of that name"));
    let call = |path: &str| {
        format!("`twyla_build::Builder::new(\"schemas\").runtime(\"{path}\").compile_or_exit()` in `build.rs`")
    };
    match path {
        Some(path) => text.help(format!("it is `{path}` in this crate: call {}", call(path))),
        None => text.help(format!(
            "add it to Cargo.toml's `[dependencies]`, or give the path at which another crate re-exports it: call {}",
            call("kit::twyla")
        )),
    }
}

/// A crate without contracts. `root`: its root's file; `meant`: a dependency that is named as a contracts crate.
pub(crate) fn contracts(root: &str, meant: Option<&str>) -> Text {
    let import = match meant {
        Some("contracts") => "use ::contracts;".to_owned(),
        meant => format!("use ::{} as contracts;", meant.unwrap_or("platform_contracts")),
    };
    Text::new(format!("this crate has no contracts: there is no `contracts` in {root}"))
        .help(format!("to use those of a contracts crate, write `{import}` there"))
        .help(
            "to compile schemas of its own, write `mod contracts { twyla_runtime::include_contracts!(); }` there, and a `build.rs` \
             with `fn main() { twyla_build::compile(\"schemas\") }`",
        )
}

/// A path to contracts that begins with a crate which isn't there.
pub(crate) fn no_crate<'a>(name: &str, dependencies: impl Iterator<Item = &'a str>) -> Text {
    let text = Text::new(format!("there is no crate or module `{name}`"));
    match similar::nearest(name, dependencies) {
        Some(meant) => text.help(format!("did you mean `{meant}`?")),
        None => text.help("`contracts` takes the path of a contracts crate, which is in Cargo.toml's `[dependencies]`"),
    }
}

/// A path to contracts that begins with an item of the root which isn't there.
pub(crate) fn no_item(name: &str) -> Text {
    Text::new(format!("there is no `{name}` in the root of this crate"))
        .help("`contracts` takes the path of a contracts crate, or of the module with `include_contracts!()`")
}
