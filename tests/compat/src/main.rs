//! Runs labelled pairs of schemas through the comparison.

use std::collections::HashMap;
use std::io::BufRead;
use std::time::Instant;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use twyla_build::Draft;
use twyla_build::compare::{self, Bundle, Options, Verdict};

#[derive(Deserialize)]
struct Case {
    id: String,
    draft: String,
    old: Box<RawValue>,
    new: Box<RawValue>,
    norm: Norm,
}

#[derive(Deserialize)]
struct Norm {
    old_in_new: Option<bool>,
    new_in_old: Option<bool>,
}

#[derive(Deserialize)]
struct Oracle {
    id: String,
    dir: String,
    gold: Option<bool>,
}

fn draft(name: &str) -> (Draft, jsonschema::Draft) {
    match name {
        "draft-04" => (Draft::Draft4, jsonschema::Draft::Draft4),
        "draft-06" => (Draft::Draft6, jsonschema::Draft::Draft6),
        "draft-07" => (Draft::Draft7, jsonschema::Draft::Draft7),
        "2019-09" => (Draft::Draft201909, jsonschema::Draft::Draft201909),
        _ => (Draft::Draft202012, jsonschema::Draft::Draft202012),
    }
}

fn main() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/schema-compat");
    let oracle = std::fs::read_to_string(format!("{folder}/oracle.jsonl")).unwrap();
    let oracle: HashMap<(String, String), Oracle> = oracle
        .lines()
        .map(|line| serde_json::from_str::<Oracle>(line).unwrap())
        .map(|oracle| ((oracle.id.clone(), oracle.dir.clone()), oracle))
        .collect();
    let verbose = std::env::var_os("VERBOSE").is_some();
    for file in ["apicurio", "haggholm", "ibm", "wikimedia", "sentry-kafka"] {
        let text = std::fs::File::open(format!("{folder}/{file}.jsonl")).unwrap();
        let (mut count, mut fits, mut breaks, mut undecided) = (0, 0, 0, 0);
        let (mut false_safe, mut wrongly_no, mut true_un, mut wit_un, mut bad) = (0, 0, 0, 0, 0);
        let begun = Instant::now();
        for line in std::io::BufReader::new(text).lines() {
            let case: Case = serde_json::from_str(&line.unwrap()).unwrap();
            let (ours, theirs) = draft(&case.draft);
            let old = Bundle::schema(case.old.get(), ours);
            let new = Bundle::schema(case.new.get(), ours);
            for (dir, p, c, ptext, ctext, label) in [
                ("old_in_new", &old, &new, &case.old, &case.new, case.norm.old_in_new),
                ("new_in_old", &new, &old, &case.new, &case.old, case.norm.new_in_old),
            ] {
                count += 1;
                let o = oracle.get(&(case.id.clone(), dir.to_owned()));
                let gold = o.and_then(|o| o.gold);
                let (p, c) = match (p, c) {
                    (Ok(p), Ok(c)) => (p, c),
                    (Err(e), _) | (_, Err(e)) => {
                        undecided += 1;
                        if verbose {
                            println!("BAD {} {dir}: {e}", case.id);
                        }
                        continue;
                    }
                };
                let t = Instant::now();
                let verdict = compare::compare(p, c, &Options::subsumption());
                if t.elapsed().as_millis() > 300 {
                    println!("SLOW {} {dir} {:?}", case.id, t.elapsed());
                }
                match &verdict {
                    Verdict::Fits => {
                        fits += 1;
                        if gold == Some(false) {
                            false_safe += 1;
                            println!("FALSE SAFE {} {dir}", case.id);
                        }
                    }
                    Verdict::Breaks(w) => {
                        breaks += 1;
                        let is = |text: &RawValue| {
                            let schema: Value = serde_json::from_str(text.get()).unwrap();
                            let mut o = jsonschema::options().should_validate_formats(false);
                            if schema.get("$schema").is_none() {
                                o = o.with_draft(theirs);
                            }
                            o.build(&schema).map(|v| v.is_valid(&w.event))
                        };
                        match (is(ptext), is(ctext)) {
                            (Ok(true), Ok(false)) => {}
                            other => {
                                bad += 1;
                                println!("BAD WITNESS {} {dir} {} {:?}", case.id, w.event, other.0.is_ok());
                            }
                        }
                        if gold == Some(true) || label == Some(true) {
                            wrongly_no += 1;
                            if verbose {
                                println!("REFUTED {} {dir} {} ({} {})", case.id, w.event, w.keyword, w.rule);
                            }
                        }
                    }
                    Verdict::Undecided(why) => {
                        undecided += 1;
                        match gold {
                            Some(true) => true_un += 1,
                            Some(false) => wit_un += 1,
                            None => {}
                        }
                        if verbose {
                            println!("UNDECIDED {} {dir} gold {gold:?}: {why}", case.id);
                        }
                    }
                }
            }
        }
        println!(
            "{file}: {count} directions, {fits} fit, {breaks} break, {undecided} undecided; false safe {false_safe}, true but broken {wrongly_no}, undecided true {true_un}, undecided refuted {wit_un}, bad witnesses {bad}; {:?}",
            begun.elapsed()
        );
    }
}
