//! Names in Rust: the names of `twyla_contract::rust`, changed into identifiers that the compiler accepts without a warning.

use std::collections::{HashMap, HashSet};

use twyla_contract::{RpcName, rust};
use unicode_normalization::UnicodeNormalization;
use unicode_security::GeneralSecurityProfile;
use unicode_security::confusable_detection::skeleton;
use unicode_security::mixed_script::{AugmentedScriptSet, is_potential_mixed_script_confusable_char};

/// Returns the name of a property's field.
pub(crate) fn field(wire: &str) -> String {
    checked(rust::field_name, wire)
}

/// Returns distinct names for the fields of an object. If several names are equal, or look alike to the compiler, the
/// property that is spelled like the name keeps it, or otherwise the first property in alphabetical order; the others
/// get a number. The result doesn't depend on the order of the properties.
pub(crate) fn fields(wires: &[&str]) -> Vec<String> {
    let plain: Vec<String> = wires.iter().map(|wire| field(wire)).collect();
    let mut order: Vec<usize> = (0..wires.len()).collect();
    order.sort_by_key(|index| (wires[*index] != plain[*index], wires[*index]));
    let mut names = vec![String::new(); wires.len()];
    for (index, name) in order.iter().zip(distinct(order.iter().map(|index| plain[*index].clone()))) {
        names[*index] = name;
    }
    names
}

/// Returns the name of the field for undeclared members. It never changes the name of a property's field.
pub(crate) fn extra(fields: &[String]) -> String {
    distinct(fields.iter().cloned().chain(["extra".to_owned()])).pop().unwrap_or_default()
}

/// The names of methods of generated structs and of common traits, which an accessor must not hide.
const FUNCTIONS: [&str; 30] = [
    "as_mut",
    "as_ref",
    "borrow",
    "borrow_mut",
    "builder",
    "clone",
    "clone_from",
    "clone_into",
    "cmp",
    "decode",
    "decode_content",
    "default",
    "deserialize",
    "encode",
    "encode_content",
    "eq",
    "fmt",
    "from",
    "hash",
    "into",
    "ne",
    "new",
    "read",
    "serialize",
    "to_owned",
    "try_from",
    "try_into",
    "type_id",
    "validate",
    "write",
];

/// Returns whether a generated type or a common trait has a method of this name.
pub(crate) fn is_common_method(name: &str) -> bool {
    FUNCTIONS.contains(&name)
}

/// Returns the names of the methods that return a property's value or its default: the name of the field, with `_or_default`
/// appended if another function has that name.
pub(crate) fn accessors<'a>(fields: impl Iterator<Item = &'a str>) -> Vec<String> {
    let names: Vec<&str> = fields.collect();
    let is_free = |name: &&&str| !FUNCTIONS.contains(name);
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|index| names.get(*index).filter(is_free).is_none());
    let wanted = order.iter().filter_map(|index| names.get(*index)).map(|name| match FUNCTIONS.contains(name) {
        true => format!("{name}_or_default"),
        false => (*name).to_owned(),
    });
    let mut out = vec![String::new(); names.len()];
    for (index, name) in order.iter().zip(distinct(wanted)) {
        if let Some(place) = out.get_mut(*index) {
            *place = name;
        }
    }
    out
}

/// Makes names distinct by appending `_2`, `_3`, ...
fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut taken = HashSet::new();
    // the last number of each name, so that many equal names take linear time
    let mut counts: HashMap<String, usize> = HashMap::new();
    let named = names.map(|name| {
        let mut free = name.clone();
        if taken.contains(&look(&free)) {
            let count = counts.entry(look(&name)).or_insert(1);
            while taken.contains(&look(&free)) {
                *count += 1;
                free = format!("{name}_{count}");
            }
        }
        taken.insert(look(&free));
        free
    });
    named.collect()
}

/// Returns the form by which the compiler warns of confusable identifiers; ASCII names are never confusable.
pub(crate) fn look(name: &str) -> String {
    if name.is_ascii() { name.to_owned() } else { skeleton(name).collect() }
}

/// Returns the name of a type or variant.
pub(crate) fn type_(wire: &str) -> String {
    if wire.is_empty() { "Empty".to_owned() } else { checked(rust::type_name, wire) }
}

/// Applies a naming rule and makes the result a valid identifier: compatibility characters are replaced (`ﬁ` by `fi`), and a
/// name that looks like an ASCII name becomes that (`ı` becomes `i`). A name that isn't an identifier, or that the compiler
/// warns of, is spelled with its code points.
fn checked(rule: fn(&str) -> String, wire: &str) -> String {
    let mut name = rule(wire);
    if !name.is_ascii() {
        let plain: String = name.nfkc().collect();
        if plain != name {
            name = rule(&plain);
        }
        if look(&name).is_ascii() {
            let like = name.chars().map(|c| if c.is_ascii() { c.to_string() } else { look(&c.to_string()) });
            name = rule(&like.collect::<String>());
        }
    }
    let mut chars = name.chars();
    if chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
        && chars.all(unicode_ident::is_xid_continue)
        && name != "_"
        && is_common(&name)
    {
        return name;
    }
    points(wire).join("_")
}

/// Returns the code points of a name.
fn points(wire: &str) -> Vec<String> {
    wire.chars().map(|c| format!("u{:x}", u32::from(c))).collect()
}

/// Returns the name of a type; `None` if it would be spelled with code points, as `U5eU2e` for `^.`.
pub(crate) fn readable(wire: &str) -> Option<String> {
    let (name, points) = (type_(wire), points(wire));
    let is_spelled = !wire.is_empty() && (name == points.join("_") || name == rust::type_name(&points.join(" ")));
    (!is_spelled).then_some(name)
}

/// Returns whether the compiler accepts an identifier without a warning about uncommon or confusable characters.
fn is_common(name: &str) -> bool {
    if name.is_ascii() {
        return true;
    }
    let others = || name.chars().filter(|c| !c.is_ascii());
    let certain = others().filter(|c| !is_potential_mixed_script_confusable_char(*c));
    let certain: Vec<AugmentedScriptSet> = ['A'].into_iter().chain(certain).map(AugmentedScriptSet::for_char).collect();
    others().all(|c| {
        let scripts = AugmentedScriptSet::for_char(c);
        let shares = |other: &AugmentedScriptSet| {
            let mut both = scripts;
            both.intersect_with(*other);
            !other.is_all() && !both.is_empty()
        };
        let is_known = !is_potential_mixed_script_confusable_char(c) || scripts.is_all() || certain.iter().any(shares);
        c.identifier_allowed() && is_known
    })
}

/// Returns the module of a service's RPCs.
pub(crate) fn service(name: &RpcName) -> String {
    format!("rpc::{}", field(name.service()))
}

/// Returns the names of an enum's variants, in the order of its words.
pub(crate) fn variants(words: &[String]) -> Vec<String> {
    distinct(words.iter().map(|word| type_(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accessor_hides_no_method_of_a_generated_type() {
        let names = accessors(["decode", "encode", "read", "write", "validate", "kind"].into_iter());
        assert_eq!(
            names,
            [
                "decode_or_default",
                "encode_or_default",
                "read_or_default",
                "write_or_default",
                "validate_or_default",
                "kind"
            ]
        );
    }
}
