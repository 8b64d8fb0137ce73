//! Generated schemas of every draft and single changes of them: no verdict is wrong.

use std::thread;

use twyla_compat::brute::{self, Found};
use twyla_generate::DRAFTS;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// `TWYLA_COMPAT_SCHEMAS` schemas for each draft, from `TWYLA_COMPAT_SEED`, with `TWYLA_COMPAT_INSTANCES` values for
/// each side.
#[test]
fn no_verdict_is_refuted() {
    let (schemas, seed) = (number("TWYLA_COMPAT_SCHEMAS", 60), number("TWYLA_COMPAT_SEED", 1));
    let many = number("TWYLA_COMPAT_INSTANCES", 120) as usize;
    let workers: Vec<_> = DRAFTS
        .into_iter()
        .map(|draft| {
            thread::Builder::new().stack_size(64 << 20).spawn(move || {
                let mut found = Found::default();
                (0..schemas).for_each(|index| found.add(brute::pair(draft, seed, index, many)));
                found
            })
        })
        .collect();
    let mut all = Found::default();
    for worker in workers {
        all.add(worker.unwrap().join().unwrap());
    }
    let [fits, breaks, undecided] = all.verdicts;
    println!(
        "{} pairs: {fits} fit, {breaks} break, {undecided} undecided; {} values; {} wrong",
        all.pairs,
        all.values,
        all.wrong.len()
    );
    if std::env::var_os("TWYLA_COMPAT_VERBOSE").is_some() {
        println!("{}", all.undecided.join("\n"));
    }
    assert!(all.wrong.is_empty(), "{} verdicts are wrong:\n{}", all.wrong.len(), all.wrong.join("\n"));
    assert!(all.pairs as u64 > schemas * 20 && fits > 0 && breaks > 0, "{} pairs", all.pairs);
}
