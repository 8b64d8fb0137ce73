//! Parses the fields of a struct and their attributes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, LitStr, Path, Token, Type};

use super::model::Absence;
use crate::catalogue::{self, Problems, event as text};

/// A field of the user's struct.
pub(super) struct Written {
    pub(super) name: Ident,
    pub(super) ty: Type,
    pub(super) rename: Option<LitStr>,
    pub(super) absence: Absence,
    pub(super) unchecked: bool,
    /// The attributes of serde that only a field with `#[event(unchecked)]` may have.
    pub(super) serde: Vec<TokenStream>,
}

impl Written {
    /// Returns the name without `r#`.
    pub(super) fn plain_name(&self) -> String {
        self.name.unraw().to_string()
    }
}

/// Parses a field's attributes, and removes the macro's own. The fields of a generic struct may borrow, because the struct
/// is refused as a whole.
pub(super) fn read(field: &mut syn::Field, generic: bool, problems: &mut Problems) -> Option<Written> {
    let name = field.ident.clone()?;
    if let Type::Reference(reference) = &mut field.ty
        && !generic
    {
        let owned = match catalogue::display(&reference.elem).as_str() {
            "str" => "String".to_owned(),
            owned => owned.to_owned(),
        };
        problems.add(text::borrowed(&name.to_string(), &owned).over(&*reference));
        // without a lifetime, the compiler would ask for one
        reference.lifetime.get_or_insert_with(|| syn::Lifetime::new("'static", Span::call_site()));
    }
    let mut written = Written {
        name,
        ty: field.ty.clone(),
        rename: None,
        absence: Absence::Plain,
        unchecked: false,
        serde: Vec::new(),
    };
    let mut changes = Vec::new();
    field.attrs.retain(|attribute| {
        if attribute.path().is_ident("event") {
            event(attribute, &mut written, problems);
        } else if attribute.path().is_ident("serde") {
            serde(attribute, &mut written, &mut changes, problems);
        } else {
            return true;
        }
        false
    });
    if !written.unchecked {
        for (key, span) in changes {
            problems.add(text::serde_changes(&key).at(span));
        }
    }
    Some(written)
}

fn event(attribute: &Attribute, written: &mut Written, problems: &mut Problems) {
    let parsed = attribute.parse_nested_meta(|meta| {
        if !meta.path.is_ident("unchecked") {
            let key = catalogue::display(&meta.path);
            return Err(catalogue::unknown_key("event", &key, &["unchecked"]).over(&meta.path));
        }
        if written.unchecked {
            problems.add(catalogue::repeated_key("event", "`unchecked`").over(&meta.path));
        }
        written.unchecked = true;
        Ok(())
    });
    problems.ok(parsed);
}

/// The serde attributes that only a field with `#[event(unchecked)]` may have.
const TRUSTED: &[&str] = &["with", "serialize_with", "deserialize_with"];

fn serde(attribute: &Attribute, written: &mut Written, changes: &mut Vec<(String, Span)>, problems: &mut Problems) {
    let parsed = attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident("rename") && meta.input.peek(Token![=]) {
            let name: LitStr = meta.value()?.parse()?;
            if written.rename.is_some() {
                problems.add(catalogue::repeated_key("serde", "`rename`").over(&meta.path));
            }
            written.rename = Some(name);
        } else if meta.path.is_ident("default") {
            written.absence = if meta.input.peek(Token![=]) {
                let path: LitStr = meta.value()?.parse()?;
                Absence::Function(path.parse::<Path>()?)
            } else {
                Absence::Default(meta.path.span())
            };
        } else {
            let key = catalogue::display(&meta.path);
            let (span, whole) = (meta.path.span(), rest(&meta)?);
            if TRUSTED.contains(&key.as_str()) {
                changes.push((key, span));
                written.serde.push(whole);
            } else {
                problems.add(text::serde_changes(&key).at(span));
            }
        }
        Ok(())
    });
    problems.ok(parsed);
}

/// Returns an entry of a serde attribute, unchanged.
fn rest(meta: &ParseNestedMeta<'_>) -> syn::Result<TokenStream> {
    let mut tokens = meta.path.to_token_stream();
    while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
        tokens.extend(meta.input.parse::<proc_macro2::TokenTree>().map(TokenStream::from)?);
    }
    Ok(tokens)
}

/// Checks the attributes of the struct: those that change the wire, or derive a trait again, are refused.
pub(super) fn of_struct(attributes: &[Attribute], problems: &mut Problems) {
    for attribute in attributes {
        if attribute.path().is_ident("serde") {
            problems.add(text::serde_on_struct().over(attribute));
        } else if attribute.path().is_ident("derive") {
            let parsed = attribute.parse_nested_meta(|meta| {
                let last = meta.path.segments.last().map(|segment| segment.ident.to_string());
                if let Some(name @ ("Serialize" | "Deserialize")) = last.as_deref() {
                    problems.add(text::derives_serde(name).over(&meta.path));
                }
                Ok(())
            });
            // the compiler reports a derive that can't be parsed
            let _ = parsed;
        }
    }
}
