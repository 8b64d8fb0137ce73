//! Defaults that their own schemas refuse.

use crate::schema::evaluate::{Evaluator, Kept};
use crate::schema::load::Role;
use crate::schema::problem::{Problem, What};
use crate::schema::schemas::Schemas;

/// The limit of schemas that are held to defaults: what is behind it isn't looked at.
const MOST_STEPS: u64 = 20_000_000;

/// Holds each `default` to the schema that has it. The schemas have to be free of errors: one with a mistake may refuse anything.
pub(crate) fn check(schemas: &Schemas, problems: &mut Vec<Problem>) {
    let with_default = schemas.infos.keys().filter_map(|loc| {
        let of_draft = schemas.files[loc.file].role == Role::MetaSchema;
        Some((loc, schemas.node(loc)?.get("default")?)).filter(|_| !of_draft && schemas.knows(loc, "default"))
    });
    let mut with_default = with_default.filter(|(_, default)| default.is_finite()).peekable();
    if with_default.peek().is_none() {
        return;
    }
    let kept = Kept::new(schemas);
    let evaluator = Evaluator::new(schemas, &kept);
    // what a value is held to there depends on the way
    let dynamic = schemas.leading_to(schemas.dynamic.keys().cloned());
    for (loc, default) in with_default.filter(|(loc, _)| !dynamic.contains(loc)) {
        if kept.spent() > MOST_STEPS {
            return;
        }
        if let Ok(Some(broken)) = evaluator.broken(&default.value(), loc) {
            let what = What::RefusedDefault { at: broken.pointer, rule: broken.rule };
            problems.push(schemas.problem(loc, default.at, what));
        }
    }
}
