//! The shared files of labelled pairs, and the values known from brute force.

use twyla_build::lock::EditVerdict;
use twyla_compat::history;
use twyla_compat::{cases, report};

#[test]
fn nothing_is_called_safe_that_a_witness_refutes() {
    let refuted = cases::refuted().unwrap_or_else(|error| panic!("{}: {error}", cases::shared().display()));
    assert!(refuted.len() > 1_100, "{} witnesses are known", refuted.len());
    let files = cases::files().unwrap_or_else(|error| panic!("{}: {error}", cases::shared().display()));
    let reports: Vec<_> = files.iter().map(|path| report::file(path, &refuted, true).unwrap()).collect();
    println!("{}", report::text(&reports));
    let ours = report::sum(reports.iter().map(|file| &file.ours));
    let theirs = report::sum(reports.iter().filter_map(|file| file.theirs.as_ref()));
    assert_eq!((ours.wrong, ours.false_safe), (0, 0));
    assert!(ours.all_undecided() * 100 < ours.all * 3, "{} of {} are undecided", ours.all_undecided(), ours.all);
    assert!(ours.all_undecided() < theirs.all_undecided());
    assert!(ours.safe - ours.false_safe > theirs.safe - theirs.false_safe);
    // disagreements are directions called safe that the label calls unsafe without a counterexample
    assert_eq!((ours.agreed, ours.disagreed, ours.undecided), (947, 21, 1));
}

#[test]
fn real_histories_are_decided_as_contracts() {
    let files = cases::files().unwrap_or_else(|error| panic!("{}: {error}", cases::shared().display()));
    let of = |name: &str| files.iter().find(|path| path.ends_with(format!("{name}.jsonl"))).unwrap();
    let wikimedia = history::edits(of("wikimedia")).unwrap();
    assert_eq!(wikimedia.len(), 30);
    assert!(wikimedia.iter().all(|edit| edit.edit != EditVerdict::Undecided));
    // a minor version reads what the version before sends
    let minor: Vec<_> = wikimedia.iter().filter(|edit| edit.is_minor() == Some(true)).collect();
    assert!(minor.len() >= 14 && minor.iter().all(|edit| edit.verdicts[0].fits()));
    let sentry = history::edits(of("sentry-kafka")).unwrap();
    assert_eq!(sentry.len(), 174);
    assert!(sentry.iter().all(|edit| edit.edit != EditVerdict::Undecided));
}
