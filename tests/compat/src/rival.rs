//! The `jsoncompat` crate, the best of the other checkers, in its strict way: safe is only what it proves.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use jsoncompat::{CompatibilityResult, Role, SchemaDocument, analyze_compat};
use serde_json::Value;

use crate::judge::Said;

/// How long it may take for one direction; a pair that takes longer is undecided.
const PATIENCE: Duration = Duration::from_secs(10);

/// What it says of a direction. It knows one draft only: a schema that names another is given to it without that name.
#[must_use]
pub fn says(inner: &str, outer: &str) -> Said {
    let (inner, outer) = (inner.to_owned(), outer.to_owned());
    let (send, receive) = mpsc::channel();
    let worker = thread::Builder::new().stack_size(256 << 20).spawn(move || {
        let said = std::panic::catch_unwind(|| decide(&inner, &outer)).ok().flatten();
        let _ = send.send(said);
    });
    if worker.is_err() {
        return Said::Undecided("no thread".to_owned());
    }
    match receive.recv_timeout(PATIENCE) {
        Ok(Some(said)) => said,
        Ok(None) => Said::Undecided("it refuses one of the schemas".to_owned()),
        Err(_) => Said::Undecided("it takes too long".to_owned()),
    }
}

fn decide(inner: &str, outer: &str) -> Option<Said> {
    let document = |text: &str| {
        let mut schema: Value = serde_json::from_str(text).ok()?;
        if let Some(members) = schema.as_object_mut() {
            members.remove("$schema");
        }
        SchemaDocument::from_json(&schema).ok()
    };
    let (new, old) = (document(inner)?, document(outer)?);
    // what is written under the new schema must be readable under the old one
    Some(match analyze_compat(&old, &new, Role::Serializer).ok()? {
        CompatibilityResult::Compatible => Said::Fits,
        CompatibilityResult::Incompatible { counterexample, .. } => Said::Breaks(counterexample),
        CompatibilityResult::Unknown { reason } => Said::Undecided(reason),
    })
}
