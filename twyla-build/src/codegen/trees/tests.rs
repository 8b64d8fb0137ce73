//! Tests of the statics that schemas become.

use crate::schema::draft::{Dialects, Draft};
use crate::schema::load::{File, FileRole, parse};
use crate::schema::register;
use crate::schema::schemas::{Loc, Schemas};

use super::Trees;

/// The schemas of some files, by their name.
fn schemas(files: &[(&str, &str)], draft: Draft) -> Schemas {
    let mut problems = Vec::new();
    let files = files.iter().map(|(path, text)| {
        let root = parse(path, text.as_bytes().to_vec(), &mut problems).unwrap();
        File { path: (*path).to_owned(), shown: (*path).to_owned(), role: FileRole::Shared, root, unread: false }
    });
    let files = files.collect();
    let schemas = register::schemas(files, draft, Dialects::default(), &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    schemas
}

/// Returns the statics as text, without the parts that all of them have.
fn statics(trees: Trees<'_>) -> Vec<String> {
    let code = trees.statics(|written| quote::format_ident!("P_{}", written.len()));
    let text = code.into_iter().map(|code| {
        let text = code.to_string().replace(' ', "");
        text.replace("pubstatic", "").replace(":Schema=Schema::new", " ").replace("::std::option::Option::", "")
    });
    text.skip(1).collect()
}

fn whole(text: &str, draft: Draft) -> Vec<String> {
    let schemas = schemas(&[("a.json", text)], draft);
    let mut trees = Trees::new(&schemas);
    trees.whole(&Loc::root(0));
    statics(trees)
}

fn only(text: &str, keywords: &[&str]) -> Vec<String> {
    let schemas = schemas(&[("a.json", text)], Draft::Draft202012);
    let mut trees = Trees::new(&schemas);
    trees.only(&Loc::root(0), keywords);
    statics(trees)
}

#[test]
fn drafts_end_at_build_time() {
    use Draft::{Draft4, Draft6, Draft7, Draft201909, Draft202012};
    for (draft, text, rules) in [
        (Draft4, r#"{"minimum": 1, "exclusiveMinimum": true}"#, "Rule::ExclusiveMinimum(Number::Integer(1))"),
        (Draft4, r#"{"minimum": 1, "exclusiveMinimum": false}"#, "Rule::Minimum(Number::Integer(1))"),
        (Draft6, r#"{"exclusiveMaximum": 1.5}"#, "Rule::ExclusiveMaximum(Number::Float(1.5f64))"),
        (Draft4, r#"{"const": 1}"#, ""),
        (Draft6, r#"{"if": false, "then": false}"#, ""),
        (Draft7, r#"{"dependentRequired": {"a": ["b"]}}"#, ""),
        (Draft4, r#"{"dependencies": {"a": ["b"]}}"#, r#"Rule::DependentRequired(&[("a",&["b"])])"#),
        (Draft201909, r#"{"dependentRequired": {"a": ["b"]}}"#, r#"Rule::DependentRequired(&[("a",&["b"])])"#),
        (Draft202012, r#"{"additionalItems": false}"#, ""),
        (Draft202012, r#"{"type": ["integer", "null"]}"#, "Rule::Type(Types::INTEGER.or(Types::NULL))"),
        (
            Draft202012,
            r#"{"minLength": 2.0, "maxItems": 1e40}"#,
            "Rule::MinLength(2),Rule::MaxItems(18446744073709551615)",
        ),
    ] {
        assert_eq!(whole(text, draft), [format!("RULES_0 (&[{rules}]);")], "{} {text}", draft.name());
    }
    let tuple = r#"{"items": [{"type": "string"}], "additionalItems": false}"#;
    for draft in [Draft4, Draft6, Draft7, Draft201909] {
        assert_eq!(
            whole(tuple, draft),
            [
                "RULES_0 (&[Rule::PrefixItems(&[&RULES_1]),\
                 Rule::Items{from:1usize,schema:&RULES_2,keyword:\"additionalItems\"}]);",
                "RULES_1 (&[Rule::Type(Types::STRING)]);",
                "RULES_2 (&[Rule::Never(\"additionalItems\")]);",
            ]
        );
    }
    // without a list in `items`, no item is additional
    assert_eq!(whole(r#"{"additionalItems": false}"#, Draft7), ["RULES_0 (&[]);"]);
    let beside = r##"{"$ref": "#/definitions/a", "minimum": 1, "definitions": {"a": {"maximum": 2}}}"##;
    assert_eq!(whole(beside, Draft7), ["RULES_0 (&[Rule::Maximum(Number::Integer(2))]);"]);
    assert_eq!(
        whole(beside, Draft201909),
        [
            "RULES_0 (&[Rule::Minimum(Number::Integer(1)),Rule::Ref(&RULES_1)]);",
            "RULES_1 (&[Rule::Maximum(Number::Integer(2))]);",
        ]
    );
}

#[test]
fn numbers_keep_their_digits() {
    for (text, rules) in [
        (r#"{"minimum": 18446744073709551615}"#, "Rule::Minimum(Number::Integer(18446744073709551615))"),
        (r#"{"minimum": -10e-1}"#, "Rule::Minimum(Number::Integer(-1))"),
        (r#"{"minimum": 1e300}"#, "Rule::Minimum(Number::Float(1e300f64))"),
        (r#"{"maximum": 1e400}"#, r#"Rule::Maximum(Number::Decimal{digits:"1",exponent:400})"#),
        (
            r#"{"exclusiveMinimum": -0.1000000000000000000001}"#,
            r#"Rule::ExclusiveMinimum(Number::Decimal{digits:"-1000000000000000000001",exponent:-22})"#,
        ),
        (
            r#"{"const": 340282366920938463463374607431768211456}"#,
            "Rule::Const(&Choices{words:&[],integers:&[],numbers:&[],others:&[Const::Number(Number::Decimal\
             {digits:\"340282366920938463463374607431768211456\",exponent:0})]})",
        ),
        (r#"{"multipleOf": 0.010}"#, "Rule::MultipleOf(Factor{mantissa:1,exponent:-2})"),
        (r#"{"multipleOf": 2.50E+3}"#, "Rule::MultipleOf(Factor{mantissa:25,exponent:2})"),
        (r#"{"multipleOf": 1e-300}"#, "Rule::MultipleOf(Factor{mantissa:1,exponent:-300})"),
    ] {
        assert_eq!(whole(text, Draft::Draft202012), [format!("RULES_0 (&[{rules}]);")], "{text}");
    }
}

#[test]
fn choices_are_sorted_by_kind() {
    let text = r#"{"enum": ["b", 1.0, 0.5, null, "a", -3, [1, {"z": true, "y": "x"}], 1]}"#;
    assert_eq!(
        whole(text, Draft::Draft202012),
        ["RULES_0 (&[Rule::Enum(&Choices{words:&[\"a\",\"b\"],integers:&[-3,1],numbers:&[0.5f64],\
             others:&[Const::Null,Const::Array(&[Const::Number(Number::Integer(1)),\
             Const::Object(&[(\"y\",Const::Text(\"x\")),(\"z\",Const::Boolean(true))])])]})]);"]
    );
}

#[test]
fn schemas_lead_to_each_other_in_circles() {
    let text = r##"{
        "properties": {"next": {"$ref": "#"}, "a": {"type": "string"}, "b": {"type": "string"}},
        "patternProperties": {"^x": {"$ref": "#/properties/a"}}
    }"##;
    assert_eq!(
        whole(text, Draft::Draft202012),
        [
            "usesuper::__patterns::P_2asRULES_PATTERN_0;",
            "RULES_0 (&[Rule::Members(&Members{\
             properties:&[(\"a\",&RULES_1),(\"b\",&RULES_1),(\"next\",&RULES_0)],\
             patterns:&[(&RULES_PATTERN_0,&RULES_1)],others:None})]);",
            "RULES_1 (&[Rule::Type(Types::STRING)]);",
        ]
    );
}

#[test]
fn single_keywords_know_their_neighbours() {
    let text = r##"{
        "type": "object", "required": ["a"],
        "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "integer"}, "minProperties": 1
    }"##;
    assert_eq!(
        only(text, &["additionalProperties"]),
        [
            "RULES_0 (&[Rule::Members(&Members{properties:&[(\"a\",&RULES_1)],patterns:&[],others:Some(&RULES_2)})]);",
            "RULES_1 (&[]);",
            "RULES_2 (&[Rule::Type(Types::INTEGER)]);",
        ]
    );
    assert_eq!(only(text, &["minProperties"]), ["RULES_0 (&[Rule::MinProperties(1)]);"]);
    let text = r##"{
        "type": "object",
        "properties": {"a": {"type": "string"}}, "not": {"required": ["z"]},
        "if": {"required": ["b"]}, "then": {"properties": {"b": true}}, "unevaluatedProperties": false
    }"##;
    assert_eq!(
        only(text, &["unevaluatedProperties"]),
        [
            "RULES_0 (&[Rule::Members(&Members{properties:&[(\"a\",&RULES_1)],patterns:&[],others:None}),\
             Rule::If{test:&RULES_3,then:Some(&RULES_2),otherwise:None},Rule::UnevaluatedProperties(&RULES_4)]);",
            "RULES_1 (&[]);",
            "RULES_2 (&[Rule::Members(&Members{properties:&[(\"b\",&RULES_1)],patterns:&[],others:None})]);",
            "RULES_3 (&[Rule::Required(&[\"b\"])]);",
            "RULES_4 (&[Rule::Never(\"unevaluatedProperties\")]);",
        ]
    );
    let text = r#"{"prefixItems": [{"type": "string"}], "items": {"type": "integer"}, "contains": {"const": 1}}"#;
    assert_eq!(
        only(text, &["items"]),
        [
            "RULES_0 (&[Rule::Items{from:1usize,schema:&RULES_1,keyword:\"items\"}]);",
            "RULES_1 (&[Rule::Type(Types::INTEGER)]);",
        ]
    );
}

const LIST: &str =
    r##"{"$id": "list", "items": {"$dynamicRef": "#item"}, "$defs": {"any": {"$dynamicAnchor": "item"}}}"##;
const STRINGS: &str =
    r##"{"$id": "strings", "$ref": "list", "$defs": {"item": {"$dynamicAnchor": "item", "type": "string"}}}"##;

#[test]
fn the_way_counts_only_where_it_makes_a_difference() {
    // there is only one anchor with this name, so the path of references doesn't matter
    let alone = schemas(&[("list.json", LIST)], Draft::Draft202012);
    let mut trees = Trees::new(&alone);
    trees.whole(&Loc::root(0));
    assert_eq!(
        statics(trees),
        [
            "RULES_0 (&[Rule::Items{from:0usize,schema:&RULES_1,keyword:\"items\"}]);",
            "RULES_1 (&[Rule::Ref(&RULES_2)]);",
            "RULES_2 (&[]);",
        ]
    );

    let both = schemas(&[("list.json", LIST), ("strings.json", STRINGS), ("z.json", "{}")], Draft::Draft202012);
    let mut trees = Trees::new(&both);
    trees.whole(&Loc::root(1));
    let code = statics(trees);
    assert!(code.contains(&"RESOURCE_0:Resource=Resource{anchors:&[(\"item\",&RULES_4)]};".to_owned()), "{code:#?}");
    assert!(code.iter().any(|code| code.contains("Rule::DynamicRef{anchor:\"item\",first:&")), "{code:#?}");
}

#[test]
fn large_and_deep_schemas_are_lowered_all_the_same() {
    let words: Vec<String> = (0..100_000).map(|word| format!("\"w{word}\"")).collect();
    let code = whole(&format!(r#"{{"enum": [{}]}}"#, words.join(",")), Draft::Draft202012);
    assert_eq!(code.len(), 1);
    let nested = format!("{}{{}}{}", r#"{"not": "#.repeat(100), "}".repeat(100));
    assert_eq!(whole(&nested, Draft::Draft202012).len(), 101);
}
