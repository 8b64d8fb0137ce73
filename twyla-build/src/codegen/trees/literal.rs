//! Writes numbers and constants of schemas as Rust literals, without losing a digit.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::number::Number;
use crate::schema::load::{Json, Node};

/// The maximum depth of nested arrays and objects in a constant; no value is nested deeper.
const DEEPEST: usize = 150;

/// A number as the codec compares it.
enum Exact {
    Integer(i128),
    /// The shortest decimal that reads as this `f64`.
    Float(f64),
    /// A number that is neither.
    Decimal,
}

impl Exact {
    fn of(number: &Number<'_>) -> Self {
        match (number.whole(), number.shortest()) {
            (Some(value), _) => Self::Integer(value),
            (None, Some(value)) => Self::Float(value),
            (None, None) => Self::Decimal,
        }
    }
}

/// Writes a finite `f64`.
fn float(value: f64) -> TokenStream {
    // a literal of proc-macro2 would have hundreds of zeros instead of an exponent
    format!("{value:?}f64").parse().unwrap_or_default()
}

/// Writes a `Number`.
pub(super) fn number(text: &str) -> TokenStream {
    let number = Number::new(text);
    match Exact::of(&number) {
        Exact::Integer(value) => {
            let value = Literal::i128_unsuffixed(value);
            quote!(Number::Integer(#value))
        }
        Exact::Float(value) => {
            let value = float(value);
            quote!(Number::Float(#value))
        }
        Exact::Decimal => {
            let (digits, exponent) = number.digits();
            let exponent = Literal::i64_unsuffixed(exponent);
            quote!(Number::Decimal { digits: #digits, exponent: #exponent })
        }
    }
}

/// Writes a `Factor`; `None` if it isn't a positive number.
pub(super) fn factor(text: &str) -> Option<TokenStream> {
    let number = Number::new(text);
    if !number.is_positive() {
        return None;
    }
    let (mantissa, exponent) = number.parts().or_else(|| Number::new(&format!("{:e}", number.float())).parts())?;
    let (mantissa, exponent) = (Literal::u128_unsuffixed(mantissa), Literal::i32_unsuffixed(exponent));
    Some(quote!(Factor { mantissa: #mantissa, exponent: #exponent }))
}

/// Writes a `Choices`.
pub(super) fn choices<'n>(nodes: impl Iterator<Item = &'n Node>) -> TokenStream {
    let (mut words, mut integers, mut numbers, mut others) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for node in nodes {
        match &node.json {
            Json::String(text) => words.push(text.as_str()),
            Json::Number(text) => match Exact::of(&Number::new(text)) {
                Exact::Integer(value) => integers.push(value),
                Exact::Float(value) => numbers.push(value),
                Exact::Decimal => others.push(constant(node, DEEPEST)),
            },
            _ => others.push(constant(node, DEEPEST)),
        }
    }
    words.sort_unstable();
    words.dedup();
    integers.sort_unstable();
    integers.dedup();
    numbers.sort_unstable_by(f64::total_cmp);
    let integers = integers.into_iter().map(Literal::i128_unsuffixed);
    let numbers = numbers.into_iter().map(float);
    quote!(Choices {
        words: &[#(#words),*],
        integers: &[#(#integers),*],
        numbers: &[#(#numbers),*],
        others: &[#(#others),*]
    })
}

/// Writes a `Const`.
fn constant(node: &Node, deeper: usize) -> TokenStream {
    let Some(deeper) = deeper.checked_sub(1) else {
        // equals no value
        return quote!(Const::Number(Number::Float(f64::NAN)));
    };
    match &node.json {
        Json::Null => quote!(Const::Null),
        Json::Bool(value) => quote!(Const::Boolean(#value)),
        Json::Number(text) => {
            let number = number(text);
            quote!(Const::Number(#number))
        }
        Json::String(text) => quote!(Const::Text(#text)),
        Json::Array(items) => {
            let items = items.iter().map(|item| constant(item, deeper));
            quote!(Const::Array(&[#(#items),*]))
        }
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|a, b| a.key.cmp(&b.key));
            let members = members.into_iter().map(|member| {
                let (key, value) = (&member.key, constant(&member.value, deeper));
                quote!((#key, #value))
            });
            quote!(Const::Object(&[#(#members),*]))
        }
    }
}
