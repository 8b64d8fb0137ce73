//! The shared files of labelled pairs, and the values known from brute force.

use std::path::Path;

use twyla_build::lock::EditVerdict;
use twyla_compat::rival::{Checker, Rival};
use twyla_compat::{cases, history, report};

#[test]
fn nothing_is_called_safe_that_a_witness_refutes() {
    let refuted = cases::refuted().unwrap_or_else(|error| panic!("{}: {error}", cases::shared().display()));
    assert!(refuted.len() > 1_100, "{} witnesses are known", refuted.len());
    let files = cases::files().unwrap_or_else(|error| panic!("{}: {error}", cases::shared().display()));
    let program = Path::new(env!("CARGO_BIN_EXE_twyla-compat"));
    let mut rivals = Rival::ALL.map(|rival| (rival, Checker::new(rival, program)));
    let reports: Vec<_> = files.iter().map(|path| report::file(path, &refuted, &mut rivals).unwrap()).collect();
    println!("{}", report::text(&reports));
    let ours = report::sum(reports.iter().map(|file| &file.ours));
    assert_eq!((ours.wrong, ours.false_safe), (0, 0));
    assert!(ours.all_undecided() * 100 < ours.all * 3, "{} of {} are undecided", ours.all_undecided(), ours.all);
    for rival in Rival::ALL {
        let theirs = report::theirs(&reports, rival).unwrap();
        assert!(ours.agreed > theirs.agreed, "{rival}");
        assert!(ours.safe - ours.false_safe > theirs.safe - theirs.false_safe, "{rival}");
        assert!(ours.all_undecided() < theirs.all_undecided(), "{rival}");
    }
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
