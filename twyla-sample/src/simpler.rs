//! Shrinking of values, so that a failing test reports a minimal one.

use serde_json::{Map, Value};

/// The maximum number of items, members or characters that are removed or simplified one by one.
const WITHIN: usize = 64;

/// Returns simpler values, much smaller ones first. Each value is smaller in some measure, so that shrinking ends.
pub(crate) fn simpler(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Bool(value) => {
            if *value {
                vec![false.into()]
            } else {
                Vec::new()
            }
        }
        Value::Number(number) => of_number(number),
        Value::String(text) => of_text(text),
        Value::Array(items) => of_array(items),
        Value::Object(members) => of_object(members),
    }
}

fn of_number(number: &serde_json::Number) -> Vec<Value> {
    if let Some(value) = number.as_i64() {
        let mut simpler: Vec<i64> = vec![0, 1, value / 2, value - value.signum()];
        simpler.retain(|it| it.unsigned_abs() < value.unsigned_abs());
        if value < 0 && value != i64::MIN {
            simpler.insert(0, -value);
        }
        simpler.dedup();
        return simpler.into_iter().map(Value::from).collect();
    }
    let Some(value) = number.as_f64() else { return Vec::new() };
    let mut simpler: Vec<Value> = vec![0.into()];
    if value.fract() != 0.0 && value.abs() < 9.0e15 {
        simpler.push(Value::from(value.trunc() as i64));
    }
    simpler.extend([value / 2.0].iter().filter(|half| half.abs() > 1e-3).map(|half| Value::from(*half)));
    simpler
}

fn of_text(text: &str) -> Vec<Value> {
    let chars: Vec<char> = text.chars().collect();
    let mut simpler: Vec<String> = Vec::new();
    let mut keep = 0;
    while keep < chars.len() {
        simpler.push(chars[..keep].iter().collect());
        keep = (keep * 2).max(1);
    }
    if let [_, rest @ ..] = &chars[..] {
        simpler.push(rest.iter().collect());
        simpler.push(chars[..chars.len() - 1].iter().collect());
    }
    if chars.iter().any(|c| *c != 'a') {
        simpler.push("a".repeat(chars.len()));
        for (i, _) in chars.iter().enumerate().filter(|(_, c)| !c.is_ascii_alphanumeric()).take(WITHIN) {
            simpler.push(chars.iter().enumerate().map(|(j, c)| if i == j { 'a' } else { *c }).collect());
        }
    }
    simpler.dedup();
    simpler.into_iter().map(Value::from).collect()
}

fn of_array(items: &[Value]) -> Vec<Value> {
    let mut simpler: Vec<Value> = Vec::new();
    if items.len() > 1 {
        simpler.push(Value::Array(Vec::new()));
        simpler.push(items[..items.len() / 2].into());
        simpler.push(items[items.len() / 2..].into());
    }
    for i in 0..items.len().min(WITHIN) {
        simpler.push([&items[..i], &items[i + 1..]].concat().into());
    }
    for (i, item) in items.iter().enumerate().take(WITHIN) {
        for less in self::simpler(item) {
            let mut items = items.to_vec();
            items[i] = less;
            simpler.push(items.into());
        }
    }
    simpler
}

fn of_object(members: &Map<String, Value>) -> Vec<Value> {
    let mut simpler: Vec<Value> = Vec::new();
    for name in members.keys().take(WITHIN) {
        let rest = members.iter().filter(|(other, _)| *other != name);
        simpler.push(rest.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into());
    }
    for (name, value) in members.iter().take(WITHIN) {
        for less in self::simpler(value) {
            let mut members = members.clone();
            members.insert(name.clone(), less);
            simpler.push(members.into());
        }
    }
    simpler
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Shrinking ends at an empty value, whatever is picked.
    #[test]
    fn the_way_ends() {
        let start = json!({"a": [1, -7, 2.5, {"b": "größe\n"}], "c": true, "d": null, "e": "2026-01-31"});
        for pick in 0..7 {
            let (mut value, mut steps) = (start.clone(), 0);
            loop {
                let simpler = simpler(&value);
                let Some(next) = simpler.get(pick % simpler.len().max(1)) else { break };
                assert_ne!(*next, value);
                value = next.clone();
                steps += 1;
                assert!(steps < 2000, "{value}");
            }
            assert_eq!(value, json!({}));
        }
    }

    #[test]
    fn much_less_comes_first() {
        assert_eq!(simpler(&json!("abcd"))[..3], [json!(""), json!("a"), json!("ab")]);
        assert_eq!(simpler(&json!(-5))[..2], [json!(5), json!(0)]);
        assert_eq!(simpler(&json!([1, 2, 3]))[0], json!([]));
    }
}
