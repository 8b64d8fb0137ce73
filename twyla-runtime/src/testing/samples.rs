//! Events made of the schemas that their types carry.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::Value;
use twyla_contract::record::{self, Record};
use twyla_sample::{Bundle, Contract, Extent};

use crate::contract::event::{Event, EventContext, Listen};
use crate::contract::record::Schema;

/// The schemas that were made something of, by their digests. A test's program has a few, and they stay to its end.
static KNOWN: LazyLock<Mutex<HashMap<&'static str, &'static Contract<'static>>>> = LazyLock::new(Mutex::default);

/// An event that is made from its schema: for every type that can be listened to.
///
/// ```text
/// let input = UserInput { language: None, ..UserInput::sample() };
/// ```
pub trait Sample: Listen {
    /// One that is good to look at, with everything that its schema declares. It is always the same.
    ///
    /// # Panics
    /// As [`sample`].
    #[must_use]
    #[track_caller]
    fn sample() -> Self {
        sample()
    }
}

impl<T: Listen> Sample for T {}

/// An event that is good to look at, with everything that its schema declares. It is always the same.
///
/// # Panics
/// If none is found: the schema allows none, or such as only chance would find. And if the type has no schema.
#[must_use]
#[track_caller]
pub fn sample<T: Listen>() -> T {
    match samples().into_iter().next() {
        Some(event) => event,
        None => panic!("no {} was found that is valid under its schema ({})", T::NAME, T::SCHEMA),
    }
}

/// Some events, each another choice of those that the schema leaves: the first as [`sample`] makes it, then other members of an
/// `enum`, other branches of a `oneOf`, and such as have only what is required; at most 12.
///
/// # Panics
/// If the type has no schema, as one that a test has written by hand.
#[must_use]
#[track_caller]
pub fn samples<T: Listen>() -> Vec<T> {
    values(contract(T::NAME, T::SCHEMAS.content), T::decode)
}

/// As [`sample`], for the context.
///
/// # Panics
/// As [`sample`].
#[must_use]
#[track_caller]
pub fn sample_context<C: EventContext>() -> C {
    match values(contract("the context", C::COMPILED), C::decode).into_iter().next() {
        Some(context) => context,
        None => panic!("no context was found that is valid under its schema ({})", C::SCHEMA),
    }
}

fn values<T, E>(contract: &Contract<'_>, decode: impl Fn(&[u8]) -> Result<T, E>) -> Vec<T> {
    let values = contract.several(None);
    values.iter().filter_map(|value| decode(value.to_string().as_bytes()).ok()).collect()
}

/// A content that breaks one rule of its contract and no other.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Broken {
    /// The keyword of the rule, for example `maxLength`.
    pub keyword: String,
    /// Where in the content the value is that breaks it: a JSON Pointer.
    pub pointer: String,
    /// What is wrong, in words.
    pub message: String,
    /// The content.
    pub content: Value,
}

/// For each rule of the contract a content that breaks it and no other, to be given with
/// [`TestBus::give_json`](crate::testing::TestBus::give_json). There is none of a rule that can't be broken alone.
///
/// ```text
/// for broken in broken::<UserInput>() {
///     test.give_json::<UserInput>(&broken.content, &context).await;
///     let letter = test.expect_parked::<UserInput>("bot");
///     assert_eq!(letter.violations[0].keyword, broken.keyword);
/// }
/// ```
///
/// # Panics
/// If the type has no schema, as one that a test has written by hand.
#[must_use]
#[track_caller]
pub fn broken<T: Event>() -> Vec<Broken> {
    let contract = contract(T::NAME, T::SCHEMAS.content);
    let (broken, _) = contract.broken(&contract.several(None));
    let all = broken.into_iter().map(|twyla_sample::Broken { violation, event }| Broken {
        keyword: violation.keyword,
        pointer: violation.pointer,
        message: violation.message,
        content: event,
    });
    all.collect()
}

/// The contract that a type carries.
///
/// # Panics
/// If it carries none.
#[track_caller]
pub(super) fn contract(name: &str, schema: &'static Schema) -> &'static Contract<'static> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(schema.digest).copied();
    if let Some(contract) = known {
        return contract;
    }
    // not under the lock: what panics here would make it useless
    let text = match record::read(schema.record.as_bytes()).as_deref() {
        Ok([Record::Schema { text, .. }]) => text.clone(),
        _ => panic!("{name} has no schema to make events of: only types that `twyla_build` generates carry one"),
    };
    let contract = match kept(&text) {
        Ok(contract) => contract,
        Err(why) => panic!("the schema of {name} can't be read: {why}"),
    };
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).entry(schema.digest).or_insert(contract)
}

/// Opens a schema and keeps it to the program's end.
pub(super) fn kept(text: &str) -> Result<&'static Contract<'static>, String> {
    let bundle: &'static Bundle = Box::leak(Box::new(Bundle::open(text)?));
    Ok(Box::leak(Box::new(bundle.contract()?)))
}

/// The first value that is good to look at, of a contract that is another's.
pub(super) fn nice(contract: &Contract<'_>) -> Option<Value> {
    contract.nice(Extent::Whole).next().or_else(|| contract.nice(Extent::Lean).next())
}
