//! The evaluator: applies a schema to a value, and records the rules that it breaks.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::evaluated::Evaluated;
use super::matcher::Matcher;
use super::received::Received;
use super::valid::{self, Valid};
use crate::decimal::Decimal;
use crate::schema::draft::{Draft, HOLDERS, Subschemas};
use crate::schema::load::{Json, Node, step};
use crate::schema::path::SchemaPath;
use crate::schema::schemas::{Info, Loc, Schemas};
use crate::schema::scope::Scopes;

/// The maximum depth of nested schemas, with all references followed.
pub(super) const DEEPEST: usize = 2_000;
/// The maximum depth of nested schemas for an evaluation that fits the stack of any thread.
const SHALLOW: usize = 64;
/// The maximum number of schemas evaluated for one value.
const MOST: u64 = 2_000_000;

/// A rule that a value breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The place in the value: a JSON Pointer.
    pub(crate) pointer: String,
    pub(crate) keyword: String,
    /// The place of the keyword.
    pub(crate) path: SchemaPath,
    /// The rule and the value in words.
    pub(crate) rule: String,
}

/// The validity of a value is unknown: a pattern or a format can't be evaluated, or a limit is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Undecidable;

/// Whether a value is valid.
pub(crate) type Outcome = Result<bool, Undecidable>;

/// Validates values against schemas.
#[derive(Clone, Copy)]
pub(crate) struct Evaluator<'a> {
    pub(super) schemas: &'a Schemas,
    pub(super) cache: &'a Cache,
    /// The parts of the value that are known to be valid, and the record of the parts that this evaluation finds valid.
    valid: Option<&'a Valid>,
    record: Option<&'a valid::Record>,
    /// The numbers of the value, if they are taken as they were received.
    pub(super) received: Option<&'a Received>,
    deepest: usize,
}

/// The state that is kept between evaluations.
#[derive(Debug)]
pub(crate) struct Cache {
    pub(super) scopes: Scopes,
    pub(super) patterns: RefCell<HashMap<String, Arc<Matcher>>>,
    /// Whether any schema has `unevaluatedItems` or `unevaluatedProperties`.
    pub(super) tracks_evaluated: OnceCell<bool>,
    /// The steps for this value, and for all earlier values.
    pub(super) steps: Cell<u64>,
    pub(super) spent: Cell<u64>,
}

impl Cache {
    pub(crate) fn new(schemas: &Schemas) -> Self {
        Self {
            scopes: Scopes::new(schemas),
            patterns: RefCell::new(HashMap::new()),
            tracks_evaluated: OnceCell::new(),
            steps: Cell::new(0),
            spent: Cell::new(0),
        }
    }

    /// Creates the cache of schemas of which it is known whether any [has `unevaluatedItems` or
    /// `unevaluatedProperties`](tracks_evaluated).
    pub(crate) fn knowing(schemas: &Schemas, tracks_evaluated: bool) -> Self {
        Self { tracks_evaluated: OnceCell::from(tracks_evaluated), ..Self::new(schemas) }
    }

    /// Returns the number of schemas evaluated so far.
    pub(crate) fn spent(&self) -> u64 {
        self.spent.get() + self.steps.get()
    }

    pub(super) fn begin(&self) {
        self.spent.set(self.spent());
        self.steps.set(0);
    }
}

/// The position of an evaluation: in the value and in the schemas.
#[derive(Clone, Copy)]
pub(super) struct Position<'p> {
    /// The path to the value, innermost step first.
    pub(super) at: Option<&'p ValuePath<'p>>,
    /// The dynamic scope: the resources entered, innermost first.
    pub(super) scope: Option<&'p Scope<'p>>,
    pub(super) deep: usize,
}

pub(super) struct ValuePath<'p> {
    pub(super) outer: Option<&'p ValuePath<'p>>,
    pub(super) step: Step<'p>,
}

#[derive(Clone, Copy)]
pub(super) enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

pub(super) struct Scope<'p> {
    pub(super) outer: Option<&'p Scope<'p>>,
    pub(super) base: &'p str,
}

impl Position<'_> {
    pub(super) fn pointer(&self) -> String {
        let mut steps = Vec::new();
        let mut at = self.at;
        while let Some(here) = at {
            steps.push(here.step);
            at = here.outer;
        }
        steps.into_iter().rev().fold(String::new(), |pointer, next| match next {
            Step::Key(key) => step(&pointer, key),
            Step::Index(index) => step(&pointer, &index.to_string()),
        })
    }
}

/// Records the rules that a value breaks.
pub(super) enum Recorder<'o> {
    /// Records nothing: only the answer matters.
    Quick,
    /// Records the first broken rule.
    First(&'o mut Option<Violation>),
    /// Records up to this number of broken rules.
    All(&'o mut Vec<Violation>, usize),
}

impl Recorder<'_> {
    /// Returns whether the evaluation can stop after a rule; `holds` is whether the value satisfies it.
    pub(super) fn is_done(&self, holds: bool) -> bool {
        !holds && if let Self::All(noted, most) = self { noted.len() >= *most } else { true }
    }

    /// Records a broken rule; in mode `First` only the first one.
    pub(super) fn note(&mut self, broken: impl FnOnce() -> Violation) {
        match self {
            Self::Quick | Self::First(Some(_)) => {}
            Self::First(noted) => **noted = Some(broken()),
            Self::All(noted, _) => noted.push(broken()),
        }
    }
}

/// The schema that is being evaluated.
pub(super) struct CurrentSchema<'a> {
    pub(super) loc: &'a Loc,
    pub(super) node: &'a Node,
    /// `None` for a schema that isn't registered.
    pub(super) info: Option<&'a Info>,
    pub(super) default_draft: Draft,
}

/// A subschema that is to be evaluated.
pub(super) struct Subschema<'a> {
    pub(super) loc: Loc,
    /// The node of the schema; `None` if nothing is at its place.
    pub(super) node: Option<&'a Node>,
}

impl Subschema<'_> {
    pub(super) fn step(&self, key: &str) -> Self {
        let node = self.node.and_then(|node| match &node.json {
            Json::Array(items) => items.get(key.parse::<usize>().ok()?),
            _ => node.get(key),
        });
        Self { loc: self.loc.step(key), node }
    }
}

impl<'a> CurrentSchema<'a> {
    /// Returns the subschema of a keyword.
    pub(super) fn below(&self, keyword: &str) -> Subschema<'a> {
        Subschema { loc: self.at(keyword), node: self.node.get(keyword) }
    }

    pub(super) fn get(&self, keyword: &str) -> Option<&'a Node> {
        let knows = || self.info.map_or_else(|| self.default_draft.has(keyword), |info| info.knows(keyword));
        self.node.get(keyword).filter(|_| knows())
    }

    pub(super) fn draft(&self) -> Draft {
        self.info.map_or(self.default_draft, |info| info.draft)
    }

    pub(super) fn at(&self, keyword: &str) -> Loc {
        self.loc.step(keyword)
    }
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(schemas: &'a Schemas, cache: &'a Cache) -> Self {
        Self { schemas, cache, valid: None, record: None, received: None, deepest: DEEPEST }
    }

    /// Limits the depth for the stack of any thread; deeper evaluations return [`Undecidable`].
    pub(crate) fn shallow(self) -> Self {
        Self { deepest: SHALLOW, ..self }
    }

    /// Skips the parts of the value that are known to be valid.
    pub(crate) fn knowing(self, valid: &'a Valid) -> Self {
        Self { valid: Some(valid), ..self }
    }

    /// Takes the numbers of the value as they were received.
    pub(crate) fn receiving(self, received: Option<&'a Received>) -> Self {
        Self { received, ..self }
    }

    /// Returns whether numbers are taken as they were received.
    pub(crate) fn is_receiving(&self) -> bool {
        self.received.is_some()
    }

    /// Returns the decimal of a number as an integer takes it, which is never rounded; `None` as for [`decimal`](Self::decimal).
    pub(crate) fn exact(&self, value: &Value) -> Option<Decimal> {
        Received::exact(self.received, value)
    }

    /// Returns the decimal of a number as an `f64` takes it; `None` if the value isn't a number, or its decimal is too long.
    pub(crate) fn decimal(&self, value: &Value) -> Option<Decimal> {
        Received::decimal(self.received, value)
    }

    /// Forgets the parts known to be valid, to evaluate a value that isn't a part of that value.
    pub(super) fn alone(self) -> Self {
        Self { valid: None, record: None, received: None, ..self }
    }

    /// Returns the parts of a value that stay valid if other parts change. Empty if the value isn't valid, or if references
    /// depend on the dynamic scope.
    pub(crate) fn valid(&self, value: &Value, loc: &Loc) -> Result<Valid, Undecidable> {
        let record = valid::Record::default();
        let recorder = Evaluator { record: Some(&record), ..*self };
        if self.schemas.dynamic.is_empty() && recorder.is_valid(value, loc)? {
            Ok(Valid::new(record))
        } else {
            Ok(Valid::default())
        }
    }

    /// Returns the first rule of a schema that a value breaks; `None` if the value is valid.
    pub(crate) fn broken(&self, value: &Value, loc: &Loc) -> Result<Option<Violation>, Undecidable> {
        self.cache.begin();
        let mut broken = None;
        let place = Position { at: None, scope: None, deep: 0 };
        let at = self.below(loc);
        let holds = self.check(value, &at, place, &mut Recorder::First(&mut broken), &mut Evaluated::default())?;
        // a refusal without a recorded rule would be a bug: report it as undecidable
        if holds { Ok(None) } else { broken.map(Some).ok_or(Undecidable) }
    }

    /// Returns the rules of a schema that a value breaks, up to `most`. A failed `oneOf` or `anyOf` counts as one rule.
    pub(crate) fn all_broken(&self, value: &Value, loc: &Loc, most: usize) -> Result<Vec<Violation>, Undecidable> {
        self.cache.begin();
        let mut broken = Vec::new();
        let place = Position { at: None, scope: None, deep: 0 };
        let at = self.below(loc);
        let held = self.check(value, &at, place, &mut Recorder::All(&mut broken, most), &mut Evaluated::default());
        match held {
            Ok(true) => Ok(Vec::new()),
            Err(Undecidable) | Ok(false) if broken.is_empty() => Err(Undecidable),
            // the violations found are enough to refuse the value
            Err(Undecidable) if self.deepest < DEEPEST => Err(Undecidable),
            Err(Undecidable) | Ok(false) => Ok(broken),
        }
    }

    /// Returns whether a value is valid under a schema.
    pub(crate) fn is_valid(&self, value: &Value, loc: &Loc) -> Outcome {
        self.cache.begin();
        let place = Position { at: None, scope: None, deep: 0 };
        self.check(value, &self.below(loc), place, &mut Recorder::Quick, &mut Evaluated::default())
    }

    pub(super) fn below(&self, loc: &Loc) -> Subschema<'a> {
        Subschema { loc: loc.clone(), node: self.schemas.node(loc) }
    }

    /// Returns the schema at a place.
    pub(super) fn current<'n>(&self, loc: &'n Loc, node: &'n Node) -> CurrentSchema<'n>
    where
        'a: 'n,
    {
        CurrentSchema { loc, node, info: self.schemas.infos.get(loc), default_draft: self.schemas.default_draft() }
    }

    /// Returns whether evaluated items and members must be tracked.
    pub(super) fn tracks_evaluated(&self) -> bool {
        *self.cache.tracks_evaluated.get_or_init(|| tracks_evaluated(self.schemas))
    }

    pub(super) fn check(
        &self,
        value: &Value,
        at: &Subschema<'_>,
        place: Position<'_>,
        out: &mut Recorder<'_>,
        seen: &mut Evaluated,
    ) -> Outcome {
        self.cache.steps.set(self.cache.steps.get() + 1);
        if place.deep > self.deepest || self.cache.steps.get() > MOST {
            return Err(Undecidable);
        }
        let Subschema { loc, node: Some(node) } = at else { return Ok(true) };
        if let Json::Bool(holds) = node.json {
            if !holds {
                self.tell(out, loc, holder(loc), place, || "no value is allowed here".to_owned());
            }
            return Ok(holds);
        }
        if let Some(known) = self.valid.and_then(|valid| valid.get(node, value)) {
            seen.add(known.clone());
            return Ok(true);
        }
        let schema = self.current(loc, node);
        let base = schema.info.map_or("", |info| &*info.resource);
        let scope = Scope { outer: place.scope, base };
        let entered = place.scope.is_none_or(|scope| scope.base != base);
        let place = Position { scope: if entered { Some(&scope) } else { place.scope }, deep: place.deep + 1, ..place };
        // parts that outer schemas have evaluated don't count within this one, but parts evaluated here count for them
        let mut own = Evaluated::default();
        let refers = node.get("$ref").is_some();
        let alone = refers && schema.draft().ref_stands_alone() && self.schemas.refs.contains_key(loc);
        let mut holds = alone || self.single(value, &schema, place, out)?;
        if !alone && !out.is_done(holds) {
            holds &= self.nested(value, &schema, place, out, &mut own)?;
        }
        if !out.is_done(holds) {
            holds &= self.references(value, &schema, place, out, &mut own)?;
        }
        if !alone && !out.is_done(holds) {
            // if the combined schemas fail, unevaluated members aren't reported too
            let combined = self.combined(value, &schema, place, out, &mut own)?;
            holds &= combined && self.unevaluated(value, &schema, place, out, &mut own)?;
        }
        if let Some(record) = self.record.filter(|_| holds) {
            valid::note(record, node, value, &own);
        }
        seen.add(own);
        Ok(holds)
    }

    /// Records a broken rule, and returns false.
    pub(super) fn tell(
        &self,
        out: &mut Recorder<'_>,
        at: &Loc,
        keyword: &str,
        place: Position<'_>,
        rule: impl FnOnce() -> String,
    ) -> bool {
        out.note(|| Violation {
            pointer: place.pointer(),
            keyword: keyword.to_owned(),
            path: SchemaPath::of(self.schemas, at),
            rule: rule(),
        });
        false
    }
}

/// Returns whether any schema has `unevaluatedItems` or `unevaluatedProperties`.
pub(crate) fn tracks_evaluated(schemas: &Schemas) -> bool {
    schemas.files.iter().any(|file| uses_unevaluated(&file.root))
}

/// Returns whether a schema contains `unevaluatedItems` or `unevaluatedProperties`.
fn uses_unevaluated(node: &Node) -> bool {
    node.items().iter().any(uses_unevaluated)
        || node.members().iter().any(|member| {
            matches!(&*member.key, "unevaluatedItems" | "unevaluatedProperties") || uses_unevaluated(&member.value)
        })
}

/// Returns the keyword that contains the schema at a place.
fn holder(loc: &Loc) -> &str {
    let (mut steps, mut found) = (loc.pointer.split('/').skip(1), "");
    while let Some(step) = steps.next() {
        if let Some((_, holds)) = HOLDERS.iter().find(|(keyword, _)| *keyword == step) {
            found = step;
            // skip names and indexes, which aren't keywords
            let listed = *holds == Subschemas::Many
                || *holds == Subschemas::OneOrMany && steps.clone().next().is_some_and(is_index);
            if *holds == Subschemas::Named || listed {
                steps.next();
            }
        }
    }
    found
}

fn is_index(step: &str) -> bool {
    step.bytes().all(|byte| byte.is_ascii_digit())
}
