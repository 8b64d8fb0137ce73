//! Evaluation of the keywords of objects.

use std::ops::ControlFlow;

use twyla_contract::unknown_field;

use super::super::rules;
use super::evaluate::{Collector, Evaluated, Evaluation, Position};
use super::{JsonView, Members, ObjectView, Rule, Schema, View};
use crate::excerpt::quoted;
use crate::violation::Violations;

impl Evaluation {
    pub(super) fn object(
        &self,
        object: &dyn ObjectView,
        view: &JsonView<'_>,
        rule: &'static Rule,
        position: Position<'_>,
        out: &mut Collector<'_>,
        evaluated: Option<&mut Evaluated>,
    ) -> bool {
        match rule {
            Rule::Members(rule) => self.members(object, rule, position, out, evaluated),
            Rule::PropertyNames(schema) => self.names(object, schema, position, out),
            Rule::Required(names) => {
                let mut holds = true;
                for name in names.iter().filter(|name| object.member(name).is_none()) {
                    holds = out.report(position.at, "required", || format!("`{name}` is missing"));
                }
                holds
            }
            Rule::MinProperties(limit) => {
                let count = object.count();
                count as u64 >= *limit || out.report_with(|out| rules::min_properties(count, *limit, position.at, out))
            }
            Rule::MaxProperties(limit) => {
                let count = object.count();
                count as u64 <= *limit || out.report_with(|out| rules::max_properties(count, *limit, position.at, out))
            }
            Rule::DependentRequired(all) => {
                let mut holds = true;
                for (name, needed) in all.iter().filter(|(name, _)| object.member(name).is_some()) {
                    for other in needed.iter().filter(|other| object.member(other).is_none()) {
                        holds = out.report(position.at, "dependentRequired", || {
                            format!("`{other}` is missing; it is required if `{name}` is present")
                        });
                    }
                }
                holds
            }
            Rule::DependentSchemas(all) => self.dependent(object, view, all, position, out, evaluated),
            Rule::UnevaluatedProperties(schema) => {
                self.unevaluated_properties(object, schema, position, out, evaluated)
            }
            _ => true,
        }
    }

    fn dependent(
        &self,
        object: &dyn ObjectView,
        view: &JsonView<'_>,
        all: &'static [(&'static str, &'static Schema)],
        position: Position<'_>,
        out: &mut Collector<'_>,
        mut evaluated: Option<&mut Evaluated>,
    ) -> bool {
        let present = all.iter().filter(|(name, _)| object.member(name).is_some());
        out.all(present, |(_, schema), out| self.check(view, schema, position, out, evaluated.as_deref_mut()))
    }

    /// Evaluates `properties`, `patternProperties` and `additionalProperties`.
    fn members(
        &self,
        object: &dyn ObjectView,
        rule: &'static Members,
        position: Position<'_>,
        out: &mut Collector<'_>,
        mut evaluated: Option<&mut Evaluated>,
    ) -> bool {
        let others = rule.others.filter(|schema| !schema.is_any());
        if let Some(evaluated) = evaluated.as_deref_mut().filter(|_| rule.others.is_some()) {
            evaluated.all = true;
        }
        let noting = evaluated.as_ref().is_some_and(|evaluated| !evaluated.all);
        if rule.patterns.is_empty() && others.is_none() && !noting {
            let ruled = rule.properties.iter().filter(|(_, schema)| !schema.is_any());
            let present = ruled.filter_map(|(name, schema)| Some((name, schema, object.member(name)?)));
            return out.all(present, |(name, schema, value), out| {
                self.check(&value.view(), schema, position.to(&position.at.key(name)), out, None)
            });
        }
        let (mut holds, mut index) = (true, 0);
        let _ = object.each(&mut |name, value| {
            let known = self.member(name, value, rule, position, out, &mut holds);
            if let Some(evaluated) = evaluated.as_deref_mut().filter(|_| known) {
                evaluated.mark(index);
            }
            if let Some(schema) = others.filter(|_| !known) {
                holds &= self.other(name, value, schema, position, out);
            }
            index += 1;
            if !holds && out.is_done() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        holds
    }

    /// Evaluates the schemas of a member by name and pattern; returns whether any schema applied.
    fn member(
        &self,
        name: &str,
        value: &dyn View,
        rule: &'static Members,
        position: Position<'_>,
        out: &mut Collector<'_>,
        holds: &mut bool,
    ) -> bool {
        let mut known = false;
        let mut held = |schema: &'static Schema| {
            known = true;
            if !schema.is_any() && (*holds || !out.is_done()) {
                *holds &= self.check(&value.view(), schema, position.to(&position.at.key(name)), out, None);
            }
        };
        let own = rule.properties.binary_search_by_key(&name, |(known, _)| known);
        if let Some((_, schema)) = own.ok().and_then(|index| rule.properties.get(index)) {
            held(schema);
        }
        for (pattern, schema) in rule.patterns {
            if self.matches(name, pattern, position.at) {
                held(schema);
            }
        }
        known
    }

    fn other(
        &self,
        name: &str,
        value: &dyn View,
        schema: &'static Schema,
        position: Position<'_>,
        out: &mut Collector<'_>,
    ) -> bool {
        if schema.is_never() {
            return out.report(position.at, "additionalProperties", || unknown_field::undeclared(&quoted(name)));
        }
        self.check(&value.view(), schema, position.to(&position.at.key(name)), out, None)
    }

    fn names(
        &self,
        object: &dyn ObjectView,
        schema: &'static Schema,
        position: Position<'_>,
        out: &mut Collector<'_>,
    ) -> bool {
        let mut holds = true;
        let _ = object.each(&mut |name, _| {
            let text = JsonView::Text(name.into());
            if !self.check(&text, schema, position.trial(), &mut Collector::quick(), None) {
                holds = out.report_with(|out| {
                    let mut why = Violations::new();
                    self.check(&text, schema, position, &mut Collector::into(&mut why), None);
                    let why =
                        why.into_vec().into_iter().next().map_or_else(String::new, |why| format!(": {}", why.message));
                    out.push(
                        position.at,
                        "propertyNames",
                        format!("the member name {} is not allowed{why}", quoted(name)),
                    );
                });
            }
            if !holds && out.is_done() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        holds
    }

    fn unevaluated_properties(
        &self,
        object: &dyn ObjectView,
        schema: &'static Schema,
        position: Position<'_>,
        out: &mut Collector<'_>,
        evaluated: Option<&mut Evaluated>,
    ) -> bool {
        let Some(evaluated) = evaluated else { return true };
        let mut holds = true;
        let mut index = 0;
        let _ = object.each(&mut |name, value| {
            if !evaluated.has(index) {
                holds &= if schema.is_never() {
                    out.report(position.at, "unevaluatedProperties", || unknown_field::unevaluated(&quoted(name)))
                } else {
                    self.check(&value.view(), schema, position.to(&position.at.key(name)), out, None)
                };
            }
            index += 1;
            if !holds && out.is_done() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        evaluated.all = true;
        holds
    }
}
