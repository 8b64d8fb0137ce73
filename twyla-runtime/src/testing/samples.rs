//! Sample events, made from the schemas that their types carry.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::Value;
use twyla_contract::record::{self, Record};
use twyla_sample::{Bundle, Contract, Extent};

use twyla_codec::event::{Event, EventContext, Listen};
use twyla_codec::record::Schema;

/// The opened schemas by digest. A test program has few of them, so they are never freed.
static KNOWN: LazyLock<Mutex<HashMap<&'static str, &'static Contract<'static>>>> = LazyLock::new(Mutex::default);

/// Samples of an event, for every type that can be listened to.
///
/// ```text
/// let input = UserInput { language: None, ..UserInput::sample() };
/// ```
pub trait Sample: Listen {
    /// Returns a readable event with all members that its schema declares. It is always the same event.
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

/// Returns a readable event with all members that its schema declares. It is always the same event.
///
/// # Panics
/// If no valid event is found, because the schema allows none or only values that the search doesn't generate; or if the type
/// has no schema.
#[must_use]
#[track_caller]
pub fn sample<T: Listen>() -> T {
    match samples().into_iter().next() {
        Some(event) => event,
        None => panic!("no {} was found that satisfies its schema ({})", T::NAME, T::SCHEMA),
    }
}

/// Returns up to 12 events that cover the choices of the schema: first the event of [`sample`], then events with other members
/// of an `enum` or other branches of a `oneOf`, and events with only the required members.
///
/// # Panics
/// If the type has no schema, for example a hand-written one.
#[must_use]
#[track_caller]
pub fn samples<T: Listen>() -> Vec<T> {
    values(contract(T::NAME, T::SCHEMAS.content), T::decode)
}

/// Returns a sample context; see [`sample`].
///
/// # Panics
/// As [`sample`].
#[must_use]
#[track_caller]
pub fn sample_context<C: EventContext>() -> C {
    match values(contract("the context", C::COMPILED), C::decode).into_iter().next() {
        Some(context) => context,
        None => panic!("no context was found that satisfies its schema ({})", C::SCHEMA),
    }
}

fn values<T, E>(contract: &Contract<'_>, decode: impl Fn(&[u8]) -> Result<T, E>) -> Vec<T> {
    let values = contract.several(None);
    values.iter().filter_map(|value| decode(value.to_string().as_bytes()).ok()).collect()
}

/// A content that breaks exactly one rule of its contract.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Broken {
    /// The keyword of the rule, for example `maxLength`.
    pub keyword: String,
    /// The JSON Pointer of the value that breaks the rule.
    pub pointer: String,
    /// The violation's message.
    pub message: String,
    /// The content.
    pub content: Value,
}

/// Returns, for each rule of the contract, an event's content that breaks only that rule, to be sent with
/// [`TestBus::give_json`](crate::testing::TestBus::give_json). Omits rules that can't be broken alone.
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
/// If the type has no schema, for example a hand-written one.
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

/// Returns the contract that a type carries.
///
/// # Panics
/// If the type carries no contract, or one that can't be read.
#[track_caller]
pub(super) fn contract(name: &str, schema: &'static Schema) -> &'static Contract<'static> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(schema.digest).copied();
    if let Some(contract) = known {
        return contract;
    }
    // not under the lock, which a panic would poison
    let text = match record::read(schema.record.as_bytes()).as_deref() {
        Ok([Record::Schema { text, .. }]) => text.clone(),
        _ => panic!(
            "{name} has no schema, from which events could be made: only types that `twyla_build` generates have one"
        ),
    };
    let contract = match kept(&text) {
        Ok(contract) => contract,
        Err(why) => panic!("the schema of {name} can't be read: {why}"),
    };
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).entry(schema.digest).or_insert(contract)
}

/// Opens a schema and keeps it for the life of the program.
pub(super) fn kept(text: &str) -> Result<&'static Contract<'static>, String> {
    let bundle: &'static Bundle = Box::leak(Box::new(Bundle::open(text)?));
    Ok(Box::leak(Box::new(bundle.contract()?)))
}

/// Returns the readable sample of another service's contract.
pub(super) fn nice(contract: &Contract<'_>) -> Option<Value> {
    contract.nice(Extent::Whole).next().or_else(|| contract.nice(Extent::Lean).next())
}
