//! Pairs of schemas whose verdict is known, and the samples that a comparison finds.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod contracts;
mod keywords;
mod samples;

use twyla_build::Draft;
use twyla_build::compare::{Bundle, Options, Verdict, compare};

fn bundle(text: &str, draft: Draft) -> Bundle {
    Bundle::schema(text, draft).unwrap_or_else(|problems| panic!("{text}: {problems}"))
}

/// `fits`, or what is refused: `POINTER KEYWORD EVENT`.
fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Fits => "fits".to_owned(),
        Verdict::Breaks(witness) => format!("{} {} {}", witness.pointer, witness.keyword, witness.event),
        Verdict::Undecided(why) => format!("undecided: {why}"),
    }
}

#[track_caller]
fn subsumption(draft: Draft, pairs: &[(&str, &str, &str)]) {
    for (producer, consumer, wanted) in pairs {
        let verdict = compare(&bundle(producer, draft), &bundle(consumer, draft), &Options::subsumption());
        assert_eq!(said(&verdict), *wanted, "{producer} in {consumer}");
    }
}

/// A contract whose types are generated: formats are rules.
#[track_caller]
fn contract(pairs: &[(&str, &str, &str)]) {
    for (producer, consumer, wanted) in pairs {
        let [producer, consumer] = [producer, consumer].map(|text| bundle(text, Draft::default()).formats(true));
        let verdict = compare(&producer, &consumer, &Options::default());
        assert_eq!(said(&verdict), *wanted, "{producer} in {consumer}");
    }
}
