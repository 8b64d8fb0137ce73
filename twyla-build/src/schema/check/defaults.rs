//! Checks the values of `default`: reports each one that its own schema refuses.

use crate::schema::evaluate::{Cache, Evaluator};
use crate::schema::load::FileRole;
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::schemas::Schemas;

/// The maximum number of evaluated schemas. Defaults beyond it aren't checked.
const MOST_STEPS: u64 = 20_000_000;

/// Validates each `default` against its own schema. The schemas must be free of errors: a schema with an error may refuse
/// anything.
pub(crate) fn check(schemas: &Schemas, problems: &mut Vec<Problem>) {
    let with_default = schemas.infos.keys().filter_map(|loc| {
        let of_draft = schemas.files[loc.file].role == FileRole::MetaSchema;
        Some((loc, schemas.node(loc)?.get("default")?)).filter(|_| !of_draft && schemas.knows(loc, "default"))
    });
    let mut with_default = with_default.filter(|(_, default)| default.is_finite()).peekable();
    if with_default.peek().is_none() {
        return;
    }
    let cache = Cache::new(schemas);
    let evaluator = Evaluator::new(schemas, &cache);
    // the dynamic scope decides which rules apply, so a default below a dynamic reference isn't checked
    let dynamic = schemas.leading_to(schemas.dynamic.keys().cloned());
    for (loc, default) in with_default.filter(|(loc, _)| !dynamic.contains(loc)) {
        if cache.spent() > MOST_STEPS {
            return;
        }
        if let Ok(Some(broken)) = evaluator.broken(&default.value(), loc) {
            let kind = ProblemKind::RefusedDefault { at: broken.pointer, rule: broken.rule };
            problems.push(schemas.problem(loc, default.at, kind));
        }
    }
}
