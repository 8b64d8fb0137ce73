//! The evaluator of rule trees, and the keywords of a single value.

use std::cell::{Cell, RefCell};

use super::super::pattern::{Outcome, Pattern};
use super::super::{formats, rules};
use super::number::Number;
use super::{Choices, JsonView, Resource, Rule, Schema, Types, View, describe};
use crate::path::Path;
use crate::violation::Violations;

/// The maximum number of nested schemas, references included.
const MAX_DEPTH: u32 = 500;
/// The number of nested schemas from which on evaluations are counted. With fewer nested schemas, the number of
/// evaluations stays within bounds.
const COUNTED_DEPTH: u32 = 16;
/// The number of nested trials from which on evaluations are counted.
const COUNTED_TRIALS: u32 = 2;
/// The maximum number of counted evaluations. Only a schema and a value built to multiply evaluations come close.
const MAX_EVALUATIONS: u64 = 10_000_000;

pub(super) fn check(value: &dyn View, schema: &'static Schema, at: &Path<'_>, out: &mut Violations) {
    out.append(Evaluation::default().violations(value, schema, at));
}

pub(super) fn accepts(value: &dyn View, schema: &'static Schema) -> bool {
    let evaluation = Evaluation::default();
    let at = Path::root();
    evaluation.check(&value.view(), schema, Position::new(&at), &mut Collector(None), None)
        && evaluation.stopped.get().is_none()
}

/// The state of one evaluation.
#[derive(Default)]
pub(super) struct Evaluation {
    counted: Cell<u64>,
    /// The reason for an early end. If set, all results are void and the value is refused.
    stopped: Cell<Option<Stop>>,
    /// The violation of the undecided pattern.
    undecided: RefCell<Violations>,
}

/// Why an evaluation ended early.
#[derive(Clone, Copy)]
enum Stop {
    Why(&'static str),
    /// A pattern was undecided. Taking it for a mismatch would let a surrounding `not` or `oneOf` accept the value.
    Undecided,
}

/// The position of an evaluation: in the value and in the schema.
#[derive(Clone, Copy)]
pub(super) struct Position<'p> {
    pub(super) at: &'p Path<'p>,
    pub(super) scope: Option<&'p Scope<'p>>,
    /// The number of enclosing schemas.
    deep: u32,
    /// The number of enclosing schemas that are only tried.
    trials: u32,
}

/// The dynamic scope of JSON Schema: the resources on the path of evaluation.
pub(super) struct Scope<'p> {
    pub(super) outer: Option<&'p Self>,
    pub(super) resource: &'static Resource,
}

impl<'p> Position<'p> {
    fn new(at: &'p Path<'p>) -> Self {
        Self { at, scope: None, deep: 0, trials: 0 }
    }

    /// Returns the position for a nested value; the position in the schema stays.
    pub(super) fn to(self, at: &'p Path<'p>) -> Self {
        Self { at, ..self }
    }

    /// Returns the position for a schema that is only tried, such as an alternative of `anyOf`.
    pub(super) fn trial(self) -> Self {
        Self { trials: self.trials + 1, ..self }
    }
}

/// A collector of violations; `None` if only the verdict matters.
pub(super) struct Collector<'o>(Option<&'o mut Violations>);

impl<'o> Collector<'o> {
    pub(super) const fn quick() -> Self {
        Self(None)
    }

    pub(super) fn into(out: &'o mut Violations) -> Self {
        Self(Some(out))
    }

    /// Returns whether no further violation is collected, so that the evaluation may stop at the first one.
    pub(super) fn is_done(&self) -> bool {
        self.0.as_ref().is_none_or(|out| out.is_full())
    }

    /// Calls `check` for each item, until one fails and no further violation is collected; returns whether all hold.
    pub(super) fn all<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut check: impl FnMut(T, &mut Self) -> bool,
    ) -> bool {
        let mut holds = true;
        for item in items {
            holds &= check(item, self);
            if !holds && self.is_done() {
                break;
            }
        }
        holds
    }

    /// Adds a violation. Returns `false`, the verdict.
    pub(super) fn report(&mut self, at: &Path<'_>, keyword: &'static str, message: impl FnOnce() -> String) -> bool {
        self.report_with(|out| out.push(at, keyword, message()))
    }

    /// Calls `add` unless the collector is full. Returns `false`, the verdict.
    pub(super) fn report_with(&mut self, add: impl FnOnce(&mut Violations)) -> bool {
        if let Some(out) = self.0.as_mut().filter(|out| !out.is_full()) {
            add(out);
        }
        false
    }
}

/// The items or members of one value that some keyword has evaluated.
#[derive(Default)]
pub(super) struct Evaluated {
    pub(super) all: bool,
    /// Whether each item or member was evaluated, by index; members are numbered in the order in which they were visited.
    marks: Vec<bool>,
}

impl Evaluated {
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

impl Evaluation {
    /// Returns the violations of a whole value, and the reason if the evaluation ends early.
    fn violations(&self, value: &dyn View, schema: &'static Schema, at: &Path<'_>) -> Violations {
        let mut found = Violations::new();
        self.check(&value.view(), schema, Position::new(at), &mut Collector(Some(&mut found)), None);
        match self.stopped.get() {
            Some(Stop::Why(why)) => {
                let mut out = Violations::new();
                out.push(at, "json", why.to_owned());
                out
            }
            Some(Stop::Undecided) => self.undecided.take(),
            None => found,
        }
    }

    /// Returns whether the value satisfies the schema. `evaluated` is `Some` if an enclosing schema needs to know the
    /// evaluated items or members.
    pub(super) fn check(
        &self,
        view: &JsonView<'_>,
        schema: &'static Schema,
        mut position: Position<'_>,
        out: &mut Collector<'_>,
        evaluated: Option<&mut Evaluated>,
    ) -> bool {
        if schema.is_any() {
            return true;
        }
        position.deep += 1;
        if !self.goes_on(position) {
            return false;
        }
        let scope;
        let position = match schema.resource {
            Some(resource) if !position.scope.is_some_and(|scope| std::ptr::eq(scope.resource, resource)) => {
                scope = Scope { outer: position.scope, resource };
                Position { scope: Some(&scope), ..position }
            }
            _ => position,
        };
        if matches!(schema.rules.last(), Some(Rule::UnevaluatedItems(_) | Rule::UnevaluatedProperties(_))) {
            // this schema doesn't see the annotations of enclosing schemas, but enclosing schemas see its annotations
            let mut own = Evaluated::default();
            let holds = self.rules(view, schema, position, out, Some(&mut own));
            if let Some(evaluated) = evaluated {
                evaluated.merge(&own);
            }
            return holds;
        }
        self.rules(view, schema, position, out, evaluated)
    }

    fn goes_on(&self, position: Position<'_>) -> bool {
        if self.stopped.get().is_some() {
            return false;
        }
        if position.deep > MAX_DEPTH {
            self.stop("more than 500 nested schemas validate the value");
            return false;
        }
        if position.deep > COUNTED_DEPTH || position.trials >= COUNTED_TRIALS {
            self.counted.set(self.counted.get() + 1);
            if self.counted.get() > MAX_EVALUATIONS {
                self.stop("validation takes too long: the schema has too many combinations");
                return false;
            }
        }
        true
    }

    fn stop(&self, why: &'static str) {
        self.stopped.set(Some(Stop::Why(why)));
    }

    /// Returns whether a pattern matches. An undecided pattern ends the evaluation.
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
        view: &JsonView<'_>,
        schema: &'static Schema,
        position: Position<'_>,
        out: &mut Collector<'_>,
        mut evaluated: Option<&mut Evaluated>,
    ) -> bool {
        let mut holds = true;
        for rule in schema.rules {
            let last = matches!(rule, Rule::UnevaluatedItems(_) | Rule::UnevaluatedProperties(_));
            // A schema that the value breaks yields no annotations for `unevaluated…`.
            if last && !holds {
                break;
            }
            if !self.rule(view, rule, position, out, evaluated.as_deref_mut()) {
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
        view: &JsonView<'_>,
        rule: &'static Rule,
        position: Position<'_>,
        out: &mut Collector<'_>,
        evaluated: Option<&mut Evaluated>,
    ) -> bool {
        match (rule, view) {
            (Rule::Never(keyword), _) => out.report(position.at, keyword, || "no value is allowed here".into()),
            (Rule::Type(types), _) => {
                fits(view, *types)
                    || out.report(position.at, "type", || {
                        format!("expected {}, found {}", describe::types(*types), describe::described(view))
                    })
            }
            (Rule::Enum(choices), _) => {
                choices.has(view, position.at.received())
                    || out.report(position.at, "enum", || not_among(view, choices, position.at))
            }
            (Rule::Const(choices), _) => {
                choices.has(view, position.at.received())
                    || out.report(position.at, "const", || not_among(view, choices, position.at))
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
            ) => self.combined(view, rule, position, out, evaluated),
            (Rule::Pattern(pattern), JsonView::Text(text)) => {
                self.matches(text, pattern, position.at)
                    || out.report_with(|out| rules::pattern(text, pattern, position.at, out))
            }
            (_, JsonView::Text(text)) => text_holds(text, rule, position.at, out),
            (
                _,
                JsonView::Signed(_)
                | JsonView::Unsigned(_)
                | JsonView::Float(_)
                | JsonView::Shortest(_)
                | JsonView::Constant(_),
            ) => {
                let number = view.number(position.at.received());
                number.is_none_or(|number| number_holds(number, rule, position.at, out))
            }
            (_, JsonView::Array(items)) => self.array(*items, rule, position, out, evaluated),
            (_, JsonView::Object(members)) => self.object(*members, view, rule, position, out, evaluated),
            (_, JsonView::Null | JsonView::Boolean(_)) => true,
        }
    }
}

/// Returns the message of a value that is none of the choices.
fn not_among(view: &JsonView<'_>, choices: &Choices, at: &Path<'_>) -> String {
    format!("{} is not {}", describe::text(view, at.received()), describe::choices(choices))
}

pub(super) fn fits(view: &JsonView<'_>, types: Types) -> bool {
    match view {
        JsonView::Null => types.has(Types::NULL),
        JsonView::Boolean(_) => types.has(Types::BOOLEAN),
        JsonView::Signed(_) | JsonView::Unsigned(_) => types.has(Types::INTEGER.or(Types::NUMBER)),
        JsonView::Float(value) | JsonView::Shortest(value) => {
            value.is_finite()
                && (types.has(Types::NUMBER) || types.has(Types::INTEGER) && Number::Float(*value).is_integer())
        }
        JsonView::Constant(number) => types.has(Types::NUMBER) || types.has(Types::INTEGER) && number.is_integer(),
        JsonView::Text(_) => types.has(Types::STRING),
        JsonView::Array(_) => types.has(Types::ARRAY),
        JsonView::Object(_) => types.has(Types::OBJECT),
    }
}

fn text_holds(text: &str, rule: &'static Rule, at: &Path<'_>, out: &mut Collector<'_>) -> bool {
    // characters are counted only if the number of bytes doesn't decide
    let bytes = text.len() as u64;
    match rule {
        Rule::MinLength(limit) => {
            bytes / 4 >= *limit
                || text.chars().count() as u64 >= *limit
                || out.report_with(|out| rules::min_length(text, *limit, at, out))
        }
        Rule::MaxLength(limit) => {
            bytes <= *limit
                || text.chars().count() as u64 <= *limit
                || out.report_with(|out| rules::max_length(text, *limit, at, out))
        }
        Rule::Format(format) => {
            formats::holds(*format, text) || out.report_with(|out| rules::format(text, *format, at, out))
        }
        _ => true,
    }
}

fn number_holds(number: Number, rule: &'static Rule, at: &Path<'_>, out: &mut Collector<'_>) -> bool {
    let order = |limit: &Number| number.compare(*limit);
    let mut report = |keyword, words: &str, limit: &dyn std::fmt::Display| {
        out.report(at, keyword, || format!("{number} is {words} {limit}"))
    };
    match rule {
        Rule::Minimum(limit) => {
            order(limit).is_some_and(std::cmp::Ordering::is_ge) || report("minimum", "less than", limit)
        }
        Rule::Maximum(limit) => {
            order(limit).is_some_and(std::cmp::Ordering::is_le) || report("maximum", "more than", limit)
        }
        Rule::ExclusiveMinimum(limit) => {
            order(limit).is_some_and(std::cmp::Ordering::is_gt) || report("exclusiveMinimum", "not more than", limit)
        }
        Rule::ExclusiveMaximum(limit) => {
            order(limit).is_some_and(std::cmp::Ordering::is_lt) || report("exclusiveMaximum", "not less than", limit)
        }
        Rule::MultipleOf(factor) => number.is_multiple_of(*factor) || report("multipleOf", "not a multiple of", factor),
        _ => true,
    }
}
