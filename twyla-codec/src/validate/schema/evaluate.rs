//! The walk over a schema's rules, and the rules that look at one value.

use std::cell::{Cell, RefCell};

use super::super::pattern::{Outcome, Pattern};
use super::super::{formats, rules};
use super::number::Number;
use super::{Look, Resource, Rule, Schema, Seen, Types, words};
use crate::path::Path;
use crate::violation::Violations;

/// Schemas within each other that are evaluated, all references followed.
const DEEPEST: u32 = 500;
/// Schemas from which on evaluations are counted: fewer can't multiply into many.
const DEEP: u32 = 16;
/// Guesses within guesses from which on evaluations are counted.
const GUESSES: u32 = 2;
/// Evaluations of that kind: no event comes near, unless schema and value are made to take for ever.
const MOST: u64 = 10_000_000;

pub(super) fn told(value: &dyn Look, schema: &'static Schema, at: &Path<'_>, out: &mut Violations) {
    let run = Run::default();
    let mut found = Violations::new();
    run.check(&value.look(), schema, Place::new(at), &mut Out(Some(&mut found)), None);
    match run.stopped.get() {
        Some(Stop::Why(why)) => out.push(at, "json", why.to_owned()),
        Some(Stop::Undecided) => out.append(run.undecided.take()),
        None => out.append(found),
    }
}

pub(super) fn accepts(value: &dyn Look, schema: &'static Schema) -> bool {
    let run = Run::default();
    let at = Path::root();
    run.check(&value.look(), schema, Place::new(&at), &mut Out(None), None) && run.stopped.get().is_none()
}

/// One evaluation.
#[derive(Default)]
pub(super) struct Run {
    counted: Cell<u64>,
    /// Why it has ended early: then nothing it says means anything, and the value is refused.
    stopped: Cell<Option<Stop>>,
    /// The pattern of which nobody knows whether it matches.
    undecided: RefCell<Violations>,
}

/// Why an evaluation has ended early.
#[derive(Clone, Copy)]
enum Stop {
    Why(&'static str),
    /// A pattern was given up. Where `not` or `oneOf` is around, that it doesn't match would mean that the value is good.
    Undecided,
}

/// Where an evaluation is.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) at: &'p Path<'p>,
    pub(super) scope: Option<&'p Scope<'p>>,
    /// How many schemas are around.
    deep: u32,
    /// How many of them were only tried.
    guesses: u32,
}

/// The resources on the way, the dynamic scope of JSON Schema.
pub(super) struct Scope<'p> {
    pub(super) outer: Option<&'p Self>,
    pub(super) resource: &'static Resource,
}

impl<'p> Place<'p> {
    fn new(at: &'p Path<'p>) -> Self {
        Self { at, scope: None, deep: 0, guesses: 0 }
    }

    /// The same for a value further in.
    pub(super) fn to(self, at: &'p Path<'p>) -> Self {
        Self { at, ..self }
    }

    /// The same for a schema that is only tried.
    pub(super) fn guess(self) -> Self {
        Self { guesses: self.guesses + 1, ..self }
    }
}

/// Where broken rules are noted; nowhere, where only the answer matters.
pub(super) struct Out<'o>(Option<&'o mut Violations>);

impl<'o> Out<'o> {
    pub(super) const fn quick() -> Self {
        Self(None)
    }

    pub(super) fn into(out: &'o mut Violations) -> Self {
        Self(Some(out))
    }

    /// Whether looking further tells nobody more, once a rule is broken.
    pub(super) fn is_done(&self) -> bool {
        self.0.as_ref().is_none_or(|out| out.is_full())
    }

    /// A rule is broken.
    pub(super) fn tell(&mut self, at: &Path<'_>, keyword: &'static str, message: impl FnOnce() -> String) -> bool {
        self.say(|out| out.push(at, keyword, message()))
    }

    /// A rule is broken, and it is known who says so.
    pub(super) fn say(&mut self, say: impl FnOnce(&mut Violations)) -> bool {
        if let Some(out) = self.0.as_mut().filter(|out| !out.is_full()) {
            say(out);
        }
        false
    }
}

/// The items or members of one value that some rule has evaluated.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) all: bool,
    /// By index; members count in the order in which they are visited.
    marks: Vec<bool>,
}

impl Notes {
    pub(super) fn mark(&mut self, index: usize) {
        if self.marks.len() <= index {
            self.marks.resize(index + 1, false);
        }
        if let Some(mark) = self.marks.get_mut(index) {
            *mark = true;
        }
    }

    pub(super) fn has(&self, index: usize) -> bool {
        self.all || self.marks.get(index).is_some_and(|mark| *mark)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.all |= other.all;
        if !self.all {
            other.marks.iter().enumerate().filter(|(_, mark)| **mark).for_each(|(index, _)| self.mark(index));
        }
    }
}

impl Run {
    /// Whether the value breaks no rule of the schema. `notes` are there where a schema around asks what is evaluated.
    pub(super) fn check(
        &self,
        seen: &Seen<'_>,
        schema: &'static Schema,
        mut place: Place<'_>,
        out: &mut Out<'_>,
        notes: Option<&mut Notes>,
    ) -> bool {
        if schema.is_any() {
            return true;
        }
        place.deep += 1;
        if !self.goes_on(place) {
            return false;
        }
        let scope;
        let place = match schema.resource {
            Some(resource) if !place.scope.is_some_and(|scope| std::ptr::eq(scope.resource, resource)) => {
                scope = Scope { outer: place.scope, resource };
                Place { scope: Some(&scope), ..place }
            }
            _ => place,
        };
        if matches!(schema.rules.last(), Some(Rule::UnevaluatedItems(_) | Rule::UnevaluatedProperties(_))) {
            // what schemas around have evaluated doesn't count here, what is evaluated here counts there
            let mut own = Notes::default();
            let holds = self.rules(seen, schema, place, out, Some(&mut own));
            if let Some(notes) = notes {
                notes.merge(&own);
            }
            return holds;
        }
        self.rules(seen, schema, place, out, notes)
    }

    fn goes_on(&self, place: Place<'_>) -> bool {
        if self.stopped.get().is_some() {
            return false;
        }
        if place.deep > DEEPEST {
            self.stop("is held to more than 500 schemas within each other");
            return false;
        }
        if place.deep > DEEP || place.guesses >= GUESSES {
            self.counted.set(self.counted.get() + 1);
            if self.counted.get() > MOST {
                self.stop("takes too long to be held to its schema, whose combinations multiply");
                return false;
            }
        }
        true
    }

    fn stop(&self, why: &'static str) {
        self.stopped.set(Some(Stop::Why(why)));
    }

    /// Whether a pattern matches. Where nobody knows, the evaluation ends.
    pub(super) fn matches(&self, text: &str, pattern: &Pattern, at: &Path<'_>) -> bool {
        match pattern.search(text) {
            Outcome::Match => true,
            Outcome::NoMatch => false,
            Outcome::GivenUp | Outcome::Broken => {
                rules::pattern(text, pattern, at, &mut self.undecided.borrow_mut());
                self.stopped.set(Some(Stop::Undecided));
                false
            }
        }
    }

    fn rules(
        &self,
        seen: &Seen<'_>,
        schema: &'static Schema,
        place: Place<'_>,
        out: &mut Out<'_>,
        mut notes: Option<&mut Notes>,
    ) -> bool {
        let mut holds = true;
        for rule in schema.rules {
            let last = matches!(rule, Rule::UnevaluatedItems(_) | Rule::UnevaluatedProperties(_));
            // where a rule is broken, what it would have evaluated isn't known
            if last && !holds {
                break;
            }
            if !self.rule(seen, rule, place, out, notes.as_deref_mut()) {
                holds = false;
                if out.is_done() {
                    break;
                }
            }
        }
        holds
    }

    fn rule(
        &self,
        seen: &Seen<'_>,
        rule: &'static Rule,
        place: Place<'_>,
        out: &mut Out<'_>,
        notes: Option<&mut Notes>,
    ) -> bool {
        match (rule, seen) {
            (Rule::Never(keyword), _) => out.tell(place.at, keyword, || "is there, and nothing is allowed here".into()),
            (Rule::Type(types), _) => {
                fits(seen, *types)
                    || out.tell(place.at, "type", || {
                        format!("is {}, not {}", words::described(seen), words::types(*types))
                    })
            }
            (Rule::Enum(choices), _) => {
                choices.has(seen)
                    || out
                        .tell(place.at, "enum", || format!("{} is not {}", words::text(seen), words::choices(choices)))
            }
            (Rule::Const(choices), _) => {
                choices.has(seen)
                    || out
                        .tell(place.at, "const", || format!("{} is not {}", words::text(seen), words::choices(choices)))
            }
            (
                Rule::AllOf(_)
                | Rule::AnyOf(_)
                | Rule::OneOf(_)
                | Rule::Not(_)
                | Rule::If { .. }
                | Rule::Ref(_)
                | Rule::DynamicRef { .. },
                _,
            ) => self.combined(seen, rule, place, out, notes),
            (Rule::Pattern(pattern), Seen::Text(text)) => {
                self.matches(text, pattern, place.at) || out.say(|out| rules::pattern(text, pattern, place.at, out))
            }
            (_, Seen::Text(text)) => text_holds(text, rule, place.at, out),
            (_, Seen::Signed(_) | Seen::Unsigned(_) | Seen::Float(_)) => {
                seen.number().is_none_or(|number| number_holds(number, rule, place.at, out))
            }
            (_, Seen::Array(items)) => self.array(*items, rule, place, out, notes),
            (_, Seen::Object(members)) => self.object(*members, seen, rule, place, out, notes),
            (_, Seen::Null | Seen::Boolean(_)) => true,
        }
    }
}

pub(super) fn fits(seen: &Seen<'_>, types: Types) -> bool {
    match seen {
        Seen::Null => types.has(Types::NULL),
        Seen::Boolean(_) => types.has(Types::BOOLEAN),
        Seen::Signed(_) | Seen::Unsigned(_) => types.has(Types::INTEGER.or(Types::NUMBER)),
        Seen::Float(value) => {
            value.is_finite()
                && (types.has(Types::NUMBER) || types.has(Types::INTEGER) && Number::Float(*value).is_integer())
        }
        Seen::Text(_) => types.has(Types::STRING),
        Seen::Array(_) => types.has(Types::ARRAY),
        Seen::Object(_) => types.has(Types::OBJECT),
    }
}

fn text_holds(text: &str, rule: &'static Rule, at: &Path<'_>, out: &mut Out<'_>) -> bool {
    // the count is only taken where the bytes leave it open
    let bytes = text.len() as u64;
    match rule {
        Rule::MinLength(limit) => {
            bytes / 4 >= *limit
                || text.chars().count() as u64 >= *limit
                || out.say(|out| rules::min_length(text, *limit, at, out))
        }
        Rule::MaxLength(limit) => {
            bytes <= *limit
                || text.chars().count() as u64 <= *limit
                || out.say(|out| rules::max_length(text, *limit, at, out))
        }
        Rule::Format(format) => formats::holds(*format, text) || out.say(|out| rules::format(text, *format, at, out)),
        _ => true,
    }
}

fn number_holds(number: Number, rule: &'static Rule, at: &Path<'_>, out: &mut Out<'_>) -> bool {
    let order = |limit: &Number| number.compare(*limit);
    let mut tell = |keyword, words: &str, limit: &dyn std::fmt::Display| {
        out.tell(at, keyword, || format!("{number} is {words} {limit}"))
    };
    match rule {
        Rule::Minimum(limit) => {
            order(limit).is_some_and(std::cmp::Ordering::is_ge) || tell("minimum", "less than", limit)
        }
        Rule::Maximum(limit) => {
            order(limit).is_some_and(std::cmp::Ordering::is_le) || tell("maximum", "more than", limit)
        }
        Rule::ExclusiveMinimum(limit) => {
            order(limit).is_some_and(std::cmp::Ordering::is_gt) || tell("exclusiveMinimum", "not more than", limit)
        }
        Rule::ExclusiveMaximum(limit) => {
            order(limit).is_some_and(std::cmp::Ordering::is_lt) || tell("exclusiveMaximum", "not less than", limit)
        }
        Rule::MultipleOf(factor) => number.is_multiple_of(*factor) || tell("multipleOf", "no multiple of", factor),
        _ => true,
    }
}
