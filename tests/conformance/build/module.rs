//! Generates the code of one group in one placement.

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::{fs, io};

use twyla_build::{Builder, Draft, Generated, ProblemKind, Problems};

use crate::group::{Folder, Way};

/// Compiles a folder and writes its code to `g<number>.rs` beside it. `None` if an event's schema allows no object.
pub(crate) fn compile(draft: &str, number: usize, what: &str, placed: &Folder, folder: &Path) -> Option<Way> {
    let schemas = folder.join(format!("g{number}"));
    if let Err(error) = write(&schemas, placed) {
        panic!("{} can't be written: {error}", schemas.display());
    }
    let mut builder = Builder::new(&schemas).shown_as("").default_draft(by_name(draft)).formats(placed.formats);
    for (uri, file) in &placed.documents {
        builder = builder.document(uri, file);
    }
    let generated = panic::catch_unwind(AssertUnwindSafe(|| builder.generate()));
    let _ = fs::remove_dir_all(&schemas);
    match generated {
        Ok(Ok(generated)) => {
            let way = way(&generated);
            let path = folder.join(format!("g{number}.rs"));
            // names the group in the error if it doesn't compile
            let code = format!("// {}\n{}", what.split_whitespace().collect::<Vec<_>>().join(" "), generated.code);
            fs::write(&path, code).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            Some(way)
        }
        Ok(Err(problems)) if allows_no_object(&problems) => None,
        Ok(Err(problems)) => Some(Way::Refused(problems.to_string().replace('\n', "; "))),
        Err(panic) => {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            Some(Way::Refused(format!("the build has panicked: {message}")))
        }
    }
}

/// Whether the only problem is that an event's schema allows no object.
fn allows_no_object(Problems(problems): &Problems) -> bool {
    let mut errors = problems.iter().filter(|problem| problem.is_error()).peekable();
    errors.peek().is_some() && errors.all(|problem| matches!(problem.kind, ProblemKind::CannotHoldObject { .. }))
}

fn write(schemas: &Path, folder: &Folder) -> io::Result<()> {
    fs::create_dir_all(schemas.join("events/a"))?;
    fs::create_dir_all(schemas.join("shared"))?;
    fs::write(schemas.join("context.json"), "{}")?;
    folder.files.iter().try_for_each(|(path, text)| fs::write(schemas.join(path), text.get()))
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

/// How the build checks the group's event. The context is the same in every group, and needs no tree.
fn way(generated: &Generated) -> Way {
    let reasons: Vec<String> = generated.trees.iter().flat_map(|(_, reasons)| reasons.iter().cloned()).collect();
    if reasons.is_empty() { Way::Typed } else { Way::Trees(reasons) }
}
