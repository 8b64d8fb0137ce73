//! Every pair, in both directions: the types read and refuse what the comparison says.

use serde_json::Value;
use twyla_build::compare::{Bundle, Options, Verdict, compare};
use twyla_generate::instances;
use twyla_generate::random::Random;
use twyla_pairs::{BY_HAND, PAIRS, Side};

/// The number of values near each side.
const MANY: usize = 150;

#[test]
fn types_read_what_fits_and_refuse_every_witness() {
    let (mut verdicts, mut sent, mut wrong) = ([0_usize; 3], 0_usize, Vec::new());
    for pair in PAIRS {
        let [first, second] = &pair.sides;
        for (way, producer, consumer) in [("first in second", first, second), ("second in first", second, first)] {
            let bundle = |side: &Side| Bundle::parse(side.bundle).unwrap();
            let mut tell = |what: String| {
                wrong.push(format!("{} {way}: {what}\n    {}\n    {}", pair.name, producer.schema, consumer.schema));
            };
            match compare(&bundle(producer), &bundle(consumer), &Options::default()) {
                Verdict::Fits => {
                    verdicts[0] += 1;
                    for side in [producer, consumer] {
                        let schema: Value = serde_json::from_str(side.schema).unwrap();
                        let mut random = Random::new(&[verdicts[0] as u64, sent as u64]);
                        for text in instances::near(pair.draft, &schema, &mut random, MANY) {
                            let Some(written) = (producer.send)(&text) else { continue };
                            sent += 1;
                            if let Err(refusal) = (consumer.read)(&written) {
                                tell(format!("fits, but {written} is refused: {refusal}"));
                            }
                        }
                    }
                }
                Verdict::Breaks(witness) => {
                    verdicts[1] += 1;
                    let text = witness.event.to_string();
                    match (producer.send)(&text) {
                        None => tell(format!(
                            "breaks by {text}, which the producer's type doesn't hold: {:?}",
                            (producer.read)(&text)
                        )),
                        Some(written) if is_changed(&witness.event, &written) => {
                            tell(format!("breaks by {text}, but the producer's type writes {written}"));
                        }
                        Some(_) => {}
                    }
                    if (consumer.read)(&text).is_ok() {
                        tell(format!("breaks by {text}, but the consumer reads it"));
                    }
                }
                Verdict::Undecided(_) => verdicts[2] += 1,
            }
        }
    }
    let [fits, breaks, undecided] = verdicts;
    println!("{} pairs, both ways: {fits} fit, {breaks} break, {undecided} undecided; {sent} events sent", PAIRS.len());
    assert!(wrong.is_empty(), "{} verdicts are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(sent > 1_000 && breaks > 20, "{sent} events, {breaks} witnesses");
    assert!(undecided * 20 < PAIRS.len(), "{undecided} undecided");
}

/// Whether a value lost or changed a member when it was written; additional members are defaults.
fn is_changed(value: &Value, written: &str) -> bool {
    fn lacks(value: &Value, written: &Value) -> bool {
        match (value, written) {
            (Value::Object(value), Value::Object(written)) => {
                value.iter().any(|(key, value)| written.get(key).is_none_or(|written| lacks(value, written)))
            }
            (Value::Array(value), Value::Array(written)) => {
                value.len() != written.len() || value.iter().zip(written).any(|(value, written)| lacks(value, written))
            }
            (Value::Number(value), Value::Number(written)) => value.as_f64() != written.as_f64(),
            // a point in time may be written differently
            (Value::String(value), Value::String(written)) => value.len() < 8 && value != written,
            (value, written) => value != written,
        }
    }
    serde_json::from_str(written).map_or(true, |written| lacks(value, &written))
}

#[test]
fn handwritten_pairs_have_their_verdicts() {
    for (pair, (producer, consumer, fits)) in PAIRS.iter().zip(BY_HAND) {
        let [first, second] = [&pair.sides[0], &pair.sides[1]].map(|side| Bundle::parse(side.bundle).unwrap());
        let verdict = compare(&first, &second, &Options::default());
        let right = if *fits { verdict.fits() } else { matches!(verdict, Verdict::Breaks(_)) };
        assert!(right, "{producer} in {consumer}: {verdict:?}");
    }
}
