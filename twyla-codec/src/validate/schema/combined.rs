//! Evaluation of combinations, conditions and references.

use super::evaluate::{Collector, Evaluated, Evaluation, Position, fits};
use super::{JsonView, Rule, Schema};
use crate::violation::Violations;

impl Evaluation {
    pub(super) fn combined(
        &self,
        view: &JsonView<'_>,
        rule: &'static Rule,
        position: Position<'_>,
        out: &mut Collector<'_>,
        mut evaluated: Option<&mut Evaluated>,
    ) -> bool {
        match rule {
            Rule::AllOf(schemas) => {
                out.all(*schemas, |schema, out| self.check(view, schema, position, out, evaluated.as_deref_mut()))
            }
            Rule::AnyOf(schemas) => self.any_of(view, schemas, position, out, evaluated),
            Rule::OneOf(schemas) => self.one_of(view, schemas, position, out, evaluated),
            Rule::Not(schema) => {
                let breaks = !self.check(view, schema, position.trial(), &mut Collector::quick(), None);
                breaks
                    || out.report(position.at, "not", || {
                        "the value matches the schema of `not`, which must not match".to_owned()
                    })
            }
            Rule::If { test, then, otherwise } => {
                let next = if self.tries(view, test, position, evaluated.as_deref_mut()) { then } else { otherwise };
                next.is_none_or(|next| self.check(view, next, position, out, evaluated))
            }
            Rule::Ref(schema) => self.check(view, schema, position, out, evaluated),
            Rule::DynamicRef { anchor, first } => {
                let mut target = *first;
                let mut scope = position.scope;
                // the outermost resource with the anchor wins
                while let Some(one) = scope {
                    if let Some((_, schema)) = one.resource.anchors.iter().find(|(name, _)| name == anchor) {
                        target = schema;
                    }
                    scope = one.outer;
                }
                self.check(view, target, position, out, evaluated)
            }
            _ => true,
        }
    }

    /// Evaluates a schema as a trial: its annotations count only if it holds.
    pub(super) fn tries(
        &self,
        view: &JsonView<'_>,
        schema: &'static Schema,
        position: Position<'_>,
        evaluated: Option<&mut Evaluated>,
    ) -> bool {
        let Some(evaluated) = evaluated else {
            return self.check(view, schema, position.trial(), &mut Collector::quick(), None);
        };
        let mut own = Evaluated::default();
        let holds = self.check(view, schema, position.trial(), &mut Collector::quick(), Some(&mut own));
        if holds {
            evaluated.merge(&own);
        }
        holds
    }

    fn any_of(
        &self,
        view: &JsonView<'_>,
        schemas: &'static [&'static Schema],
        position: Position<'_>,
        out: &mut Collector<'_>,
        mut evaluated: Option<&mut Evaluated>,
    ) -> bool {
        let mut holds = false;
        for schema in schemas {
            holds |= self.tries(view, schema, position, evaluated.as_deref_mut());
            // without annotations the first match decides; with annotations each matching schema may evaluate other
            // members
            if holds && evaluated.is_none() {
                break;
            }
        }
        holds || out.report_with(|out| self.none_of("anyOf", view, schemas, position, out))
    }

    fn one_of(
        &self,
        view: &JsonView<'_>,
        schemas: &'static [&'static Schema],
        position: Position<'_>,
        out: &mut Collector<'_>,
        mut evaluated: Option<&mut Evaluated>,
    ) -> bool {
        let mut first = None;
        for (index, schema) in schemas.iter().enumerate() {
            if !self.tries(view, schema, position, evaluated.as_deref_mut()) {
                continue;
            }
            if let Some(first) = first {
                return out.report(position.at, "oneOf", || {
                    format!(
                        "the value matches the schemas {first} and {} of `oneOf` (counted from 1); exactly one must match",
                        index + 1
                    )
                });
            }
            first = Some(index + 1);
        }
        first.is_some() || out.report_with(|out| self.none_of("oneOf", view, schemas, position, out))
    }

    /// Adds the violation of a value that matches none of the schemas, with the reason of the most similar schema.
    fn none_of(
        &self,
        keyword: &'static str,
        view: &JsonView<'_>,
        schemas: &'static [&'static Schema],
        position: Position<'_>,
        out: &mut Violations,
    ) {
        let all = match schemas.len() {
            1 => "the value doesn't match the schema".to_owned(),
            2 => "the value matches neither of the 2 schemas".to_owned(),
            more => format!("the value matches none of the {more} schemas"),
        };
        let reason = schemas.iter().max_by_key(|schema| similarity(view, schema)).and_then(|schema| {
            let mut why = Violations::new();
            self.check(view, schema, position, &mut Collector::into(&mut why), None);
            why.into_vec().into_iter().next()
        });
        let reason = reason.map_or_else(String::new, |reason| {
            let here = position.at.pointer();
            match reason.pointer.strip_prefix(&here) {
                Some("") => format!(": {}", reason.message),
                _ => format!(": {}: {}", reason.pointer, reason.message),
            }
        });
        out.push(position.at, keyword, format!("{all} of `{keyword}`{reason}"));
    }
}

/// Ranks how similar a schema is to a value: by its type and constants, then by the constants of its members, then by
/// the constants and required members that don't fit.
fn similarity(view: &JsonView<'_>, schema: &Schema) -> (bool, usize, std::cmp::Reverse<usize>) {
    let mut schema = schema;
    // follows a schema that is only a reference, up to a few levels
    for _ in 0..8 {
        match schema.rules {
            [Rule::Ref(target)] => schema = target,
            _ => break,
        }
    }
    let typed = schema.rules.iter().all(|rule| match rule {
        Rule::Type(types) => fits(view, *types),
        Rule::Never(_) => false,
        Rule::Const(choices) | Rule::Enum(choices) => choices.has(view, None),
        _ => true,
    });
    let (mut fit, mut unfit) = (0, 0);
    if let JsonView::Object(members) = view {
        for rule in schema.rules {
            match rule {
                Rule::Members(rule) => {
                    for (name, schema) in rule.properties {
                        for rule in schema.rules {
                            let (Rule::Const(choices) | Rule::Enum(choices)) = rule else { continue };
                            match members.member(name) {
                                Some(value) if choices.has(&value.view(), None) => fit += 1,
                                _ => unfit += 1,
                            }
                        }
                    }
                }
                Rule::Required(names) => unfit += names.iter().filter(|name| members.member(name).is_none()).count(),
                _ => {}
            }
        }
    }
    (typed, fit, std::cmp::Reverse(unfit))
}
