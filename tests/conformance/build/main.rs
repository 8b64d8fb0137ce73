//! Compiles every group of the suite and every generated schema, each into a module of its own, a file for each draft.
//!
//! The rooms: [`suite`] reads the official suite, [`module`] makes code of one group.

#[path = "../src/group.rs"]
#[allow(dead_code, unreachable_pub, reason = "the test reads it, this writes it")]
mod group;
mod module;
mod suite;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{env, fs, thread};

use group::{Group, Kind, Prepared, Way};
use serde_json::value::RawValue;

/// How many schemas are generated for each draft, unless `TWYLA_CONFORMANCE_SCHEMAS` says otherwise.
const SCHEMAS: usize = 20;

fn main() {
    for watched in ["build", "src/group.rs"] {
        println!("cargo::rerun-if-changed={watched}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let suite = suite::folder();
    let many = number("TWYLA_CONFORMANCE_SCHEMAS").unwrap_or(SCHEMAS);
    let seed = number("TWYLA_CONFORMANCE_SEED").unwrap_or(0);
    for draft in group::DRAFTS {
        let mut prepared = suite::read(&suite, draft);
        prepared.groups.extend((0..many).map(|index| generated(draft, seed as u64, index as u64)));
        draft_code(draft, &out, &suite, prepared);
    }
}

/// A group of a generated schema, whose cases are generated when it runs.
fn generated(draft: &str, seed: u64, index: u64) -> Group {
    let schema = twyla_generate::schemas::schema(draft, seed, index);
    Group {
        kind: Kind::Generated,
        file: "generated".into(),
        description: format!("{draft}, seed {seed}, schema {index}"),
        schema: RawValue::from_string(schema.to_string()).expect("is JSON"),
        cases: Vec::new(),
        way: Way::Typed,
    }
}

fn number(name: &str) -> Option<usize> {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")))
}

/// Writes what a draft's program includes: `<draft>.json`, the groups, and `<draft>.rs`, their code.
fn draft_code(draft: &str, out: &Path, suite: &Path, mut prepared: Prepared) {
    let folder = out.join(draft);
    // what an earlier build has left there is of other groups
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("OUT_DIR can be written");
    let open = Mutex::new(prepared.groups.iter_mut().enumerate());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((number, group)) = { open.lock().expect("nobody panics with it").next() } {
                    group.way = module::compile(draft, number, group, &folder, suite);
                }
            });
        }
    });
    let mut modules = String::new();
    let mut table = String::new();
    for (number, Group { way, .. }) in prepared.groups.iter().enumerate() {
        if matches!(way, Way::Refused(_)) {
            continue;
        }
        writeln!(modules, "#[path = {:?}]\npub mod g{number};", folder.join(format!("g{number}.rs")))
            .expect("is memory");
        writeln!(table, "    ({number}, ::twyla_conformance::run::check::<g{number}::a::B>),").expect("is memory");
    }
    let code = format!("{modules}\npub static CHECKS: &[(usize, ::twyla_conformance::run::Check)] = &[\n{table}];\n");
    let text = serde_json::to_string(&prepared).expect("has only names for keys");
    fs::write(out.join(format!("{draft}.rs")), code).expect("OUT_DIR can be written");
    fs::write(out.join(format!("{draft}.json")), text).expect("OUT_DIR can be written");
}
