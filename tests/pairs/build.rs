//! Compiles pairs of contracts, both sides of each: handwritten ones, and generated ones with one change.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::{Value, json};
use twyla_build::compare::ContractKind;
use twyla_build::{Builder, Draft};
use twyla_generate::random::Random;
use twyla_generate::{DRAFTS, mutate, schemas};

/// The handwritten pairs.
const BY_HAND: &[(&str, &str, bool)] = include!("by_hand.rs");

/// The number of pairs generated for each draft, unless `TWYLA_PAIRS` sets it.
const GENERATED: u64 = 8;

const DRAFT: [Draft; 5] = [Draft::Draft4, Draft::Draft6, Draft::Draft7, Draft::Draft201909, Draft::Draft202012];

fn main() {
    for watched in ["build.rs", "by_hand.rs"] {
        println!("cargo::rerun-if-changed={watched}");
    }
    let number = |name: &str, otherwise: u64| {
        println!("cargo::rerun-if-env-changed={name}");
        env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (many, seed) = (number("TWYLA_PAIRS", GENERATED), number("TWYLA_PAIRS_SEED", 5));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut code = Code::default();
    for (index, (producer, consumer, _)) in BY_HAND.iter().enumerate() {
        let name = format!("by hand {index}");
        assert!(code.pair(&out, &name, 4, producer, consumer), "{name} has a side that can't be compiled");
    }
    for (draft, name) in DRAFTS.iter().enumerate() {
        let mut made = 0;
        for index in 0..many * 20 {
            let schema = schemas::schema(name, seed, index);
            let changed = mutate::changed(name, &schema, &mut Random::new(&[seed, index]));
            if schema == changed || !is_object(&schema) || made == many {
                continue;
            }
            let title = format!("{name}, seed {seed}, schema {index}");
            // replaced types change neither what is sent nor what is read
            let [schema, changed] = [schema, changed].map(|schema| {
                if made % 2 == 0 { schema } else { replaced(schema, &mut Random::new(&[seed, index, 1])) }
            });
            made += u64::from(code.pair(&out, &title, draft, &schema.to_string(), &changed.to_string()));
        }
        assert!(made == many || many > GENERATED, "only {made} pairs of {name}");
    }
    let text = format!("{}\npub static PAIRS: &[crate::Pair] = &[\n{}];\n", code.modules, code.table);
    fs::write(out.join("pairs.rs"), text).expect("OUT_DIR can be written");
}

/// Schemas of other types would need an event around them, and then test little of how events are closed.
fn is_object(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object")
}

/// Replaces the types of some properties, at any depth, by one that reads and writes any value.
fn replaced(mut schema: Value, random: &mut Random) -> Value {
    match &mut schema {
        Value::Object(keywords) => {
            if let Some(Value::Object(properties)) = keywords.get_mut("properties") {
                for property in properties.values_mut().filter_map(Value::as_object_mut) {
                    if random.chance(50) {
                        let type_ = json!({ "crate": "serde_json", "version": "1", "path": "serde_json::Value" });
                        property.insert("x-rust-type".to_owned(), type_);
                    }
                }
            }
            for keyword in ["properties", "items", "oneOf", "anyOf", "allOf", "$defs", "definitions"] {
                match keywords.get_mut(keyword) {
                    Some(Value::Object(all)) if keyword != "items" => {
                        all.values_mut().for_each(|it| *it = replaced(it.take(), random));
                    }
                    Some(Value::Array(all)) => all.iter_mut().for_each(|it| *it = replaced(it.take(), random)),
                    Some(one) => *one = replaced(one.take(), random),
                    None => {}
                }
            }
            schema
        }
        _ => schema,
    }
}

#[derive(Default)]
struct Code {
    modules: String,
    table: String,
    count: usize,
}

impl Code {
    /// Adds a pair; false if one side can't be compiled.
    fn pair(&mut self, out: &Path, name: &str, draft: usize, producer: &str, consumer: &str) -> bool {
        let count = self.count;
        let side = |side: &str, schema: &str| {
            let module = format!("{side}{count}");
            let bundle = compiled(out, &module, DRAFT[draft], schema)?;
            Some((module, bundle))
        };
        let (Some((p, producers)), Some((c, consumers))) = (side("p", producer), side("c", consumer)) else {
            return false;
        };
        for module in [&p, &c] {
            let path = out.join(format!("{module}.rs"));
            let _ = writeln!(self.modules, "#[path = {path:?}]\npub mod {module};");
        }
        let draft = DRAFTS[draft];
        let _ = writeln!(
            self.table,
            "crate::Pair {{ name: {name:?}, draft: {draft:?}, sides: [
                crate::Side {{ schema: {producer:?}, bundle: {producers:?}, send: crate::send::<{p}::a::B>, read: crate::read::<{p}::a::B> }},
                crate::Side {{ schema: {consumer:?}, bundle: {consumers:?}, send: crate::send::<{c}::a::B>, read: crate::read::<{c}::a::B> }},
            ] }},"
        );
        self.count += 1;
        true
    }
}

/// Writes the code of a contract, and returns the contract for the comparison.
fn compiled(out: &Path, module: &str, draft: Draft, schema: &str) -> Option<String> {
    let folder = out.join(format!("schemas-{module}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("events/a")).expect("OUT_DIR can be written");
    fs::write(folder.join("context.json"), "{}").expect("OUT_DIR can be written");
    fs::write(folder.join("events/a/b.json"), schema).expect("OUT_DIR can be written");
    let builder = Builder::new(&folder).shown_as("").default_draft(draft);
    // a crate that no schema names is an error
    let crates = [("serde_json", "1.0.0"), ("std", "*")].into_iter();
    let named = crates.filter(|(name, _)| schema.contains(&format!("{name:?}")));
    let builder = named.fold(builder, |builder, (name, version)| builder.with_crate(name, version));
    let made = builder.generate().ok().zip(builder.contracts().ok());
    let _ = fs::remove_dir_all(&folder);
    let (generated, sources) = made?;
    fs::write(out.join(format!("{module}.rs")), generated.code).expect("OUT_DIR can be written");
    Some(sources.contract(ContractKind::Event, "a.b")?.bundle.to_string())
}
