//! The types of fields: narrowed references, implied rules, constants, and properties that may be null.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use twyla_codec::Nullable;
use twyla_codec::event::{Emit, Listen};
use twyla_golden::fields::shared::{Issue, IssueState};
use twyla_golden::fields::shop::{Absent, Beside, Constant, Implied, Narrowed, Patched, Ruled, RuledCode, RuledTwice};
use twyla_golden::shapes::webhooks::{PullRequestClosedPullRequest, PullRequestPullRequest};

fn read<T: Listen>(value: &Value) -> T {
    T::decode(value.to_string().as_bytes()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn written(event: &impl Emit) -> Result<Value, String> {
    let mut out = Vec::new();
    event.encode(&mut out).map_err(|refusal| refusal.to_string())?;
    Ok(serde_json::from_slice(&out).unwrap())
}

#[test]
fn a_narrowed_reference_has_the_type_of_what_it_refers_to() {
    let issue = Issue::new(Some("2026-01-02T03:04:05Z".parse().unwrap()), 1, IssueState::Closed);
    let closed = Issue { locked: Some(true), ..issue.clone() };
    let event = Narrowed { closed: Some(closed.clone()), typed: Some(issue.clone()), ..Narrowed::new(issue.clone()) };
    assert!(written(&event).is_ok());
    let beside = Beside { closed: Some(closed), typed: Some(issue.clone()), ..Beside::new() };
    assert!(written(&beside).is_ok());
    // the narrowing is a rule of the field
    let open = Issue { state: IssueState::Open, locked: Some(true), ..issue.clone() };
    let refused = written(&Narrowed { closed: Some(open.clone()), ..Narrowed::new(issue) }).unwrap_err();
    assert!(refused.starts_with("/closed/state: "), "{refused}");
    assert!(written(&Beside { closed: Some(open), ..Beside::new() }).is_err());
}

#[test]
fn a_rule_that_a_format_implies_keeps_its_type() {
    let event = Implied {
        day: Nullable::Value("2026-01-02".parse().unwrap()),
        ipv4: Some("10.0.0.1".parse().unwrap()),
        short_at: Some("2026-01-02T03:04:05Z".to_owned()),
        ..Implied::new("2026-01-02T03:04:05Z".parse().unwrap(), "67e55044-10b1-426f-9247-bb680e5fe0c8".parse().unwrap())
    };
    assert_eq!(written(&event).unwrap()["day"], "2026-01-02");
}

#[test]
fn a_constant_with_another_rule_keeps_its_field() {
    let event = Ruled { code: RuledCode::Ab, twice: RuledTwice::X };
    assert_eq!(event, Ruled::new());
    assert_eq!(written(&event), Ok(json!({ "source": "web", "code": "ab", "twice": "x" })));
}

#[test]
fn new_takes_no_argument_for_a_constant() {
    let event = Constant::new("x", 0.5);
    let content = json!({
        "version": 3, "offset": -1, "ratio": 1.5, "signed": true, "nothing": null, "kind": "order", "limit": 0.5, "id": "x",
    });
    assert_eq!(written(&event), Ok(content));
    assert_eq!(event.version, 3);
    // a required word has no field
    let other = serde_json::to_string(
        &json!({ "version": 3, "offset": -1, "ratio": 1.5, "signed": true, "nothing": null, "limit": 0.5, "id": "x" }),
    )
    .unwrap();
    let refused = |text: &str| Constant::decode(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(refused(&other), "(root): `kind` is missing");
    assert_eq!(refused(&other.replace('}', r#","kind":"x"}"#)), r#"/kind: "x" is not "order""#);
    assert!(written(&Constant { ratio: 2.5, ..event }).is_err_and(|error| error == "/ratio: 2.5 is not 1.5"));
}

#[test]
fn a_nullable_property_is_absent_null_or_a_value() {
    for (more, nickname) in [
        (json!({}), Nullable::Absent),
        (json!({ "nickname": null }), Nullable::Null),
        (json!({ "nickname": "Ada" }), "Ada".to_owned().into()),
    ] {
        let mut content = json!({ "id": 1, "note": null });
        content.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let event: Patched = read(&content);
        assert_eq!((&event.note, &event.nickname), (&None, &nickname));
        assert_eq!(written(&Patched { nickname, ..Patched::new(1, None) }), Ok(content.clone()));
        assert_eq!(serde_json::to_value(&event).unwrap(), content);
        assert_eq!(serde_json::from_value::<Patched>(content).unwrap(), event);
    }
    let refused = written(&Patched { nickname: "A".to_owned().into(), ..Patched::new(1, None) }).unwrap_err();
    assert!(refused.starts_with("/nickname: "), "{refused}");
}

#[test]
fn null_is_read_as_absence_where_both_mean_the_same() {
    let null = json!({ "id": 1, "must": null, "note": null, "tags": null, "score": null, "previous": null });
    let event: Absent = read(&null);
    assert_eq!(event, Absent::new(1, None));
    assert_eq!(event.score(), 0.5);
    assert_eq!(written(&event), Ok(json!({ "id": 1, "must": null })));
    let value =
        json!({ "id": 1, "must": "x", "note": "ab", "tags": ["a"], "score": 1, "previous": { "id": 2, "must": null } });
    assert_eq!(written(&read::<Absent>(&value)), Ok(value));
    assert!(written(&Absent { note: Some("a".to_owned()), ..event }).is_err());
}

#[test]
fn a_rule_of_the_whole_object_distinguishes_null_from_absent() {
    assert!(written(&Patched { ruled: Nullable::Absent, ..Patched::new(1, None) }).is_ok());
    assert!(written(&Patched { ruled: 1.into(), ..Patched::new(1, None) }).is_ok());
    assert!(written(&Patched { ruled: Nullable::Null, ..Patched::new(1, None) }).is_err());
    assert!(written(&Patched { ruled: Nullable::Null, nickname: Nullable::Null, ..Patched::new(1, None) }).is_ok());
}

#[test]
fn an_accessor_returns_the_default_of_an_absent_property_and_none_for_null() {
    let absent = Patched::new(1, None);
    assert_eq!((absent.tags(), absent.word(), absent.score()), (Some(&["a".to_owned()][..]), None, Some(0.5)));
    assert!(absent.previous().is_none());
    let null = Patched { tags: Nullable::Null, score: Nullable::Null, ..Patched::new(1, None) };
    assert_eq!((null.tags(), null.score()), (None, None));
    let value = Patched { word: "w".to_owned().into(), previous: Box::new(null).into(), ..absent };
    assert_eq!((value.word(), value.previous().map(|it| it.id)), (Some("w"), Some(1)));
}

#[test]
fn an_extended_struct_converts_into_what_it_extends() {
    let closed = PullRequestClosedPullRequest {
        draft: Some(false),
        ..PullRequestClosedPullRequest::new(true, None, 7, "Mend the fence")
    };
    let plain = PullRequestPullRequest { draft: Some(false), ..PullRequestPullRequest::new(None, 7, "Mend the fence") };
    assert_eq!(PullRequestPullRequest::from(closed), plain);
}

#[test]
fn a_struct_with_other_or_hidden_members_does_not_convert() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("extended");
    let _ = fs::remove_dir_all(&folder);
    let write = |path: &str, schema: Value| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, schema.to_string()).unwrap();
    };
    let extends = |more: Value| json!({ "allOf": [{ "$ref": "../../shared/base.json" }, { "type": "object", "properties": more }] });
    write("context.json", json!({ "type": "object" }));
    write(
        "shared/base.json",
        json!({ "type": "object", "required": ["id"], "properties": { "id": { "type": "string" }, "note": { "type": "string" } } }),
    );
    write(
        "events/shop/base.json",
        json!({ "type": "object", "properties": { "base": { "$ref": "../../shared/base.json" } } }),
    );
    write("events/shop/more.json", extends(json!({ "extra": { "type": "integer" } })));
    write("events/shop/narrow.json", extends(json!({ "note": { "enum": ["a", "b"] }, "extra": {} })));
    write(
        "events/shop/noted.json",
        json!({ "allOf": [{ "$ref": "../../shared/base.json" }, { "type": "object", "properties": { "extra": {} }, "required": ["note"] }] }),
    );
    write("events/shop/closed.json", json!({ "type": "object", "properties": { "id": { "type": "string" } } }));
    write(
        "events/shop/secret.json",
        extends(json!({ "note": { "type": "string", "x-sensitive": true }, "extra": {} })),
    );
    let code = twyla_build::Builder::new(&folder).generate().unwrap().code;
    let converts = |name: &str| code.contains(&format!("impl From<{name}> for super::shared::Base"));
    assert_eq!(["More", "Narrow", "Noted"].map(converts), [true; 3], "{code}");
    assert!(code.contains("Self { id: value.id, note: Some(value.note) }"), "{code}");
    assert_eq!(["Closed", "Secret"].map(converts), [false; 2], "{code}");
}
