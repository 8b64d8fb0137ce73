//! The evaluator: which schemas a value is held to, and what is noted of it.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::matcher::Matcher;
use super::valid::{self, Valid};
use crate::schema::draft::{Draft, HOLDERS, Holds};
use crate::schema::load::{Json, Node, step};
use crate::schema::path::SchemaPath;
use crate::schema::schemas::{Info, Loc, Schemas};
use crate::schema::scope::Scopes;

/// Schemas within each other, all references followed.
const DEEPEST: usize = 2_000;
/// The same where the stack is that of any thread.
const SHALLOW: usize = 64;
/// Schemas that are held to one value before it is given up.
const MOST: u64 = 2_000_000;

/// A rule that a value breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Where in the value.
    pub(crate) pointer: String,
    pub(crate) keyword: String,
    /// Where the keyword stands.
    pub(crate) path: SchemaPath,
    /// The rule and the value in words.
    pub(crate) rule: String,
}

/// Why nobody knows whether a value is valid: a pattern or a format that can't be looked at, or too much work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unknown;

/// Whether a value is valid.
pub(crate) type Held = Result<bool, Unknown>;

/// Holds values to the schemas of one side.
#[derive(Clone, Copy)]
pub(crate) struct Evaluator<'a> {
    pub(super) schemas: &'a Schemas,
    pub(super) kept: &'a Kept,
    /// What needs no look, and where that is noted.
    valid: Option<&'a Valid>,
    record: Option<&'a valid::Record>,
    deepest: usize,
}

/// What is kept from one value to the next.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(super) scopes: Scopes,
    pub(super) patterns: RefCell<HashMap<String, Arc<Matcher>>>,
    /// Whether some schema asks what other ones have looked at.
    pub(super) notes_seen: OnceCell<bool>,
    /// Steps for this value, and for all values before it.
    pub(super) steps: Cell<u64>,
    pub(super) spent: Cell<u64>,
}

impl Kept {
    pub(crate) fn new(schemas: &Schemas) -> Self {
        Self {
            scopes: Scopes::new(schemas),
            patterns: RefCell::new(HashMap::new()),
            notes_seen: OnceCell::new(),
            steps: Cell::new(0),
            spent: Cell::new(0),
        }
    }

    /// How many schemas were held to values so far.
    pub(crate) fn spent(&self) -> u64 {
        self.spent.get() + self.steps.get()
    }

    pub(super) fn begin(&self) {
        self.spent.set(self.spent());
        self.steps.set(0);
    }
}

/// What was looked at of one value, by the rules of a schema.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) all: bool,
    pub(super) names: BTreeSet<String>,
    pub(super) indexes: BTreeSet<usize>,
}

impl Seen {
    pub(super) fn add(&mut self, other: Self) {
        self.all |= other.all;
        self.names.extend(other.names);
        self.indexes.extend(other.indexes);
    }
}

/// Where an evaluation is.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    /// The way to the value, the innermost step first.
    pub(super) at: Option<&'p At<'p>>,
    /// The resources on the way to the schema, the innermost first.
    pub(super) scope: Option<&'p Scope<'p>>,
    pub(super) deep: usize,
}

pub(super) struct At<'p> {
    pub(super) outer: Option<&'p At<'p>>,
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

impl Place<'_> {
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

/// Where broken rules are noted.
pub(super) enum Out<'o> {
    /// Nowhere: only the answer matters.
    Quick,
    /// The first one.
    First(&'o mut Option<Broken>),
    /// Each of them, and then no more than so many.
    All(&'o mut Vec<Broken>, usize),
}

impl Out<'_> {
    /// Whether nothing else matters after a rule that does or doesn't hold.
    pub(super) fn is_done(&self, holds: bool) -> bool {
        !holds && if let Self::All(noted, most) = self { noted.len() >= *most } else { true }
    }

    /// Notes a broken rule; where only the first is noted, only that one.
    pub(super) fn note(&mut self, broken: impl FnOnce() -> Broken) {
        match self {
            Self::Quick | Self::First(Some(_)) => {}
            Self::First(noted) => **noted = Some(broken()),
            Self::All(noted, _) => noted.push(broken()),
        }
    }
}

/// One schema that a value is held to.
pub(super) struct Schema<'a> {
    pub(super) loc: &'a Loc,
    pub(super) node: &'a Node,
    /// None of one that nothing is known of by its surroundings.
    pub(super) info: Option<&'a Info>,
    pub(super) default_draft: Draft,
}

/// A schema that a value is to be held to.
pub(super) struct Below<'a> {
    pub(super) loc: Loc,
    /// None where nothing stands.
    pub(super) node: Option<&'a Node>,
}

impl Below<'_> {
    pub(super) fn step(&self, key: &str) -> Self {
        let node = self.node.and_then(|node| match &node.json {
            Json::Array(items) => items.get(key.parse::<usize>().ok()?),
            _ => node.get(key),
        });
        Self { loc: self.loc.step(key), node }
    }
}

impl<'a> Schema<'a> {
    /// What a keyword holds.
    pub(super) fn below(&self, keyword: &str) -> Below<'a> {
        Below { loc: self.at(keyword), node: self.node.get(keyword) }
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
    pub(crate) fn new(schemas: &'a Schemas, kept: &'a Kept) -> Self {
        Self { schemas, kept, valid: None, record: None, deepest: DEEPEST }
    }

    /// The same with the stack of any thread: nothing is known of values that lead deeper into the schemas.
    pub(crate) fn shallow(self) -> Self {
        Self { deepest: SHALLOW, ..self }
    }

    /// The same where parts of the value are known to be valid.
    pub(crate) fn knowing(self, valid: &'a Valid) -> Self {
        Self { valid: Some(valid), ..self }
    }

    /// The same for a value that is no part of the one that was given.
    pub(super) fn alone(self) -> Self {
        Self { valid: None, record: None, ..self }
    }

    /// The parts of a value that keep their schemas; none of a value that isn't valid, and where what is around a schema matters.
    pub(crate) fn valid(&self, value: &Value, loc: &Loc) -> Result<Valid, Unknown> {
        let record = valid::Record::default();
        let recorder = Evaluator { record: Some(&record), ..*self };
        if self.schemas.dynamic.is_empty() && recorder.is_valid(value, loc)? {
            Ok(Valid::new(record))
        } else {
            Ok(Valid::default())
        }
    }

    /// The first rule of a schema that a value breaks.
    pub(crate) fn broken(&self, value: &Value, loc: &Loc) -> Result<Option<Broken>, Unknown> {
        self.kept.begin();
        let mut broken = None;
        let place = Place { at: None, scope: None, deep: 0 };
        let at = self.below(loc);
        let holds = self.check(value, &at, place, &mut Out::First(&mut broken), &mut Seen::default())?;
        // a value that breaks a rule nobody noted would be a mistake of ours: then nothing is known
        if holds { Ok(None) } else { broken.map(Some).ok_or(Unknown) }
    }

    /// Each rule of a schema that a value breaks; after so many of them no more is looked for. Of schemas of which one has to hold
    /// it is one rule that is broken.
    pub(crate) fn all_broken(&self, value: &Value, loc: &Loc, most: usize) -> Result<Vec<Broken>, Unknown> {
        self.kept.begin();
        let mut broken = Vec::new();
        let place = Place { at: None, scope: None, deep: 0 };
        let at = self.below(loc);
        let held = self.check(value, &at, place, &mut Out::All(&mut broken, most), &mut Seen::default());
        match held {
            Ok(true) => Ok(Vec::new()),
            Err(Unknown) | Ok(false) if broken.is_empty() => Err(Unknown),
            // what is known is enough to refuse the value
            Err(Unknown) if self.deepest < DEEPEST => Err(Unknown),
            Err(Unknown) | Ok(false) => Ok(broken),
        }
    }

    /// Whether a value breaks no rule of a schema.
    pub(crate) fn is_valid(&self, value: &Value, loc: &Loc) -> Held {
        self.kept.begin();
        let place = Place { at: None, scope: None, deep: 0 };
        self.check(value, &self.below(loc), place, &mut Out::Quick, &mut Seen::default())
    }

    pub(super) fn below(&self, loc: &Loc) -> Below<'a> {
        Below { loc: loc.clone(), node: self.schemas.node(loc) }
    }

    /// Whether it matters what of a value was looked at.
    pub(super) fn notes_seen(&self) -> bool {
        *self.kept.notes_seen.get_or_init(|| self.schemas.files.iter().any(|file| asks_what_is_left(&file.root)))
    }

    pub(super) fn check(
        &self,
        value: &Value,
        at: &Below<'_>,
        place: Place<'_>,
        out: &mut Out<'_>,
        seen: &mut Seen,
    ) -> Held {
        self.kept.steps.set(self.kept.steps.get() + 1);
        if place.deep > self.deepest || self.kept.steps.get() > MOST {
            return Err(Unknown);
        }
        let Below { loc, node: Some(node) } = at else { return Ok(true) };
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
        let info = self.schemas.infos.get(loc);
        let schema = Schema { loc, node, info, default_draft: self.schemas.default_draft() };
        let base = info.map_or("", |info| &*info.resource);
        let scope = Scope { outer: place.scope, base };
        let entered = place.scope.is_none_or(|scope| scope.base != base);
        let place = Place { scope: if entered { Some(&scope) } else { place.scope }, deep: place.deep + 1, ..place };
        // what schemas around have looked at doesn't count here, what is looked at here counts there
        let mut own = Seen::default();
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
            // what would be left over by schemas of which none holds is nothing else that is wrong
            let combined = self.combined(value, &schema, place, out, &mut own)?;
            holds &= combined && self.unevaluated(value, &schema, place, out, &mut own)?;
        }
        if let Some(record) = self.record.filter(|_| holds) {
            valid::note(record, node, value, &own);
        }
        seen.add(own);
        Ok(holds)
    }

    /// Notes a broken rule. Always false, as the value is not valid.
    pub(super) fn tell(
        &self,
        out: &mut Out<'_>,
        at: &Loc,
        keyword: &str,
        place: Place<'_>,
        rule: impl FnOnce() -> String,
    ) -> bool {
        out.note(|| Broken {
            pointer: place.pointer(),
            keyword: keyword.to_owned(),
            path: SchemaPath::of(self.schemas, at),
            rule: rule(),
        });
        false
    }
}

/// Whether there is a keyword in a schema that is about what others have left over.
fn asks_what_is_left(node: &Node) -> bool {
    node.items().iter().any(asks_what_is_left)
        || node.members().iter().any(|member| {
            matches!(&*member.key, "unevaluatedItems" | "unevaluatedProperties") || asks_what_is_left(&member.value)
        })
}

/// The keyword that holds the schema there.
fn holder(loc: &Loc) -> &str {
    let (mut steps, mut found) = (loc.pointer.split('/').skip(1), "");
    while let Some(step) = steps.next() {
        if let Some((_, holds)) = HOLDERS.iter().find(|(keyword, _)| *keyword == step) {
            found = step;
            // a name or an index is no keyword
            let listed =
                *holds == Holds::Many || *holds == Holds::OneOrMany && steps.clone().next().is_some_and(is_index);
            if *holds == Holds::Named || listed {
                steps.next();
            }
        }
    }
    found
}

fn is_index(step: &str) -> bool {
    step.bytes().all(|byte| byte.is_ascii_digit())
}
