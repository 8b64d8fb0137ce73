//! Strategies for proptest: generate valid events, and shrink a failing event.

use std::fmt;
use std::marker::PhantomData;

use proptest::prelude::Rng;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::Value;
use twyla_sample::Contract;

use super::samples::contract;
use twyla_codec::event::{EventContext, Listen};

/// Returns a strategy for valid events of a type: texts that match their patterns, numbers up to their bounds, with and
/// without optional members.
///
/// A failing event shrinks and stays valid: members are removed, lists and texts get shorter, numbers get closer to zero.
///
/// ```text
/// proptest! {
///     #[test]
///     fn every_input_has_an_answer(input in any::<UserInput>()) {
///         prop_assert!(!reply_to(&input.emission).text.is_empty());
///     }
/// }
/// ```
///
/// # Panics
/// If the type has no schema, for example a hand-written one.
#[track_caller]
pub fn any<T: Listen + fmt::Debug>() -> Any<T> {
    Any { contract: contract(T::NAME, T::SCHEMAS.content), of: PhantomData }
}

/// Returns a strategy for valid contexts; see [`any`].
///
/// # Panics
/// As [`any`].
#[track_caller]
pub fn any_context<C: EventContext + fmt::Debug>() -> AnyContext<C> {
    AnyContext { contract: contract("the context", C::COMPILED), of: PhantomData }
}

/// The strategy of [`any`].
#[must_use = "strategies do nothing unless used"]
pub struct Any<T> {
    contract: &'static Contract<'static>,
    of: PhantomData<fn() -> T>,
}

/// The strategy of [`any_context`].
#[must_use = "strategies do nothing unless used"]
pub struct AnyContext<C> {
    contract: &'static Contract<'static>,
    of: PhantomData<fn() -> C>,
}

impl<T: Listen + fmt::Debug> Strategy for Any<T> {
    type Tree = Generated<T>;
    type Value = T;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        Generated::new(self.contract, |text| T::decode(text).ok(), runner)
    }
}

impl<C: EventContext + fmt::Debug> Strategy for AnyContext<C> {
    type Tree = Generated<C>;
    type Value = C;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        Generated::new(self.contract, |text| C::decode(text).ok(), runner)
    }
}

/// A generated value with its candidates for shrinking.
pub struct Generated<T> {
    contract: &'static Contract<'static>,
    decode: fn(&[u8]) -> Option<T>,
    /// The smallest value known to fail.
    failing: Value,
    /// Smaller values that are not yet tried.
    smaller: Box<dyn Iterator<Item = Value>>,
    now: (Value, T),
}

/// The maximum number of seeds tried to find a value that the type accepts.
const SEEDS: usize = 16;

impl<T: fmt::Debug> Generated<T> {
    fn new(
        contract: &'static Contract<'static>,
        decode: fn(&[u8]) -> Option<T>,
        runner: &mut TestRunner,
    ) -> Result<Self, proptest::test_runner::Reason> {
        let found = (0..SEEDS).find_map(|_| {
            let value = contract.random(runner.rng().next_u64())?;
            let typed = decode(value.to_string().as_bytes())?;
            Some((value, typed))
        });
        let now = found.ok_or("no event was found that satisfies the schema")?;
        let mut generated =
            Self { contract, decode, failing: now.0.clone(), smaller: Box::new(std::iter::empty()), now };
        generated.look_below();
        Ok(generated)
    }

    /// Continues the search with values smaller than the current one.
    fn look_below(&mut self) {
        self.failing = self.now.0.clone();
        let contract = self.contract;
        let below = self.failing.clone();
        self.smaller =
            Box::new(std::iter::once(below).flat_map(move |below| contract.simpler(&below).collect::<Vec<_>>()));
    }

    fn next_smaller(&mut self) -> bool {
        let decode = self.decode;
        let next = self.smaller.by_ref().find_map(|value| {
            let typed = decode(value.to_string().as_bytes())?;
            Some((value, typed))
        });
        let found = next.is_some();
        if let Some(next) = next {
            self.now = next;
        }
        found
    }
}

impl<T: fmt::Debug> ValueTree for Generated<T> {
    type Value = T;

    fn current(&self) -> T {
        let (value, _) = &self.now;
        match (self.decode)(value.to_string().as_bytes()) {
            Some(typed) => typed,
            None => unreachable!("it was decoded before"),
        }
    }

    fn simplify(&mut self) -> bool {
        self.look_below();
        self.next_smaller()
    }

    fn complicate(&mut self) -> bool {
        if self.next_smaller() {
            return true;
        }
        // no smaller value fails: back to the smallest that does
        if let Some(typed) = (self.decode)(self.failing.to_string().as_bytes()) {
            self.now = (self.failing.clone(), typed);
        }
        false
    }
}

impl<T> fmt::Debug for Any<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Any").field(self.contract).finish()
    }
}

impl<C> fmt::Debug for AnyContext<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyContext").field(self.contract).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for Generated<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Generated").field(&self.now.1).finish()
    }
}
