//! The next lock.

use twyla_build::lock::model::Entry;
use twyla_build::lock::{Act, Direction, Keep, Sides};

use crate::folder::Folder;

const PATH: &str = "events/a/x.json";

fn of(properties: &str, required: &str) -> String {
    format!("{{ \"properties\": {{ {properties} }}, \"required\": [{required}] }}")
}

fn entry(folder: &Folder) -> Entry {
    folder.lock().contracts[&"a.x".parse().unwrap()].clone()
}

fn waive(directions: &[Direction]) -> Act {
    Act::Waive { directions: directions.to_vec(), reason: "so".to_owned(), until: "2026-04-01".parse().unwrap() }
}

fn keep(because: &str, sides: Sides) -> Option<Keep> {
    Some(Keep { because: because.to_owned(), sides })
}

#[test]
fn what_is_new_or_additive_is_accepted_and_what_harms_is_left() {
    let folder = Folder::new("accept");
    folder.write(PATH, &of("\"a\": { \"type\": \"string\" }", ""));
    folder.write("events/a/y.json", &of("\"a\": { \"maxLength\": 9 }", ""));
    let folder = folder.accepted();
    folder.write(PATH, &of("\"a\": { \"type\": \"string\" }, \"b\": {}", ""));
    folder.write("events/a/y.json", &of("\"a\": { \"maxLength\": 8 }", ""));
    folder.write("events/a/z.json", "{}");
    let accepted = folder.accept(Act::Fitting, &[], None).unwrap();
    assert_eq!(accepted.done.len(), 2, "{:?}", accepted.done);
    assert!(accepted.done[0].starts_with("`a.x`, additive: ") && accepted.done[1].starts_with("`a.z` is new: "));
    assert_eq!(accepted.left.len(), 1);
    assert_eq!(accepted.left[0].subject.to_string(), "a.y");
    assert!(folder.said().starts_with("error: schemas/events/a/y.json:1:"), "{}", folder.said());
    // and once more, nothing
    assert!(folder.accept(Act::Fitting, &[], None).unwrap().done.is_empty());
}

#[test]
fn only_those_that_are_named_are_accepted() {
    let folder = Folder::new("named");
    folder.write("events/a/w.json", "{}");
    let folder = folder.accepted();
    folder.write(PATH, "{}");
    folder.write("events/a/y.json", "{}");
    folder.accept(Act::Fitting, &["a.y"], None).unwrap();
    assert!(folder.said().contains("`a.x` is new") && !folder.said().contains("`a.y`"));
}

#[test]
fn what_is_in_the_field_holds_for_what_comes_later() {
    let folder = Folder::new("field");
    let (a, b, c) = (of("\"a\": { \"type\": \"string\" }", ""), of("", ""), of("\"a\": { \"type\": \"integer\" }", ""));
    folder.write(PATH, &a);
    let folder = folder.accepted();
    // taken out and put in again as another type: additive, step by step
    for schema in [&b, &c] {
        folder.write(PATH, schema);
        assert_eq!(folder.accept(Act::Fitting, &[], None).unwrap().left.len(), 0);
    }
    assert_eq!(entry(&folder).earlier, []);

    // and with the app that still sends the first
    folder.remove("contracts.lock");
    folder.write(PATH, &a);
    let folder = folder.accepted();
    folder.write(PATH, &b);
    folder.accept(Act::Fitting, &["a.x"], keep("mobile app 3.1", Sides::Producers)).unwrap();
    assert_eq!(folder.said(), "");
    folder.write(PATH, &c);
    let said = folder.said();
    assert!(said.starts_with("error: schemas/events/a/x.json:1:26: "), "{said}");
    assert!(said.contains("may be sent by old producers (version ") && said.contains(": mobile app 3.1)"), "{said}");
    assert!(said.contains("--direction old-to-new") && said.contains("--retire "), "{said}");
    assert_eq!(folder.accept(Act::Fitting, &[], None).unwrap().left.len(), 1);

    // until it is gone
    let digest = entry(&folder).earlier[0].version.short().to_owned();
    let retire = |digest: &str| Act::Retire { digest: digest.to_owned(), reason: "the store refuses it".to_owned() };
    let unknown = folder.accept(retire("00"), &["a.x"], None).unwrap_err().to_string();
    assert_eq!(
        unknown,
        format!("`a.x` has no version 00 in the field; its versions in the field are {digest} (mobile app 3.1)")
    );
    folder.accept(retire(&digest), &["a.x"], None).unwrap();
    assert_eq!(entry(&folder).retired[0].reason, "the store refuses it");
    assert_eq!(folder.accept(Act::Fitting, &[], None).unwrap().left.len(), 0);
    assert_eq!(folder.said(), "");
}

#[test]
fn only_the_sides_in_the_field_are_asked_for() {
    for (sides, schema, fine) in [
        (Sides::Producers, "8", false),
        (Sides::Producers, "12", true),
        (Sides::Listeners, "8", true),
        (Sides::Listeners, "12", false),
        (Sides::Both, "12", false),
    ] {
        let folder = Folder::new(&format!("sides_{sides}_{schema}"));
        folder.write(PATH, &of("\"a\": { \"maxLength\": 10 }", ""));
        let folder = folder.accepted();
        folder.accept(Act::Fitting, &["a.x"], keep("app", sides)).unwrap();
        // everything else is upgraded in one go
        folder.write(PATH, &of(&format!("\"a\": {{ \"maxLength\": {schema} }}"), ""));
        let mut lock = folder.lock();
        let now = folder.sources();
        let version = twyla_build::lock::Version::of(&now.contracts[1].bundle);
        lock.contracts.get_mut(&"a.x".parse().unwrap()).unwrap().accepted = version;
        folder.put(&lock);
        assert_eq!(folder.said().is_empty(), fine, "{sides} {schema}: {}", folder.said());
    }
}

#[test]
fn a_waiver_keeps_the_version_that_it_is_of() {
    let folder = Folder::new("keeps");
    folder.write(PATH, &of("\"a\": { \"maxLength\": 10 }", ""));
    let folder = folder.accepted();
    let old = entry(&folder).accepted;
    folder.write(PATH, &of("\"a\": { \"maxLength\": 12 }", ""));
    folder.accept(waive(&[Direction::NewToOld]), &["a.x"], keep("app 2", Sides::Producers)).unwrap();
    let now = entry(&folder);
    assert_eq!((now.earlier.len(), &now.earlier[0].version, now.earlier[0].sides), (1, &old, Sides::Both));
    assert_eq!(now.earlier[0].because, "app 2; so");
    assert_eq!(now.waivers.len(), 1);
    assert!(now.waivers[0].is_for(&old.digest, &now.accepted.digest, Direction::NewToOld));
    // back to what it was: nothing is waived any more
    folder.write(PATH, &of("\"a\": { \"maxLength\": 10 }", ""));
    assert!(folder.said().contains("`a.x` can't change like this"), "{}", folder.said());
}

#[test]
fn a_contract_goes_with_a_reason_and_may_come_back() {
    let folder = Folder::new("goes");
    folder.write(PATH, &of("\"a\": { \"maxLength\": 10 }", ""));
    let folder = folder.accepted();
    let remove = || Act::Remove { reason: "nothing listens".to_owned() };
    let there = folder.accept(remove(), &["a.x"], None).unwrap_err().to_string();
    assert_eq!(there, "the schema of `a.x` still exists: delete it before you accept its removal");
    folder.remove(PATH);
    folder.write("events/a/other.json", "{ \"not\": {} }");
    folder.accept(remove(), &["a.x"], None).unwrap();
    folder.accept(Act::Fitting, &[], None).unwrap();
    assert_eq!(folder.said(), "");
    // another one of that name is held to what it was
    folder.write(PATH, &of("\"a\": { \"maxLength\": 5 }", ""));
    assert!(folder.said().starts_with("error: schemas/events/a/x.json:"), "{}", folder.said());
    folder.write(PATH, &of("\"a\": { \"maxLength\": 10 }", ""));
    assert!(folder.said().starts_with("behind: schemas/events/a/x.json:1:1: `a.x` is new"), "{}", folder.said());
    folder.accept(Act::Fitting, &[], None).unwrap();
    assert_eq!(entry(&folder).removed, None);
    assert_eq!(folder.said(), "");
}

#[test]
fn reports_wrong_arguments() {
    let folder = Folder::new("refused");
    folder.write(PATH, &of("\"a\": { \"maxLength\": 10 }", ""));
    folder.write("rpc/booking/get/request.json", "{}");
    folder.write("rpc/booking/get/response.json", "{}");
    let folder = folder.accepted();
    let said = |act: Act, subjects: &[&str]| folder.accept(act, subjects, None).unwrap_err().to_string();
    let only = [Direction::OldToNew];
    let with = |reason: &str, until: &str| Act::Waive {
        directions: only.to_vec(),
        reason: reason.to_owned(),
        until: until.parse().unwrap(),
    };
    let no_reason = "the reason is missing: add `--reason \"…\"`, which is kept in the lock";
    assert_eq!(said(with(" ", "2026-04-01"), &["a.x"]), no_reason);
    assert_eq!(said(with("…", "2026-04-01"), &["a.x"]), no_reason);
    assert_eq!(
        said(with("so", "2026-02-28"), &["a.x"]),
        "the day 2026-02-28 is in the past (today is 2026-03-01): choose a later day"
    );
    assert_eq!(
        said(waive(&only), &[]),
        "name the contracts to accept: without names, only additive changes are accepted"
    );
    assert_eq!(
        said(waive(&only), &["a.x"]),
        "the change of `a.x` breaks nothing and needs no waiver: run `cargo twyla accept a.x`"
    );
    assert_eq!(
        said(Act::Retire { digest: "ab".to_owned(), reason: "so".to_owned() }, &["a.x"]),
        "`a.x` has no version ab in the field: it has no versions in the field"
    );
    assert_eq!(
        said(Act::Fitting, &["a.xx"]),
        "there is no contract `a.xx` in the folder or its lock; did you mean `a.x`?"
    );
    assert_eq!(
        said(Act::Fitting, &["booking.get"]),
        "`booking.get` is an RPC: name one of its contracts, booking.get/request, booking.get/response"
    );
    assert_eq!(
        said(Act::Retire { digest: "ab".to_owned(), reason: "so".to_owned() }, &["a.x", "context"]),
        "`--retire` needs exactly one contract: name that contract"
    );
    let remove = || Act::Remove { reason: "so".to_owned() };
    assert_eq!(said(remove(), &[]), "name the contracts to accept: without names, only additive changes are accepted");
    folder.remove(PATH);
    folder.write("events/a/other.json", "{ \"not\": {} }");
    assert_eq!(
        said(waive(&only), &["a.x"]),
        "the schema of `a.x` no longer exists: to accept that, run `cargo twyla accept a.x --removed --reason \"…\"`"
    );
}
