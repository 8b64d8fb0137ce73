//! The table of layers: which modules of a crate may import which.
//!
//! It stands in a Markdown page under the heading `## Layers`. A row is one layer of one crate, and the rows of a crate go from
//! the lowest layer to the highest. A layer may import itself and the layers below it. The last column names modules by their
//! paths below `src`, without `.rs`. A folder means all files in it, `FOLDER/mod` its `mod.rs` alone; the longest name that
//! matches a file counts.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::graph::{Files, list};

/// A page without a readable table.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("expected a table under the heading `## Layers`")]
    Missing,
    #[error("expected a crate, a layer and its modules in each row of the table of layers, found {0:?}")]
    Row(Vec<String>),
}

/// The layers of each crate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table(BTreeMap<String, Layers>);

/// The layers of one crate, lowest first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Layers(Vec<Layer>);

#[derive(Debug, PartialEq, Eq)]
struct Layer {
    name: String,
    modules: Vec<String>,
}

impl Table {
    /// Reads the first table under the heading `## Layers`.
    pub(super) fn parse(page: &str) -> Result<Self, Error> {
        let mut crates: BTreeMap<String, Layers> = BTreeMap::new();
        for row in rows(page).ok_or(Error::Missing)? {
            let [crate_, name, modules] = &row[..] else { return Err(Error::Row(row)) };
            let modules: Vec<String> = modules.split(',').map(|module| module.trim().to_owned()).collect();
            if crate_.is_empty() || name.is_empty() || modules.iter().any(String::is_empty) {
                return Err(Error::Row(row));
            }
            let layer = Layer { name: name.clone(), modules };
            crates.entry(crate_.clone()).or_default().0.push(layer);
        }
        if crates.is_empty() { Err(Error::Missing) } else { Ok(Self(crates)) }
    }

    /// Returns the layers of a crate.
    pub(super) fn of(&self, crate_: &str) -> Option<&Layers> {
        self.0.get(crate_)
    }

    /// Returns the names of the crates with layers.
    pub(super) fn crates(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Returns the cells of each row of the table, without its head; `None` if the page has no such table.
fn rows(page: &str) -> Option<Vec<Vec<String>>> {
    let mut events = Parser::new_ext(page, Options::ENABLE_TABLES);
    let mut heading = None;
    events.find(|event| {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }) => heading = Some(String::new()),
            Event::Text(text) => heading.iter_mut().for_each(|heading| heading.push_str(text)),
            Event::End(TagEnd::Heading(_)) => return heading.take().is_some_and(|heading| heading == "Layers"),
            _ => {}
        }
        false
    })?;
    let within =
        |event: &Event| !matches!(event, Event::Start(Tag::Heading { level: HeadingLevel::H1 | HeadingLevel::H2, .. }));
    let mut events = events.take_while(within);
    events.find(|event| matches!(event, Event::End(TagEnd::TableHead)))?;
    let mut rows: Vec<Vec<String>> = Vec::new();
    for event in events {
        match event {
            Event::Start(Tag::TableRow) => rows.push(Vec::new()),
            Event::Start(Tag::TableCell) => rows.last_mut()?.push(String::new()),
            Event::Text(text) | Event::Code(text) => rows.last_mut()?.last_mut()?.push_str(&text),
            Event::End(TagEnd::Table) => break,
            _ => {}
        }
    }
    Some(rows)
}

impl Layers {
    /// Returns the problems of a crate's files: imports that go up a layer, files without a layer, names without a file.
    pub(super) fn check(&self, files: &Files) -> Vec<String> {
        let mut problems = Vec::new();
        let mut unused: BTreeSet<(usize, &str)> = BTreeSet::new();
        let mut named: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, layer) in self.0.iter().enumerate() {
            for module in &layer.modules {
                unused.insert((index, module));
                if let Some(other) = named.insert(module, index) {
                    let (one, other) = (&layer.name, &self.0[other].name);
                    problems.push(format!("the layers `{other}` and `{one}` both name `{module}`: keep one"));
                }
            }
        }
        let mut layers: BTreeMap<&str, usize> = BTreeMap::new();
        for file in files.keys() {
            match self.of(file) {
                Some((layer, module)) => {
                    unused.remove(&(layer, module));
                    layers.insert(file, layer);
                }
                None => problems.push(format!("`{file}` is in no layer: name it in a row of the table of layers")),
            }
        }
        for (from, imports) in files {
            for (to, names) in imports {
                let (Some(&low), Some(&high)) = (layers.get(&**from), layers.get(&**to)) else { continue };
                if high > low {
                    let (below, above) = (&self.0[low].name, &self.0[high].name);
                    problems.push(format!(
                        "`{from}` ({below}) imports {} of `{to}` ({above}), a layer above it",
                        list(names)
                    ));
                }
            }
        }
        let without_file = unused.into_iter().map(|(layer, module)| {
            format!("the layer `{}` names `{module}`, which matches no file", self.0[layer].name)
        });
        problems.extend(without_file);
        problems
    }

    /// Returns the layer of a file, and the name in the table that matches it.
    fn of(&self, file: &str) -> Option<(usize, &str)> {
        let folder = file.strip_suffix("/mod").unwrap_or(file);
        let matches = |module: &str| {
            module == file || folder.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let named =
            self.0.iter().enumerate().flat_map(|(layer, it)| it.modules.iter().map(move |name| (layer, &**name)));
        named.filter(|(_, name)| matches(name)).max_by_key(|(_, name)| name.len())
    }
}
