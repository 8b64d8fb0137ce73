//! Numbers and constants of schemas as Rust literals, without the loss of a digit.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::load::{Json, Node};

/// Arrays and objects within each other in a constant: no value is nested deeper.
const DEEPEST: usize = 150;

/// A decimal as it is written: its digits without zeros around them, and where the point is.
struct Decimal<'a> {
    negative: bool,
    digits: String,
    exponent: i64,
    text: &'a str,
}

impl<'a> Decimal<'a> {
    fn new(text: &'a str) -> Self {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |unsigned| (true, unsigned));
        let (number, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        // beyond what fits, the number is zero or infinite as an f64 all the same
        let far = if exponent.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
        let exponent: i64 = exponent.parse().unwrap_or(far).clamp(i64::MIN / 4, i64::MAX / 4);
        let all = format!("{whole}{fraction}");
        let digits = all.trim_end_matches('0');
        let zeros = all.len() - digits.len();
        let exponent = exponent + i64::try_from(zeros).unwrap_or(0) - i64::try_from(fraction.len()).unwrap_or(0);
        Self { negative, digits: digits.trim_start_matches('0').to_owned(), exponent, text }
    }

    fn whole(&self) -> Option<i128> {
        if self.digits.is_empty() {
            return Some(0);
        }
        let factor = 10_i128.checked_pow(u32::try_from(self.exponent).ok()?)?;
        let whole = self.digits.parse::<i128>().ok()?.checked_mul(factor)?;
        Some(if self.negative { -whole } else { whole })
    }

    fn float(&self) -> f64 {
        self.text.parse().unwrap_or(f64::NAN)
    }
}

/// A number as an integer, where it is one that fits, and else as a float.
pub(super) fn whole_or_float(text: &str) -> Result<i128, f64> {
    let decimal = Decimal::new(text);
    decimal.whole().ok_or_else(|| decimal.float())
}

fn float(value: f64) -> TokenStream {
    if value.is_finite() {
        // a literal of proc-macro2 has hundreds of zeros where this has an exponent
        format!("{value:?}f64").parse().unwrap_or_default()
    } else if value.is_nan() {
        quote!(f64::NAN)
    } else if value > 0.0 {
        quote!(f64::INFINITY)
    } else {
        quote!(f64::NEG_INFINITY)
    }
}

/// A `Number`.
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

/// A `Factor`; none where it is no positive number.
pub(super) fn factor(text: &str) -> Option<TokenStream> {
    let exact = |decimal: &Decimal<'_>| {
        let mantissa: u128 = decimal.digits.parse().ok()?;
        Some((mantissa, i32::try_from(decimal.exponent).ok()?))
    };
    let decimal = Decimal::new(text);
    if decimal.negative || decimal.digits.is_empty() {
        return None;
    }
    let (mantissa, exponent) = exact(&decimal).or_else(|| exact(&Decimal::new(&format!("{:e}", decimal.float()))))?;
    let (mantissa, exponent) = (Literal::u128_unsuffixed(mantissa), Literal::i32_unsuffixed(exponent));
    Some(quote!(Factor { mantissa: #mantissa, exponent: #exponent }))
}

/// A size, which may be written `2.0`; what is beyond 64 bits is beyond every value.
pub(super) fn size(node: Option<&Node>) -> Option<u64> {
    let Json::Number(text) = &node?.json else { return None };
    let far = || text.parse::<f64>().is_ok_and(|value| value > 0.0).then_some(u64::MAX);
    match whole_or_float(text) {
        Ok(value) => u64::try_from(value).ok().or_else(far),
        Err(_) => far(),
    }
}

/// A `Choices`.
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

/// A `Const`.
fn constant(node: &Node, deeper: usize) -> TokenStream {
    let Some(deeper) = deeper.checked_sub(1) else {
        // equal to nothing
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
