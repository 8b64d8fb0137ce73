//! A folder of event schemas in the shapes that real platforms write, each as often as it is found there.
//!
//! `deck` deals the shapes in their frequencies; `fields` makes a property of each shape; `events` makes the events whose
//! root is one; `maker` is what both have at hand.

mod deck;
mod events;
mod fields;
mod maker;

use std::path::Path;
use std::{fs, io};

use serde_json::{Map, Value, json};

use crate::random::Random;
use deck::Deck;
use maker::{Draft, Maker};

/// The number of events that are compiled and measured.
pub const EVENTS: usize = 100;

/// Writes the files of [`folder`] with [`EVENTS`] events below `root`.
///
/// # Errors
/// A file that can't be written.
pub fn write(root: &Path) -> io::Result<()> {
    for (path, schema) in folder(EVENTS) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(path, format!("{schema:#}"))?;
    }
    Ok(())
}

/// The files of a folder with this many events, each with its path.
///
/// Bounds: at least 100 events have every shape.
#[must_use]
pub fn folder(events: usize) -> Vec<(String, Value)> {
    let mut files = vec![
        ("context.json".to_owned(), json!({ "type": "object", "properties": { "tenant": { "type": "string" } } })),
        ("shared/address.json".to_owned(), fields::address()),
        ("shared/money.json".to_owned(), fields::money()),
        ("shared/audit.json".to_owned(), fields::audit()),
    ];
    let (mut shapes, mut roots) = (Deck::shapes(), Deck::roots());
    for index in 0..events {
        let draft = [Draft::Draft7, Draft::Draft202012, Draft::Draft202012, Draft::Draft7, Draft::Draft4][index % 5];
        let mut maker = Maker {
            random: Random::new(&[25, index as u64]),
            draft,
            shapes: &mut shapes,
            definitions: Map::new(),
            depth: 0,
        };
        let root = roots.deal();
        let schema = maker.event(root, index);
        files.push((format!("events/domain{}/event{index}.json", index / 10), schema));
    }
    files
}
