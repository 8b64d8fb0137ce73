//! The rules that hold a value to further schemas: combinations, conditions and references.

use super::evaluate::{Notes, Out, Place, Run, fits};
use super::{Rule, Schema, Seen};
use crate::violation::Violations;

impl Run {
    pub(super) fn combined(
        &self,
        seen: &Seen<'_>,
        rule: &'static Rule,
        place: Place<'_>,
        out: &mut Out<'_>,
        mut notes: Option<&mut Notes>,
    ) -> bool {
        match rule {
            Rule::AllOf(schemas) => {
                let mut holds = true;
                for schema in *schemas {
                    if !self.check(seen, schema, place, out, notes.as_deref_mut()) {
                        holds = false;
                        if out.is_done() {
                            break;
                        }
                    }
                }
                holds
            }
            Rule::AnyOf(schemas) => self.any_of(seen, schemas, place, out, notes),
            Rule::OneOf(schemas) => self.one_of(seen, schemas, place, out, notes),
            Rule::Not(schema) => {
                let breaks = !self.check(seen, schema, place.guess(), &mut Out::quick(), None);
                breaks || out.tell(place.at, "not", || "matches the schema of not".to_owned())
            }
            Rule::If { test, then, otherwise } => {
                let next = if self.tries(seen, test, place, notes.as_deref_mut()) { then } else { otherwise };
                next.is_none_or(|next| self.check(seen, next, place, out, notes))
            }
            Rule::Ref(schema) => self.check(seen, schema, place, out, notes),
            Rule::DynamicRef { anchor, first } => {
                let mut target = *first;
                let mut scope = place.scope;
                // the outermost has the word
                while let Some(one) = scope {
                    if let Some((_, schema)) = one.resource.anchors.iter().find(|(name, _)| name == anchor) {
                        target = schema;
                    }
                    scope = one.outer;
                }
                self.check(seen, target, place, out, notes)
            }
            _ => true,
        }
    }

    /// Whether the schema holds; only then what it evaluates counts.
    pub(super) fn tries(
        &self,
        seen: &Seen<'_>,
        schema: &'static Schema,
        place: Place<'_>,
        notes: Option<&mut Notes>,
    ) -> bool {
        let Some(notes) = notes else {
            return self.check(seen, schema, place.guess(), &mut Out::quick(), None);
        };
        let mut own = Notes::default();
        let holds = self.check(seen, schema, place.guess(), &mut Out::quick(), Some(&mut own));
        if holds {
            notes.merge(&own);
        }
        holds
    }

    fn any_of(
        &self,
        seen: &Seen<'_>,
        schemas: &'static [&'static Schema],
        place: Place<'_>,
        out: &mut Out<'_>,
        mut notes: Option<&mut Notes>,
    ) -> bool {
        let mut holds = false;
        for schema in schemas {
            holds |= self.tries(seen, schema, place, notes.as_deref_mut());
            // each one that holds may evaluate something else
            if holds && notes.is_none() {
                break;
            }
        }
        holds || out.say(|out| self.none_of("anyOf", seen, schemas, place, out))
    }

    fn one_of(
        &self,
        seen: &Seen<'_>,
        schemas: &'static [&'static Schema],
        place: Place<'_>,
        out: &mut Out<'_>,
        mut notes: Option<&mut Notes>,
    ) -> bool {
        let mut first = None;
        for (index, schema) in schemas.iter().enumerate() {
            if !self.tries(seen, schema, place, notes.as_deref_mut()) {
                continue;
            }
            if let Some(first) = first {
                return out.tell(place.at, "oneOf", || {
                    format!(
                        "matches both the schemas {first} and {} of oneOf (counted from 1), and exactly one is allowed",
                        index + 1
                    )
                });
            }
            first = Some(index + 1);
        }
        first.is_some() || out.say(|out| self.none_of("oneOf", seen, schemas, place, out))
    }

    /// Says so with the reason of the schema that is the nearest.
    fn none_of(
        &self,
        keyword: &'static str,
        seen: &Seen<'_>,
        schemas: &'static [&'static Schema],
        place: Place<'_>,
        out: &mut Violations,
    ) {
        let all = match schemas.len() {
            1 => "does not match the schema".to_owned(),
            2 => "matches neither of the 2 schemas".to_owned(),
            more => format!("matches none of the {more} schemas"),
        };
        let reason = schemas.iter().max_by_key(|schema| near(seen, schema)).and_then(|schema| {
            let mut why = Violations::new();
            self.check(seen, schema, place, &mut Out::into(&mut why), None);
            why.into_vec().into_iter().next()
        });
        let reason = reason.map_or_else(String::new, |reason| {
            let here = place.at.pointer();
            match reason.pointer.strip_prefix(&here) {
                Some("") => format!(": {}", reason.message),
                _ => format!(": {}: {}", reason.pointer, reason.message),
            }
        });
        out.push(place.at, keyword, format!("{all} of {keyword}{reason}"));
    }
}

/// How near a schema is to a value, at a glance: its type, then the constants of its members.
fn near(seen: &Seen<'_>, schema: &Schema) -> (bool, usize, std::cmp::Reverse<usize>) {
    let mut schema = schema;
    // a reference alone stands for what it leads to; a few are followed
    for _ in 0..8 {
        match schema.rules {
            [Rule::Ref(target)] => schema = target,
            _ => break,
        }
    }
    let typed = schema.rules.iter().all(|rule| match rule {
        Rule::Type(types) => fits(seen, *types),
        Rule::Never(_) => false,
        Rule::Const(choices) | Rule::Enum(choices) => choices.has(seen),
        _ => true,
    });
    let (mut fit, mut unfit) = (0, 0);
    if let Seen::Object(members) = seen {
        for rule in schema.rules {
            match rule {
                Rule::Members(rule) => {
                    for (name, schema) in rule.properties {
                        for rule in schema.rules {
                            let (Rule::Const(choices) | Rule::Enum(choices)) = rule else { continue };
                            match members.member(name) {
                                Some(value) if choices.has(&value.look()) => fit += 1,
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
