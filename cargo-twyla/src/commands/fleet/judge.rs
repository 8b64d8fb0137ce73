//! Compares the contracts of a fleet, each pair once.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use twyla_build::compare::{self, Bundle, Options, SchemaPath, Verdict, Why};

use super::model::Judge;

/// Compares schemas, named by their digests, and caches the verdicts.
pub(crate) struct Comparison<'a> {
    schemas: &'a BTreeMap<String, Bundle>,
    options: Options,
    known: HashMap<(String, String), Rc<Verdict>>,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(schemas: &'a BTreeMap<String, Bundle>) -> Self {
        Self { schemas, options: Options::default(), known: HashMap::new() }
    }
}

impl Judge for Comparison<'_> {
    fn judge(&mut self, producer: &str, consumer: &str) -> Rc<Verdict> {
        let pair = (producer.to_owned(), consumer.to_owned());
        if let Some(known) = self.known.get(&pair) {
            return known.clone();
        }
        let verdict = Rc::new(match (self.schemas.get(producer), self.schemas.get(consumer)) {
            (Some(sent), Some(taken)) => compare::compare(sent, taken, &self.options),
            // can't happen: a manifest has every schema that it names, which is checked when it is read
            _ => Verdict::Undecided(Why {
                keyword: String::new(),
                path: SchemaPath { document: String::new(), pointer: String::new() },
                reason: format!("the schema {producer} or {consumer} is missing"),
            }),
        });
        self.known.insert(pair, verdict.clone());
        verdict
    }
}
