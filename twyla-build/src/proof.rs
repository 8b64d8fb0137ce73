//! The proof that what is left to the `jsonschema` crate at run time compiles with it, while it can still be said where.

use jsonschema::{Registry, Retrieve, Uri};

use crate::load::At;
use crate::model::Model;
use crate::problem::{Problem, What};
use crate::resolve::{Loc, Schemas};
use crate::uri;

/// Compiles each contract that has a residue, as `twyla-runtime` will; whether there is no error so far.
pub(crate) fn all(schemas: &Schemas, model: &Model, problems: &mut Vec<Problem>) -> bool {
    for id in std::iter::once(model.context).chain(model.events.iter().map(|(_, id)| *id)) {
        if model.residue(id).is_empty() {
            continue;
        }
        let file = model.types[id].file;
        if let Err(error) = compile(schemas, file) {
            let at = At { line: 1, column: 1 };
            problems.push(schemas.problem(&Loc::root(file), at, What::Uncompilable { error }));
        }
    }
    !problems.iter().any(Problem::is_error)
}

fn compile(schemas: &Schemas, file: usize) -> Result<(), String> {
    let default = schemas.default_draft().known();
    let mut registry = Registry::new().retriever(Offline);
    for file in schemas.reach(file) {
        let document = schemas.files[file].root.value();
        let draft = schemas.draft(&Loc::root(file)).known();
        let uri = uri::of_file(&schemas.files[file].path);
        registry = registry.add(uri, draft.create_resource(document)).map_err(|error| error.to_string())?;
    }
    let registry = registry.prepare().map_err(|error| error.to_string())?;
    jsonschema::options()
        .with_draft(default)
        .with_registry(&registry)
        .with_base_uri("twyla:///")
        .offline()
        .should_validate_formats(true)
        .build(&serde_json::json!({ "$ref": uri::of_file(&schemas.files[file].path) }))
        .map(|_| ())
        .map_err(|error| error.to_string())
}

struct Offline;

impl Retrieve for Offline {
    fn retrieve(&self, uri: &Uri<String>) -> Result<serde_json::Value, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("{uri} is in no schema file").into())
    }
}
