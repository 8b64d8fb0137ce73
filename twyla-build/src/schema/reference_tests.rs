//! Tests of the targets of references, and of the keywords in force there.

use crate::schema::check;
use crate::schema::draft::{Dialects, Draft};
use crate::schema::load;
use crate::schema::load::{File, FileRole, parse};
use crate::schema::problem::Problem;
use crate::schema::register;
use crate::schema::schemas::{Loc, Schemas};

/// The files with these paths (a document's is its URI), resolved and checked, and the messages of their problems.
fn resolved(draft: Draft, files: &[(&str, &str)]) -> (Schemas, Vec<String>) {
    let mut problems = Vec::new();
    let files = files.iter().filter_map(|(path, text)| {
        let role = if path.contains("://") { FileRole::Document } else { FileRole::Shared };
        let root = parse(path, text.as_bytes().to_vec(), &mut problems)?;
        Some(File { path: (*path).to_owned(), shown: (*path).to_owned(), role, root, unread: false })
    });
    let files = files.collect();
    let schemas = register::schemas(files, draft, Dialects::default(), &mut problems);
    check::all(&schemas, &mut problems);
    (schemas, problems.iter().map(Problem::to_string).collect())
}

/// The `$comment` of the schema that the reference at a pointer of the first file leads to.
fn target(schemas: &Schemas, pointer: &str) -> String {
    let loc = Loc { file: 0, pointer: pointer.to_owned() };
    let target = schemas.refs.get(&loc).or_else(|| schemas.dynamic.get(&loc)).unwrap();
    schemas.node(target).and_then(|node| node.get("$comment")?.str()).unwrap_or("nothing").to_owned()
}

fn leads(draft: Draft, files: &[(&str, &str)], to: &[(&str, &str)]) {
    let (schemas, said) = resolved(draft, files);
    assert_eq!(said, [""; 0], "{files:?}");
    for (pointer, comment) in to {
        assert_eq!(target(&schemas, pointer), *comment, "{pointer} of {files:?}");
    }
}

#[test]
fn by_relative_ids_anchors_and_urns() {
    leads(
        Draft::Draft202012,
        &[(
            "shared/x.json",
            r##"{ "$id": "https://a/b/c.json", "properties": {
                "relative": { "$ref": "d/e.json" }, "up": { "$ref": "../z.json" }, "anchor": { "$ref": "d/e.json#here" },
                "pointer": { "$ref": "d/e.json#/$defs/q~1%25" }, "urn": { "$ref": "urn:uuid:deadbeef" },
                "part": { "$ref": "urn:uuid:deadbeef#/$defs/in" } },
              "$defs": {
                "e": { "$id": "d/e.json", "$comment": "e", "$defs": { "a": { "$anchor": "here", "$comment": "anchor" },
                    "q/%": { "$comment": "escaped" } } },
                "z": { "$id": "/z.json", "$comment": "z" },
                "urn": { "$id": "urn:uuid:deadbeef", "$comment": "urn", "$defs": { "in": { "$comment": "in urn" } } } } }"##,
        )],
        &[
            ("/properties/relative", "e"),
            ("/properties/up", "z"),
            ("/properties/anchor", "anchor"),
            ("/properties/pointer", "escaped"),
            ("/properties/urn", "urn"),
            ("/properties/part", "in urn"),
        ],
    );
}

#[test]
fn a_name_beside_a_reference_counts_only_from_2019_on() {
    let file = r##"{ "$id": "https://a/base/", "allOf": [{ "$id": "https://a/other/", "$ref": "foo.json" }],
        "definitions": { "near": { "$id": "foo.json", "$comment": "near" },
            "far": { "$id": "https://a/other/foo.json", "$comment": "far" } } }"##;
    leads(Draft::Draft7, &[("shared/x.json", file)], &[("/allOf/0", "near")]);
    leads(Draft::Draft202012, &[("shared/x.json", file)], &[("/allOf/0", "far")]);
}

#[test]
fn an_id_that_is_only_a_fragment_is_an_anchor_up_to_draft_7() {
    let file = |id: &str| {
        format!(
            r##"{{ "allOf": [{{ "$ref": "#foo" }}], "definitions": {{ "a": {{ "{id}": "#foo", "$comment": "a" }} }} }}"##
        )
    };
    leads(Draft::Draft4, &[("shared/x.json", &file("id"))], &[("/allOf/0", "a")]);
    leads(Draft::Draft7, &[("shared/x.json", &file("$id"))], &[("/allOf/0", "a")]);
    let (_, said) = resolved(Draft::Draft202012, &[("shared/x.json", &file("$id"))]);
    assert!(said.iter().any(|line| line.contains("`#foo` refers to a schema that doesn't exist")), "{said:?}");
}

#[test]
fn names_outside_of_schemas_are_ignored() {
    let file = r##"{ "$defs": {
            "enum": { "enum": [{ "$id": "https://a/x.json", "$anchor": "no", "$comment": "no" }] },
            "unknown": { "not": { "odd": { "$id": "https://a/x.json", "$comment": "no" } } },
            "real": { "$id": "https://a/x.json", "$comment": "real" } },
        "anyOf": [{ "$ref": "https://a/x.json" }, { "$ref": "#/$defs/unknown/not/odd" }] }"##;
    leads(Draft::Draft202012, &[("shared/x.json", file)], &[("/anyOf/0", "real"), ("/anyOf/1", "no")]);
}

#[test]
fn what_a_reference_finds_in_an_unknown_keyword_is_a_schema() {
    let file = r##"{ "odd": { "in": [{ "$comment": "first", "$ref": "#/odd/more" }], "more": { "$comment": "second" } },
        "allOf": [{ "$ref": "#/odd/in/0" }] }"##;
    leads(Draft::Draft202012, &[("shared/x.json", file)], &[("/allOf/0", "first"), ("/odd/in/0", "second")]);
}

#[test]
fn to_documents_and_only_those_that_are_used_are_checked() {
    leads(
        Draft::Draft202012,
        &[
            (
                "shared/x.json",
                r##"{ "allOf": [{ "$ref": "https://b/money.json#/$defs/sum" }, { "$ref": "https://b/own" }] }"##,
            ),
            ("https://b/money.json", r##"{ "$defs": { "sum": { "$comment": "sum", "$ref": "other.json" } } }"##),
            ("https://b/other.json", r##"{ "$id": "https://b/own", "$comment": "other" }"##),
            ("https://b/broken.json", r##"{ "$ref": "nowhere.json", "type": 5, "$schema": "x:y" }"##),
        ],
        &[("/allOf/0", "sum"), ("/allOf/1", "other")],
    );
    let (_, said) = resolved(
        Draft::Draft202012,
        &[
            ("shared/x.json", r#"{ "$ref": "https://b/broken.json" }"#),
            ("https://b/broken.json", r#"{ "$ref": "no.json" }"#),
        ],
    );
    assert_eq!(said.len(), 1);
    assert!(
        said[0].starts_with("https://b/broken.json:1:11: `no.json` resolves to `https://b/no.json` because of `$id`"),
        "{said:?}"
    );
}

#[test]
fn to_the_meta_schemas_without_giving_them() {
    for (draft, uri) in [
        (Draft::Draft4, "http://json-schema.org/draft-04/schema#"),
        (Draft::Draft6, "http://json-schema.org/draft-06/schema"),
        (Draft::Draft7, "https://json-schema.org/draft-07/schema#"),
        (Draft::Draft201909, "https://json-schema.org/draft/2019-09/schema"),
        (Draft::Draft202012, "https://json-schema.org/draft/2020-12/schema"),
        (Draft::Draft202012, "https://json-schema.org/draft/2019-09/meta/validation"),
        (Draft::Draft202012, "https://json-schema.org/draft/2020-12/meta/format-assertion"),
    ] {
        let file = format!(r#"{{ "properties": {{ "a": {{ "$ref": "{uri}" }} }} }}"#);
        let (schemas, said) = resolved(draft, &[("shared/x.json", &file)]);
        assert_eq!(said, [""; 0], "{uri}");
        let target = &schemas.refs[&Loc { file: 0, pointer: "/properties/a".to_owned() }];
        assert_eq!(schemas.files[target.file].role, FileRole::MetaSchema);
    }
}

#[test]
fn a_name_twice_is_wrong_where_a_reference_means_it() {
    let file = |reference: &str| {
        format!(
            r##"{{ "$defs": {{ "a": {{ "$id": "https://a/x", "type": "string" }}, "b": {{ "$id": "https://a/x", {reference} }} }} }}"##
        )
    };
    let said = |reference: &str| resolved(Draft::Draft202012, &[("shared/x.json", &file(reference))]).1;
    assert_eq!(said(r#""type": "null""#), [""; 0]);
    for reference in [r#""allOf": [{ "$ref": "x" }]"#, r##""$ref": "#""##, r##""items": { "$ref": "#/type" }"##] {
        let said = said(reference);
        assert!(
            said.iter()
                .any(|line| line.contains("`https://a/x` is already the URI of another schema, at shared/x.json:1:28")),
            "{said:?}"
        );
    }
}

/// Two bundles that embed a resource of one URI, and name their roots the same.
#[test]
fn a_bundle_means_what_it_embeds_itself() {
    let bundle = |which: &str| {
        format!(
            r##"{{ "$id": "https://a/bundle", "properties": {{ "embedded": {{ "$ref": "money" }}, "part": {{ "$ref": "#/$defs/own" }},
                "anchor": {{ "$ref": "money#here" }}, "root": {{ "$ref": "https://a/bundle#/$defs/own" }} }},
              "$defs": {{ "money": {{ "$id": "https://a/money", "$comment": "money {which}",
                  "$defs": {{ "a": {{ "$anchor": "here", "$comment": "anchor {which}" }} }} }},
                "own": {{ "$comment": "own {which}" }} }} }}"##
        )
    };
    let (one, two) = (bundle("1"), bundle("2"));
    for (first, second) in [("1", "2"), ("2", "1")] {
        let texts = if first == "1" { [&one, &two] } else { [&two, &one] };
        let files = [("shared/x.json", texts[0].as_str()), ("shared/y.json", texts[1].as_str())];
        let (schemas, said) = resolved(Draft::Draft202012, &files);
        assert_eq!(said, [""; 0]);
        for (file, which) in [(0, first), (1, second)] {
            let comment = |property: &str| {
                let loc = Loc { file, pointer: format!("/properties/{property}") };
                schemas.node(&schemas.refs[&loc]).and_then(|node| node.get("$comment")?.str()).unwrap().to_owned()
            };
            let found = ["embedded", "part", "anchor", "root"].map(comment);
            assert_eq!(found, ["money", "own", "anchor", "own"].map(|it| format!("{it} {which}")));
        }
    }
    // another file's reference may mean either
    let (_, said) = resolved(
        Draft::Draft202012,
        &[("shared/x.json", &one), ("shared/y.json", &two), ("shared/z.json", r#"{ "$ref": "https://a/money" }"#)],
    );
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("shared/y.json:3:44: `https://a/money` is already the URI of another schema"),
        "{said:?}"
    );
    assert!(said[0].contains("at shared/x.json:3:44"), "{said:?}");
}

#[test]
fn dynamic_references_keep_where_they_lead_first() {
    let file = r##"{ "$id": "https://a/x", "$dynamicAnchor": "node", "$comment": "root",
        "properties": { "a": { "$dynamicRef": "#node" } } }"##;
    let (schemas, said) = resolved(Draft::Draft202012, &[("shared/x.json", file)]);
    assert_eq!(said, [""; 0]);
    assert_eq!(target(&schemas, "/properties/a"), "root");
    let at = Loc { file: 0, pointer: "/properties/a".to_owned() };
    assert!(schemas.refs.is_empty());
    let base = schemas.base(&at);
    assert_eq!((base, schemas.resource(base)), ("https://a/x", Some(&Loc::root(0))));
    assert_eq!(schemas.dynamic_anchors(base).collect::<Vec<_>>(), [("node", &Loc::root(0))]);

    let file = r##"{ "$recursiveAnchor": true, "$comment": "root", "properties": { "a": { "$recursiveRef": "#" } } }"##;
    let (schemas, said) = resolved(Draft::Draft201909, &[("shared/x.json", file)]);
    assert_eq!(said, [""; 0]);
    assert_eq!(target(&schemas, "/properties/a"), "root");
    assert!(schemas.recursive_anchor(&Loc::root(0)) && !schemas.recursive_anchor(&at));
    // another draft's keyword has no effect
    let (schemas, _) = resolved(Draft::Draft202012, &[("shared/x.json", file)]);
    assert!(schemas.dynamic.is_empty() && !schemas.recursive_anchor(&Loc::root(0)));
}

const META: &str = "https://b/meta.json";

fn with_vocabularies(vocabularies: &str) -> (Schemas, Vec<String>) {
    let meta =
        format!(r#"{{ "$schema": "https://json-schema.org/draft/2020-12/schema", "$vocabulary": {vocabularies} }}"#);
    let file = format!(r#"{{ "$schema": "{META}", "minimum": "odd", "properties": {{ "a": {{ "minimum": 1 }} }} }}"#);
    resolved(Draft::Draft7, &[("shared/x.json", &file), (META, &meta)])
}

#[test]
fn a_meta_schema_says_which_keywords_are_in_force() {
    let vocab = |name: &str| format!("https://json-schema.org/draft/2020-12/vocab/{name}");
    let (core, applicator) = (vocab("core"), vocab("applicator"));
    let (schemas, said) = with_vocabularies(&format!(r#"{{ "{core}": true, "{applicator}": true, "x:mine": false }}"#));
    assert_eq!(said, [""; 0], "what `minimum` is is not asked");
    let at = Loc { file: 0, pointer: "/properties/a".to_owned() };
    assert_eq!(schemas.draft(&at), Draft::Draft202012);
    let in_force = ["$ref", "properties", "minimum", "format", "unevaluatedItems", "definitely"];
    assert_eq!(in_force.map(|keyword| schemas.knows(&at, keyword)), [true, true, false, false, false, false]);

    let all = format!(
        r#"{{ "{core}": true, "{applicator}": true, "{}": true, "{}": false }}"#,
        vocab("validation"),
        vocab("format-assertion")
    );
    let (schemas, said) = with_vocabularies(&all);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].ends_with("`minimum` must be a number, found the string \"odd\""), "{said:?}");
    assert!(schemas.knows(&at, "minimum") && schemas.knows(&at, "format"));

    let (_, said) = with_vocabularies(&format!(r#"{{ "{core}": true, "x:mine": true }}"#));
    assert!(
        said.contains(&format!(
            "shared/x.json:1:14: `{META}` requires the vocabulary `x:mine`, which this version of Twyla doesn't support"
        )),
        "{said:?}"
    );
}

#[test]
fn a_meta_schema_has_the_draft_of_its_own() {
    let (schemas, said) = resolved(
        Draft::Draft202012,
        &[
            ("shared/x.json", r#"{ "$schema": "https://b/one", "maximum": 1 }"#),
            ("https://b/one", r#"{ "$schema": "https://b/two" }"#),
            ("https://b/two", r#"{ "$schema": "http://json-schema.org/draft-04/schema#" }"#),
        ],
    );
    assert_eq!(said, [""; 0]);
    assert_eq!(schemas.draft(&Loc::root(0)), Draft::Draft4);
    let (_, said) = resolved(
        Draft::Draft202012,
        &[
            ("shared/x.json", r#"{ "$schema": "https://b/one" }"#),
            ("https://b/one", r#"{ "$schema": "https://b/one" }"#),
        ],
    );
    assert!(said[0].contains("`https://b/one` isn't the URI of a known draft"), "{said:?}");
}

#[test]
fn each_schema_is_checked_by_the_meta_schema_of_its_own_draft() {
    let file = |inner: &str| {
        format!(
            r#"{{ "$defs": {{ "old": {{ "$id": "https://a/old", "$schema": "{inner}", "minimum": 1, "exclusiveMinimum": true }} }} }}"#
        )
    };
    let (schemas, said) =
        resolved(Draft::Draft202012, &[("shared/x.json", &file("http://json-schema.org/draft-04/schema#"))]);
    assert_eq!(said, [""; 0]);
    assert_eq!(schemas.draft(&Loc { file: 0, pointer: "/$defs/old".to_owned() }), Draft::Draft4);
    let (_, said) =
        resolved(Draft::Draft202012, &[("shared/x.json", &file("http://json-schema.org/draft-07/schema#"))]);
    assert_eq!(said.len(), 1);
    assert!(said[0].ends_with("`exclusiveMinimum` must be a number, found true"), "{said:?}");
}

#[test]
fn reports_documents_with_their_place() {
    let folder = std::env::temp_dir().join(format!("twyla-documents-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let [good, bad, absent] = ["good.json", "bad.json", "absent.json"].map(|name| folder.join(name));
    std::fs::write(&good, "{}").unwrap();
    std::fs::write(&bad, "{\n  \"a\": }").unwrap();
    let given = [
        ("https://a/x.json#", &good),
        ("https://a/x.json", &good),
        ("x.json", &good),
        ("https://a/y.json#part", &good),
        ("https://a/bad.json", &bad),
        ("https://a/absent.json", &absent),
    ];
    let given = given.map(|(uri, file)| (uri.to_owned(), file.clone()));
    let mut problems = Vec::new();
    let files = load::documents(&given, &mut problems);
    let shown = folder.to_string_lossy().into_owned();
    std::fs::remove_dir_all(&folder).unwrap();
    let unread: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.unread)).collect();
    assert_eq!(unread, [("https://a/x.json", false), ("https://a/bad.json", true), ("https://a/absent.json", true)]);
    let said: Vec<String> = problems.iter().map(|problem| problem.to_string().replace(&shown, "")).collect();
    assert_eq!(said.len(), 5, "{said:?}");
    assert_eq!(
        said[0],
        "/good.json: `https://a/x.json` is already the URI of /good.json: give each document a URI of its own"
    );
    assert!(said[1].starts_with("/good.json: `x.json` can't be the URI of a document"), "{said:?}");
    assert!(said[2].starts_with("/good.json: `https://a/y.json#part` can't be the URI of a document"), "{said:?}");
    assert!(said[3].starts_with("/bad.json:2:8: invalid JSON"), "{said:?}");
    assert!(said[4].starts_with("/absent.json: can't be read"), "{said:?}");
}
