//! Generates the JSON codec of each type: concrete code, which is cheap to compile and to run.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use crate::codegen::type_names::ident;
use crate::codegen::union;
use crate::model::{Body, Check, Discriminator, Field, Model, Others, Shape, Type, ValueType, Variant};

/// Returns the impls of `Read`, `Write` and serde's traits for a type.
pub(crate) fn impls(type_: &Type) -> TokenStream {
    let name = ident(&type_.name);
    let (read, write) = match &type_.body {
        Body::Struct { fields, others } => (read_struct(fields, others), write_struct(fields, others)),
        Body::Map(held) if held.shape.is_replaced() => {
            (quote!(__twyla::foreign(reader).map(Self)), quote!(__twyla::write_foreign(&self.0, out);))
        }
        Body::Map(_) => (quote!(__twyla::Read::read(reader).map(Self)), quote!(__twyla::Write::write(&self.0, out);)),
        Body::Enum { .. } => {
            (quote!(__twyla::word(reader, Self::WORDS)), quote!(__twyla::write_str(self.as_str(), out);))
        }
        Body::Union { by, variants } => (union::read(by, variants), write_union(by, variants)),
    };
    quote! {
        impl __twyla::Read for #name {
            fn read(reader: &mut __twyla::Reader<'_>) -> ::std::result::Result<Self, __twyla::Fault> {
                #read
            }
        }
        impl __twyla::Write for #name {
            fn write(&self, out: &mut ::std::vec::Vec<u8>) {
                #write
            }
        }
        __twyla::bridge!(#name);
    }
}

/// Returns the variable that a field is read into, distinct from the other variables.
fn slot(field: &Field) -> Ident {
    match field.name.as_str() {
        "reader" | "members" | "name" | "extra" | "__twyla" => format_ident!("{}_", field.name),
        name => ident(name),
    }
}

fn read_struct(fields: &[Field], others: &Others) -> TokenStream {
    let slots: Vec<Ident> = fields.iter().map(slot).collect();
    let wires = fields.iter().map(|field| &field.wire);
    let arms = slots.iter().zip(fields).enumerate().map(|(index, (slot, field))| {
        let index = Literal::usize_unsuffixed(index);
        if let Some(word) = &field.constant {
            return quote!(#index => members.constant(reader, &mut #slot, #word),);
        }
        let read = if field.held.shape.is_replaced() { quote!(foreign) } else { quote!(field) };
        quote!(#index => members.#read(reader, &mut #slot),)
    });
    let (keep, other, kept) = match others {
        Others::Ignored => (None, quote!(members.unknown(reader)), None),
        Others::Refused => (None, quote!(::std::result::Result::Err(members.refuse())), None),
        Others::Kept { name, held, .. } => {
            let name = ident(name);
            let keep = quote!(let mut extra = ::std::default::Default::default(););
            let read = if held.shape.is_replaced() { quote!(foreign_extra) } else { quote!(extra) };
            (Some(keep), quote!(members.#read(reader, &mut extra)), Some(quote!(#name: extra)))
        }
    };
    let values = fields.iter().zip(&slots).filter(|(field, _)| field.constant.is_none()).map(|(field, slot)| {
        let name = ident(&field.name);
        if field.required {
            named(&name, slot)
        } else if field.nullable().is_some() {
            quote!(#name: #slot.unwrap_or_default())
        } else if field.null_is_absent {
            quote!(#name: #slot.flatten())
        } else {
            named(&name, slot)
        }
    });
    let values = values.chain(kept);
    let required = required(fields, &slots);
    quote! {
        static NAMES: __twyla::Names = __twyla::Names::new(&[#(#wires),*]);
        #(let mut #slots = ::std::option::Option::None;)*
        #keep
        let mut members = reader.members(&NAMES)?;
        while let ::std::option::Option::Some(name) = members.name(reader)? {
            match name {
                #(#arms)*
                _ => #other,
            }?;
        }
        #required
        ::std::result::Result::Ok(Self { #(#values),* })
    }
}

/// Returns the initializer of a field from a variable.
fn named(name: &Ident, variable: &Ident) -> TokenStream {
    if name == variable { quote!(#name) } else { quote!(#name: #variable) }
}

/// Returns the statement that takes the values of the required members out of their slots, constants first. One statement for
/// all of them compiles faster than a call and a `?` for each.
fn required(fields: &[Field], slots: &[Ident]) -> Option<TokenStream> {
    let all = || fields.iter().zip(slots);
    let constants = all().filter(|(field, _)| field.constant.is_some());
    let required: Vec<_> =
        constants.chain(all().filter(|(field, _)| field.required && field.constant.is_none())).collect();
    let patterns = required.iter().map(|(field, slot)| match &field.constant {
        Some(_) => quote!(::std::option::Option::Some(())),
        None => quote!(::std::option::Option::Some(#slot)),
    });
    let slots = required.iter().map(|(_, slot)| slot);
    let wires = required.iter().map(|(field, _)| &field.wire);
    (!required.is_empty()).then(|| {
        quote! {
            let (#(#patterns,)*) = (#(#slots,)*) else {
                return ::std::result::Result::Err(members.missing(reader, &[#(#wires),*]));
            };
        }
    })
}

/// Returns a key as JSON text, with quotes and the colon.
fn key(wire: &str) -> String {
    format!("{}:", serde_json::Value::from(wire))
}

fn write_struct(fields: &[Field], others: &Others) -> TokenStream {
    let members = fields.iter().map(|field| {
        let (name, key) = (ident(&field.name), key(&field.wire));
        if let Some(word) = &field.constant {
            return quote!(__twyla::write_member(#key, #word, out););
        }
        match (field.held.shape.is_replaced(), field.nullable().is_some(), field.may_be_absent()) {
            (false, true, _) => quote!(__twyla::write_nullable(#key, &self.#name, out);),
            (false, _, true) => quote!(__twyla::write_optional(#key, &self.#name, out);),
            (false, _, false) => quote!(__twyla::write_member(#key, &self.#name, out);),
            (true, true, _) => quote! {
                if !self.#name.is_absent() {
                    __twyla::write_foreign_member(#key, &self.#name, out);
                }
            },
            (true, _, true) => quote! {
                if let ::std::option::Option::Some(value) = &self.#name {
                    __twyla::write_foreign_member(#key, value, out);
                }
            },
            (true, _, false) => quote!(__twyla::write_foreign_member(#key, &self.#name, out);),
        }
    });
    let others = if let Others::Kept { name, held, .. } = others {
        let name = ident(name);
        let write = if held.shape.is_replaced() { quote!(write_foreign_extra) } else { quote!(write_extra) };
        quote!(for (key, value) in &self.#name { __twyla::#write(key, value, out); })
    } else {
        TokenStream::new()
    };
    quote! {
        out.push(b'{');
        #(#members)*
        #others
        __twyla::close_object(out);
    }
}

fn write_union(by: &Discriminator, variants: &[Variant]) -> TokenStream {
    let arms = variants.iter().map(|variant| {
        let name = ident(&variant.name);
        match (variant.word(), by) {
            (Some(word), Discriminator::Member(tag)) => {
                let key = key(tag);
                return quote!(Self::#name => {
                    out.push(b'{');
                    __twyla::write_member(#key, #word, out);
                    __twyla::close_object(out);
                });
            }
            (Some(word), _) => return quote!(Self::#name => __twyla::write_str(#word, out),),
            (None, _) => {}
        }
        let is_replaced = variant.held.as_ref().is_some_and(|held| held.shape.is_replaced());
        let write = if is_replaced { quote!(write_foreign) } else { quote!(Write::write) };
        quote!(Self::#name(value) => __twyla::#write(value, out),)
    });
    quote!(match self { #(#arms)* })
}

/// Returns the impl by which rule trees read a type.
pub(crate) fn view(type_: &Type) -> TokenStream {
    if !type_.looked_at {
        return TokenStream::new();
    }
    let name = ident(&type_.name);
    match &type_.body {
        Body::Struct { fields, others } => {
            let members = fields.iter().map(|field| {
                let (wire, name) = (&field.wire, ident(&field.name));
                if let Some(word) = &field.constant {
                    return quote!(#wire => = #word);
                }
                match field.nullable() {
                    Some(_) => quote!(#wire =>! #name),
                    None if field.may_be_absent() => quote!(#wire =>? #name),
                    None => quote!(#wire => #name),
                }
            });
            let others = if let Others::Kept { name, .. } = others {
                let name = ident(name);
                Some(quote!(..#name))
            } else {
                None
            };
            quote!(__twyla::view!(#name { #(#members,)* #others });)
        }
        Body::Enum { .. } => quote!(__twyla::view!(word #name);),
        Body::Union { by, variants } => {
            let tag = if let Discriminator::Member(tag) = by { Some(quote!(in #tag)) } else { None };
            let units = variants.iter().filter_map(|variant| {
                let (name, word) = (ident(&variant.name), variant.word()?);
                Some(quote!(#name => #word #tag))
            });
            let units: Vec<TokenStream> = units.collect();
            let units = (!units.is_empty()).then(|| quote!({ #(#units),* }));
            let held = variants.iter().filter(|variant| variant.held.is_some()).map(|variant| ident(&variant.name));
            quote!(__twyla::view!(union #name { #(#held),* } #units);)
        }
        Body::Map(_) => quote!(__twyla::view!(inner #name);),
    }
}

/// Returns the only variant that a value can have, if exactly one is possible: `new` needs no argument for it.
pub(crate) fn only_variant<'a>(model: &'a Model, held: &ValueType) -> Option<(&'a Type, &'a str)> {
    let Shape::Named(id) = held.shape else { return None };
    let type_ = &model.types[id];
    match &type_.body {
        Body::Enum { variants, .. } if variants.len() == 1 => Some((type_, variants.first()?)),
        _ => None,
    }
}

/// Returns the only value of a type that isn't an enum, if exactly one is possible: `new` needs no argument for it.
pub(crate) fn only_value(held: &ValueType) -> Option<TokenStream> {
    if held.shape == Shape::Null {
        return Some(quote!(()));
    }
    held.checks.iter().find_map(|check| match check {
        Check::Integers(values) => {
            let value = Literal::i128_unsuffixed(only(values)?);
            Some(quote!(#value))
        }
        Check::Numbers(values) => {
            let value = Literal::f64_unsuffixed(only(values)?);
            Some(quote!(#value))
        }
        Check::Booleans(values) => {
            let value = only(values)?;
            Some(quote!(#value))
        }
        _ => None,
    })
}

/// Returns the value of a list whose values are all equal; `None` for other lists.
fn only<T: Copy + PartialEq>(values: &[T]) -> Option<T> {
    let (first, others) = values.split_first()?;
    others.iter().all(|other| other == first).then_some(*first)
}
