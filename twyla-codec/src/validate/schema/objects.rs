//! The rules about objects.

use std::ops::ControlFlow;

use super::super::rules;
use super::evaluate::{Notes, Out, Place, Run};
use super::{Look, Members, ObjectView, Rule, Schema, Seen};
use crate::excerpt::quoted;
use crate::violation::Violations;

impl Run {
    pub(super) fn object(
        &self,
        object: &dyn ObjectView,
        seen: &Seen<'_>,
        rule: &'static Rule,
        place: Place<'_>,
        out: &mut Out<'_>,
        notes: Option<&mut Notes>,
    ) -> bool {
        match rule {
            Rule::Members(rule) => self.members(object, rule, place, out, notes),
            Rule::PropertyNames(schema) => self.names(object, schema, place, out),
            Rule::Required(names) => {
                let mut holds = true;
                for name in names.iter().filter(|name| object.member(name).is_none()) {
                    holds = out.tell(place.at, "required", || format!("`{name}` is missing"));
                }
                holds
            }
            Rule::MinProperties(limit) => {
                let count = object.count();
                count as u64 >= *limit || out.say(|out| rules::min_properties(count, *limit, place.at, out))
            }
            Rule::MaxProperties(limit) => {
                let count = object.count();
                count as u64 <= *limit || out.say(|out| rules::max_properties(count, *limit, place.at, out))
            }
            Rule::DependentRequired(all) => {
                let mut holds = true;
                for (name, needed) in all.iter().filter(|(name, _)| object.member(name).is_some()) {
                    for other in needed.iter().filter(|other| object.member(other).is_none()) {
                        holds = out.tell(place.at, "dependentRequired", || {
                            format!("`{other}` is missing, which is needed where `{name}` is")
                        });
                    }
                }
                holds
            }
            Rule::DependentSchemas(all) => self.dependent(object, seen, all, place, out, notes),
            Rule::UnevaluatedProperties(schema) => self.unevaluated_properties(object, schema, place, out, notes),
            _ => true,
        }
    }

    fn dependent(
        &self,
        object: &dyn ObjectView,
        seen: &Seen<'_>,
        all: &'static [(&'static str, &'static Schema)],
        place: Place<'_>,
        out: &mut Out<'_>,
        mut notes: Option<&mut Notes>,
    ) -> bool {
        let mut holds = true;
        for (_, schema) in all.iter().filter(|(name, _)| object.member(name).is_some()) {
            holds &= self.check(seen, schema, place, out, notes.as_deref_mut());
            if !holds && out.is_done() {
                break;
            }
        }
        holds
    }

    /// `properties`, `patternProperties` and `additionalProperties`.
    fn members(
        &self,
        object: &dyn ObjectView,
        rule: &'static Members,
        place: Place<'_>,
        out: &mut Out<'_>,
        mut notes: Option<&mut Notes>,
    ) -> bool {
        let others = rule.others.filter(|schema| !schema.is_any());
        if let Some(notes) = notes.as_deref_mut().filter(|_| rule.others.is_some()) {
            notes.all = true;
        }
        let noting = notes.as_ref().is_some_and(|notes| !notes.all);
        let mut holds = true;
        if rule.patterns.is_empty() && others.is_none() && !noting {
            for (name, schema) in rule.properties.iter().filter(|(_, schema)| !schema.is_any()) {
                if let Some(value) = object.member(name) {
                    holds &= self.check(&value.look(), schema, place.to(&place.at.key(name)), out, None);
                    if !holds && out.is_done() {
                        break;
                    }
                }
            }
            return holds;
        }
        let mut index = 0;
        let _ = object.each(&mut |name, value| {
            let known = self.member(name, value, rule, place, out, &mut holds);
            if let Some(notes) = notes.as_deref_mut().filter(|_| known) {
                notes.mark(index);
            }
            if let Some(schema) = others.filter(|_| !known) {
                holds &= self.other(name, value, schema, place, out);
            }
            index += 1;
            if !holds && out.is_done() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        holds
    }

    /// Whether a name or a pattern speaks of this member, which then is held to what they say.
    fn member(
        &self,
        name: &str,
        value: &dyn Look,
        rule: &'static Members,
        place: Place<'_>,
        out: &mut Out<'_>,
        holds: &mut bool,
    ) -> bool {
        let mut known = false;
        let mut held = |schema: &'static Schema| {
            known = true;
            if !schema.is_any() && (*holds || !out.is_done()) {
                *holds &= self.check(&value.look(), schema, place.to(&place.at.key(name)), out, None);
            }
        };
        let own = rule.properties.binary_search_by_key(&name, |(known, _)| known);
        if let Some((_, schema)) = own.ok().and_then(|index| rule.properties.get(index)) {
            held(schema);
        }
        for (pattern, schema) in rule.patterns {
            if self.matches(name, pattern, place.at) {
                held(schema);
            }
        }
        known
    }

    fn other(
        &self,
        name: &str,
        value: &dyn Look,
        schema: &'static Schema,
        place: Place<'_>,
        out: &mut Out<'_>,
    ) -> bool {
        if schema.is_never() {
            return out.tell(place.at, "additionalProperties", || {
                format!("has the member {}, and no others than declared are allowed", quoted(name))
            });
        }
        self.check(&value.look(), schema, place.to(&place.at.key(name)), out, None)
    }

    fn names(&self, object: &dyn ObjectView, schema: &'static Schema, place: Place<'_>, out: &mut Out<'_>) -> bool {
        let mut holds = true;
        let _ = object.each(&mut |name, _| {
            let text = Seen::Text(name.into());
            if !self.check(&text, schema, place.guess(), &mut Out::quick(), None) {
                holds = out.say(|out| {
                    let mut why = Violations::new();
                    self.check(&text, schema, place, &mut Out::into(&mut why), None);
                    let why =
                        why.into_vec().into_iter().next().map_or_else(String::new, |why| format!(": {}", why.message));
                    out.push(place.at, "propertyNames", format!("has a member with the name {}{why}", quoted(name)));
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
        place: Place<'_>,
        out: &mut Out<'_>,
        notes: Option<&mut Notes>,
    ) -> bool {
        let Some(notes) = notes else { return true };
        let mut holds = true;
        let mut index = 0;
        let _ = object.each(&mut |name, value| {
            if !notes.has(index) {
                holds &= if schema.is_never() {
                    out.tell(place.at, "unevaluatedProperties", || {
                        format!("has the member {}, which no schema speaks of, and none such is allowed", quoted(name))
                    })
                } else {
                    self.check(&value.look(), schema, place.to(&place.at.key(name)), out, None)
                };
            }
            index += 1;
            if !holds && out.is_done() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        notes.all = true;
        holds
    }
}
