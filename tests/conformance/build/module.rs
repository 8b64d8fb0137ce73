//! Makes the code of one group: its schema becomes the one property of an event.

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::{fs, io};

use twyla_build::{Builder, Draft, Generated};

use crate::group::{Group, Kind, Way};
use crate::suite;

/// The event around a group's schema. It is of the builder's default draft, whatever the group's is.
const EVENT: &str =
    r#"{"type": "object", "required": ["value"], "properties": {"value": {"$ref": "../../shared/s.json"}}}"#;

/// Compiles a group's schema and writes its code to `g<number>.rs` in the folder.
pub(crate) fn compile(draft: &str, number: usize, group: &Group, folder: &Path, suite: &Path) -> Way {
    let schemas = folder.join(format!("g{number}"));
    if let Err(error) = write(&schemas, group.schema.get()) {
        panic!("{} can't be written: {error}", schemas.display());
    }
    let mut builder = Builder::new(&schemas).shown_as("").default_draft(by_name(draft));
    if group.kind != Kind::Generated {
        for (uri, file) in suite::remotes(suite, draft, group.schema.get()) {
            builder = builder.document(uri, file);
        }
    }
    // it says of every format that it only tells something, unless it is turned on
    builder = builder.formats(group.file != "format");
    let generated = panic::catch_unwind(AssertUnwindSafe(|| builder.generate()));
    let _ = fs::remove_dir_all(&schemas);
    match generated {
        Ok(Ok(generated)) => {
            let way = way(&generated);
            let path = folder.join(format!("g{number}.rs"));
            // where it doesn't compile, this tells of what it is
            let schema = group.schema.get().split_whitespace().collect::<Vec<_>>().join(" ");
            let code = format!("// {}, {}: {schema}\n{}", group.file, group.description, generated.code);
            fs::write(&path, code).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            way
        }
        Ok(Err(problems)) => Way::Refused(problems.to_string().replace('\n', "; ")),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
            Way::Refused(format!("the build has panicked: {said}"))
        }
    }
}

fn write(schemas: &Path, schema: &str) -> io::Result<()> {
    fs::create_dir_all(schemas.join("events/a"))?;
    fs::create_dir_all(schemas.join("shared"))?;
    fs::write(schemas.join("context.json"), "{}")?;
    fs::write(schemas.join("events/a/b.json"), EVENT)?;
    fs::write(schemas.join("shared/s.json"), schema)
}

fn by_name(draft: &str) -> Draft {
    match draft {
        "draft4" => Draft::Draft4,
        "draft6" => Draft::Draft6,
        "draft7" => Draft::Draft7,
        "draft2019-09" => Draft::Draft201909,
        _ => Draft::Draft202012,
    }
}

/// How the group's event is held to its schema. The context is the same in every group, and needs no tree.
fn way(generated: &Generated) -> Way {
    let reasons: Vec<String> = generated.trees.iter().flat_map(|(_, reasons)| reasons.iter().cloned()).collect();
    if reasons.is_empty() { Way::Typed } else { Way::Trees(reasons) }
}
