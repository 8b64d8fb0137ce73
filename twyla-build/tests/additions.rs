//! Derives, attributes and replacing types of a build script: what is generated, and the errors with their places.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::fs;

use serde_json::json;
use tempfile::TempDir;
use twyla_build::{Builder, Generated, Problems};

/// A folder with one event that has a float, a text, enums, a shared type and a format.
fn folder() -> TempDir {
    let placed = json!({
        "type": "object",
        "properties": {
            "total": { "$ref": "../../shared/money.json" },
            "tax": { "type": "string", "format": "decimal" },
            "rate": { "type": "number" },
            "color": { "enum": ["red", "green"] },
            "weight": { "type": ["string", "number"] },
            "size": { "type": ["string", "integer"] },
            "place": { "type": "object", "properties": { "row": { "type": "integer" } } },
        },
        "required": ["total"],
    });
    let money = json!({ "type": "object", "properties": { "cents": { "type": "integer" } } });
    let folder = tempfile::tempdir().unwrap();
    for (path, schema) in [
        ("context.json", json!({ "type": "object" })),
        ("events/shop/placed.json", placed),
        ("shared/money.json", money.clone()),
        ("shared/unused.json", money),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, schema.to_string()).unwrap();
    }
    folder
}

fn made(with: impl FnOnce(Builder) -> Builder) -> Result<Generated, Problems> {
    let folder = folder();
    let builder = Builder::new(folder.path()).shown_as("schemas").allow("unknown-format", [""; 0]);
    with(builder).generate()
}

fn code(with: impl FnOnce(Builder) -> Builder) -> String {
    made(with).unwrap().code
}

/// The only error, without the line and column of the call.
fn error(with: impl FnOnce(Builder) -> Builder) -> String {
    let problems = made(with).map(|_| ()).unwrap_err();
    let errors: Vec<String> = problems.0.iter().filter(|it| it.is_error()).map(ToString::to_string).collect();
    let [error] = &*errors else { panic!("{errors:?}") };
    let mut parts = error.splitn(4, ':');
    assert_eq!(parts.next(), Some(file!()), "{error}");
    assert!(parts.by_ref().take(2).all(|part| part.parse::<u32>().is_ok()), "{error}");
    parts.next().unwrap().trim().to_owned()
}

/// The derives of a type, with `Eq` and `PartialOrd`, which it has by impls.
fn derives(code: &str, name: &str) -> String {
    let (before, _) = code
        .split_once(&format!("pub struct {name} "))
        .or_else(|| code.split_once(&format!("pub enum {name} ")))
        .unwrap();
    let derive = before.rsplit_once("#[derive(").unwrap().1;
    let derives = derive.split_once(")]").unwrap().0;
    if code.contains(&format!("__twyla::ordered!({name});")) {
        derives.replace("PartialEq, Ord", "PartialEq, Eq, PartialOrd, Ord")
    } else if code.contains(&format!("impl ::std::cmp::Eq for {name} {{}}")) {
        derives.replace("PartialEq", "PartialEq, Eq")
    } else {
        derives.to_owned()
    }
}

#[test]
fn derives_what_all_members_have() {
    let code = code(|builder| builder);
    assert_eq!(derives(&code, "Placed"), "Clone, Debug, PartialEq");
    assert_eq!(derives(&code, "PlacedPlace"), "Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash");
    assert_eq!(derives(&code, "PlacedColor"), "Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash");
    assert_eq!(derives(&code, "PlacedWeight"), "Clone, Debug, PartialEq");
    assert_eq!(derives(&code, "PlacedSize"), "Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash");
}

#[test]
fn adds_derives_once_and_where_they_hold() {
    let code = code(|builder| {
        builder
            .derive("*", ["std::hash::Hash", "serde::Serialize", "Clone"])
            .derive("shop::PlacedWeight", ["PartialOrd"])
            .derive("shop::PlacedSize", ["PartialOrd"])
            .derive("shop", ["visit::Visit"])
            .derive("shop::Placed*", ["visit::Visit", "::visit::Walk"])
    });
    assert_eq!(derives(&code, "Placed"), "Clone, Debug, PartialEq, visit::Visit, ::visit::Walk");
    let place = "Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, visit::Visit, ::visit::Walk";
    assert_eq!(derives(&code, "PlacedPlace"), place);
    assert_eq!(derives(&code, "PlacedWeight"), "Clone, Debug, PartialEq, PartialOrd, visit::Visit, ::visit::Walk");
    assert_eq!(derives(&code, "PlacedSize").matches("PartialOrd").count(), 1);
    assert_eq!(derives(&code, "Money"), "Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash");
}

#[test]
fn adds_attributes_to_types_fields_and_variants() {
    let code = code(|builder| {
        builder
            .attribute("shop::Placed", "#[must_use]")
            .attribute("*.rate", "#[doc(alias = \"percent\")]")
            .attribute("shop::PlacedColor.Red", "#[default]")
            .derive("shop::PlacedColor", ["Default"])
    });
    assert!(code.contains("#[must_use]\n    pub struct Placed {"), "{code}");
    assert!(code.contains("#[doc(alias = \"percent\")]\n        pub rate:"), "{code}");
    assert!(code.contains("#[default]\n        Red,"), "{code}");
    assert!(derives(&code, "PlacedColor").ends_with("Hash, Default"), "{code}");
}

#[test]
fn rejects_unknown_names_and_derives() {
    let attribute = |pattern: &'static str, text: &'static str| error(move |builder| builder.attribute(pattern, text));
    let derive = |pattern: &'static str, text: &'static str| error(move |builder| builder.derive(pattern, [text]));
    assert_eq!(
        derive("shop::Placd", "Eq"),
        "no generated type or member matches `shop::Placd`; did you mean `shop::Placed`?"
    );
    assert_eq!(
        attribute("shop::Placed.rat", "#[a]"),
        "no generated type or member matches `shop::Placed.rat`; did you mean `shop::Placed.rate`?"
    );
    assert!(attribute("billing", "#[a]").contains("a pattern is `*`, a module (`shop`)"));
    assert_eq!(
        derive("shop::Placed.rate", "Eq"),
        "`shop::Placed.rate` is a member, but only types have derives: name its type, or use `.attribute(…)`"
    );
    assert_eq!(
        derive("*", "Eq, Hash"),
        "`Eq, Hash` isn't the path of a derive: list each derive separately, as in `[\"Eq\", \"Hash\"]`"
    );
    assert_eq!(
        derive("shop::Placed", "Eq"),
        "`Eq` can't be derived for `shop::Placed`: its `rate` is `f64`, which doesn't implement `Eq`"
    );
    assert_eq!(
        derive("shop::PlacedWeight", "Hash"),
        "`Hash` can't be derived for `shop::PlacedWeight`: its `Number` is `f64`, which doesn't implement `Hash`"
    );
    assert_eq!(
        derive("shop::PlacedSize", "Default"),
        "`Default` can't be derived for `shop::PlacedSize`: each of its variants has a value, but a default variant must not have one"
    );
    assert!(derive("shop::PlacedColor", "Default").contains("none of its variants has the attribute `#[default]`"));
    assert_eq!(
        attribute("*", "must_use"),
        "`must_use` isn't an attribute: expected an attribute as in code, such as `#[non_exhaustive]`"
    );
    assert!(attribute("*", "#[derive(Eq)]").contains("use `.derive(…)` instead"));
}

#[test]
fn puts_types_in_the_place_of_schemas_and_formats() {
    let code =
        code(|builder| builder.replace("shared/money.json", "my::Money").replace_format("decimal", "crate::Decimal"));
    assert!(code.contains("pub total: ::my::Money,"), "{code}");
    assert!(code.contains("pub tax: Option<crate::Decimal>,"), "{code}");
    assert_eq!(derives(code.split_once("pub mod shop").unwrap().1, "Placed"), "Clone, Debug, PartialEq");
}

#[test]
fn a_replacement_changes_no_contract() {
    let replaced = |builder: Builder| builder.replace("shared/money.json", "my::Money");
    let (plain, with) = (made(|builder| builder).unwrap(), made(replaced).unwrap());
    // the record of a contract in the binary has its digest and its form
    let records = |code: &str| {
        code.lines().filter(|it| it.contains("record\\u{1}")).map(str::trim).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(records(&plain.code), records(&with.code));
    assert!(!records(&plain.code).is_empty());
}

#[test]
fn refuses_replacements_of_nothing() {
    let schema = |schema: &'static str| error(move |builder| builder.replace(schema, "my::Money"));
    assert_eq!(
        schema("shared/mony.json"),
        "there is no schema `shared/mony.json` to replace; did you mean `shared/money.json`?"
    );
    assert_eq!(
        schema("shared/money.json#/properties/cent"),
        "there is no schema `shared/money.json#/properties/cent` to replace; did you mean `shared/money.json#/properties/cents`?"
    );
    assert!(schema("events/shop/placed.json").contains("is a contract, whose type is always generated"));
    assert!(schema("shared/unused.json").contains("so nothing is replaced"));
    assert_eq!(
        error(|builder| builder.replace_format("decimol", "my::Decimal")),
        "no value of a contract has the format `decimol` without `enum` or `const`, so nothing is replaced; did you mean `decimal`?"
    );
    assert_eq!(
        error(|builder| builder.replace("shared/money.json", "Money")),
        "`Money` isn't the path of a type: begin the path with `crate::` or the name of a crate, as in `crate::Money`"
    );
    assert!(
        error(|builder| builder.replace_format("decimal", "my::Decimal!"))
            .starts_with("`my::Decimal!` isn't the path of a type: ")
    );
    assert!(error(|builder| builder.with_crate("oxnet", "one")).contains("`one` isn't the version of a crate"));
    assert_eq!(
        error(|builder| builder.with_crate("oxnet", "1.0.0")),
        "no schema names a type of the crate `oxnet` in `x-rust-type`, so nothing is replaced"
    );
}

#[test]
fn a_schema_names_a_type_for_the_builds_that_have_its_crate() {
    let folder = folder();
    let named = json!({
        "type": "object",
        "properties": { "net": {
            "type": "string",
            "x-rust-type": { "crate": "ox-net", "version": ">=0.1.0, <1.0.0", "path": "ox_net::IpNet" },
        } },
        "required": ["net"],
    });
    fs::write(folder.path().join("events/shop/named.json"), named.to_string()).unwrap();
    let builder = || Builder::new(folder.path()).allow("unknown-format", [""; 0]);
    let net = |builder: Builder| {
        let code = builder.generate().unwrap().code;
        let (_, shop) = code.split_once("pub mod shop").unwrap();
        shop.split_once("pub net: ").unwrap().1.split_once(',').unwrap().0.to_owned()
    };
    assert_eq!(net(builder()), "String");
    assert_eq!(net(builder().with_crate("ox-net", "0.1.4")), "::ox_net::IpNet");
    assert_eq!(net(builder().with_crate("ox-net", "*")), "::ox_net::IpNet");
    assert_eq!(net(builder().with_crate("ox-net", "1.0.0")), "String");
}

#[test]
fn parameters_with_references_that_are_not_read_are_reported() {
    let folder = folder();
    let warnings = |parameter: serde_json::Value| {
        let schema = json!({
            "type": "object",
            "properties": { "a": { "type": "string", "x-rust-type": {
                "crate": "some", "version": "1", "path": "some::Type", "parameters": [parameter],
            } } },
            "required": ["a"],
            "$defs": { "a": { "type": "string" } },
        });
        fs::write(folder.path().join("events/shop/named.json"), schema.to_string()).unwrap();
        let builder = Builder::new(folder.path()).allow("unknown-format", [""; 0]).with_crate("some", "1.0.0");
        match builder.generate() {
            Ok(generated) => generated.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
            Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
        }
    };
    assert!(warnings(json!({ "$ref": "#/$defs/a" })).is_empty());
    assert!(warnings(json!({ "type": "array", "items": { "type": "string" } })).is_empty());
    let within =
        json!({ "crate": "some", "version": "1", "path": "some::Type", "parameters": [{ "$ref": "#/$defs/a" }] });
    assert!(warnings(json!({ "type": "string", "x-rust-type": within })).is_empty());
    for parameter in
        [json!({ "type": "array", "items": { "$ref": "#/$defs/a" } }), json!({ "$ref": "#/$defs/a", "maxLength": 3 })]
    {
        let found = warnings(parameter.clone());
        let [one] = &*found else { panic!("{parameter}: {found:?}") };
        assert!(one.contains("a schema without `$ref`, or with nothing but `$ref`"), "{one}");
    }
    let found = warnings(json!({ "$ref": "#/$defs/b" }));
    let [one] = &*found else { panic!("{found:?}") };
    assert!(one.contains("#/$defs/b"), "{one}");
}

#[test]
fn parameters_that_lead_back_to_their_schema_keep_the_generated_type() {
    let folder = folder();
    let type_ = |parameters: &[&str]| {
        let parameters: Vec<_> = parameters.iter().map(|name| json!({ "$ref": format!("#/$defs/{name}") })).collect();
        json!({ "type": "string", "x-rust-type": {
            "crate": "some", "version": "1", "path": "some::Type", "parameters": parameters,
        } })
    };
    let generated = |definitions: serde_json::Value| {
        let schema = json!({
            "type": "object",
            "properties": { "a": { "$ref": "#/$defs/a" } },
            "required": ["a"],
            "$defs": definitions,
        });
        fs::write(folder.path().join("events/shop/named.json"), schema.to_string()).unwrap();
        let builder = Builder::new(folder.path()).allow("unknown-format", [""; 0]).with_crate("some", "1.0.0");
        let generated = builder.generate().unwrap();
        assert!(generated.warnings.iter().any(|it| it.to_string().contains("x-rust-type")), "{:?}", generated.warnings);
        assert!(generated.code.len() < 200_000, "{}", generated.code.len());
    };
    generated(json!({ "a": type_(&["a"]) }));
    generated(json!({ "a": type_(&["b"]), "b": type_(&["c", "c"]), "c": type_(&["a"]) }));
    // each level doubles the number of parameters
    let mut many = serde_json::Map::new();
    for index in 0..15 {
        let (name, next) = (format!("a{index}"), format!("a{}", index + 1));
        many.insert(if index == 0 { "a".to_owned() } else { name }, type_(&[&next, &next]));
    }
    many.insert("a15".to_owned(), json!({ "type": "string" }));
    generated(many.into());
}

#[test]
fn derives_a_default_only_if_each_required_member_has_one() {
    let folder = folder();
    let schema = json!({
        "type": "object",
        "properties": {
            "inner": {
                "type": "object",
                "properties": { "count": { "type": "integer" } },
                "required": ["count"],
            },
            "at": {
                "type": "object",
                "properties": { "host": { "type": "string", "format": "ipv4" } },
                "required": ["host"],
            },
            "either": { "type": ["string", "integer"] },
        },
        "required": ["inner"],
    });
    fs::write(folder.path().join("events/shop/named.json"), schema.to_string()).unwrap();
    let builder = Builder::new(folder.path()).allow("unknown-format", [""; 0]).derive("*", ["Default"]);
    let code = builder.generate().unwrap().code;
    for (name, has) in [("Named", true), ("NamedInner", true), ("NamedAt", false), ("NamedEither", false)] {
        assert_eq!(derives(&code, name).contains("Default"), has, "{name}");
    }
}

#[test]
fn derives_no_copy_for_lists_of_replaced_types() {
    let folder = folder();
    let money = json!({ "$ref": "../../shared/money.json" });
    let schema = json!({
        "type": "object",
        "properties": {
            "all": { "type": "array", "items": money },
            "one": { "type": "object", "properties": { "money": money } },
            "rated": { "type": "object", "properties": { "money": money, "rate": { "type": "number" } } },
        },
    });
    fs::write(folder.path().join("events/shop/named.json"), schema.to_string()).unwrap();
    let builder = Builder::new(folder.path()).allow("unknown-format", [""; 0]);
    let builder = builder.replace("shared/money.json", "my::Money").derive("*", ["Copy", "Eq"]);
    let code = builder.generate().unwrap().code;
    // before it, the types of the schemas themselves
    let (_, code) = code.split_once("pub mod shop").unwrap();
    assert_eq!(derives(code, "Named"), "Clone, Debug, PartialEq");
    assert_eq!(derives(code, "NamedOne"), "Clone, Debug, PartialEq, Copy, Eq");
    assert_eq!(derives(code, "NamedRated"), "Clone, Debug, PartialEq, Copy");
}

#[test]
fn a_type_that_a_schema_names_wrongly_is_reported() {
    let folder = folder();
    let warning = |named: serde_json::Value| {
        let schema = json!({ "type": "object", "properties": { "a": { "type": "string", "x-rust-type": named } } });
        fs::write(folder.path().join("events/shop/named.json"), schema.to_string()).unwrap();
        let builder = Builder::new(folder.path()).allow("unknown-format", [""; 0]).with_crate("some", "1.0.0");
        let warnings = builder.generate().unwrap().warnings;
        let all: Vec<String> =
            warnings.iter().map(ToString::to_string).filter(|it| it.contains("named.json")).collect();
        let [one] = &*all else { panic!("{named}: {all:?}") };
        one.clone()
    };
    for (named, wanted) in [
        (json!("some::Type"), "an object with the strings `crate`, `version` and `path`"),
        (json!({ "crate": "some", "path": "some::Type" }), "an object with the strings `crate`, `version` and `path`"),
        (
            json!({ "crate": "some", "version": "one", "path": "some::Type" }),
            "a version requirement of Cargo as `version`",
        ),
        (
            json!({ "crate": "some", "version": "1", "path": "other::Type" }),
            "a path that begins with the name of the crate as `path`",
        ),
        (
            json!({ "crate": "some", "version": "1", "path": "some::Type!" }),
            "a path that begins with the name of the crate as `path`",
        ),
        (
            json!({ "crate": "some", "version": "1", "path": "some::Type<u8>", "parameters": [{ "type": "string" }] }),
            "a `path` without `<…>` beside `parameters`",
        ),
    ] {
        let warning = warning(named.clone());
        assert!(warning.contains(wanted) && warning.contains("events/shop/named.json:1:"), "{named}: {warning}");
    }
}
