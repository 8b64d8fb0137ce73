//! The cost of comparing two schemas: `cargo run --release -p twyla-bench-compare [-- OLD.json NEW.json]`.
//!
//! Without files: the largest real edits of the shared histories, two of these in one contract, and a pair made to
//! explode combinatorially. Everything is included, from the text to the verdict, in both directions. The unit is CPU
//! time of this process.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use twyla_bench_clock::Clock;
use twyla_build::Draft;
use twyla_build::compare::{Bundle, Mode, Options, Verdict, compare};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The target for a pair of real schemas in both directions, in CPU seconds.
const BAR: f64 = 1.0;

/// Two schemas, the older one first.
struct Pair {
    name: String,
    sides: [Value; 2],
}

fn main() -> Result<()> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    println!("| pair | lines | mode | CPU s | old in new | new in old | bar |\n|---|--:|---|--:|---|---|---|");
    if let [old, new] = &files[..] {
        let read = |path: &String| Ok::<_, Box<dyn Error>>(serde_json::from_slice(&fs::read(path)?)?);
        return row(&Pair { name: format!("{old}, {new}"), sides: [read(old)?, read(new)?] }, true);
    }
    let edits = edits()?;
    for pair in edits.iter().take(3) {
        row(pair, true)?;
    }
    if let Some((first, second)) = edits.first().zip(edits.iter().find(|pair| pair.name.contains("errors"))) {
        let both = |side: usize| {
            let [first, second] = [first, second].map(|pair| pair.sides[side].clone());
            json!({ "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {
                "event": with_id(first, "urn:event"), "error": with_id(second, "urn:error")
            } })
        };
        row(&Pair { name: "two of these in one contract".to_owned(), sides: [both(0), both(1)] }, true)?;
    }
    for pair in [pigeons(12), pigeons(30)] {
        row(&pair, false)?;
    }
    Ok(())
}

/// The edits of a shared history, the largest schemas first.
fn edits() -> Result<Vec<Pair>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/schema-compat/sentry-kafka.jsonl");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut pairs = Vec::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line)?;
        let name = case["id"].as_str().unwrap_or_default().to_owned();
        pairs.push(Pair { name, sides: [case["old"].clone(), case["new"].clone()] });
    }
    pairs.sort_by_key(|pair| std::cmp::Reverse(lines(&pair.sides[0]).min(lines(&pair.sides[1]))));
    Ok(pairs)
}

/// The schema as its own resource, so that its references stay within it.
fn with_id(mut schema: Value, id: &str) -> Value {
    schema["$id"] = id.into();
    schema
}

/// Members that must all have different values, of which there is one too few.
fn pigeons(count: usize) -> Pair {
    let names: Vec<String> = (0..count).map(|i| format!("p{i}")).collect();
    let values: Vec<usize> = (1..count).collect();
    let members: serde_json::Map<String, Value> =
        names.iter().map(|name| (name.clone(), json!({ "enum": values }))).collect();
    let mut differ = Vec::new();
    for (index, one) in names.iter().enumerate() {
        for other in &names[..index] {
            let same = values.iter().map(|v| json!({ "properties": { one: { "const": v }, other: { "const": v } } }));
            differ.push(json!({ "not": { "anyOf": same.collect::<Vec<_>>() } }));
        }
    }
    let schema = json!({ "type": "object", "properties": members, "required": names, "allOf": differ });
    Pair { name: format!("{count} members, {} values", count - 1), sides: [schema, json!({ "type": "null" })] }
}

fn lines(schema: &Value) -> usize {
    format!("{schema:#}").lines().count()
}

fn row(pair: &Pair, has_bar: bool) -> Result<()> {
    let [old, new] = &pair.sides;
    let texts = [old, new].map(|schema| format!("{schema:#}"));
    for (mode, name) in [(Mode::Contract, "contract"), (Mode::Subsumption, "subsumption")] {
        let options = Options { mode, ..Options::default() };
        let clock = Clock::start();
        let bundle = |text: &str| Bundle::schema(text, Draft::Draft7).map_err(|problems| problems.to_string());
        let [old, new] = [bundle(&texts[0])?, bundle(&texts[1])?];
        let verdicts = [compare(&old, &new, &options), compare(&new, &old, &options)];
        let seconds = clock.took().cpu.as_secs_f64();
        let [forth, back] = verdicts.map(|verdict| match verdict {
            Verdict::Fits => "fits",
            Verdict::Breaks(_) => "breaks",
            Verdict::Undecided(_) => "undecided",
        });
        let bar = match has_bar {
            true if seconds < BAR => format!("< {BAR} s: ok"),
            true => format!("< {BAR} s: missed"),
            false => "it ends".to_owned(),
        };
        let lines = texts.each_ref().map(|text| text.lines().count());
        let title = &pair.name;
        println!("| {title} | {} + {} | {name} | {seconds:.2} | {forth} | {back} | {bar} |", lines[0], lines[1]);
    }
    Ok(())
}
