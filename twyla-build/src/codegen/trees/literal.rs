//! Writes numbers and constants of schemas as Rust literals, without losing a digit.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::number::Number;
use crate::schema::load::{Json, Node};

/// The maximum depth of nested arrays and objects in a constant; no value is nested deeper.
const DEEPEST: usize = 150;

/// Returns a number as an integer if it fits, else as a float.
pub(super) fn whole_or_float(text: &str) -> Result<i128, f64> {
    let number = Number::new(text);
    number.whole().ok_or_else(|| number.float())
}

fn float(value: f64) -> TokenStream {
    if value.is_finite() {
        // a literal of proc-macro2 would have hundreds of zeros instead of an exponent
        format!("{value:?}f64").parse().unwrap_or_default()
    } else if value.is_nan() {
        quote!(f64::NAN)
    } else if value > 0.0 {
        quote!(f64::INFINITY)
    } else {
        quote!(f64::NEG_INFINITY)
    }
}

/// Writes a `Number`.
pub(super) fn number(text: &str) -> TokenStream {
    match whole_or_float(text) {
        Ok(value) => {
            let value = Literal::i128_unsuffixed(value);
            quote!(Number::Integer(#value))
        }
        Err(value) => {
            let value = float(value);
            quote!(Number::Float(#value))
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
            Json::Number(text) => match whole_or_float(text) {
                Ok(value) => integers.push(value),
                Err(value) => numbers.push(value),
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
