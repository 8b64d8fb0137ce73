//! Generation of values from schemas. Each choice that a schema leaves is tried in turn until a value is valid.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Number, Value};

use crate::random::{self, NumberConstraints};
use crate::rng::Rng;
use crate::text::{self, TextConstraints};
use crate::view::{Part, Subschema, View};

/// The members that generated objects have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All declared members.
    Whole,
    /// Only the required members.
    Lean,
    /// A random selection.
    Any,
}

/// The maximum depth of nested values.
const DEEPEST: usize = 24;
/// The depth below which only required members are generated.
const DEEP: usize = 6;
/// The maximum number of members or items.
const MANY: usize = 1000;

/// The choices of one attempt: the selected alternative, by place in the value and order at that place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choices {
    taken: BTreeMap<(String, usize), usize>,
    /// The choices made in this attempt, in order, each with its number of alternatives.
    met: Vec<((String, usize), usize)>,
    /// The number of choices made at each place in this attempt.
    places: HashMap<String, usize>,
    /// The generator that makes the choices for random values.
    rng: Option<Rng>,
}

impl Choices {
    /// Creates random choices.
    pub(crate) fn thrown(rng: Rng) -> Self {
        Self { rng: Some(rng), ..Self::default() }
    }

    fn choose(&mut self, at: &str, among: usize) -> usize {
        if let Some(rng) = &mut self.rng {
            return rng.below(among);
        }
        let place = self.places.entry(at.to_owned()).or_insert(0);
        let key = (at.to_owned(), *place);
        *place += 1;
        let taken = self.taken.get(&key).copied().unwrap_or(0).min(among.saturating_sub(1));
        self.met.push((key, among));
        taken
    }

    /// Advances to the next combination of the choices at, around or within the place `broken`, or of all choices if it
    /// is `None`. Returns `None` after the last combination.
    pub(crate) fn next(mut self, broken: Option<&str>) -> Option<Self> {
        let met = std::mem::take(&mut self.met);
        self.places.clear();
        let concerns = |at: &str| broken.is_none_or(|broken| within(broken, at) || within(at, broken));
        for (key, among) in met.iter().rev().filter(|((at, _), _)| concerns(at)) {
            let taken = self.taken.entry(key.clone()).or_insert(0);
            if *taken + 1 < *among {
                *taken += 1;
                return Some(self);
            }
            *taken = 0;
        }
        None
    }
}

/// Returns whether a JSON Pointer is `of` or within it.
fn within(pointer: &str, of: &str) -> bool {
    pointer.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Generates the value of a schema that these choices determine.
pub(crate) fn make(view: &View<'_>, extent: Extent, choices: &mut Choices) -> Option<Value> {
    Generator { extent, choices, way: Vec::new(), at: String::new() }.value(view, "", 0)
}

/// Generates a member of that name.
pub(crate) fn member(view: &View<'_>, name: &str) -> Option<Value> {
    let mut choices = Choices::default();
    Generator { extent: Extent::Whole, choices: &mut choices, way: Vec::new(), at: String::new() }.value(
        &view.member(name),
        name,
        0,
    )
}

/// Generates the item at an index of an array, a different one for each index.
pub(crate) fn item(view: &View<'_>, index: usize) -> Option<Value> {
    let mut choices = Choices::default();
    Generator { extent: Extent::Whole, choices: &mut choices, way: Vec::new(), at: String::new() }.value(
        &view.item(index),
        "",
        index,
    )
}

struct Generator<'c> {
    extent: Extent,
    choices: &'c mut Choices,
    /// The addresses of the schemas that apply to each value on the path.
    way: Vec<Vec<usize>>,
    /// The JSON Pointer of the current value.
    at: String,
}

impl Generator<'_> {
    fn value(&mut self, view: &View<'_>, name: &str, salt: usize) -> Option<Value> {
        if view.never || self.way.len() > DEEPEST {
            return None;
        }
        let view = self.branched(view.clone())?;
        self.way.push(view.parts.iter().map(Part::address).collect());
        let made = self.of_view(&view, name, salt);
        self.way.pop();
        made
    }

    /// Returns whether one of the schemas is already nested twice. Generated values show one level of recursion;
    /// further levels could go on for ever.
    fn again(&self, view: &View<'_>) -> bool {
        let within = |address: &usize| self.way.iter().filter(|frame| frame.contains(address)).count() > 1;
        view.parts.iter().map(Part::address).any(|it| within(&it))
    }

    fn of_view(&mut self, view: &View<'_>, name: &str, salt: usize) -> Option<Value> {
        let given = given(view);
        let only = view.all("const").next().is_some() || view.all("enum").next().is_some();
        let made = usize::from(!only);
        if !given.is_empty() {
            // random values should not only be known examples
            let own = made > 0 && self.choices.rng.as_mut().is_some_and(|rng| !rng.one_in(4));
            let place = if own { given.len() } else { self.choices.choose(&self.at, given.len() + made) };
            let salt = if own { 0 } else { salt };
            if let Some(value) = given.get((place + salt) % (given.len() + made)) {
                return Some((*value).clone());
            }
        } else if only {
            return None;
        }
        let types = view.types().unwrap_or_else(|| implied(view));
        let mut types: Vec<&str> = types.iter().map(String::as_str).collect();
        // `null` comes last, because it is the least readable
        types.sort_by_key(|it| *it == "null");
        match *types.get(self.choices.choose(&self.at, types.len()))? {
            "object" => self.object(view),
            "array" => self.array(view, name),
            "string" => string(view, name, salt, self.choices.rng.as_mut()),
            "integer" => number(view, true, salt, self.choices.rng.as_mut()),
            "number" => number(view, false, salt, self.choices.rng.as_mut()),
            "boolean" => match &mut self.choices.rng {
                Some(rng) => Some(rng.one_in(2).into()),
                None => Some((salt.is_multiple_of(2)).into()),
            },
            "null" => Some(Value::Null),
            _ => None,
        }
    }

    /// Adds one branch of each choice between schemas (`oneOf`, `anyOf`, `if`), also within the chosen branches.
    fn branched<'a>(&mut self, mut view: View<'a>) -> Option<View<'a>> {
        let mut i = 0;
        while let Some(part) = view.parts.get(i).cloned() {
            i += 1;
            for keyword in ["oneOf", "anyOf"] {
                let mut branches = part.items(keyword);
                if !branches.is_empty() {
                    // recursive branches come last
                    branches.sort_by_cached_key(|it| self.again(&it.clone().view()));
                    view.add(branches.get(self.choices.choose(&self.at, branches.len()))?.clone());
                }
            }
            if let Some(condition) = part.one("if") {
                let other = if self.choices.choose(&self.at, 2) == 0 {
                    view.add(condition);
                    part.one("then")
                } else {
                    part.one("else")
                };
                other.into_iter().for_each(|other| view.add(other));
            }
        }
        (!view.never).then_some(view)
    }

    /// Generates a value nested in the current one, at `step`.
    fn inner<T>(&mut self, step: &str, make: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.at.len();
        self.at.push('/');
        self.at.push_str(&step.replace('~', "~0").replace('/', "~1"));
        let made = make(self);
        self.at.truncate(length);
        made
    }

    fn object(&mut self, view: &View<'_>) -> Option<Value> {
        let mut view = view.clone();
        let whole = self.extent != Extent::Lean && self.way.len() <= DEEP;
        let mut names: Vec<&str> = view.required();
        let mut i = 0;
        while let Some(part) = view.parts.get(i).cloned() {
            i += 1;
            let properties = part.schema.get("properties").and_then(Value::as_object);
            for (name, schema) in properties.into_iter().flatten().filter(|_| whole) {
                let left_out = self.choices.rng.as_mut().is_some_and(|rng| rng.one_in(2));
                if !left_out && !names.contains(&name.as_str()) && *schema != Value::Bool(false) {
                    names.push(name);
                }
            }
        }
        // the members that other members require
        let mut i = 0;
        while let Some(part) = view.parts.get(i).cloned() {
            i += 1;
            for (name, below) in part.named("dependentSchemas").chain(part.named("dependencies")) {
                if names.contains(&name) {
                    view.add(below);
                }
            }
            let with = part.schema.get("dependentRequired").or_else(|| part.schema.get("dependencies"));
            for (name, brought) in with.and_then(Value::as_object).into_iter().flatten() {
                if names.contains(&name.as_str()) {
                    let brought = brought.as_array().into_iter().flatten().filter_map(Value::as_str);
                    names.extend(brought);
                }
            }
        }
        names.extend(view.required());
        let (view, required) = (&view, view.required());
        let mut seen = Vec::new();
        names.retain(|name| {
            !seen.contains(name) && {
                seen.push(*name);
                true
            }
        });
        let most = view.least("maxProperties").map_or(MANY, |most| most as usize);
        let mut members = Map::new();
        for name in names {
            let must = required.contains(&name);
            if members.len() >= most && !must {
                continue;
            }
            let member = view.member(name);
            if !must && self.again(&member) {
                continue;
            }
            let value = self.inner(name, |maker| maker.value(&member, name, 0));
            match value {
                Some(value) => drop(members.insert(name.to_owned(), value)),
                None if must => return None,
                None => {}
            }
        }
        let least = view.most("minProperties").map_or(0, |least| least as usize).min(MANY);
        let open = view.parts.iter().any(|part| part.schema.get("additionalProperties").is_some_and(Value::is_object))
            || view.parts.iter().any(|part| part.schema.contains_key("patternProperties"));
        let wanted = if open && whole && members.is_empty() { least.max(1) } else { least };
        let mut salt = 0;
        while members.len() < wanted && members.len() < most && salt < 2 * MANY {
            let name = member_name(view, salt)?;
            salt += 1;
            if members.contains_key(&name) {
                continue;
            }
            let count = members.len();
            let value = self.inner(&name, |maker| maker.value(&view.member(&name), &name, count));
            members.insert(name, value?);
        }
        Some(members.into())
    }

    fn array(&mut self, view: &View<'_>, name: &str) -> Option<Value> {
        let least = view.most("minItems").map_or(0, |least| least as usize);
        let most = view.least("maxItems").map_or(MANY, |most| most as usize).min(MANY);
        let contains: Vec<Subschema<'_>> = view.parts.iter().filter_map(|part| part.one("contains")).collect();
        let contained = match view.most("minContains") {
            Some(least) => least as usize,
            None => 1,
        };
        let tuple = |part: &Part<'_>| part.items("prefixItems").len().max(part.items("items").len());
        let prefix = view.parts.iter().map(tuple).max().unwrap_or(0);
        let whole = self.extent != Extent::Lean && self.way.len() <= DEEP;
        let nice = if whole { prefix.max(1) } else { 0 };
        let count = least.max(if contains.is_empty() { nice } else { contained.max(nice) }).min(most);
        let count = match &mut self.choices.rng {
            Some(rng) if whole && contains.is_empty() => rng.between(least.min(most), most.min(least.max(prefix) + 3)),
            _ => count,
        };
        let unique = view.all("uniqueItems").any(|it| *it == Value::Bool(true));
        let singular = name.strip_suffix('s').unwrap_or(name);
        let mut items = Vec::new();
        for index in 0..count {
            let mut item = view.item(index);
            if item.never {
                break;
            }
            if index < contained {
                contains.iter().for_each(|below| item.add(below.clone()));
            }
            if index >= least && self.again(&item) {
                break;
            }
            let value = self.inner(&index.to_string(), |maker| maker.value(&item, singular, index));
            let value = value?;
            if self.choices.rng.is_some() && unique && items.contains(&value) {
                continue;
            }
            items.push(value);
        }
        Some(items.into())
    }
}

/// Returns the values that the schema itself lists, examples first.
fn given<'a>(view: &View<'a>) -> Vec<&'a Value> {
    let mut given: Vec<&Value> = view.all("const").collect();
    let enums: Vec<&Vec<Value>> = view.all("enum").filter_map(Value::as_array).collect();
    if given.is_empty() {
        let examples = view.all("examples").filter_map(Value::as_array).flatten();
        given.extend(examples.chain(view.all("example")).chain(view.all("default")));
        given.extend(enums.first().into_iter().copied().flatten());
    }
    given.retain(|value| enums.iter().all(|allowed| allowed.contains(value)));
    let mut once: Vec<&Value> = Vec::new();
    for value in given {
        if !once.contains(&value) {
            once.push(value);
        }
    }
    // 64 listed values are enough to try; an array with more items repeats them
    once.truncate(64);
    once
}

/// Returns the types that a schema's keywords imply if the schema names none; a string if they imply none.
fn implied(view: &View<'_>) -> Vec<String> {
    let of = [
        (
            "object",
            ["properties", "required", "additionalProperties", "patternProperties", "minProperties", "propertyNames"],
        ),
        ("array", ["items", "prefixItems", "minItems", "maxItems", "contains", "uniqueItems"]),
        ("string", ["pattern", "format", "minLength", "maxLength", "contentEncoding", "contentMediaType"]),
        ("number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "multipleOf"]),
    ];
    let speaks = |words: &[&str]| words.iter().any(|word| view.all(word).next().is_some());
    let mut types: Vec<String> =
        of.iter().filter(|(_, words)| speaks(words)).map(|(name, _)| (*name).to_owned()).collect();
    for other in ["string", "integer", "boolean", "object", "array", "null"] {
        if !types.iter().any(|it| it == other) {
            types.push(other.to_owned());
        }
    }
    types
}

fn string(view: &View<'_>, name: &str, salt: usize, rng: Option<&mut Rng>) -> Option<Value> {
    let rules = TextConstraints {
        name,
        format: view.all("format").find_map(Value::as_str),
        patterns: view.all("pattern").filter_map(Value::as_str).collect(),
        least: view.most("minLength").map_or(0, |least| least as usize),
        most: view.least("maxLength").map(|most| most as usize),
    };
    let random = rng.and_then(|rng| random::text(&rules, rng));
    random.or_else(|| text::text(&rules, salt)).map(Value::from)
}

/// Returns a name for an undeclared member.
fn member_name(view: &View<'_>, salt: usize) -> Option<String> {
    let mut rules = TextConstraints { name: "key", ..TextConstraints::default() };
    let names: Vec<View<'_>> =
        view.parts.iter().filter_map(|part| part.one("propertyNames")).map(Subschema::view).collect();
    for names in &names {
        if let Some(given) = given(names).get(salt).and_then(|value| value.as_str()) {
            return Some(given.to_owned());
        }
        rules.patterns.extend(names.all("pattern").filter_map(Value::as_str));
        rules.least = rules.least.max(names.most("minLength").map_or(0, |least| least as usize));
        rules.most = names.least("maxLength").map(|most| most as usize).or(rules.most);
    }
    let closed = view.parts.iter().any(|part| part.one("additionalProperties").is_some_and(|it| it.is_false()));
    let patterns: Vec<&str> =
        view.parts.iter().flat_map(|part| part.named("patternProperties")).map(|(pattern, _)| pattern).collect();
    if closed && !patterns.is_empty() {
        rules.patterns.push(patterns[salt % patterns.len()]);
    }
    if rules.patterns.is_empty() {
        let numbered = if salt == 0 { "key".to_owned() } else { format!("key{}", salt + 1) };
        let length = numbered.chars().count();
        if length >= rules.least && rules.most.is_none_or(|most| length <= most) {
            return Some(numbered);
        }
    }
    text::text(&rules, salt)
}

/// Returns a valid number: a random one if there is an `rng` and it succeeds, otherwise readable ones first.
fn number(view: &View<'_>, whole: bool, salt: usize, rng: Option<&mut Rng>) -> Option<Value> {
    let (mut low, mut high) = (view.most("minimum"), view.least("maximum"));
    let flag = |keyword: &str| view.all(keyword).any(|it| it == &Value::Bool(true));
    let (mut above, mut below) = (flag("exclusiveMinimum"), flag("exclusiveMaximum"));
    if let Some(limit) = view.most("exclusiveMinimum").filter(|limit| low.is_none_or(|low| *limit >= low)) {
        (low, above) = (Some(limit), true);
    }
    if let Some(limit) = view.least("exclusiveMaximum").filter(|limit| high.is_none_or(|high| *limit <= high)) {
        (high, below) = (Some(limit), true);
    }
    let factors: Vec<f64> = view.all("multipleOf").filter_map(Value::as_f64).collect();
    let fits = |value: f64| {
        low.is_none_or(|low| if above { value > low } else { value >= low })
            && high.is_none_or(|high| if below { value < high } else { value <= high })
            && factors.iter().all(|factor| (value / factor - (value / factor).round()).abs() < 1e-9)
            && (!whole || value.fract() == 0.0)
    };
    if let Some(rng) = rng {
        let made = random::number(&NumberConstraints { low, high, whole, factors: &factors }, rng);
        if let Some(made) = made.filter(|made| made.as_f64().is_some_and(fits)) {
            return Some(made);
        }
    }
    let nice = [1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 0.0, -1.0, 0.5, 1.5, 0.1, 0.25, 42.0, 1000.0];
    let mut candidates: Vec<f64> = if whole || !factors.is_empty() { Vec::new() } else { vec![9.5] };
    candidates.extend(nice);
    for factor in &factors {
        let steps = low.map_or(1.0, |low| (low / factor).ceil());
        candidates.extend([*factor, factor * steps, factor * (steps + 1.0), factor * (steps + 2.0), 2.0 * factor]);
    }
    for limit in [low, high].into_iter().flatten() {
        candidates.extend([limit, limit.ceil(), limit.floor(), limit + 1.0, limit - 1.0, limit.ceil() + 2.0]);
        candidates.extend([limit + 0.5, limit - 0.5]);
    }
    if let (Some(low), Some(high)) = (low, high) {
        candidates.push(f64::midpoint(low, high));
    }
    let mut fitting: Vec<f64> = Vec::new();
    for value in candidates {
        if fits(value) && !fitting.contains(&value) {
            fitting.push(value);
        }
    }
    let value = *fitting.get(salt % fitting.len().max(1))?;
    // integers below 9.0e15 in size are written without a point, other numbers as floats
    if value.fract() == 0.0 && value.abs() < 9.0e15 {
        return Some(Value::from(value as i64));
    }
    Number::from_f64(value).map(Value::Number)
}
