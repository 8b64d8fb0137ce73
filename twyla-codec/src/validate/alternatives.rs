//! Reads unions of objects in which each variant requires a member that only it declares, and allows others. The member
//! that is present selects the variant. If several are present, the variants' rules select it.

use twyla_contract::text::shortened;

use super::contract::Validate;
use crate::json::variants::no_own_member;
use crate::json::{Fault, Reader};
use crate::path::Path;
use crate::violation::Violations;

/// A variant: the name of the member that it requires and that no other variant declares, and the function that reads the
/// variant.
pub type Alternative<T> = (&'static str, fn(&mut Reader<'_>) -> Result<T, Fault>);

/// Reads the object at the current position as the variant whose member it has. If it has the members of several variants, it
/// must fit exactly one of these.
///
/// # Errors
/// The object has none of the members, fits no variant whose member it has, or fits several of them.
pub fn one_of<T: Validate>(reader: &mut Reader<'_>, variants: &[Alternative<T>]) -> Result<T, Fault> {
    let find = |key: &str| variants.iter().position(|(name, _)| *name == key);
    let (first, more) = reader.present(find)?;
    if !more.is_empty() {
        let mut present: Vec<usize> = first.into_iter().chain(more).collect();
        present.sort_unstable();
        let count = present.len();
        return only_fitting(reader, present.into_iter().filter_map(|index| variants.get(index)), count);
    }
    match first.and_then(|only| variants.get(only)) {
        Some((_, read)) => read(reader),
        None => Err(no_own_member(&variants.iter().map(|(name, _)| *name).collect::<Vec<_>>())),
    }
}

#[cold]
fn only_fitting<'v, T: Validate + 'v>(
    reader: &mut Reader<'_>,
    variants: impl Iterator<Item = &'v Alternative<T>>,
    count: usize,
) -> Result<T, Fault> {
    let (mut fitting, mut readable, mut refused): (Option<(&str, _, _)>, _, _) = (None, None, None);
    let mut received = None;
    for (name, read) in variants {
        let mut ahead = reader.clone();
        let value = read(&mut ahead);
        reader.count_try(&ahead, count)?;
        match value {
            Ok(value) => {
                if received.is_none() && ahead.has_other_notation {
                    received = reader.clone().received()?;
                }
                let mut out = Violations::new();
                value.validate(&Path::of(received.as_ref()), &mut out);
                match fitting {
                    _ if !out.is_empty() => _ = readable.get_or_insert((value, ahead)),
                    Some((before, ..)) => return Err(both(before, name)),
                    None => fitting = Some((*name, value, ahead)),
                }
            }
            Err(fault) => _ = refused.get_or_insert(fault),
        }
    }
    // if a value can be read but breaks rules, its validation reports them
    match (fitting.map(|(_, value, ahead)| (value, ahead)).or(readable), refused) {
        (Some((value, ahead)), _) => {
            reader.move_to(&ahead);
            Ok(value)
        }
        (None, Some(fault)) => Err(fault),
        (None, None) => Err(no_own_member(&[])),
    }
}

fn both(one: &str, other: &str) -> Fault {
    let (one, other) = (shortened(one, 200), shortened(other, 200));
    let message = format!("the object matches the alternatives of both `{one}` and `{other}`; exactly one must match");
    Fault::new("oneOf", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Names, Read};
    use crate::validate::schema::{self, Number, Rule, Schema};

    #[derive(Debug, PartialEq)]
    enum Contact {
        Mail(i64),
        Phone(String),
        Fax(Box<Contact>),
    }

    /// Reads one member, and a `next` that every variant has.
    fn with_next<T: Read>(reader: &mut Reader<'_>, names: &'static Names, wire: &'static str) -> Result<T, Fault> {
        let (mut own, mut next) = (None, None::<Contact>);
        let mut members = reader.members(names)?;
        while let Some(name) = members.name(reader)? {
            match name {
                0 => members.field(reader, &mut own)?,
                1 => members.field(reader, &mut next)?,
                _ => members.unknown(reader)?,
            }
        }
        own.ok_or_else(|| members.missing(reader, &[wire]))
    }

    impl Read for Contact {
        fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
            static MAIL: Names = Names::new(&["mail", "next"]);
            static PHONE: Names = Names::new(&["phone", "next"]);
            static FAX: Names = Names::new(&["fax", "next"]);
            one_of(
                reader,
                &[
                    ("mail", |reader| with_next(reader, &MAIL, "mail").map(Self::Mail)),
                    ("phone", |reader| with_next(reader, &PHONE, "phone").map(Self::Phone)),
                    ("fax", |reader| with_next(reader, &FAX, "fax").map(Self::Fax)),
                ],
            )
        }
    }

    impl Validate for Contact {
        fn validate(&self, at: &Path<'_>, out: &mut Violations) {
            match self {
                Self::Mail(count) if *count < 0 => out.push(at, "minimum", "is less than 0".to_owned()),
                Self::Fax(inner) => inner.validate(&at.key("fax"), out),
                Self::Mail(_) | Self::Phone(_) => {}
            }
        }
    }

    fn read(text: &str) -> Result<Contact, String> {
        crate::json::from_str(text).map_err(|fault| fault.into_violation().to_string())
    }

    #[test]
    fn the_member_that_is_present_chooses_the_variant() {
        assert_eq!(read(r#"{"x":{"phone":1},"mail":1}"#), Ok(Contact::Mail(1)));
        assert_eq!(read(r#"{"phone":"x"}"#), Ok(Contact::Phone("x".to_owned())));
        assert_eq!(read("{}"), Err("(root): `mail` or `phone` or `fax` is missing".to_owned()));
        assert_eq!(read(r#"{"mail":-1}"#), Ok(Contact::Mail(-1)), "its rules are for later");
    }

    #[test]
    fn of_several_present_members_the_only_valid_one_chooses() {
        assert_eq!(read(r#"{"phone":1,"mail":1}"#), Ok(Contact::Mail(1)));
        assert_eq!(read(r#"{"fax":{"mail":2},"mail":-1}"#), Ok(Contact::Fax(Box::new(Contact::Mail(2)))));
        let both = "(root): the object matches the alternatives of both `mail` and `phone`; exactly one must match";
        assert_eq!(read(r#"{"phone":"x","mail":1}"#), Err(both.to_owned()));
        assert_eq!(
            read(r#"{"mail":true,"phone":1}"#).unwrap_err(),
            "/mail: expected an integer, found the boolean `true`",
            "one error, of the first"
        );
        assert_eq!(read(r#"{"phone":1,"mail":-1}"#), Ok(Contact::Mail(-1)), "validation says why it is refused");
        assert_eq!(read(r#"[{"mail":1}]"#).unwrap_err(), "(root): expected an object, found an array");
        assert!(read(r#"{"mail":1,"phone":1,"mail":2}"#).unwrap_err().contains("\"mail\""), "a member twice");
    }

    /// Two variants that have a member `x` with limits between the decimals of 2^60.
    #[derive(Debug, PartialEq)]
    enum Amount {
        AtMost(f64),
        AtLeast(f64),
    }

    impl Read for Amount {
        fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
            static NAMES: Names = Names::new(&["x"]);
            fn x(reader: &mut Reader<'_>) -> Result<f64, Fault> {
                let (mut x, mut members) = (None, reader.members(&NAMES)?);
                while let Some(name) = members.name(reader)? {
                    match name {
                        0 => members.field(reader, &mut x)?,
                        _ => members.unknown(reader)?,
                    }
                }
                x.ok_or_else(|| members.missing(reader, &["x"]))
            }
            one_of(reader, &[("a", |reader| x(reader).map(Self::AtMost)), ("b", |reader| x(reader).map(Self::AtLeast))])
        }
    }

    impl Validate for Amount {
        fn validate(&self, at: &Path<'_>, out: &mut Violations) {
            static AT_MOST: Schema = Schema::new(&[Rule::Maximum(Number::Integer(1_152_921_504_606_846_980))]);
            static AT_LEAST: Schema = Schema::new(&[Rule::Minimum(Number::Integer(1_152_921_504_606_846_990))]);
            match self {
                Self::AtMost(x) => schema::holds(x, &AT_MOST, &at.key("x"), out),
                Self::AtLeast(x) => schema::holds(x, &AT_LEAST, &at.key("x"), out),
            }
        }
    }

    #[test]
    fn large_numbers_choose_the_variant_as_they_were_received() {
        let (read, large) = (crate::json::from_str::<Amount>, f64::from(2_u16).powi(60));
        for (text, chosen) in [
            (r#"{"a":1,"b":1,"x":1152921504606846976}"#, Amount::AtMost(large)),
            (r#"{"a":1,"b":1,"x":1152921504606847000}"#, Amount::AtLeast(large)),
        ] {
            assert_eq!(read(text).map_err(|fault| fault.into_violation().to_string()), Ok(chosen), "{text}");
        }
        let all: Vec<Amount> =
            crate::json::from_str(r#"[{"a":1,"b":1,"x":1152921504606847000},{"a":1,"b":1,"x":1152921504606846976}]"#)
                .unwrap_or_default();
        assert_eq!(all, [Amount::AtLeast(large), Amount::AtMost(large)], "the numbers of other objects don't count");
    }

    #[test]
    fn a_flat_object_may_have_the_members_of_any_number_of_variants() {
        const NAMES: [&str; 40] = {
            const TEXT: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCD";
            let (mut names, mut at) = ([TEXT; 40], 0);
            while at < names.len() {
                (names[at], _) = TEXT.split_at(at).1.split_at(1);
                at += 1;
            }
            names
        };
        let text = format!("{{{}}}", NAMES.map(|name| format!("\"{name}\":1")).join(","));
        let mut variants: Vec<Alternative<Contact>> = Vec::new();
        for name in NAMES {
            variants.push((name, |reader| {
                reader.skip()?;
                Err(Fault::new("type", "is refused".to_owned()))
            }));
        }
        variants[39].1 = |reader| reader.skip().map(|()| Contact::Mail(1));
        assert_eq!(one_of(&mut Reader::new(&text), &variants).ok(), Some(Contact::Mail(1)));
    }

    #[test]
    fn objects_within_one_another_are_not_tried_without_end() {
        let deep = |levels: usize| {
            let (open, close) = (r#"{"next":"#.repeat(levels), r#","mail":1,"phone":1}"#.repeat(levels));
            read(&format!(r#"{open}{{"mail":1}}{close}"#))
        };
        assert_eq!(deep(3), Ok(Contact::Mail(1)));
        let refused = deep(60).unwrap_err();
        assert!(refused.ends_with("too many nested objects have the members of several alternatives"), "{refused}");
    }
}
