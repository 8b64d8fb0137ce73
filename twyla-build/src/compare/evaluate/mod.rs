//! Holding one value to a schema, by the schema's own keywords: the judge of every witness. It shares nothing with the
//! search for them but how a schema is read.
//!
//! `values` has the rules of one value, `nested` those of items and members, `combined` those of further schemas, and
//! `equal` is when two values are one, and `place` is where rules stand.

mod combined;
mod equal;
mod nested;
mod place;
mod values;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use serde_json::Value;

use super::verdict::SchemaPath;
use crate::draft::{HOLDERS, Holds};
use crate::load::{Json, Node, step};
use crate::resolve::{Loc, Schemas};
use crate::trees::Scopes;

pub(super) use equal::equal;
pub(super) use place::place_of;
pub(super) use values::Matcher;

/// Schemas within each other, all references followed.
const DEEPEST: usize = 2_000;
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
    schemas: &'a Schemas,
    kept: &'a Kept,
}

/// What is kept from one value to the next.
#[derive(Debug)]
pub(crate) struct Kept {
    scopes: Scopes,
    patterns: RefCell<HashMap<String, Rc<Matcher>>>,
    /// Steps for this value, and for all values before it.
    steps: Cell<u64>,
    spent: Cell<u64>,
}

impl Kept {
    pub(crate) fn new(schemas: &Schemas) -> Self {
        Self {
            scopes: Scopes::new(schemas),
            patterns: RefCell::new(HashMap::new()),
            steps: Cell::new(0),
            spent: Cell::new(0),
        }
    }

    /// How many schemas were held to values so far.
    pub(crate) fn spent(&self) -> u64 {
        self.spent.get() + self.steps.get()
    }

    fn begin(&self) {
        self.spent.set(self.spent());
        self.steps.set(0);
    }
}

/// What was looked at of one value, by the rules of a schema.
#[derive(Clone, Debug, Default)]
struct Seen {
    all: bool,
    names: BTreeSet<String>,
    indexes: BTreeSet<usize>,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.all |= other.all;
        self.names.extend(other.names);
        self.indexes.extend(other.indexes);
    }
}

/// Where an evaluation is.
#[derive(Clone, Copy)]
struct Place<'p> {
    /// The way to the value, the innermost step first.
    at: Option<&'p At<'p>>,
    /// The resources on the way to the schema, the innermost first.
    scope: Option<&'p Scope<'p>>,
    deep: usize,
}

struct At<'p> {
    outer: Option<&'p At<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

struct Scope<'p> {
    outer: Option<&'p Scope<'p>>,
    base: &'p str,
}

impl Place<'_> {
    fn pointer(&self) -> String {
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

/// Where the first broken rule is noted; nowhere, where only the answer matters.
struct Out<'o>(Option<&'o mut Option<Broken>>);

impl Out<'_> {
    fn quick() -> Self {
        Self(None)
    }
}

/// One schema that a value is held to.
struct Schema<'a> {
    loc: &'a Loc,
    node: &'a Node,
    schemas: &'a Schemas,
}

impl<'a> Schema<'a> {
    fn get(&self, keyword: &str) -> Option<&'a Node> {
        self.node.get(keyword).filter(|_| self.schemas.knows(self.loc, keyword))
    }

    fn at(&self, keyword: &str) -> Loc {
        self.loc.step(keyword)
    }
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(schemas: &'a Schemas, kept: &'a Kept) -> Self {
        Self { schemas, kept }
    }

    /// The first rule of a schema that a value breaks.
    pub(crate) fn broken(&self, value: &Value, loc: &Loc) -> Result<Option<Broken>, Unknown> {
        self.kept.begin();
        let mut broken = None;
        let place = Place { at: None, scope: None, deep: 0 };
        let holds = self.check(value, loc, place, &mut Out(Some(&mut broken)), &mut Seen::default())?;
        // a value that breaks a rule nobody noted would be a mistake of ours: then nothing is known
        if holds { Ok(None) } else { broken.map(Some).ok_or(Unknown) }
    }

    /// Whether a value breaks no rule of a schema.
    pub(crate) fn is_valid(&self, value: &Value, loc: &Loc) -> Held {
        self.kept.begin();
        let place = Place { at: None, scope: None, deep: 0 };
        self.check(value, loc, place, &mut Out::quick(), &mut Seen::default())
    }

    fn check(&self, value: &Value, loc: &Loc, place: Place<'_>, out: &mut Out<'_>, seen: &mut Seen) -> Held {
        self.kept.steps.set(self.kept.steps.get() + 1);
        if place.deep > DEEPEST || self.kept.steps.get() > MOST {
            return Err(Unknown);
        }
        let Some(node) = self.schemas.node(loc) else { return Ok(true) };
        if let Json::Bool(holds) = node.json {
            if !holds {
                self.tell(out, loc, holder(loc), place, || "no value is allowed here".to_owned());
            }
            return Ok(holds);
        }
        let schema = Schema { loc, node, schemas: self.schemas };
        let base = self.schemas.base(loc);
        let scope = Scope { outer: place.scope, base };
        let entered = place.scope.is_none_or(|scope| scope.base != base);
        let place = Place { scope: if entered { Some(&scope) } else { place.scope }, deep: place.deep + 1, ..place };
        // what schemas around have looked at doesn't count here, what is looked at here counts there
        let mut own = Seen::default();
        let alone = self.schemas.draft(loc).ref_stands_alone() && self.schemas.refs.contains_key(loc);
        let holds = (alone
            || self.single(value, &schema, place, out)? && self.nested(value, &schema, place, out, &mut own)?)
            && self.references(value, &schema, place, out, &mut own)?
            && (alone
                || self.combined(value, &schema, place, out, &mut own)?
                    && self.unevaluated(value, &schema, place, out, &mut own)?);
        seen.add(own);
        Ok(holds)
    }

    /// Notes a broken rule, if none is noted. Always false, as the value is not valid.
    fn tell(
        &self,
        out: &mut Out<'_>,
        at: &Loc,
        keyword: &str,
        place: Place<'_>,
        rule: impl FnOnce() -> String,
    ) -> bool {
        if let Some(noted) = out.0.as_deref_mut()
            && noted.is_none()
        {
            *noted = Some(Broken {
                pointer: place.pointer(),
                keyword: keyword.to_owned(),
                path: SchemaPath::of(self.schemas, at),
                rule: rule(),
            });
        }
        false
    }
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
