//! Compiles each mistake of `tests/ui` in a service without contracts of its own, which takes them from a crate. The compiler's output
//! is that of the `.stderr` beside the mistake. `mistakes/` has those that only such a service can make.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::fs;
use std::path::{Path, PathBuf};

const INCLUDED: &str = "mod contracts {\n    twyla_runtime::include_contracts!();\n}\n";
/// As many lines, so that each error stays at its line.
const DEPENDED_ON: &str = "#[allow(unused_imports)]\nuse ::contracts;\n\n";

/// Returns the files of a folder with an extension.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = folder.read_dir().into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|it| it == extension)).collect()
}

/// Returns the compiler's output as it is for types of a dependency: it doesn't show their source, and writes their paths in full.
fn of_dependency(output: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut is_source = false;
    for line in output.lines() {
        if line.contains("--> $OUT_DIR[twyla-ui]/") {
            let indent = line.len() - line.trim_start().len() + 1;
            let help = lines.pop().unwrap();
            lines.push(format!("{}= {help}", " ".repeat(indent)));
            is_source = true;
        } else if !(is_source && line.trim_start().starts_with('|')) {
            is_source = false;
            lines.push(line.replace("`desk::", "`contracts::rpc::desk::"));
        }
    }
    lines.join("\n") + "\n"
}

/// Writes each mistake and the output that is expected, and returns how many there are.
fn write(folder: &Path) -> usize {
    let _ = fs::remove_dir_all(folder);
    let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let themes = catalogue.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut count = 0;
    for stderr in themes.flat_map(|theme| files(&theme, "stderr")) {
        let name = stderr.strip_prefix(catalogue).unwrap();
        let written = folder.join(name);
        fs::create_dir_all(written.parent().unwrap()).unwrap();
        let program = fs::read_to_string(stderr.with_extension("rs")).unwrap();
        assert!(program.contains(INCLUDED), "{} includes no contracts", name.display());
        fs::write(written.with_extension("rs"), program.replace(INCLUDED, DEPENDED_ON)).unwrap();
        let [from, to] = [name, &*written].map(|path| format!("--> {}:", path.with_extension("rs").display()));
        let mut output = of_dependency(&fs::read_to_string(&stderr).unwrap().replace(&from, &to));
        // an attribute that names its event is expanded by another macro, which has the contracts
        if program.contains("#[event(\"") {
            output = output.replace("the attribute macro `event`", "the macro `::twyla_runtime::__private::expand`");
        }
        fs::write(&written, output).unwrap();
        count += 1;
    }
    count
}

#[test]
fn each_mistake_is_the_same_error_in_a_service_on_a_contracts_crate() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("elsewhere");
    let count = write(&folder);
    assert!(count > 100, "{count}");
    let tests = trybuild::TestCases::new();
    tests.compile_fail(folder.join("*/*.rs"));
    tests.compile_fail("mistakes/*.rs");
}
