//! What a folder's own `twyla.json`, a build script and a command set: one meaning, whichever says it.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::fs;

use serde_json::json;
use tempfile::TempDir;
use twyla_build::compare::{self, Bundle, ContractKind, Mode, Validity};
use twyla_build::{Builder, Draft, Problems};

const META: &str = "https://schemas.example.com/meta/v1#";
const IGLU: &str = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#";

/// A folder with one event of a dialect, in which `exclusiveMinimum` means what it means in draft 4.
fn folder(dialect: &str, more: &[(&str, &str)]) -> TempDir {
    let event = json!({
        "$schema": dialect,
        "self": { "vendor": "com.example", "name": "placed", "format": "jsonschema", "version": "1-0-0" },
        "type": "object",
        "properties": { "total": { "type": "number", "minimum": 0, "exclusiveMinimum": true } },
    });
    let folder = tempfile::tempdir().unwrap();
    let event = event.to_string();
    let files = [("schemas/context.json", r#"{ "type": "object" }"#), ("schemas/events/shop/placed.json", &event)];
    for (path, text) in files.iter().chain(more) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn builder(folder: &TempDir) -> Builder {
    Builder::new(folder.path().join("schemas")).shown_as("schemas")
}

fn bundle(builder: &Builder) -> Bundle {
    builder.contracts().unwrap().contract(ContractKind::Event, "shop.placed").unwrap().bundle.clone()
}

/// Draft 4's `exclusiveMinimum` refuses the bound itself.
fn is_of_draft_4(bundle: &Bundle) -> bool {
    let zero = json!({ "total": 0 });
    let of = |value| compare::validate(bundle, Mode::Subsumption, |it| it.check(&value)).unwrap();
    matches!(of(zero), Validity::Invalid(_)) && of(json!({ "total": 1 })) == Validity::Valid
}

fn errors(made: Result<impl Sized, Problems>) -> String {
    made.err().unwrap().to_string()
}

#[test]
fn the_builder_or_the_folder_sets_the_dialect() {
    let settings = json!({ "dialects": { META: "4" } }).to_string();
    let by_folder = bundle(&builder(&folder(META, &[("schemas/twyla.json", &settings)])));
    let by_builder = bundle(&builder(&folder(META, &[])).dialect(META, Draft::Draft4));
    assert!(is_of_draft_4(&by_folder));
    assert_eq!(by_folder, by_builder);
    // and a contract of the draft itself is the same
    assert_eq!(by_folder.digest(), bundle(&builder(&folder("http://json-schema.org/draft-04/schema#", &[]))).digest());
}

#[test]
fn what_the_builder_says_of_a_dialect_comes_before_the_folder() {
    let settings = json!({ "dialects": { META: "7" } }).to_string();
    let folder = folder(META, &[("schemas/twyla.json", &settings)]);
    assert!(errors(builder(&folder).generate()).contains("`exclusiveMinimum` must be a number, found true"));
    assert!(is_of_draft_4(&bundle(&builder(&folder).dialect(META, Draft::Draft4))));
}

#[test]
fn a_bundle_of_a_dialect_is_read_without_settings() {
    let written = bundle(&builder(&folder(META, &[])).dialect(META, Draft::Draft4)).to_string();
    let read = Bundle::parse(&written).unwrap();
    assert_eq!(read.to_string(), written);
    assert!(is_of_draft_4(&read));
}

#[test]
fn the_dialect_of_iglu_is_draft_4() {
    for uri in [IGLU, IGLU.trim_end_matches('#'), &IGLU.replace("http:", "https:")] {
        assert!(is_of_draft_4(&bundle(&builder(&folder(uri, &[])))), "{uri}");
    }
}

#[test]
fn a_meta_schema_that_is_given_says_its_own_draft() {
    let meta = json!({ "$schema": "http://json-schema.org/draft-04/schema#", "id": META }).to_string();
    let settings = json!({ "documents": { "https://schemas.example.com/meta/v1": "../vendor/meta.json" } }).to_string();
    let folder = folder(META, &[("vendor/meta.json", &meta), ("schemas/twyla.json", &settings)]);
    assert!(is_of_draft_4(&bundle(&builder(&folder))));
}

#[test]
fn a_meta_schema_that_is_given_comes_before_what_is_known_of_its_uri() {
    let meta = json!({ "$schema": "http://json-schema.org/draft-07/schema#" }).to_string();
    let folder = folder(IGLU, &[("vendor/meta.json", &meta)]);
    let builder = builder(&folder).document(IGLU, folder.path().join("vendor/meta.json"));
    assert!(errors(builder.generate()).contains("`exclusiveMinimum` must be a number, found true"));
}

#[test]
fn an_unknown_dialect_names_the_way_on() {
    let said = errors(builder(&folder(META, &[])).generate());
    assert!(said.contains(&format!("`.dialect(\"{META}\", Draft::Draft7)`")), "{said}");
    assert!(said.contains(&format!("`\"dialects\": {{ \"{META}\": \"7\" }}` in schemas/twyla.json")), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_reference_beyond_the_folder_names_the_option_and_the_uri() {
    let event = r#"{ "properties": { "a": { "$ref": "https://example.com/money.json#/definitions/sum" } } }"#;
    let named =
        r#"{ "$id": "https://example.com/shop/paid.json", "properties": { "a": { "$ref": "../money.json" } } }"#;
    for event in [event, named] {
        let vendored = ("vendor/money.json", r#"{ "type": "number", "definitions": { "sum": { "type": "number" } } }"#);
        let folder = folder(IGLU, &[("schemas/events/shop/paid.json", event), vendored]);
        let said = errors(builder(&folder).generate());
        let option = r#"`"documents": { "https://example.com/money.json": "FILE" }` in schemas/twyla.json"#;
        assert!(said.contains(option), "{said}");
        // what the message says mends it
        let settings = r#"{ "documents": { "https://example.com/money.json": "../vendor/money.json" } }"#;
        fs::write(folder.path().join("schemas/twyla.json"), settings).unwrap();
        builder(&folder).generate().unwrap();
    }
}

#[test]
fn a_draft_and_formats_may_be_set_in_the_folder() {
    let settings = r#"{ "default-draft": "7", "formats": false }"#;
    let folder = folder(IGLU, &[("schemas/twyla.json", settings)]);
    let set = bundle(&builder(&folder));
    assert_eq!((set.default_draft(), set.asserts_formats()), (Draft::Draft7, false));
    let over = bundle(&builder(&folder).default_draft(Draft::Draft6).formats(true));
    assert_eq!((over.default_draft(), over.asserts_formats()), (Draft::Draft6, true));
}

#[test]
fn mistakes_in_the_file_are_reported_at_their_places() {
    let settings =
        "{\n  \"dialect\": {},\n  \"dialects\": { \"x:y\": 7 },\n  \"documents\": [],\n  \"formats\": \"no\"\n}";
    let said = errors(builder(&folder(IGLU, &[("schemas/twyla.json", settings)])).generate());
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines,
        [
            "error: schemas/twyla.json:2:3: there is no setting `dialect`; did you mean `dialects`?",
            "error: schemas/twyla.json:3:24: `x:y` must be a draft: \"4\", \"6\", \"7\", \"2019-09\" or \"2020-12\", found 7",
            "error: schemas/twyla.json:4:16: `documents` must be an object with URIs as keys and files as values, found an array",
            "error: schemas/twyla.json:5:14: `formats` must be a boolean, found the string \"no\"",
        ]
    );
}

/// An event of draft 7, which has no format `uuid`.
fn of_draft_7(settings: &str) -> TempDir {
    let event = r#"{ "$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
        "properties": { "id": { "type": "string", "format": "uuid" }, "more": { "items": { "format": "uuid" } } } }"#;
    let more = [("schemas/events/shop/placed.json", event), ("schemas/twyla.json", settings)];
    folder(IGLU, &more)
}

fn warnings(folder: &TempDir) -> Vec<String> {
    builder(folder).generate().unwrap().warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_format_may_be_asserted_in_drafts_that_lack_it() {
    let unset = of_draft_7("{}");
    let said = warnings(&unset);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains(r#"`"assert-formats": ["uuid"]` in schemas/twyla.json"#), "{said:?}");
    assert!(said[0].ends_with("(2 times in this file) [unknown-format]"), "{said:?}");
    let set = of_draft_7(r#"{ "assert-formats": ["uuid"] }"#);
    assert_eq!(warnings(&set), [""; 0]);
    assert!(builder(&set).generate().unwrap().code.contains("::uuid::Uuid"));
    let (loose, strict) = (bundle(&builder(&unset)), bundle(&builder(&set)));
    assert_eq!(strict, bundle(&builder(&unset).assert_formats(["uuid"])));
    let holds = |bundle: &Bundle, id: &str| {
        let value = json!({ "id": id });
        compare::validate(bundle, Mode::Subsumption, |it| it.check(&value)).unwrap() == Validity::Valid
    };
    let (good, bad) = ("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "no uuid");
    assert!(holds(&loose, bad) && holds(&strict, good) && !holds(&strict, bad));
    // the form says it, and is read as it was written
    let read = Bundle::parse(&strict.to_string()).unwrap();
    assert!(read == strict && !holds(&read, bad) && read.asserted_formats().eq(["uuid"]));
    // a contract that has no such format is the same one
    assert_eq!(bundle(&builder(&folder(IGLU, &[])).assert_formats(["uuid"])), bundle(&builder(&folder(IGLU, &[]))));
}

#[test]
fn a_keyword_of_another_draft_is_reported_once_with_its_count() {
    let event = r#"{ "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {
        "a": { "prefixItems": [{ "type": "string" }], "$comment": "an annotation of any draft", "deprecated": true },
        "b": { "prefixItems": [{ "type": "string" }], "nullable": true, "externalDocs": {} },
        "nullable": { "nullable": false } } }"#;
    let of = |settings: &str| {
        let more = [("schemas/events/shop/placed.json", event), ("schemas/twyla.json", settings)];
        warnings(&folder(IGLU, &more))
    };
    let said = of("{}");
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(
        said[0],
        "schemas/events/shop/placed.json:2:16: `prefixItems` is a keyword of draft 2020-12 and is ignored in draft 7: name the intended draft with `$schema` (2 times in this file) [unknown-keyword]"
    );
    assert!(
        said[1].starts_with("schemas/events/shop/placed.json:3:55: `nullable` is a keyword of OpenAPI 3.0"),
        "{said:?}"
    );
    assert!(said[1].ends_with(" [unknown-keyword]"), "{said:?}");
    assert_eq!(of(r#"{ "allow": { "unknown-keyword": ["prefixItems", "nullable"] } }"#), [""; 0]);
}

#[test]
fn a_keyword_is_reported_with_the_drafts_that_have_it() {
    let said = |draft: &str, keyword: &str| {
        let event = format!(r#"{{ "$schema": "{draft}", {keyword} }}"#);
        warnings(&folder(IGLU, &[("schemas/events/shop/placed.json", &event)]))
    };
    let four = said("http://json-schema.org/draft-04/schema#", r#""propertyNames": { "maxLength": 3 }"#);
    assert!(four.len() == 1 && four[0].contains("of draft 6 and later ones and is ignored in draft 4"), "{four:?}");
    let last = said("https://json-schema.org/draft/2020-12/schema", r#""additionalItems": false"#);
    assert!(last.len() == 1 && last[0].contains("of drafts 4 to 2019-09 and is ignored in draft 2020-12"), "{last:?}");
}

#[test]
fn warnings_have_a_switch_each() {
    let event = ("schemas/events/shop/paid.json", r#"{ "titel": "", "properties": { "a": { "requierd": [] } } }"#);
    let said =
        |settings: &str| warnings(&folder(IGLU, &[event, ("schemas/twyla.json", settings), ("schemas/a.txt", "")]));
    assert_eq!(said("{}").len(), 3, "{:?}", said("{}"));
    let some = said(r#"{ "allow": { "unknown-keyword": ["titel"], "unused-file": true } }"#);
    assert_eq!(some.len(), 1, "{some:?}");
    assert!(some[0].contains("`requierd`") && some[0].ends_with(" [unknown-keyword]"), "{some:?}");
    assert_eq!(said(r#"{ "allow": { "unknown-keyword": true, "unused-file": ["a.txt"] } }"#), [""; 0]);
    let folder = folder(IGLU, &[event]);
    let allowed = builder(&folder).allow("unknown-keyword", ["titel", "requierd"]).generate().unwrap();
    assert_eq!(allowed.warnings, []);
    let unknown = errors(builder(&folder).allow("unknown-keywords", ["a"]).assert_formats(["uid"]).generate());
    assert!(unknown.contains("there is no warning `unknown-keywords`; did you mean `unknown-keyword`?"), "{unknown}");
    assert!(unknown.contains("`uid` isn't a format of JSON Schema, so it can't be asserted"), "{unknown}");
}

#[test]
fn reports_an_invalid_name_at_its_place_in_the_file() {
    let settings = "{\n  \"allow\": { \"unknown-keywords\": true },\n  \"assert-formats\": [\"uuid\", \"uid\"]\n}";
    let said = errors(builder(&folder(IGLU, &[("schemas/twyla.json", settings)])).generate());
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "error: schemas/twyla.json:2:14: there is no warning `unknown-keywords`; did you mean `unknown-keyword`?",
            "error: schemas/twyla.json:3:30: `uid` isn't a format of JSON Schema, so it can't be asserted; did you mean `uuid`?",
        ]
    );
}

#[test]
fn an_annotation_of_a_wrong_type_is_a_warning_once_per_keyword() {
    let event = r#"{ "title": 7, "description": null, "type": "object", "properties": {
        "a": { "description": ["of", "lines"], "examples": "x", "type": "string" },
        "b": { "deprecated": "yes", "readOnly": 1, "contentMediaType": {}, "$comment": [] } } }"#;
    let of = |settings: &str| {
        warnings(&folder(IGLU, &[("schemas/events/shop/paid.json", event), ("schemas/twyla.json", settings)]))
    };
    let said = of("{}");
    assert_eq!(said.len(), 7, "{said:?}");
    assert_eq!(
        said[..2],
        [
            "schemas/events/shop/paid.json:1:12: `title` is ignored: expected a string, found 7 [wrong-annotation]",
            "schemas/events/shop/paid.json:1:30: `description` is ignored: expected a string, found null (2 times in this file) \
             [wrong-annotation]",
        ]
    );
    assert!(said[2].contains("`examples` is ignored: expected an array, found the string \"x\""), "{said:?}");
    let allowed =
        r#"{ "allow": { "wrong-annotation": ["title", "description", "examples", "deprecated", "readOnly"] } }"#;
    assert_eq!(of(allowed).len(), 2);
    // a keyword with a rule is held to its type as ever
    let broken = folder(IGLU, &[("schemas/events/shop/paid.json", r#"{ "required": null }"#)]);
    assert!(
        errors(builder(&broken).generate())
            .contains("`required` must be an array of property names, all different, found null")
    );
}

/// The bundle of an event and the type of its property `note`, which may be null.
fn note(annotation: &str, settings: &str, set: impl Fn(Builder) -> Builder) -> (Bundle, String) {
    let content = r#"{ "type": "object", "properties": { "note": { "type": ["string", "null"] ANNOTATION } } }"#;
    let content = content.replace("ANNOTATION", annotation);
    let files = [("schemas/events/shop/placed.json", &*content), ("schemas/twyla.json", settings)];
    let folder = folder(META, &files);
    let builder = set(builder(&folder));
    let code = builder.generate().unwrap().code;
    let field = code.lines().find(|line| line.trim().starts_with("pub note:")).unwrap().trim().to_owned();
    (bundle(&builder), field)
}

#[test]
fn null_is_absent_if_the_schema_the_folder_or_the_builder_says_so() {
    let plain = note("", "{}", |builder| builder);
    assert_eq!(plain.1, "pub note: __twyla::Nullable<String>,");
    let by_schema = note(r#", "x-null-is-absent": true"#, "{}", |builder| builder);
    assert_eq!(by_schema.1, "pub note: Option<String>,");
    assert_ne!(by_schema.0, plain.0);
    assert_eq!(note("", r#"{ "null-is-absent": ["shop::Placed"] }"#, |builder| builder), by_schema);
    for pattern in ["*", "shop", "shop::Placed.note", "*.note"] {
        assert_eq!(note("", "{}", |builder| builder.null_is_absent(pattern)), by_schema, "{pattern}");
    }
    let folder = folder(META, &[("schemas/events/shop/placed.json", "{}")]);
    let unmatched = errors(builder(&folder).null_is_absent("bot").generate());
    assert!(unmatched.contains("has the pattern `bot`, which matches no property"), "{unmatched}");
}

#[test]
fn what_null_means_in_one_contract_does_not_depend_on_the_rules_of_another() {
    let address = r#"{"type":"object","properties":{"note":{"type":["string","null"],"x-null-is-absent":true}}}"#;
    let one = r#"{"type":"object","properties":{"to":{"$ref":"../../shared/address.json"}}}"#;
    // its rule may distinguish null from absence in what it refers to
    let two = r#"{"type":"object","properties":{"to":{"$ref":"../../shared/address.json"},"x":{"type":"string"}},
        "if":{"required":["x"]},"then":{"required":["to"]}}"#;
    let with = |files: &[(&str, &str)]| {
        let all = [&[("schemas/shared/address.json", address), ("schemas/events/a/one.json", one)], files].concat();
        let code = builder(&folder(IGLU, &all)).generate().unwrap().code;
        let (_, behind) = code.split_once("pub struct Address {").unwrap();
        behind.split_once('}').unwrap().0.to_owned()
    };
    let alone = with(&[]);
    assert!(alone.contains("pub note: Option<String>"), "{alone}");
    assert_eq!(with(&[("schemas/events/a/two.json", two)]), alone);
}
