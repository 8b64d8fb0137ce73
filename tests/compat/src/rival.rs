//! The `jsoncompat` crate, the best of the other checkers, in strict mode: it calls safe only what it proves.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use jsoncompat::{CompatibilityResult, Role, SchemaDocument, analyze_compat};
use serde_json::Value;

use crate::judge::Opinion;

/// The time limit for one direction; a pair that takes longer is undecided.
const PATIENCE: Duration = Duration::from_secs(10);

/// Its verdict on a direction. It knows one draft only, so `$schema` is removed from schemas of others.
#[must_use]
pub fn says(inner: &str, outer: &str) -> Opinion {
    let (inner, outer) = (inner.to_owned(), outer.to_owned());
    let (send, receive) = mpsc::channel();
    let worker = thread::Builder::new().stack_size(256 << 20).spawn(move || {
        let opinion = std::panic::catch_unwind(|| decide(&inner, &outer)).ok().flatten();
        let _ = send.send(opinion);
    });
    if worker.is_err() {
        return Opinion::Undecided("no thread".to_owned());
    }
    match receive.recv_timeout(PATIENCE) {
        Ok(Some(opinion)) => opinion,
        Ok(None) => Opinion::Undecided("it refuses one of the schemas".to_owned()),
        Err(_) => Opinion::Undecided("it takes too long".to_owned()),
    }
}

fn decide(inner: &str, outer: &str) -> Option<Opinion> {
    let document = |text: &str| {
        let mut schema: Value = serde_json::from_str(text).ok()?;
        if let Some(members) = schema.as_object_mut() {
            members.remove("$schema");
        }
        SchemaDocument::from_json(&schema).ok()
    };
    let (new, old) = (document(inner)?, document(outer)?);
    // values written under the new schema must be readable under the old one
    Some(match analyze_compat(&old, &new, Role::Serializer).ok()? {
        CompatibilityResult::Compatible => Opinion::Fits,
        CompatibilityResult::Incompatible { counterexample, .. } => Opinion::Breaks(counterexample),
        CompatibilityResult::Unknown { reason } => Opinion::Undecided(reason),
    })
}
