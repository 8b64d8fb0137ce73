//! A lock held against an older one: nothing is hidden by what was taken out of it.

use twyla_build::lock::{Act, Direction, Keep, Lock, Sides, against, messages};

use crate::folder::{Folder, how};

const PATH: &str = "events/a/x.json";

fn schema(max: u32) -> String {
    format!("{{ \"properties\": {{ \"a\": {{ \"maxLength\": {max} }} }} }}")
}

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write(PATH, &schema(10));
    folder.accepted()
}

fn said(folder: &Folder, then: &Lock) -> Vec<String> {
    let findings = against(&folder.sources(), &folder.lock(), then, &how()).unwrap();
    messages(&findings).into_iter().map(|message| message.lines[0].clone()).collect()
}

#[test]
fn a_new_lock_hides_no_change() {
    let folder = folder("made-again");
    let then = folder.lock();
    folder.write(PATH, &schema(5));
    folder.remove("contracts.lock");
    let folder = folder.accepted();
    assert_eq!(folder.said(), "");
    assert_eq!(
        said(&folder, &then),
        [
            "schemas/events/a/x.json:1:26: `a.x` can't change like this: new listeners would refuse events of old producers"
        ]
    );
}

#[test]
fn what_was_accepted_with_a_reason_passes() {
    let folder = folder("reason");
    let then = folder.lock();
    folder.write(PATH, &schema(5));
    let waive = Act::Waive {
        directions: vec![Direction::OldToNew],
        reason: "so".to_owned(),
        until: "2026-03-31".parse().unwrap(),
    };
    folder.accept(waive, &["a.x"], None).unwrap();
    let warned = said(&folder, &then);
    assert!(warned.len() == 1 && warned[0].contains("which is waived until"), "{warned:?}");
    // and what is retired, with its reason, is gone
    let digest = then.contracts[&"a.x".parse().unwrap()].accepted.digest.clone();
    folder.accept(Act::Retire { digest, reason: "gone".to_owned() }, &["a.x"], None).unwrap();
    assert_eq!(said(&folder, &then), [""; 0]);
}

#[test]
fn reports_versions_in_the_field_that_were_forgotten() {
    let folder = folder("forgotten");
    let keep = Keep { because: "app 3".to_owned(), sides: Sides::Producers };
    folder.write(PATH, "{}");
    folder.accept(Act::Fitting, &["a.x"], Some(keep)).unwrap();
    let then = folder.lock();
    assert_eq!(said(&folder, &then), [""; 0]);
    let mut lock = folder.lock();
    let digest = {
        let entry = lock.contracts.get_mut(&"a.x".parse().unwrap()).unwrap();
        let digest = entry.earlier[0].version.short().to_owned();
        entry.earlier.clear();
        digest
    };
    folder.put(&lock);
    assert_eq!(folder.said(), "");
    assert_eq!(
        said(&folder, &then),
        [format!(
            "schemas/contracts.lock:1:1: `a.x`: the version {digest}, which is in the field (app 3), was removed from the lock \
         without a reason"
        )]
    );
}

#[test]
fn a_contract_that_is_gone_from_both_is_gone() {
    let folder = folder("both");
    let then = folder.lock();
    folder.remove(PATH);
    folder.write("events/a/y.json", "{ \"not\": { \"type\": \"null\" } }");
    folder.remove("contracts.lock");
    let folder = folder.accepted();
    assert_eq!(folder.said(), "");
    let gone = said(&folder, &then);
    assert!(gone.len() == 1 && gone[0].ends_with("`a.x` is in the lock, but its schema no longer exists"), "{gone:?}");
}

#[test]
fn reports_a_contract_that_is_missing_from_the_lock_alone() {
    let folder = folder("alone");
    let then = folder.lock();
    let mut lock = folder.lock();
    lock.contracts.remove(&"a.x".parse().unwrap());
    folder.put(&lock);
    assert_eq!(said(&folder, &then), ["schemas/contracts.lock:1:1: `a.x` was removed from the lock without a reason"]);
    // and all of it, where the file is gone
    folder.remove("contracts.lock");
    assert_eq!(said(&folder, &then).len(), 2);
}
