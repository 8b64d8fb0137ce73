//! The generated decoders accept exactly what the `jsonschema` crate accepts.

mod values;

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};
use twyla_codec::event::{Emit, EventContext, Listen};
use twyla_golden::{digits, fields, names, order, refs, rules, trees, unions};

/// The validator of one file, which can refer to all files of its folder.
fn oracle(folder: &str, file: &str) -> Validator {
    let mut registry = Registry::new();
    let mut open = vec![std::path::PathBuf::from("schemas").join(folder)];
    let root = open[0].clone();
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                open.push(entry.path());
                continue;
            }
            let value: Value = serde_json::from_str(&std::fs::read_to_string(entry.path()).unwrap()).unwrap();
            let path = entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            let resource = jsonschema::Draft::default().detect(&value).create_resource(value);
            registry = registry.add(format!("twyla:///{path}"), resource).unwrap();
        }
    }
    let registry = registry.prepare().unwrap();
    let options =
        jsonschema::options().with_registry(&registry).with_base_uri("twyla:///").should_validate_formats(true);
    options.build(&json!({ "$ref": format!("twyla:///{file}") })).unwrap()
}

/// Tries every value for every property of a valid content, each property absent, and contents that aren't such
/// objects.
fn hold(folder: &str, file: &str, good: &Value, decode: impl Fn(&[u8]) -> Result<Vec<u8>, String>) {
    let oracle = oracle(folder, file);
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(format!("schemas/{folder}/{file}")).unwrap()).unwrap();
    let mut keys: Vec<String> =
        ["undeclared", "x-1", "one", "two", "extra", "id", "tags", "a"].map(str::to_owned).to_vec();
    keys.extend(schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.clone()));
    keys.extend(good.as_object().unwrap().keys().cloned());
    let (mut yes, mut no) = (0, 0);
    let mut hold = |instance: &Value| {
        let text = instance.to_string();
        let (expected, found) = (oracle.is_valid(instance), decode(text.as_bytes()));
        // refused rather than read with other digits
        if found.as_ref().is_err_and(|error| error.contains("more digits than can be kept")) {
            return;
        }
        assert_eq!(found.is_ok(), expected, "{folder}/{file}: {text}: {found:?}");
        if let Ok(again) = found {
            yes += 1;
            let again: Value = serde_json::from_slice(&again).unwrap();
            assert!(decode(again.to_string().as_bytes()).is_ok(), "{folder}/{file}: {text} was written {again}");
        } else {
            no += 1;
        }
    };
    hold(good);
    for key in &keys {
        for value in values::all() {
            // draft 4 leaves open whether `1.0` is an integer; Twyla always accepts it
            let four = schema["$schema"].as_str().is_some_and(|uri| uri.contains("draft-04"));
            if four && value.as_f64().is_some_and(|number| number.trunc() == number && value.is_f64()) {
                continue;
            }
            let mut instance = good.clone();
            instance[key] = value;
            hold(&instance);
        }
        let mut instance = good.clone();
        instance.as_object_mut().unwrap().remove(key);
        hold(&instance);
    }
    assert!(yes > 20 && no > 20 || keys.len() == 8, "{folder}/{file}: {yes} accepted and {no} refused prove little");
    // a content must be an object, whatever the schema says
    for other in values::all().into_iter().filter(|value| !value.is_object()) {
        assert!(decode(other.to_string().as_bytes()).is_err(), "{folder}/{file}: {other}");
    }
}

fn event<E: Listen + Emit>(text: &[u8]) -> Result<Vec<u8>, String> {
    let value = E::decode(text).map_err(|refusal| refusal.to_string())?;
    let mut out = Vec::new();
    value.encode(&mut out).map_err(|refusal| format!("decoded and not encoded: {refusal}"))?;
    Ok(out)
}

fn context<C: EventContext>(text: &[u8]) -> Result<Vec<u8>, String> {
    let value = C::decode(text).map_err(|refusal| refusal.to_string())?;
    let mut out = Vec::new();
    value.encode(&mut out).map_err(|refusal| format!("decoded and not encoded: {refusal}"))?;
    Ok(out)
}

#[test]
fn names_agree() {
    let good = json!({ "type": "a", "$ref-like": 1, "value": {}, "undeclared-one": 1 });
    hold("names", "events/my-domain/2fa.sent.json", &good, event::<names::my_domain::_2faSent>);
    hold("names", "events/my-domain/string.json", &json!({ "x": [1] }), event::<names::my_domain::String>);
    hold("names", "context.json", &json!({ "type": "self" }), context::<names::Context>);
}

#[test]
fn references_agree() {
    let good = json!({ "tree": { "label": "a", "right": null } });
    hold("refs", "events/work/planted.json", &good, event::<refs::work::Planted>);
    hold("refs", "events/work/here.json", &json!({ "spots": [] }), event::<refs::work::Here>);
    hold("refs", "context.json", &json!({ "owner": "me", "level": 1 }), context::<refs::Context>);
}

#[test]
fn rules_agree() {
    hold("rules", "events/check/all.json", &json!({}), event::<rules::check::All>);
    hold("rules", "events/check/required.json", &json!({ "a": null, "b": 1, "c": 2 }), event::<rules::check::Required>);
}

#[test]
fn bounds_beyond_64_bits_agree() {
    hold("digits", "events/shop/far.json", &json!({}), event::<digits::shop::Far>);
    let holds = |text: &str| digits::shop::Far::decode(text.as_bytes()).is_ok();
    assert!(holds(r#"{"unsigned":18446744073709551615,"signed":-9223372036854775808,"few":"x","multiple":0}"#));
    assert!(!holds(r#"{"never":18446744073709551615}"#));
    assert!(!holds(r#"{"far":9223372036854775807}"#));
    assert!(holds(r#"{"number":9223372036854775808}"#) && !holds(r#"{"number":9223372036854777856}"#));
    assert!(holds(r#"{"number":-18446744073709549568}"#) && !holds(r#"{"number":-18446744073709551616}"#));
    assert!(holds(r#"{"open":18446744073709551615}"#) && !holds(r#"{"open":18446744073709551616}"#));
    assert!(holds(r#"{"multiple":0}"#) && !holds(r#"{"multiple":1}"#));
    assert!(holds(r#"{"power":18446744073709551616}"#) && !holds(r#"{"power":18446744073709551615}"#));
}

#[test]
fn integers_of_all_widths_agree() {
    use digits::shop::{Widths, WidthsEither};
    hold("digits", "events/shop/widths.json", &json!({}), event::<Widths>);
    let oracle = oracle("digits", "events/shop/widths.json");
    let names = ["byte", "offset", "port", "weight", "unproven", "few", "level", "either", "ruled"];
    for value in [-129, -128, 127, 128, 255, 256, 65_535, 65_536, 1_000_000, 1_000_010, 1_i64 << 31, 1 << 32, 7] {
        for instance in names.map(|name| json!({ name: value })).into_iter().chain([json!({ "bytes": [1, value] })]) {
            let found = event::<Widths>(instance.to_string().as_bytes());
            assert_eq!(found.is_ok(), oracle.is_valid(&instance), "{instance}: {found:?}");
        }
    }
    let widths =
        Widths::decode(br#"{"byte":255,"offset":-128,"unproven":5000000000,"either":7,"bytes":[1,2.0]}"#).unwrap();
    let (byte, offset): (u8, i8) = (widths.byte.unwrap(), widths.offset.unwrap());
    let (port, bytes): (u16, Vec<u8>) = (widths.port(), widths.bytes.unwrap());
    assert_eq!(widths.listed, None::<u64>, "listed integers have no bounds");
    assert_eq!((byte, offset, port, bytes, widths.unproven), (255, -128, 443, vec![1, 2], Some(5_000_000_000)));
    assert_eq!(widths.either, Some(WidthsEither::from(7)));
    let refused = |text: &str| Widths::decode(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(refused(r#"{"byte":256}"#), "/byte: 256 is more than 255");
    assert_eq!(refused(r#"{"offset":-129}"#), "/offset: -129 is less than -128");
}

#[test]
fn values_are_written_as_they_were_read() {
    let again = |text: &str| String::from_utf8(event::<digits::shop::Spelled>(text.as_bytes()).unwrap()).unwrap();
    for text in [
        r#"{"at":"2026-01-02T03:04:05Z"}"#,
        r#"{"at":"2026-01-02t03:04:05.000z","on":"2026-01-02","times":["2026-01-02T03:04:05+00:00","2026-01-02T03:04:05-00:00"]}"#,
        r#"{"at":"2026-01-02T03:04:05.1234567+05:30","price":100,"any":[100,100.0,1.5,"2026-01-02T03:04:05.0Z"]}"#,
        r#"{"at":"2026-01-02T03:04:05Z","price":1152921504606846976}"#,
        r#"{"at":"2026-01-02T03:04:05Z","price":-0.75}"#,
    ] {
        assert_eq!(again(text), text);
    }
    // the same number
    assert_eq!(again(r#"{"at":"2026-01-02T03:04:05Z","price":1e2}"#), r#"{"at":"2026-01-02T03:04:05Z","price":100}"#);
    // created in Rust
    let now = chrono::DateTime::from_timestamp(1_767_323_045, 0).unwrap();
    let made = digits::shop::Spelled { price: Some(100.0), ..digits::shop::Spelled::new(now.into()) };
    let mut out = Vec::new();
    made.encode(&mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), r#"{"at":"2026-01-02T03:04:05Z","price":100}"#);
    assert_eq!((made.at == now, made.at.timestamp()), (true, 1_767_323_045));
    assert_eq!(serde_json::to_string(&made).unwrap(), r#"{"at":"2026-01-02T03:04:05Z","price":100}"#);
}

#[test]
fn trees_agree() {
    hold("trees", "events/odd/joined.json", &json!({ "id": "1", "extra": 1 }), event::<trees::odd::Joined>);
    let extended = json!({ "id": "1", "more": "x", "inner": { "id": "2", "deep": 1 } });
    hold("trees", "events/odd/extended.json", &extended, event::<trees::odd::Extended>);
    let typed = trees::odd::Extended::decode(extended.to_string().as_bytes()).unwrap();
    assert_eq!((typed.id.as_str(), typed.more.as_str(), typed.inner.map(|inner| inner.deep)), ("1", "x", Some(1)));
    let choice = json!({ "one": "x", "kind": "a" });
    hold("trees", "events/odd/choice.json", &choice, event::<trees::odd::Choice>);
    let merged = json!({
        "state": "open", "closed": null, "opened": "2026-01-02T03:04:05Z", "zone": "2026-01-02T03:04:05Z", "count": 2,
        "moments": ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"],
        "keys": ["67e55044-10b1-426f-9247-bb680e5fe0c8"], "closed_by": { "id": 1, "n": 2 },
    });
    let closed_twice = json!({ "state": "open", "closed": null, "closed_twice": { "id": 1, "other": 1 } });
    assert!(trees::odd::Merged::decode(closed_twice.to_string().as_bytes()).is_err());
    hold("trees", "events/odd/merged.json", &merged, event::<trees::odd::Merged>);
    let typed = trees::odd::Merged::decode(merged.to_string().as_bytes()).unwrap();
    let (opened, zone, moments) = (typed.opened.unwrap(), typed.zone.unwrap(), typed.moments.unwrap());
    assert_eq!(
        (opened.timestamp(), &*zone, &*moments[1]),
        (1_767_323_045, "2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00")
    );
    let tagged = json!({ "done": true, "mail": "a@example.com", "note": 1, "notes": [1, "x"], "method": { "kind": "card", "last4": "1234" } });
    hold("trees", "events/odd/tagged.json", &tagged, event::<trees::odd::Tagged>);
    let typed = trees::odd::Tagged::decode(tagged.to_string().as_bytes()).unwrap();
    assert!(
        matches!(typed.method, trees::odd::TaggedMethod::Card(trees::odd::TaggedMethodCard { ref last4, .. }) if last4 == "1234")
    );
    hold("trees", "context.json", &json!({ "mail": "a@example.com" }), context::<trees::Context>);
}

#[test]
fn narrowed_references_agree() {
    let issue = json!({ "id": 1, "state": "open", "closed_at": null });
    let closed = json!({ "id": 1, "state": "closed", "closed_at": "2026-01-02T03:04:05Z", "locked": false });
    let milestoned = json!({ "id": 1, "state": "open", "closed_at": null, "milestone": { "title": "x" } });
    let extended = json!({ "id": 1, "state": "open", "closed_at": null, "more": "x" });
    let open = json!({ "id": 1, "state": "open", "closed_at": null, "undeclared": 1 });
    let good = json!({
        "issue": issue, "closed": closed, "milestoned": milestoned, "typed": issue, "assigned": { "login": "x", "bot": true },
        "login": "a", "state": "open", "extended": extended, "open": open,
    });
    hold("fields", "events/shop/narrowed.json", &good, event::<fields::shop::Narrowed>);
    // parts that only the narrowing refuses
    let narrowing = oracle("fields", "events/shop/narrowed.json");
    for (at, value) in [
        ("closed", json!({ "id": 1, "state": "open", "closed_at": "2026-01-02T03:04:05Z", "locked": false })),
        ("closed", json!({ "id": 1, "state": "closed", "closed_at": null, "locked": false })),
        ("closed", json!({ "id": 1, "state": "closed", "closed_at": "2026-01-02T03:04:05Z" })),
        ("milestoned", issue.clone()),
        ("milestoned", json!({ "id": 1, "state": "open", "closed_at": null, "milestone": null })),
        ("assigned", json!({ "login": "x", "bot": false })),
        ("login", json!("abc")),
        ("state", json!("closed")),
        ("extended", json!({ "id": 1, "state": "open", "closed_at": null, "more": 1 })),
        ("open", issue.clone()),
    ] {
        let mut instance = good.clone();
        instance[at] = value;
        assert!(!narrowing.is_valid(&instance), "{instance}");
        assert!(event::<fields::shop::Narrowed>(instance.to_string().as_bytes()).is_err(), "{instance}");
    }
    let good = json!({
        "issue": issue, "closed": closed, "typed": issue, "limited": "a", "extended": extended,
        "union": { "kind": "card", "amount": 1 },
    });
    hold("fields", "events/shop/beside.json", &good, event::<fields::shop::Beside>);
}

#[test]
fn formats_with_implied_rules_agree() {
    let good = json!({
        "at": "2026-01-02T03:04:05.123Z", "id": "2EB8AA08-aa98-11ea-b4aa-73b441d16380", "day": null, "ipv4": "127.0.0.1",
        "ipv6": "::", "short_at": "2026-01-02T03:04:05Z", "lower_id": "2eb8aa08-aa98-11ea-b4aa-73b441d16380",
        "long_ipv4": "127.0.0.1",
    });
    hold("fields", "events/shop/implied.json", &good, event::<fields::shop::Implied>);
}

#[test]
fn constants_agree() {
    let good = json!({
        "version": 3, "offset": -1, "ratio": 1.5, "signed": true, "nothing": null, "kind": "order", "limit": 0.5, "id": "x",
    });
    hold("fields", "events/shop/constant.json", &good, event::<fields::shop::Constant>);
}

#[test]
fn properties_whose_null_is_absence_agree() {
    let good = json!({ "id": 1, "must": null, "note": null, "previous": { "id": 2, "must": "x", "score": null } });
    hold("fields", "events/shop/absent.json", &good, event::<fields::shop::Absent>);
}

#[test]
fn nullable_properties_agree() {
    let good =
        json!({ "id": 1, "note": null, "nickname": "ab", "previous": { "id": 2, "note": "x", "nickname": null } });
    hold("fields", "events/shop/patched.json", &good, event::<fields::shop::Patched>);
}

#[test]
fn unions_agree() {
    use unions::shop::{Hook, Measure, Narrowed, Payment, Review, Values};
    hold("unions", "events/shop/values.json", &json!({}), event::<Values>);
    hold("unions", "events/shop/payment.json", &json!({ "amount": 1, "card": "ab", "a": 1 }), event::<Payment>);
    hold("unions", "events/shop/payment.json", &json!({ "amount": 1, "iban": "a" }), event::<Payment>);
    hold("unions", "events/shop/payment.json", &json!({ "amount": 1, "b": 1 }), event::<Payment>);
    hold("unions", "events/shop/hook.json", &json!({ "kind": "a", "at": "b" }), event::<Hook>);
    hold("unions", "events/shop/hook.json", &json!({ "kind": "x", "a": 1, "at": "b" }), event::<Hook>);
    hold("unions", "events/shop/hook.json", &json!({ "kind": "some", "b": 1 }), event::<Hook>);
    hold("unions", "events/shop/measure.json", &json!({}), event::<Measure>);
    hold("unions", "events/shop/narrowed.json", &json!({}), event::<Narrowed>);
    let refused = [
        r#"{"whole":1.5}"#,
        r#"{"whole_listed":1.5}"#,
        r#"{"whole_listed":true}"#,
        r#"{"object_only":"a"}"#,
        r#"{"nothing":1}"#,
        r#"{"nothing":[]}"#,
        r#"{"no_text":"a"}"#,
        r#"{"one_null":null}"#,
        r#"{"one_null":"x"}"#,
    ];
    for text in refused {
        assert!(Narrowed::decode(text.as_bytes()).is_err(), "{text}");
    }
    for text in [r#"{"whole":1}"#, r#"{"whole_listed":"a"}"#, r#"{"object_only":{"a":"b"}}"#, r#"{"one_null":2}"#] {
        Narrowed::decode(text.as_bytes()).unwrap();
    }
    hold("unions", "events/shop/review.json", &json!({ "a": 1, "value": { "x": 1 }, "state": "x" }), event::<Review>);
    hold("unions", "events/shop/review.json", &json!({ "a": 1, "value": { "x": 1 }, "c": true }), event::<Review>);
}

#[test]
fn objects_with_members_of_their_own_agree() {
    use unions::shop::Contact;
    hold("unions", "events/shop/contact.json", &json!({ "way": { "a": 1 } }), event::<Contact>);
    let oracle = oracle("unions", "events/shop/contact.json");
    let absent = || vec![None];
    let or = |values: &[Value]| absent().into_iter().chain(values.iter().cloned().map(Some)).collect::<Vec<_>>();
    let (all_a, all_b) = (or(&[json!(1), json!(6), json!("x"), json!(null)]), or(&[json!(1), json!(2), json!("x")]));
    let (all_hook, all_x) = (or(&[json!("http://a"), json!("a b")]), or(&[json!("x"), json!(1)]));
    let (mut yes, mut no) = (0, 0);
    for (a, b, hook, x) in all_a.iter().flat_map(|a| {
        let (all_hook, all_x) = (&all_hook, &all_x);
        all_b.iter().flat_map(move |b| all_hook.iter().flat_map(move |hook| all_x.iter().map(move |x| (a, b, hook, x))))
    }) {
        let mut object = json!({});
        for (name, value) in [("a", a), ("b", b), ("hook", hook), ("x", x)] {
            if let Some(value) = value {
                object[name] = value.clone();
            }
        }
        for at in ["way", "or_text", "kept", "counted", "several", "alike"] {
            let mut instance = json!({ "way": { "a": 1 } });
            instance[at] = object.clone();
            let found = event::<Contact>(instance.to_string().as_bytes());
            assert_eq!(found.is_ok(), oracle.is_valid(&instance), "{instance}: {found:?}");
            if let Ok(written) = found {
                let written: Value = serde_json::from_slice(&written).unwrap();
                assert!(oracle.is_valid(&written), "{instance} was written {written}");
                yes += 1;
            } else {
                no += 1;
            }
        }
    }
    assert!(yes > 100 && no > 100, "{yes} accepted and {no} refused prove little");
    let within = json!({ "way": { "hook": "http://a", "a": 9, "next": { "b": 1, "hook": 5 } } });
    assert!(oracle.is_valid(&within) && event::<Contact>(within.to_string().as_bytes()).is_ok());
}

#[test]
fn members_beside_a_union_agree() {
    use unions::shop::{Parcel, ParcelA};
    let file = "events/shop/parcel.json";
    for good in [
        json!({ "id": "ab", "kind": "a", "a": "x", "value": 2 }),
        json!({ "id": "ab", "kind": "b", "value": 2, "note": null }),
        json!({ "id": "ab", "kind": "x", "hook": { "a": 1, "b": 2 } }),
    ] {
        hold("unions", file, &good, event::<Parcel>);
    }
    let Parcel::A(parcel) = Parcel::decode(br#"{"id":"ab","kind":"a","a":"x","note":"s"}"#).unwrap() else {
        panic!("another variant")
    };
    assert_eq!((parcel.id.as_str(), parcel.value(), &*parcel.a), ("ab", 3, "x"));
    assert!(!format!("{parcel:?}").contains("\"s\""), "{parcel:?}");
    assert_eq!(ParcelA { note: parcel.note.clone(), ..ParcelA::new("x", "ab") }, parcel);
}

#[test]
fn members_beside_a_union_that_a_variant_declares_or_requires_agree() {
    use unions::shop::Fare;
    for good in [
        json!({ "kind": "a", "note": "ab", "rate": 0.5, "card": { "pin": "x" } }),
        json!({ "kind": "b", "note": "ab", "rate": 1.5 }),
        json!({ "kind": "card", "card": { "pin": "x" } }),
    ] {
        hold("unions", "events/shop/fare.json", &good, event::<Fare>);
    }
}

/// An event's rules apply whether its name sorts before or after that of an event that refers to it.
#[test]
fn rules_of_events_that_others_refer_to_agree() {
    use order::{after, before};
    let good = json!({ "inner": { "x": 1 }, "maybe": { "x": 1 }, "loose": { "x": 1 } });
    hold("order", "events/before/first.json", &good, event::<before::First>);
    hold("order", "events/after/whole.json", &good, event::<after::Whole>);
    let one = json!({ "x": 1 });
    hold("order", "events/before/second.json", &one, event::<before::Second>);
    hold("order", "events/after/second.json", &one, event::<after::Second>);
    hold("order", "events/before/third.json", &one, event::<before::Third>);
    hold("order", "events/after/third.json", &one, event::<after::Third>);
    hold("order", "events/before/fourth.json", &one, event::<before::Fourth>);
    hold("order", "events/after/fourth.json", &one, event::<after::Fourth>);
    let both = json!({ "x": 1, "y": 2 }).to_string();
    assert!(before::Second::decode(both.as_bytes()).is_err());
    assert!(before::Second { x: Some(1), y: Some(2) }.encode(&mut Vec::new()).is_err());
    assert!(after::Second::decode(both.as_bytes()).is_err());
}

#[test]
fn cases_that_serde_alone_gets_wrong() {
    let refused = |text: &str| rules::check::All::decode(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(refused(r#"{"int":11,"text":"x"}"#).split("; ").count(), 3);
    assert_eq!(
        refused(r#"{"free":9223372036854775808}"#),
        "/free: 9223372036854775808 is not an integer that fits in 64 bits"
    );
    assert_eq!(refused(r#"{"map":{"a":1,"a":2}}"#), "/map: the member \"a\" appears twice");
    assert_eq!(refused(r#"{"any":[{"a":1,"a":2}]}"#), "/any/0: the member \"a\" appears twice");
    assert_eq!(refused(r#"{"list":["a","b","a"]}"#), "/list: item 2 equals an earlier item");
    let deep = format!("{{\"any\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(refused(&deep).contains("recursion limit"));
    assert_eq!(rules::check::All::decode(br#"{"big":18446744073709551615}"#).unwrap().big, Some(u64::MAX));
    let not_a_number = rules::check::All { num: Some(f64::NAN), ..rules::check::All::decode(b"{}").unwrap() };
    assert!(not_a_number.encode(&mut Vec::new()).is_err());
}
