//! Compiles every group of the suite and every generated schema, in several placements, each into its own module, with
//! one file for each draft.
//!
//! [`suite`] reads the official suite, [`placement`] places a group's schema in a folder, [`module`] generates the code
//! of a folder.

#[path = "../src/group.rs"]
#[allow(dead_code, unreachable_pub, reason = "the build script writes the values, and the test reads them")]
mod group;
mod module;
mod placement;
mod suite;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{env, fs, thread};

use group::{Folder, Group, Kind, Placement, Prepared, Way};
use serde_json::Value;
use serde_json::value::RawValue;

/// The number of schemas generated for each draft, unless `TWYLA_CONFORMANCE_SCHEMAS` sets it.
const SCHEMAS: usize = 20;

fn main() {
    for watched in ["build", "src/group.rs"] {
        println!("cargo::rerun-if-changed={watched}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let suite = suite::folder();
    let many = number("TWYLA_CONFORMANCE_SCHEMAS").unwrap_or(SCHEMAS);
    let seed = number("TWYLA_CONFORMANCE_SEED").unwrap_or(0);
    println!("cargo::rerun-if-env-changed=TWYLA_CONFORMANCE_PLACEMENTS");
    let all = env::var("TWYLA_CONFORMANCE_PLACEMENTS").is_ok_and(|which| which == "all");
    let part = Part::asked();
    for draft in group::DRAFTS {
        let mut prepared = suite::read(&suite, draft);
        prepared.groups.extend((0..many).map(|index| generated(draft, seed as u64, index as u64)));
        draft_code(draft, &out, &suite, prepared, all, part);
    }
}

/// A group of a generated schema, whose cases are generated at run time.
fn generated(draft: &str, seed: u64, index: u64) -> Group {
    let schema = twyla_generate::schemas::schema(draft, seed, index);
    let schema = RawValue::from_string(schema.to_string()).expect("is JSON");
    Group::new(Kind::Generated, "generated", format!("{draft}, seed {seed}, schema {index}"), schema, Vec::new())
}

fn number(name: &str) -> Option<usize> {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")))
}

/// The groups to compile: all of them in all placements take too much memory in one run of the compiler.
#[derive(Clone, Copy)]
struct Part {
    number: usize,
    of: usize,
}

impl Part {
    /// `TWYLA_CONFORMANCE_PART=0/6` is the first of six parts; all groups if unset.
    fn asked() -> Self {
        const NAME: &str = "TWYLA_CONFORMANCE_PART";
        println!("cargo::rerun-if-env-changed={NAME}");
        let Ok(text) = env::var(NAME) else { return Self { number: 0, of: 1 } };
        let read = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match read {
            Some((number, of)) if number < of => Self { number, of },
            _ => panic!("{NAME} is a part of several, as 0/6, not `{text}`"),
        }
    }

    fn has(self, index: usize) -> bool {
        index % self.of == self.number
    }
}

/// Places groups and writes their code.
struct Writer<'a> {
    draft: &'a str,
    suite: &'a Path,
    /// The output folder.
    folder: PathBuf,
    /// Whether each group is compiled in each placement, instead of some by turns.
    all: bool,
}

/// Writes the files that a draft's program includes: `<draft>.json`, the groups, and `<draft>.rs`, their code.
fn draft_code(draft: &str, out: &Path, suite: &Path, mut prepared: Prepared, all: bool, part: Part) {
    let folder = out.join(draft);
    // remove the groups of earlier builds
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("OUT_DIR can be written");
    let writer = Writer { draft, suite, folder, all };
    let plain = std::mem::take(&mut prepared.groups);
    let work = (0..plain.len()).map(|index| vec![(index, Placement::Shared)]).collect();
    let first = writer.compile(&plain, &vec![true; plain.len()], work, 0, &mut prepared.unplaced);
    // a group refused in one placement is refused in all
    let sound: Vec<bool> = first.iter().map(|(_, group)| !matches!(group.way, Way::Refused(_))).collect();
    let own = (0..plain.len()).filter(|index| part.has(*index));
    let work = own.map(|index| writer.places(&plain, &sound, index)).collect();
    let others = writer.compile(&plain, &sound, work, plain.len(), &mut prepared.unplaced);
    // each with the number of its file
    let others = others.into_iter().zip(plain.len()..);
    let all = first.into_iter().zip(0..).chain(others).filter(|((index, _), _)| part.has(*index));
    let (mut placed, files): (Vec<_>, Vec<usize>) = all.unzip();
    writer.choose(&plain, &mut placed);
    prepared.groups = placed.into_iter().map(|(_, group)| group).collect();
    let mut modules = String::new();
    let mut table = String::new();
    for ((number, Group { way, probes, .. }), file) in prepared.groups.iter().enumerate().zip(files) {
        if matches!(way, Way::Refused(_)) {
            continue;
        }
        let path = writer.folder.join(format!("g{file}.rs"));
        writeln!(modules, "#[path = {path:?}]\npub mod g{file};").expect("is memory");
        let checks = probes
            .iter()
            .map(|probe| format!("::twyla_conformance::run::check::<g{file}::a::{}>", probe.event.to_uppercase()));
        writeln!(table, "    ({number}, &[{}]),", checks.collect::<Vec<_>>().join(", ")).expect("is memory");
    }
    let code =
        format!("{modules}\npub static CHECKS: &[(usize, &[::twyla_conformance::run::Check])] = &[\n{table}];\n");
    let text = serde_json::to_string(&prepared).expect("has only names for keys");
    fs::write(out.join(format!("{draft}.rs")), code).expect("OUT_DIR can be written");
    fs::write(out.join(format!("{draft}.json")), text).expect("OUT_DIR can be written");
}

impl Writer<'_> {
    /// The placements of a group in addition to the first: all of them, or an event's and one of the others by turns.
    fn places(&self, groups: &[Group], sound: &[bool], index: usize) -> Vec<(usize, Placement)> {
        if !sound[index] {
            return Vec::new();
        }
        let others = Placement::OTHERS;
        let can_be = |placement: &Placement| self.placed(groups, sound, index, *placement).is_some();
        let placements = if self.all {
            others.into_iter().filter(can_be).collect()
        } else {
            let (events, others) = others.split_at(2);
            let turn = |from: usize| others.iter().copied().cycle().skip(from % others.len()).take(others.len());
            std::iter::once(events[index % 2]).chain(turn(index / 2).find(can_be)).collect::<Vec<_>>()
        };
        placements.into_iter().map(|placement| (index, placement)).collect()
    }

    fn placed(&self, groups: &[Group], sound: &[bool], index: usize, placement: Placement) -> Option<Group> {
        let group = &groups[index];
        let beside = (placement == Placement::Pair).then(|| beside(groups, sound, index)).flatten();
        let placed = placement::placed(self.draft, placement, group, beside)?;
        let mut documents: BTreeMap<String, PathBuf> = BTreeMap::new();
        for group in [Some(group), beside].into_iter().flatten().filter(|group| group.kind != Kind::Generated) {
            documents.extend(suite::remotes(self.suite, self.draft, group.schema.get()));
        }
        let formats = asserts_formats(group);
        let folder = Folder { files: placed.files, documents: documents.into_iter().collect(), formats };
        Some(Group { placement, probes: placed.probes, folder: Some(folder), ..group.clone() })
    }

    /// Compiles groups in their placements, with a thread for each core, and numbers them starting at `from`. Returns each
    /// with the index of its group.
    fn compile(
        &self,
        groups: &[Group],
        sound: &[bool],
        work: Vec<Vec<(usize, Placement)>>,
        from: usize,
        unplaced: &mut BTreeMap<String, usize>,
    ) -> Vec<(usize, Group)> {
        let work: Vec<(usize, Placement)> = work.into_iter().flatten().collect();
        let open = Mutex::new(work.iter().enumerate());
        let done = Mutex::new(Vec::new());
        let workers = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some((number, (index, placement))) =
                        { open.lock().expect("no thread panics with the lock").next() }
                    {
                        let group = self.placed(groups, sound, *index, *placement);
                        let mut group = group.expect("it was asked whether it can be there");
                        let what =
                            format!("{} / {}, {placement}: {}", group.file, group.description, group.schema.get());
                        let folder = group.folder.as_ref().expect("it has been placed");
                        let way = module::compile(self.draft, from + number, &what, folder, &self.folder);
                        let made = way.map(|way| group.way = way).map(|()| (*index, group));
                        done.lock().expect("no thread panics with the lock").push((number, made));
                    }
                });
            }
        });
        let mut done = done.into_inner().expect("no thread panics with the lock");
        done.sort_by_key(|(number, _)| *number);
        let (placed, none): (Vec<_>, Vec<_>) = done.into_iter().partition(|(_, made)| made.is_some());
        if !none.is_empty() {
            *unplaced.entry("their schema allows no object, so it can't be an event's".to_owned()).or_default() +=
                none.len();
        }
        // number the remaining groups without gaps
        let mut numbered = Vec::new();
        for (number, made) in placed {
            let (old, new) = (from + number, from + numbered.len());
            if old != new {
                let path = |number: usize| self.folder.join(format!("g{number}.rs"));
                let _ = fs::rename(path(old), path(new));
            }
            numbered.extend(made);
        }
        numbered
    }

    /// Keeps the folders that `cargo twyla validate` checks: all, or one per group, by turns.
    fn choose(&self, groups: &[Group], placed: &mut [(usize, Group)]) {
        if self.all {
            return;
        }
        let mut counts = vec![0; groups.len()];
        placed.iter().for_each(|(index, _)| counts[*index] += 1);
        let mut seen = vec![0; groups.len()];
        for (index, group) in placed {
            if seen[*index] != *index % counts[*index] {
                group.folder = None;
            }
            seen[*index] += 1;
        }
    }
}

/// False for the file `format` of the suite, whose cases expect that `format` is an annotation.
fn asserts_formats(group: &Group) -> bool {
    group.file != "format"
}

/// The next group that can share a folder with this one: their schemas have no name in common.
fn beside<'a>(groups: &'a [Group], sound: &[bool], index: usize) -> Option<&'a Group> {
    let own = names(&groups[index]);
    let after = (index + 1..groups.len()).chain(0..index).take(50);
    let mut found = after.filter(|other| sound[*other]).map(|other| &groups[other]);
    found.find(|other| asserts_formats(other) == asserts_formats(&groups[index]) && names(other).is_disjoint(&own))
}

/// The names of a group's schemas.
fn names(group: &Group) -> BTreeSet<String> {
    fn collect(value: &Value, names: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    if let ("id" | "$id", Value::String(name)) = (key.as_str(), value) {
                        names.insert(name.clone());
                    }
                    collect(value, names);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    // a number beyond all of them isn't a name
    if let Ok(schema) = serde_json::from_str(group.schema.get()) {
        collect(&schema, &mut found);
    }
    found
}
