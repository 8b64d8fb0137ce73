//! Waivers: for one pair of versions and one direction, with a reason and a last day.

use twyla_build::lock::{Act, Direction};

use crate::folder::{Folder, said};

const PATH: &str = "events/api/user_input.json";

fn schema(max: u32) -> String {
    format!("{{\n  \"properties\": {{ \"emission\": {{ \"type\": \"string\", \"maxLength\": {max} }} }}\n}}")
}

fn waive(direction: Direction, until: &str) -> Act {
    Act::Waive { directions: vec![direction], reason: "all apps are at 3.2".to_owned(), until: until.parse().unwrap() }
}

/// A folder whose event was narrowed from 100 to 50 with a waiver.
fn narrowed(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write(PATH, &schema(100));
    let folder = folder.accepted();
    folder.write(PATH, &schema(50));
    folder.accept(waive(Direction::OldToNew, "2026-03-31"), &["api.user_input"], None).unwrap();
    folder
}

#[test]
fn it_lets_pass_and_warns_until_its_last_day() {
    let folder = narrowed("waived");
    let on = |day: &str| said(&folder.builder().today(day.parse().unwrap()));
    let warned = on("2026-03-01");
    assert_eq!(warned.lines().count(), 1, "{warned}");
    assert!(warned.starts_with("warning: schemas/contracts.lock:"), "{warned}");
    assert!(
        warned.ends_with(
            ": `api.user_input`: new listeners refuse events of old producers, which is waived until 2026-03-31, with the reason \"all apps are at 3.2\"\n"
        ),
        "{warned}"
    );
    assert_eq!(on("2026-03-31"), warned);
    let ended = on("2026-04-01");
    let first = ended.lines().next().unwrap();
    assert!(first.starts_with("error: schemas/contracts.lock:"), "{ended}");
    assert!(
        first.contains(
            "new listeners refuse events of old producers, and the waiver for that ended on 2026-03-31; its reason was"
        ),
        "{ended}"
    );
    // and it says both ways out of it
    assert!(
        ended.contains("cargo twyla accept api.user_input --retire ") && ended.contains("--until 2026-05-01"),
        "{ended}"
    );
}

#[test]
fn a_warning_names_the_line_of_the_waiver() {
    let folder = narrowed("place");
    let text = folder.lock().to_string();
    let line = 1 + text.lines().position(|line| line.contains("\"waivers\"")).unwrap() + 1;
    assert!(
        folder.said().starts_with(&format!("warning: schemas/contracts.lock:{line}:")),
        "{}\n{text}",
        folder.said()
    );
}

#[test]
fn another_edit_is_another_pair() {
    let folder = narrowed("pair");
    folder.write(PATH, &schema(40));
    let said = folder.said();
    assert!(said.starts_with("error: schemas/events/api/user_input.json:2:"), "{said}");
    // an additive edit fits what was accepted, and not what is still in the field
    folder.write(PATH, &schema(50).replace("\"maxLength\"", "\"default\": \"\", \"maxLength\""));
    let said = folder.said();
    assert!(
        said.starts_with("error: ") && said.contains("(version ") && said.contains("all apps are at 3.2)"),
        "{said}"
    );
    folder.accept(waive(Direction::OldToNew, "2026-03-20"), &["api.user_input"], None).unwrap();
    assert!(folder.said().starts_with("warning: "), "{}", folder.said());
    assert_eq!(folder.lock().contracts[&"api.user_input".parse().unwrap()].waivers.len(), 1);
}

#[test]
fn it_is_of_one_direction() {
    let folder = Folder::new("direction");
    folder.write(PATH, r#"{ "properties": { "a": { "type": "string" } }, "required": ["a"] }"#);
    let folder = folder.accepted();
    folder.write(PATH, r#"{ "properties": { "a": { "type": "integer" } }, "required": ["a"] }"#);
    let refused = folder.accept(waive(Direction::OldToNew, "2026-03-31"), &["api.user_input"], None).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the change of `api.user_input` breaks in `--direction both`, not old-to-new: run `cargo twyla diff -c api.user_input` before you accept it"
    );
    // half of it put into the lock by hand is half of it
    let both = Act::Waive {
        directions: Direction::ALL.to_vec(),
        reason: "all of them are stopped".to_owned(),
        until: "2026-03-31".parse().unwrap(),
    };
    folder.accept(both, &["api.user_input"], None).unwrap();
    let mut lock = folder.lock();
    let entry = lock.contracts.get_mut(&"api.user_input".parse().unwrap()).unwrap();
    assert_eq!(entry.waivers.len(), 2);
    entry.waivers.retain(|waiver| waiver.direction == Direction::OldToNew);
    folder.put(&lock);
    let said = folder.said();
    assert!(said.contains("warning: ") && said.contains("error: "), "{said}");
    assert!(said.contains("--direction new-to-old"), "{said}");
}

#[test]
fn reports_and_removes_an_unused_waiver() {
    let folder = narrowed("idle");
    let mut lock = folder.lock();
    lock.contracts.get_mut(&"api.user_input".parse().unwrap()).unwrap().earlier.clear();
    folder.put(&lock);
    let said = folder.said();
    assert!(
        said.starts_with("warning: ") && said.contains("the waiver of version ") && said.contains(" is unused"),
        "{said}"
    );
    assert_eq!(folder.accept(Act::Fitting, &[], None).unwrap().done.len(), 1);
    assert_eq!(folder.said(), "");
}
