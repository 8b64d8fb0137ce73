//! Generates values near a schema: valid ones, and mostly ones with one change.

use serde_json::{Map, Number, Value, json};

use crate::random::Random;

/// Texts for each generated pattern, and others.
const TEXTS: &[&str] = &[
    "", "a", "b", "c", "ab", "abc", "abcd", "a1", "12", "7", "x", "é", "aé", "é1", "ac", "a c", "bb", "a\nc", "card",
    "cash", "1st", "日本", "😀", "😀😀", "٣", "a\u{301}", " ", "x-y", "_", "^",
];
/// Valid and invalid texts for formats on which validators agree.
const FORMATS: &[(&str, &[&str], &[&str])] = &[
    (
        "date-time",
        &["2024-02-29T12:30:00Z", "1990-12-31T23:59:59.5-08:00"],
        &["2023-02-29T12:30:00Z", "2024-01-01", "x"],
    ),
    ("date", &["2024-02-29", "1963-06-19"], &["2023-02-29", "06/19/1963", "2024-1-1"]),
    ("time", &["12:30:00Z", "08:30:06.283185+01:00"], &["25:00:00Z", "12:30", "x"]),
    ("duration", &["P4DT12H30M5S", "P4Y", "PT0S"], &["P", "PT", "4Y", "P1"]),
    ("email", &["joe.bloggs@example.com", "te~st@example.com"], &["2962", "joe@", "@x"]),
    ("hostname", &["www.example.com", "a"], &["-a", "a_b", "a..b"]),
    ("ipv4", &["192.168.0.1", "0.0.0.0"], &["256.1.1.1", "127.0.0", "1.2.3.4.5"]),
    ("ipv6", &["::1", "12::abcd", "::ffff:192.168.0.1"], &["12345::", ":::", "1:1:1"]),
    ("uri", &["http://foo.bar/?baz=qux#quux", "urn:a:b"], &["//foo.bar", "a b", "\\\\x"]),
    ("uri-reference", &["/abc", "#frag", "a/b?c"], &["\\\\x", "#a\\b"]),
    ("iri", &["http://ƒøø.ßår/?∂éœ=πîx", "urn:é:b"], &["/abc", "a b"]),
    ("uuid", &["2eb8aa08-aa98-11ea-b4aa-73b441d16380"], &["2eb8aa08-aa98-11ea-b4aa-73b441d1638", "x"]),
    ("json-pointer", &["", "/foo/0", "/a~0b~1c"], &["foo", "/a~"]),
    ("regex", &["^a+$", "[a-z]"], &["^(abc]", "a**"]),
];
const NAMES: &[&str] = &["a", "b", "c", "id", "kind", "note", "type", "x-y", "ünï", "1st", "x-z", "2nd", "other", ""];
/// The maximum depth of a value, whatever the schema requires.
const DEPTH: usize = 6;

/// Values as texts, of which about half are valid under the schema.
#[must_use]
pub fn near(draft: &str, schema: &Value, random: &mut Random, many: usize) -> Vec<String> {
    // draft 4 says that `1.0` isn't an integer, which Twyla doesn't follow
    let floats = draft != "draft4";
    (0..many)
        .map(|_| {
            let mut maker = Maker { root: schema, random: random.clone() };
            random.draw();
            let mut value = maker.value(schema, DEPTH);
            for _ in 0..[0, 0, 1, 1, 1, 2][maker.random.below(6)] {
                maker.change(&mut value);
            }
            let mut text = String::new();
            write(&value, floats, &mut maker.random, &mut text);
            text
        })
        .collect()
}

struct Maker<'a> {
    root: &'a Value,
    random: Random,
}

impl<'a> Maker<'a> {
    /// A value for a schema: it satisfies most rules that apply, unless they contradict each other.
    fn value(&mut self, schema: &'a Value, depth: usize) -> Value {
        let mut all = Vec::new();
        self.applying(schema, &mut all, 0);
        self.made(&all, depth)
    }

    /// The schemas that apply to the same value, with one of each alternative.
    fn applying(&mut self, schema: &'a Value, all: &mut Vec<&'a Map<String, Value>>, deep: usize) {
        let Value::Object(keywords) = schema else { return };
        if deep > 8 {
            return;
        }
        all.push(keywords);
        for (keyword, value) in keywords {
            match (keyword.as_str(), value) {
                ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(reference)) => {
                    let pointer = reference.strip_prefix('#').filter(|rest| rest.starts_with('/')).unwrap_or_default();
                    if let Some(target) = self.root.pointer(pointer) {
                        self.applying(target, all, deep + 1);
                    }
                }
                ("allOf", Value::Array(schemas)) => {
                    schemas.iter().for_each(|schema| self.applying(schema, all, deep + 1));
                }
                ("anyOf" | "oneOf", Value::Array(schemas)) if !schemas.is_empty() => {
                    let schema = &schemas[self.random.below(schemas.len())];
                    self.applying(schema, all, deep + 1);
                }
                ("then" | "else", schema) if self.random.chance(50) => {
                    self.applying(schema, all, deep + 1);
                    if let (true, Some(schema)) = (keyword == "then", keywords.get("if")) {
                        self.applying(schema, all, deep + 1);
                    }
                }
                ("dependentSchemas" | "dependencies", Value::Object(schemas)) if self.random.chance(50) => {
                    schemas.values().for_each(|schema| self.applying(schema, all, deep + 1));
                }
                _ => {}
            }
        }
    }

    fn made(&mut self, all: &[&'a Map<String, Value>], depth: usize) -> Value {
        if self.random.chance(3) {
            return self.anything(2);
        }
        for keywords in all {
            if let Some(constant) = keywords.get("const") {
                return constant.clone();
            }
            if let Some(Value::Array(values)) = keywords.get("enum")
                && !values.is_empty()
            {
                return self.random.pick(values).clone();
            }
        }
        match self.type_of(all) {
            "null" => Value::Null,
            "boolean" => self.random.chance(50).into(),
            "object" => self.object(all, depth),
            "array" => self.array(all, depth),
            "string" => self.string(all).into(),
            name => self.number(all, name == "integer"),
        }
    }

    fn type_of(&mut self, all: &[&'a Map<String, Value>]) -> &'a str {
        let mut types: Vec<&str> = vec!["object", "array", "string", "number", "integer", "boolean", "null"];
        let mut typed = false;
        for keywords in all {
            let named: Vec<&str> = match keywords.get("type") {
                Some(Value::String(name)) => vec![name],
                Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
                _ => continue,
            };
            typed = true;
            let both: Vec<&str> = types.iter().copied().filter(|name| named.contains(name)).collect();
            types = if both.is_empty() { named } else { both };
        }
        if !typed && self.random.chance(75) {
            for (keyword, name) in [
                ("properties", "object"),
                ("required", "object"),
                ("additionalProperties", "object"),
                ("unevaluatedProperties", "object"),
                ("items", "array"),
                ("prefixItems", "array"),
                ("contains", "array"),
                ("unevaluatedItems", "array"),
                ("pattern", "string"),
                ("format", "string"),
                ("maxLength", "string"),
                ("minimum", "number"),
                ("multipleOf", "number"),
            ] {
                if all.iter().any(|keywords| keywords.contains_key(keyword)) && self.random.chance(60) {
                    return name;
                }
            }
        }
        if types.is_empty() { "null" } else { self.random.pick::<&str>(&types) }
    }

    /// The subschemas that each applying schema has for a member.
    fn member(&mut self, all: &[&'a Map<String, Value>], name: &str, depth: usize) -> Value {
        let mut found = Vec::new();
        for keywords in all {
            let declared = keywords.get("properties").and_then(|properties| properties.get(name));
            let patterns = keywords.get("patternProperties").and_then(Value::as_object);
            let matching = patterns.into_iter().flatten().find(|(pattern, _)| match pattern.as_str() {
                "." => !name.is_empty(),
                "t" => name.contains('t'),
                r"^\d" => name.starts_with(|c: char| c.is_ascii_digit()),
                other => other.strip_prefix('^').is_some_and(|start| name.starts_with(start)),
            });
            let rest = ["additionalProperties", "unevaluatedProperties"].iter().find_map(|name| keywords.get(*name));
            let matching = matching.map(|(_, schema)| schema);
            found.extend(declared.or(matching).or(rest));
            found.extend(matching.filter(|_| declared.is_some()));
        }
        self.of(&found, depth)
    }

    /// A value for several schemas at once.
    fn of(&mut self, schemas: &[&'a Value], depth: usize) -> Value {
        if depth == 0 {
            return self.anything(0);
        }
        let mut all = Vec::new();
        for schema in schemas {
            self.applying(schema, &mut all, 0);
        }
        if all.is_empty() { self.anything(1) } else { self.made(&all, depth - 1) }
    }

    fn object(&mut self, all: &[&'a Map<String, Value>], depth: usize) -> Value {
        let mut members = Map::new();
        let mut names: Vec<&str> = Vec::new();
        let mut least = 0;
        for keywords in all {
            let required = keywords.get("required").and_then(Value::as_array);
            names.extend(required.into_iter().flatten().filter_map(Value::as_str));
            for name in keywords.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
                if depth > 1 && self.random.chance(if depth > 3 { 60 } else { 25 }) {
                    names.push(name);
                }
            }
            let dependent = ["dependentRequired", "dependencies"].iter().find_map(|name| keywords.get(*name));
            for (name, needed) in dependent.and_then(Value::as_object).into_iter().flatten() {
                if self.random.chance(40) {
                    names.push(name);
                    let needed = needed.as_array();
                    names.extend(
                        needed.into_iter().flatten().filter_map(Value::as_str).filter(|_| self.random.chance(80)),
                    );
                }
            }
            least = least.max(keywords.get("minProperties").and_then(Value::as_u64).unwrap_or_default() as usize);
        }
        if self.random.chance(25) {
            names.push(*self.random.pick::<&str>(NAMES));
        }
        for _ in 0..8 {
            if names.len() < least {
                names.push(*self.random.pick::<&str>(NAMES));
            }
        }
        for name in names {
            if !members.contains_key(name) {
                let value = self.member(all, name, depth);
                members.insert(name.to_owned(), value);
            }
        }
        members.into()
    }

    fn array(&mut self, all: &[&'a Map<String, Value>], depth: usize) -> Value {
        let count = |name: &'static str| all.iter().filter_map(move |keywords| keywords.get(name)?.as_u64());
        let least = count("minItems").chain(count("minContains")).max().unwrap_or_default() as usize;
        let most = count("maxItems").min().map_or(least + 3, |most| most as usize);
        let many = if depth == 0 { least.min(1) } else { least + self.random.below(most.saturating_sub(least) + 1) };
        let mut items = Vec::new();
        for index in 0..many {
            let mut found = Vec::new();
            for keywords in all {
                let tuple = keywords.get("prefixItems").or(keywords.get("items")).and_then(Value::as_array);
                let single = keywords.get("items").filter(|items| !items.is_array());
                let rest = single.or(keywords.get("additionalItems")).or(keywords.get("unevaluatedItems"));
                found.extend(tuple.and_then(|tuple| tuple.get(index)).or(rest));
                if self.random.chance(60) {
                    found.extend(keywords.get("contains"));
                }
            }
            let item = self.of(&found, depth);
            if !items.contains(&item) || self.random.chance(10) {
                items.push(item);
            }
        }
        items.into()
    }

    fn string(&mut self, all: &[&'a Map<String, Value>]) -> String {
        for keywords in all {
            let format = keywords.get("format").and_then(Value::as_str);
            if let Some((_, right, wrong)) = format.and_then(|format| FORMATS.iter().find(|(name, ..)| *name == format))
            {
                let from = if self.random.chance(75) { right } else { wrong };
                return (*self.random.pick(from)).to_owned();
            }
        }
        let count = |name: &'static str| all.iter().filter_map(move |keywords| keywords.get(name)?.as_u64());
        let least = count("minLength").max().unwrap_or_default() as usize;
        let most = count("maxLength").min().map_or(usize::MAX, |most| most as usize);
        let patterned = all.iter().any(|keywords| keywords.contains_key("pattern"));
        let mut text = (*self.random.pick(TEXTS)).to_owned();
        for _ in 0..4 {
            if !(least..=most).contains(&text.chars().count()) {
                text = (*self.random.pick(TEXTS)).to_owned();
            }
        }
        while !patterned && text.chars().count() < least {
            text.push(*self.random.pick(&['a', 'é', '😀', '1']));
        }
        text
    }

    fn number(&mut self, all: &[&'a Map<String, Value>], integer: bool) -> Value {
        let mut near = vec![0.0];
        let mut step = 1.0;
        for keywords in all {
            for name in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] {
                near.extend(keywords.get(name).and_then(Value::as_f64));
            }
            step = keywords.get("multipleOf").and_then(Value::as_f64).unwrap_or(step);
        }
        let base: f64 = *self.random.pick(&near);
        let number = match self.random.below(8) {
            0 => base,
            1 => base + step,
            2 => base - step,
            3 => (base / step).round() * step,
            4 => step * self.random.below(20) as f64,
            5 => base + 0.5,
            6 => return self.random.pick(&EDGES.map(Value::from)).clone(),
            _ => self.random.below(2000) as f64 - 100.0,
        };
        let number = if integer && self.random.chance(90) { number.round() } else { number };
        // an integer is written as one, unless `write` decides otherwise
        if number.fract() == 0.0 { json!(number as i64) } else { Number::from_f64(number).into() }
    }

    fn anything(&mut self, depth: usize) -> Value {
        match self.random.below(if depth == 0 { 7 } else { 9 }) {
            0 => Value::Null,
            1 => self.random.chance(50).into(),
            2 | 3 => (*self.random.pick(TEXTS)).into(),
            4 => self.random.pick(&[json!(0.5), json!(-2.5), json!(0.1), json!(1e3), json!(3.0), json!(-0.0)]).clone(),
            5 => (self.random.below(20) as i64 - 5).into(),
            6 => self.random.pick(&EDGES.map(Value::from)).clone(),
            7 => (0..self.random.below(3)).map(|_| self.anything(depth - 1)).collect(),
            _ => {
                let mut members = Map::new();
                for _ in 0..self.random.below(3) {
                    let value = self.anything(depth - 1);
                    members.insert((*self.random.pick(NAMES)).into(), value);
                }
                members.into()
            }
        }
    }

    /// Changes one part of a value.
    fn change(&mut self, value: &mut Value) {
        let inside = self.random.chance(70);
        match value {
            Value::Object(members) if !members.is_empty() && inside => {
                let name = members.keys().nth(self.random.below(members.len())).cloned().unwrap_or_default();
                if let Some(member) = members.get_mut(&name) {
                    self.change(member);
                }
            }
            Value::Array(items) if !items.is_empty() && inside => {
                let index = self.random.below(items.len());
                self.change(&mut items[index]);
            }
            Value::Object(members) if self.random.chance(80) => {
                let name = members.keys().nth(self.random.below(members.len().max(1))).cloned();
                match (self.random.below(3), name) {
                    (0, Some(name)) => {
                        members.remove(&name);
                    }
                    (1, Some(name)) => {
                        let member = members.remove(&name).unwrap_or_default();
                        members.insert((*self.random.pick(NAMES)).to_owned(), member);
                    }
                    _ => {
                        let member = self.anything(1);
                        members.insert((*self.random.pick(NAMES)).to_owned(), member);
                    }
                }
            }
            Value::Array(items) if self.random.chance(80) => match (self.random.below(3), items.first().cloned()) {
                (0, Some(_)) => {
                    items.pop();
                }
                (1, Some(first)) => items.push(first),
                _ => items.push(self.anything(1)),
            },
            Value::String(text) if self.random.chance(60) => match self.random.below(3) {
                0 => text.push(*self.random.pick(&['a', '1', ' ', '😀'])),
                1 => {
                    text.pop();
                }
                _ => *text = (*self.random.pick(TEXTS)).to_owned(),
            },
            Value::Number(number) if self.random.chance(60) => {
                let by = *self.random.pick(&[1.0, -1.0, 0.5, 0.1, 0.01]);
                let changed = number.as_f64().unwrap_or_default() + by;
                if changed.abs() < 1e15 {
                    *value =
                        if changed.fract() == 0.0 { json!(changed as i64) } else { Number::from_f64(changed).into() };
                }
            }
            other => *other = self.anything(1),
        }
    }
}

/// Integers at the bounds of doubles and of 64 bits.
const EDGES: [i64; 6] =
    [i64::MAX, i64::MIN, 9_007_199_254_740_992, 9_007_199_254_740_993, -9_007_199_254_740_993, 4_294_967_296];

/// Writes a value as JSON; with `floats`, some integers as `1.0` or `1e0`, and any character as an escape.
fn write(value: &Value, floats: bool, random: &mut Random, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write(item, floats, random, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            let mut members: Vec<_> = members.iter().collect();
            if members.len() > 1 && random.chance(50) {
                let by = random.below(members.len());
                members.rotate_left(by);
            }
            for (index, (name, member)) in members.into_iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                text(name, random, out);
                out.push(':');
                write(member, floats, random, out);
            }
            out.push('}');
        }
        Value::String(string) => text(string, random, out),
        Value::Number(number) => match number.as_i64().filter(|number| number.abs_diff(0) < 1 << 53) {
            Some(number) if floats && random.chance(10) => out.push_str(&format!("{number}.0")),
            Some(number) if floats && random.chance(5) => out.push_str(&format!("{number}E+0")),
            _ => match number.as_f64().filter(|float| !number.is_i64() && !number.is_u64() && float.fract() == 0.0) {
                // `1000.0`, which serde_json distinguishes from `1000`
                Some(float) if !floats => out.push_str(&format!("{}", float as i64)),
                _ => out.push_str(&number.to_string()),
            },
        },
        other => out.push_str(&other.to_string()),
    }
}

fn text(string: &str, random: &mut Random, out: &mut String) {
    if random.chance(90) {
        out.push_str(&Value::from(string).to_string());
        return;
    }
    out.push('"');
    for unit in string.encode_utf16() {
        out.push_str(&format!("\\u{unit:04x}"));
    }
    out.push('"');
}
