//! The lock's file: written the same for the same lock, read to the letter, and refused with a place where it is broken.

use proptest::prelude::*;
use serde_json::{Value, json};
use twyla_build::compare::{Bundle, ContractKind};
use twyla_build::lock::model::{Earlier, Entry, Retired, Sides};
use twyla_build::lock::{Act, Direction, FILE_NAME, Lock, Subject, Version};
use twyla_build::{Builder, Draft};

use crate::folder::Folder;

#[test]
fn reads_what_it_writes() {
    let builder = Builder::new("../schemas").shown_as("schemas");
    let sources = builder.contracts().unwrap();
    let entry = |bundle| Entry::new(Version::of(bundle));
    let contracts = sources.contracts.iter().map(|it| (Subject::of(it), entry(&it.bundle))).collect();
    let text = Lock { contracts }.to_string();
    let lock = Lock::parse("lock", text.as_bytes()).unwrap();
    lock.verify("lock").unwrap();
    assert_eq!(lock.to_string(), text);
    for contract in &sources.contracts {
        let accepted = &lock.contracts[&Subject::of(contract)].accepted;
        assert_eq!(Bundle::parse(&accepted.form).unwrap(), contract.bundle);
        assert_eq!(accepted.digest, contract.bundle.digest());
    }
    assert!(lock.contracts.keys().map(|subject| subject.kind).is_sorted());
}

/// A lock of an earlier release has keywords in its forms that say nothing, and its digests are of those.
#[test]
fn an_unknown_keyword_in_an_accepted_form_changes_nothing() {
    let folder = Folder::new("unknown_keyword");
    folder.write("events/shop/placed.json", r#"{ "type": "object", "example": 1 }"#);
    let folder = folder.accepted();
    let lock = folder.lock().to_string();
    let form = |more: &str| {
        format!(
            r#"{{"draft":"2020-12","formats":true,"root":"events/shop/placed.json","documents":{{"events/shop/placed.json":{{{more}"type":"object"}}}}}}"#
        )
    };
    let digest = |form: &str| -> String {
        hmac_sha256::Hash::hash(form.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let (now, before) = (digest(&form("")), digest(&form(r#""example":1,"#)));
    let is = r#""events/shop/placed.json": { "type": "object" }"#;
    assert!(lock.contains(&now) && lock.contains(is), "{lock}");
    let was =
        lock.replace(&now, &before).replace(is, r#""events/shop/placed.json": { "example": 1, "type": "object" }"#);
    folder.write(FILE_NAME, &was);
    folder.lock().verify("lock").unwrap();
    assert_eq!(folder.said(), "");
    // and an edit by hand is found as ever
    folder.write(FILE_NAME, &was.replace(r#""example": 1"#, r#""example": 2"#));
    assert!(folder.lock().verify("lock").unwrap_err().to_string().contains("the lock was edited by hand"));
}

/// An earlier release accepted factors that its generated code rounded or left out.
#[test]
fn a_rounded_factor_in_an_accepted_form_is_undecided() {
    let schema = |rules: &str| {
        format!(r#"{{ "type": "object", "properties": {{ "x": {{ "type": "number", {rules}"maximum": 1 }} }} }}"#)
    };
    let folder = Folder::new("rounded_factor");
    folder.write("events/shop/placed.json", &schema(r#""multipleOf": 0.25, "#));
    let folder = folder.accepted();
    let lock = folder.lock().to_string();
    let digest = |factor: &str| -> String {
        let form = format!(
            r#"{{"draft":"2020-12","formats":true,"root":"events/shop/placed.json","documents":{{"events/shop/placed.json":{{"properties":{{"x":{{"maximum":1,"multipleOf":{factor},"type":"number"}}}},"type":"object"}}}}}}"#
        );
        hmac_sha256::Hash::hash(form.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    assert!(lock.contains(&digest("0.25")), "{lock}");
    // as they are written in canonical form: a tenth with 40 more digits, and 1e99999999999
    for factor in ["10000000000000000000000000000000000000001e-41", "17976931348623158e292"] {
        folder.write(FILE_NAME, &lock.replace(&digest("0.25"), &digest(factor)).replace("0.25", factor));
        folder.lock().verify("lock").unwrap();
        folder.write(
            "events/shop/placed.json",
            &schema(r#""minimum": 0, "#).replace(r#""maximum": 1"#, r#""maximum": 0"#),
        );
        let said = folder.said();
        assert!(said.contains("multiples of the number can't be computed exactly"), "{said}");
    }
}

/// Values of all kinds, with what is hard to write in texts and numbers.
fn value() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| json!(number).to_string()),
        Just("1e300".to_owned()),
        Just("0.1000000000000000000000000000000001".to_owned()),
    ];
    let text = "\\PC{0,12}|[\\x00-\\x1f\"\\\\/\u{2028}]{0,4}".prop_map(|text| Value::from(text).to_string());
    let leaf = prop_oneof![Just("null".to_owned()), Just("true".to_owned()), number, text];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let members = prop::collection::btree_map("\\PC{0,6}", inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            members.prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

fn bundle() -> impl Strategy<Value = Bundle> {
    let names = prop::collection::btree_map("\\PC{1,8}", value(), 0..4);
    (names, value(), 0..200_u32).prop_map(|(names, constant, max)| {
        let properties: Vec<String> =
            names.iter().map(|(name, value)| format!("{}:{{\"const\":{value}}}", Value::from(name.as_str()))).collect();
        let schema = format!(r#"{{"properties":{{{}}},"enum":[{constant}],"maxLength":{max}}}"#, properties.join(","));
        Bundle::schema(&schema, Draft::default()).unwrap_or_else(|problems| panic!("{schema}: {problems}"))
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let why = || "[a-zä \"\\\\\n]{1,20}".prop_map(|text| format!("so {text}"));
    let sides = prop_oneof![Just(Sides::Producers), Just(Sides::Listeners), Just(Sides::Both)];
    let earlier = (bundle(), sides, why()).prop_map(|(bundle, sides, because)| Earlier {
        version: Version::of(&bundle),
        sides,
        because,
    });
    let retired = ("[0-9a-f]{64}", why()).prop_map(|(digest, reason)| Retired { digest, reason });
    let list = prop::collection::vec(earlier, 0..3);
    (bundle(), prop::option::of(why()), list, prop::collection::vec(retired, 0..2)).prop_map(
        |(accepted, removed, mut earlier, retired)| {
            let mut seen = std::collections::HashSet::new();
            earlier.retain(|earlier| seen.insert(earlier.version.digest.clone()));
            Entry { removed, earlier, retired, ..Entry::new(Version::of(&accepted)) }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_lock_is_read_as_it_was_written(entries in prop::collection::vec(entry(), 0..4)) {
        let subject = |index| Subject { kind: ContractKind::Event, name: format!("a.x{index}") };
        let contracts = entries.into_iter().enumerate().map(|(index, entry)| (subject(index), entry)).collect();
        let lock = Lock { contracts };
        let text = lock.to_string();
        let read = Lock::parse("lock", text.as_bytes()).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        prop_assert_eq!(&read, &lock);
        prop_assert!(read.verify("lock").is_ok(), "{:?}\n{text}", read.verify("lock"));
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn nothing_makes_it_panic(cut in 0..4000_usize, put in "\\PC{0,6}|[{}\\[\\]\",:0-9]{0,4}") {
        let folder = "../schemas";
        let sources = Builder::new(folder).contracts().unwrap();
        let entry = |bundle| Entry::new(Version::of(bundle));
        let contracts = sources.contracts.iter().map(|it| (Subject::of(it), entry(&it.bundle))).collect();
        let text = Lock { contracts }.to_string();
        let at = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let (before, after) = text.split_at(at);
        let end = after.char_indices().nth(put.len()).map_or(after.len(), |(end, _)| end);
        if let Err(problems) = Lock::parse("lock", format!("{before}{put}{}", &after[end..]).as_bytes()) {
            for problem in problems.0 {
                prop_assert!(problem.at.is_some() && problem.file == "lock", "{problem}");
            }
        }
    }
}

#[test]
fn what_is_nested_as_deep_as_may_be_is_kept() {
    let folder = Folder::new("deep");
    let deep = format!("{}{{}}{}", r#"{"properties":{"a":"#.repeat(62), "}}".repeat(62));
    folder.write("events/a/deep.json", &deep);
    let folder = folder.accepted();
    assert_eq!(folder.said(), "");
    folder.write("events/a/deep.json", &deep.replace("{}", r#"{"title":"x"}"#));
    assert_eq!(folder.said(), "");
    folder.lock().verify("lock").unwrap();
}

#[test]
fn reports_a_broken_lock_with_its_place_and_a_remedy() {
    let folder = Folder::new("broken_lock");
    folder.write("events/a/x.json", r#"{ "properties": { "text": { "maxLength": 50 } } }"#);
    let folder = folder.accepted();
    let good = folder.lock().to_string();
    let digest = folder.lock().contracts[&"a.x".parse().unwrap()].accepted.digest.clone();
    let empty = |text: &str| format!("{{\n  \"lock\": 1,\n  \"contracts\": {{ \"a.x\": {text} }}\n}}");
    let accepted = format!(r#""accepted": {{ "digest": "{digest}", "form": {{}} }}"#);
    let cases: Vec<(&str, String, Vec<&str>)> = vec![
        ("empty", String::new(), vec!["1:1: invalid JSON: "]),
        ("no JSON", good.replace("\"lock\": 1,", "\"lock\": 1"), vec![":2:12: invalid JSON: expected"]),
        (
            "a merge",
            good.replacen("    \"context\"", "<<<<<<< HEAD\n    \"context\"", 1),
            vec!["5:1: two merged branches both changed the lock: keep the lock of one branch"],
        ),
        (
            "a list",
            "[]".to_owned(),
            vec![
                "1:1: this isn't a lock of contracts: expected an object with `lock` and `contracts`; restore the file",
            ],
        ),
        (
            "newer",
            good.replace("\"lock\": 1,", "\"lock\": 2,"),
            vec!["2:11: the lock has the format version 2, but this version"],
        ),
        (
            "no number",
            good.replace("\"lock\": 1,", "\"lock\": \"1\","),
            vec!["2:11: `lock` must be a number, found the string \"1\""],
        ),
        ("no contracts", "{ \"lock\": 1 }".to_owned(), vec!["1:1: the lock has no `contracts`; restore the file"]),
        (
            "another name",
            good.replace("\"contracts\"", "\"contract\""),
            vec!["4:3: unknown member `contract`; did you mean `contracts`?", "1:1: the lock has no `contracts`"],
        ),
        ("no event", good.replace("\"a.x\"", "\"a x\""), vec!["`a x` isn't the name of a contract: "]),
        ("nothing of it", empty("{}"), vec!["3:25: this contract has no `accepted`; restore the file"]),
        ("no object", empty("5"), vec!["3:25: `this contract` must be an object, found 5"]),
        (
            "no digest",
            good.replace(&digest, "abc"),
            vec!["`digest` must be a SHA-256 digest of 64 hexadecimal digits, found the string \"abc\""],
        ),
        (
            "not a list",
            empty(&format!("{{ {accepted}, \"waivers\": {{}} }}")),
            vec!["`waivers` must be a list, found an object"],
        ),
        (
            "a waiver of nothing",
            empty(&format!(
                "{{ {accepted}, \"waivers\": [{{ \"direction\": \"up\", \"until\": \"2026-02-30\", \"reason\": \" \", \"new\": 1, \"odl\": 1 }}] }}"
            )),
            vec![
                "unknown member `odl`; did you mean `old`?",
                "this waiver has no `old`",
                "`new` must be a SHA-256 digest of 64 hexadecimal digits, found 1",
                "`direction` must be `old-to-new` or `new-to-old`, found the string \"up\"",
                "`reason` must be a string with the reason, found the string \" \"",
                "`until` must be a day such as 2026-03-31, found the string \"2026-02-30\"",
            ],
        ),
        (
            "a version twice",
            empty(&format!(
                "{{ {accepted}, \"in_the_field\": [{0}, {0}] }}",
                format!(r#"{{ "because": "app", "sides": "both", "digest": "{digest}", "form": {{}} }}"#)
            )),
            vec![" occurs twice: remove one of the two"],
        ),
    ];
    for (name, text, said) in cases {
        let problems = Lock::parse("schemas/contracts.lock", text.as_bytes()).unwrap_err();
        let lines: Vec<String> = problems.0.iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), said.len(), "{name}: {lines:#?}");
        for said in said {
            assert!(
                lines.iter().any(|line| line.starts_with("schemas/contracts.lock:") && line.contains(said)),
                "{name}: {said}\n{lines:#?}"
            );
        }
    }
}

#[test]
fn a_form_that_was_edited_by_hand_is_found_where_it_is_looked_at() {
    let folder = Folder::new("by_hand");
    folder.write("events/a/x.json", r#"{ "properties": { "text": { "maxLength": 50 } } }"#);
    let folder = folder.accepted();
    let text = folder.lock().to_string().replace("\"maxLength\": 50", "\"maxLength\": 40");
    folder.write("contracts.lock", &text);
    // the digest is the contract's: nothing has to be looked at
    assert_eq!(folder.said(), "");
    let error = Lock::parse("lock", text.as_bytes()).unwrap().verify("lock").unwrap_err().to_string();
    assert!(error.contains("the form has the digest") && error.contains("the lock was edited by hand"), "{error}");
    folder.write("events/a/x.json", r#"{ "properties": { "text": { "maxLength": 40 } } }"#);
    let said = folder.said();
    assert!(
        said.starts_with("error: schemas/contracts.lock:") && said.contains("the lock was edited by hand"),
        "{said}"
    );
    assert!(folder.accept(Act::Fitting, &[], None).is_err());
}

#[test]
fn words_are_the_same_both_ways() {
    for direction in Direction::ALL {
        assert_eq!(direction.to_string().parse(), Ok(direction));
    }
    assert_eq!("up".parse::<Direction>().unwrap_err().to_string(), "expected one of old-to-new, new-to-old");
    assert_eq!("context".parse::<Subject>().unwrap().kind, ContractKind::Context);
    assert!("nothing".parse::<Subject>().is_err());
}
