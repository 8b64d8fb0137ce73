//! Validates a witness against both sides.

use std::sync::Arc;

use serde_json::Value;

use super::bundle::Bundle;
use super::minimize;
use super::shape::Types;
use super::verdict::{Checked, Mode, Witness};
use crate::schema::evaluate::{Cache, Evaluator, Outcome, Received, Undecidable, Valid, Violation, place_of};
use crate::schema::schemas::{Loc, Schemas};

/// Limit of evaluated schemas and copied parts while minimizing.
const MOST: u64 = 1_000_000;

/// The schemas of a contract, resolved together with those of other contracts.
#[derive(Clone, Debug)]
pub(super) struct SharedSchemas {
    pub(super) schemas: Arc<Schemas>,
    pub(super) root: Loc,
    /// `None` if the contract's types are read alone.
    pub(super) types: Option<Types>,
    /// Whether any of the schemas has `unevaluatedItems` or `unevaluatedProperties`.
    pub(super) tracks_evaluated: bool,
}

/// A contract against which values are validated.
pub(super) struct WitnessCheck {
    pub(super) schemas: Arc<Schemas>,
    pub(super) root: Loc,
    cache: Cache,
    /// The generated types of the contract; `None` if values are validated only against the schema.
    pub(super) types: Option<Types>,
}

impl WitnessCheck {
    pub(super) fn new(bundle: &Bundle, mode: Mode) -> Self {
        let (schemas, root) = bundle.resolved();
        let types = (mode == Mode::Contract).then(|| Types::new(&schemas, &root));
        Self { cache: Cache::new(&schemas), schemas: Arc::new(schemas), root, types }
    }

    /// Creates the check of a contract whose schemas are resolved together with those of other contracts.
    pub(super) fn of_shared(shared: &SharedSchemas) -> Self {
        let SharedSchemas { schemas, root, types, tracks_evaluated } = shared.clone();
        let types = types.unwrap_or_else(|| Types::new(&schemas, &root));
        Self { cache: Cache::knowing(&schemas, tracks_evaluated), schemas, root, types: Some(types) }
    }

    /// Returns the number of schemas evaluated so far.
    pub(super) fn spent(&self) -> u64 {
        self.cache.spent()
    }

    fn evaluator(&self) -> Evaluator<'_> {
        Evaluator::new(&self.schemas, &self.cache)
    }

    /// Returns whether the value may be sent.
    pub(super) fn sends(&self, value: &Value) -> Outcome {
        if let Some(types) = &self.types
            && types.unsent(value, self.evaluator())?.is_some()
        {
            return Ok(false);
        }
        self.evaluator().is_valid(value, &self.root)
    }

    /// Returns whether the value is accepted.
    pub(super) fn accepts(&self, value: &Value) -> Outcome {
        Ok(self.unread(value, self.evaluator())?.is_none() && self.evaluator().is_valid(value, &self.root)?)
    }

    /// Returns the first broken rule; `None` if the value is accepted.
    pub(super) fn refuses(&self, value: &Value) -> Result<Option<Violation>, Undecidable> {
        match self.evaluator().broken(value, &self.root)? {
            Some(broken) => Ok(Some(broken)),
            None => self.unread(value, self.evaluator()),
        }
    }

    /// Returns the broken rules, up to `most`, with large numbers as they were received. If `shallow`, values that lead deep into
    /// the schemas are undecidable.
    pub(super) fn all_refused(
        &self,
        value: &Value,
        received: Option<&Received>,
        most: usize,
        shallow: bool,
    ) -> Result<Vec<Violation>, Undecidable> {
        let evaluator = if shallow { self.evaluator().shallow() } else { self.evaluator() }.receiving(received);
        let all = evaluator.all_broken(value, &self.root, most)?;
        Ok(if all.is_empty() { Vec::from_iter(self.unread(value, evaluator)?) } else { all })
    }

    /// Returns the parts of a value that are valid.
    pub(super) fn valid(&self, value: &Value, shallow: bool) -> Result<Valid, Undecidable> {
        let evaluator = if shallow { self.evaluator().shallow() } else { self.evaluator() };
        evaluator.valid(value, &self.root)
    }

    /// Returns the broken rules of a value with parts that are known to be valid.
    pub(super) fn all_refused_but(
        &self,
        valid: &Valid,
        value: &Value,
        most: usize,
        shallow: bool,
    ) -> Result<Vec<Violation>, Undecidable> {
        let evaluator = if shallow { self.evaluator().shallow() } else { self.evaluator() };
        let all = evaluator.knowing(valid).all_broken(value, &self.root, most)?;
        Ok(if all.is_empty() { Vec::from_iter(self.unread(value, evaluator)?) } else { all })
    }

    /// Returns whether the value is valid and the types can read it: [`all_refused_but`](Self::all_refused_but) without the list of
    /// rules.
    pub(super) fn is_read(&self, value: &Value, shallow: bool) -> Outcome {
        let evaluator = if shallow { self.evaluator().shallow() } else { self.evaluator() };
        Ok(evaluator.is_valid(value, &self.root)? && self.unread(value, evaluator)?.is_none())
    }

    /// Returns the part of a value that the types can't read, although it may be valid.
    fn unread(&self, value: &Value, evaluator: Evaluator<'_>) -> Result<Option<Violation>, Undecidable> {
        let Some(types) = &self.types else { return Ok(None) };
        let unread = types.unread(value, evaluator)?;
        Ok(unread.map(|unread| {
            let path = place_of(&self.schemas, &self.root, &unread.pointer, "type");
            Violation { pointer: unread.pointer, keyword: "type".to_owned(), path, rule: unread.rule }
        }))
    }
}

/// Returns the value as a witness, if the producer may send it and the consumer refuses it.
pub(super) fn checked(producer: &WitnessCheck, consumer: &WitnessCheck, value: &Value) -> Option<Witness> {
    if !breaks(producer, consumer, value) {
        return None;
    }
    let Violation { pointer, keyword, path, rule } = consumer.refuses(value).ok().flatten()?;
    Some(Witness { event: value.clone(), pointer, keyword, path, rule, checked: Checked::Evaluated })
}

/// Returns the value as a witness like [`checked`], made as small as possible.
pub(super) fn smallest(producer: &WitnessCheck, consumer: &WitnessCheck, value: &Value) -> Option<Witness> {
    if !breaks(producer, consumer, value) {
        return None;
    }
    let (begun, mut copied) = (producer.spent() + consumer.spent(), 0);
    let demands = |value: &Value| producer.evaluator().demands(value, &producer.root);
    let value = minimize::smallest(value.clone(), demands, |value| {
        copied += parts(value);
        let spent = producer.spent() + consumer.spent() - begun + copied;
        (spent < MOST).then(|| breaks(producer, consumer, value))
    });
    // validate the minimized value against both sides again
    checked(producer, consumer, &value)
}

/// Returns whether the producer may send a value that the consumer refuses.
fn breaks(producer: &WitnessCheck, consumer: &WitnessCheck, value: &Value) -> bool {
    producer.sends(value) == Ok(true) && consumer.accepts(value) == Ok(false)
}

/// Counts a value and all its parts.
fn parts(value: &Value) -> u64 {
    1 + match value {
        Value::Array(items) => items.iter().map(parts).sum(),
        Value::Object(members) => members.values().map(parts).sum(),
        _ => 0,
    }
}
