//! `cargo twyla import` of several versions of a schema.

use crate::{PROVEN, folder, import, read, twyla};

#[test]
fn the_newest_version_is_the_contract_and_the_lock_keeps_the_others() {
    let order = |more: &str| {
        format!(r#"{{ "type": "object", "properties": {{ "id": {{ "type": "string" }}{more} }}, "required": ["id"] }}"#)
    };
    let (v1, v2, v10) =
        (order(""), order(r#", "a": { "type": "integer" }"#), order(r#", "a": { "type": "integer" }, "b": {}"#));
    let other = r#"{ "type": "object", "properties": { "id": { "type": "boolean" } }, "required": ["id"] }"#;
    for (one, two, ten, bad, name, domain) in [
        (
            "shop/order/1.0.0.json",
            "shop/order/1.2.0.json",
            "shop/order/1.10.0.json",
            "shop/order/0.9.0.json",
            "shop.order",
            None,
        ),
        (
            "com.acme/order/jsonschema/1-0-0",
            "com.acme/order/jsonschema/1-2-0",
            "com.acme/order/jsonschema/1-10-0",
            "com.acme/order/jsonschema/0-9-0",
            "com_acme.order",
            None,
        ),
        (
            "order.v1.schema.json",
            "order.v2.schema.json",
            "order.v10.schema.json",
            "order.v0.schema.json",
            "shop.order",
            Some("shop"),
        ),
    ] {
        let old = |path: &str| format!("old/{path}");
        let folder = folder(&[(&old(one), &v1), (&old(two), &v2), (&old(ten), &v10), (&old(bad), other)]);
        let args: Vec<&str> = ["old"].into_iter().chain(domain.map(|_| "--domain")).chain(domain).collect();
        let (said, code) = import(folder.path(), &args);
        assert!(said.contains(&format!("left out: {bad}: isn't kept as a version of {name}: ")), "{said}");
        assert!(said.ends_with(&format!("1 event, {PROVEN}; 1 file was left out\n")), "{said}");
        assert_eq!(code, 1, "{said}");
        let place = format!("events/{}.json", name.replace('.', "/"));
        assert!(read(&folder, &place)["properties"].get("b").is_some(), "{said}");
        let lock = &read(&folder, "contracts.lock")["contracts"][name];
        let kept = lock["in_the_field"].as_array().unwrap();
        let because: Vec<&str> = kept.iter().map(|it| it["because"].as_str().unwrap()).collect();
        let version = |path: &str| {
            path.rsplit('/')
                .next()
                .unwrap()
                .trim_end_matches(".json")
                .trim_end_matches(".schema")
                .trim_start_matches("order.")
                .to_owned()
        };
        assert_eq!(because, [format!("version {}", version(one)), format!("version {}", version(two))]);
        // and a build holds the contract to them
        assert_eq!(twyla(&folder, &["check"]).1, 0, "{}", twyla(&folder, &["check"]).0);
    }
}

#[test]
fn a_name_with_a_version_that_has_a_stage_is_an_event_and_a_version() {
    let order = |least: u32| format!(r#"{{ "type": "object", "properties": {{ "sum": {{ "minimum": {least} }} }} }}"#);
    let folder = folder(&[
        ("old/order-1.2.SNAPSHOT.schema.json", &order(1)),
        ("old/order-1.2-strict.SNAPSHOT.schema.json", &order(2)),
        ("old/order-1.10.schema.json", &order(3)),
        ("old/1.2.3.json", &order(4)),
    ]);
    let (said, code) = import(folder.path(), &["old", "--domain", "shop"]);
    assert_eq!(code, 1, "{said}");
    assert_eq!(read(&folder, "events/shop/order.json")["properties"]["sum"]["minimum"], 3, "{said}");
    assert_eq!(read(&folder, "events/shop/order_strict.json")["properties"]["sum"]["minimum"], 2, "{said}");
    let left: Vec<&str> = said.lines().filter(|line| line.starts_with("left out: ")).collect();
    assert_eq!(left.len(), 2, "{said}");
    assert_eq!(
        left[0],
        "left out: 1.2.3.json: its name is only a version: move it to <domain>/<event_type>/1.2.3.json"
    );
    assert!(
        left[1].starts_with("left out: order-1.2.SNAPSHOT.schema.json: isn't kept as a version of shop.order"),
        "{said}"
    );
}

/// An earlier version that can't be compiled stops no other one.
#[test]
fn an_earlier_version_with_an_error_is_left() {
    let order = |kind: &str| format!(r#"{{ "type": "object", "properties": {{ "a": {{ "type": "{kind}" }} }} }}"#);
    let folder = folder(&[
        ("old/shop/order/1.0.0.json", &order("sting")),
        ("old/shop/order/1.1.0.json", &order("string")),
        ("old/shop/sent/1.0.0.json", r#"{ "type": "object" }"#),
        ("old/shop/sent/1.1.0.json", &order("string")),
    ]);
    let (said, code) = import(folder.path(), &["old"]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains(
            "left out: shop/order/1.0.0.json:1:44: isn't kept as a version of shop.order: there is no type `sting`"
        ),
        "{said}"
    );
    assert_eq!(
        said.matches("\nleft out: ").count(),
        1 + usize::from(said.contains("shop/sent/1.0.0.json: isn't")),
        "{said}"
    );
    assert_eq!(twyla(&folder, &["check"]).1, 0, "{}", twyla(&folder, &["check"]).0);
}
