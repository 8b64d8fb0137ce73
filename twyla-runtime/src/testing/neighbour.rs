//! `Neighbour`: checks that events are compatible with another service, known by its manifest.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use twyla_sample::Contract;
use uuid::Uuid;

use super::bus::TestBus;
use super::emission::Emission;
use super::samples::{self, kept, nice};
use super::show;
use crate::service::handler::decode_only::OnlyDecoded;
use crate::service::handler::{Failure, Incoming, Registration, States};
use crate::{Ack, Meta};
use twyla_codec::event::{Emit, EventContext, Listen};

/// The expected `format` of a manifest.
const FORMAT: &str = "twyla-contracts 1";
/// The number of random events tried for each contract, besides the samples.
const RANDOM: u64 = 64;

/// Another service, known by its manifest, the `<service>.contracts.json` that `cargo twyla manifest` writes.
///
/// The two services needn't be built together: the manifest has the schemas that the other service was compiled with.
/// `cargo twyla fleet` proves the same compatibility; this check runs the actual decoders on generated events.
///
/// ```text
/// let shop = Neighbour::read("../contracts/shop.contracts.json")?;
/// shop.expect_understood(listeners![bill]);     // our listeners decode whatever the shop may emit
/// shop.expect_accepts::<Billed>();              // the shop's listeners accept whatever a Billed may be
/// ```
pub struct Neighbour {
    service: String,
    emits: Vec<Emits>,
    listens: Vec<Listens>,
    contracts: HashMap<String, &'static Contract<'static>>,
}

/// The error of an unusable manifest.
#[derive(Debug, PartialEq, Eq)]
pub struct NeighbourError(String);

impl fmt::Display for NeighbourError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NeighbourError {}

#[derive(Deserialize)]
struct Manifest {
    format: String,
    service: String,
    #[serde(default)]
    emits: Vec<Emits>,
    #[serde(default)]
    listens: Vec<Listens>,
    #[serde(default)]
    previous: Vec<Previous>,
    schemas: BTreeMap<String, Box<RawValue>>,
}

#[derive(Deserialize)]
struct Previous {
    #[serde(default)]
    emits: Vec<Emits>,
    #[serde(default)]
    listens: Vec<Listens>,
}

#[derive(Clone, Deserialize, PartialEq, Eq)]
struct Emits {
    event: String,
    content: String,
    context: String,
}

#[derive(Clone, Deserialize, PartialEq, Eq)]
struct Listens {
    event: String,
    group: String,
    content: String,
    context: String,
}

impl Neighbour {
    /// Reads the manifest in a file. A relative path is relative to the package, the working directory of a test.
    ///
    /// # Errors
    /// [`NeighbourError`] if the file can't be read or is not a manifest of this format.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, NeighbourError> {
        let path = path.as_ref();
        let error_in = |why: &dyn fmt::Display| NeighbourError(format!("{}: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| error_in(&error))?;
        Self::parse(&text).map_err(|error| error_in(&error))
    }

    /// Parses a manifest. The service's previous versions in it are checked too, because they may still run.
    ///
    /// # Errors
    /// [`NeighbourError`] if the text is not a manifest of this format.
    pub fn parse(text: &str) -> Result<Self, NeighbourError> {
        let no_manifest = |why: &dyn fmt::Display| NeighbourError(format!("is not a manifest: {why}"));
        let manifest: Manifest = serde_json::from_str(text).map_err(|error| no_manifest(&error))?;
        if manifest.format != FORMAT {
            return Err(NeighbourError(format!("is of the format {:?}, expected {FORMAT:?}", manifest.format)));
        }
        let (mut emits, mut listens) = (manifest.emits, manifest.listens);
        for previous in manifest.previous {
            emits.extend(previous.emits);
            listens.extend(previous.listens);
        }
        let contracts = manifest.schemas.iter().map(|(digest, schema)| match kept(schema.get()) {
            Ok(contract) => Ok((digest.clone(), contract)),
            Err(why) => Err(no_manifest(&format!("the schema {digest} {why}"))),
        });
        let contracts: HashMap<_, _> = contracts.collect::<Result<_, _>>()?;
        let named = emits.iter().flat_map(|it| [&it.content, &it.context]);
        let named = named.chain(listens.iter().flat_map(|it| [&it.content, &it.context]));
        for digest in named {
            if !contracts.contains_key(digest) {
                return Err(no_manifest(&format!("the schema {digest} is missing")));
            }
        }
        Ok(Self { service: manifest.service, emits, listens, contracts })
    }

    fn contract(&self, digest: &str) -> &'static Contract<'static> {
        // `parse` has checked each digest
        self.contracts[digest]
    }

    /// Checks that these listeners decode every event that the other service may emit to them: decodes samples and random
    /// events, made from *its* schemas. The handlers are not called.
    ///
    /// # Panics
    /// If an event is refused; the message shows the event, the rule and the listener. Also if the other service emits none
    /// of the listeners' events, because then nothing was checked.
    #[track_caller]
    pub fn expect_understood(&self, listeners: impl IntoIterator<Item = Registration>) {
        let listeners: Vec<Registration> = listeners.into_iter().collect();
        let mut tried = 0;
        for emits in &self.emits {
            let (content, context) = (self.contract(&emits.content), self.contract(&emits.context));
            for listener in listeners.iter().filter(|it| it.event == emits.event) {
                for (content, context) in instances(content).zip(instances(context).cycle()) {
                    tried += 1;
                    self.understood(listener, &content, &context);
                }
            }
        }
        let emits = self.emits.iter().map(|it| it.event.as_str());
        let listens = listeners.iter().map(|it| it.event);
        assert!(
            tried > 0,
            "nothing was checked: {} emits {}, and these listeners listen to {}",
            self.service,
            names(emits),
            names(listens)
        );
    }

    #[track_caller]
    fn understood(&self, listener: &Registration, content: &Value, context: &Value) {
        let states: States = [(std::any::TypeId::of::<OnlyDecoded>(), Box::new(()) as _)].into_iter().collect();
        let incoming = Incoming {
            content: Bytes::from(content.to_string()),
            context: Bytes::from(context.to_string()),
            meta: Meta::new(listener.event, Uuid::nil()),
            bus: TestBus::new().bus(),
            states: Arc::new(states),
            ack: Ack::detached(),
            transaction: None,
        };
        let (part, value, refusal) = match poll_once((listener.handle)(incoming)) {
            Some(Err(Failure::Content(refusal))) => ("content", content, refusal),
            Some(Err(Failure::Context(refusal))) => ("context", context, refusal),
            _ => return,
        };
        panic!(
            "{} may emit a {} that `{}` in the group `{}` refuses: its {part} breaks the listener's contract: {refusal}\n  {}",
            self.service,
            listener.event,
            listener.handler,
            listener.group,
            show::shortened(&value.to_string())
        );
    }

    /// Checks that the other service's listeners accept every event that `T` encodes: encodes samples and random events here
    /// and validates content and context against *its* schemas.
    ///
    /// # Panics
    /// If an event would be refused; the message shows the event, the rule and the listener's group. Also if the other
    /// service doesn't listen to `T`, because then nothing was checked.
    #[track_caller]
    pub fn expect_accepts<T: Listen + Emit>(&self) {
        let (content, context) =
            (samples::contract(T::NAME, T::SCHEMAS.content), samples::contract("the context", T::Context::COMPILED));
        let mut tried = 0;
        for (content, context) in instances(content).zip(instances(context).cycle()) {
            // validates the encoded event, which may differ from the sample that was decoded
            let (mut written, mut around) = (Vec::new(), Vec::new());
            let Ok(content) = T::decode(content.to_string().as_bytes()) else { continue };
            let Ok(context) = T::Context::decode(context.to_string().as_bytes()) else { continue };
            if content.encode(&mut written).is_ok() && context.encode(&mut around).is_ok() {
                tried += 1;
                self.accepts(T::NAME, &written, &around, None);
            }
        }
        let listens = self.listens.iter().map(|it| it.event.as_str());
        assert!(
            self.listens.iter().any(|it| it.event == T::NAME),
            "nothing was checked: {} doesn't listen to {}, but to {}",
            self.service,
            T::NAME,
            names(listens)
        );
        assert!(tried > 0, "nothing was checked: no {} was found that satisfies its schema ({})", T::NAME, T::SCHEMA);
    }

    /// Checks that the other service's listeners accept the events that were emitted on this bus so far. Returns how many
    /// events were checked.
    ///
    /// # Panics
    /// If an event would be refused, as in [`expect_accepts`](Self::expect_accepts).
    #[track_caller]
    pub fn expect_accepts_emitted(&self, test: &TestBus) -> usize {
        let emitted = test.recorder.log(|log| log.emitted.clone());
        let mut checked = 0;
        for emission in emitted.iter().filter(|it| self.listens.iter().any(|listens| listens.event == it.event)) {
            if let Ok(envelope) = &emission.envelope {
                self.accepts(&emission.event, &envelope.content, &envelope.context, Some(emission));
                checked += 1;
            }
        }
        checked
    }

    /// Asserts that the neighbour accepts an event. Failures show generated events in full, and emitted events without their
    /// sensitive values.
    #[track_caller]
    fn accepts(&self, event: &str, content: &[u8], context: &[u8], emission: Option<&Emission>) {
        for listens in self.listens.iter().filter(|it| it.event == event) {
            for (part, digest, text) in [("content", &listens.content, content), ("context", &listens.context, context)]
            {
                let value: Value = serde_json::from_slice(text).unwrap_or_default();
                let violations = self.contract(digest).violations(&value);
                let Some(violation) = violations.first() else { continue };
                let open = emission.is_none_or(|it| it.record.is_some_and(|record| record.sensitive().is_empty()));
                let why = match open {
                    true => violation.to_string(),
                    false => format!("{} at {:?}", violation.keyword, violation.pointer),
                };
                panic!(
                    "this service emits a {event} that {} refuses in the group `{}`: its {part} breaks the listener's contract: {why}\n  {}",
                    self.service,
                    listens.group,
                    emission.map_or_else(|| show::shortened(&value.to_string()), Emission::shown)
                );
            }
        }
    }
}

impl fmt::Debug for Neighbour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let emits: Vec<_> = self.emits.iter().map(|it| &it.event).collect();
        let listens: Vec<_> = self.listens.iter().map(|it| &it.event).collect();
        f.debug_struct("Neighbour")
            .field("service", &self.service)
            .field("emits", &emits)
            .field("listens", &listens)
            .finish_non_exhaustive()
    }
}

/// Returns samples and random values of a contract.
fn instances(contract: &'static Contract<'static>) -> impl Iterator<Item = Value> + Clone {
    let mut values = contract.several(nice(contract));
    values.extend((0..RANDOM).filter_map(|seed| contract.random(seed)));
    values.into_iter()
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// Polls a future once; returns its output if it is ready.
fn poll_once<T>(mut future: std::pin::Pin<Box<dyn Future<Output = T> + Send>>) -> Option<T> {
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}
