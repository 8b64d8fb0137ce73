//! Checks the attribute and the item: returns a bound struct, or all mistakes.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Fields, Generics, Ident, Item, ItemStruct, Path, PathArguments, Type};
use twyla_contract::{Contracts, Event as Contract, EventName, Kind, Property, rust, similar};

use super::args::Args;
use super::fields::{self, Written};
use super::model::{Absence, BoundEvent, Check, Direction, Event, Field};
use crate::catalogue::{self, Problems, event as text};
use crate::contracts::{ContractsResult, Missing};
use crate::runtime::Runtime;

/// An item that can't be bound to a contract. A stand-in is generated in its place, so that its uses give no further errors.
pub(super) struct Rejected {
    pub(super) problems: Problems,
    /// The item. If it could be parsed, the macro's own attributes are removed.
    pub(super) item: TokenStream,
    /// The struct's name, its generics, and the contract it most likely means.
    pub(super) stands_for: Option<Box<(Ident, Generics, BoundEvent)>>,
}

pub(super) fn check(
    args: Args,
    item: TokenStream,
    contracts: impl FnOnce() -> ContractsResult,
) -> Result<(ItemStruct, Event), Rejected> {
    let Args { event, direction, contracts: module, runtime, mut problems } = args;
    let refused = |problems, item| Rejected { problems, item, stands_for: None };
    let mut item = match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Struct(item)) => item,
        Ok(other) => {
            problems.add(text::no_struct(what_it_is(&other)).over(head(&other)));
            return Err(refused(problems, item));
        }
        Err(error) => {
            problems.add(error);
            return Err(refused(problems, item));
        }
    };
    if let Fields::Unnamed(fields) = &item.fields {
        problems.add(text::unnamed_fields().over(fields));
    }
    let generic = !item.generics.params.is_empty();
    if generic {
        problems.add(text::generic(&item.ident.to_string()).over(&item.generics));
    }
    fields::of_struct(&item.attrs, &mut problems);
    item.attrs.retain(|attribute| !attribute.path().is_ident("serde"));
    let written: Vec<_> =
        item.fields.iter_mut().filter_map(|field| fields::read(field, generic, &mut problems)).collect();
    let module = module.unwrap_or_else(|| syn::parse_quote!(crate::contracts));
    let found = event.as_ref().map(|name| (contracts(), name));
    if let Some((Err(Missing::Reported), name)) = &found {
        // another error reports that the contracts are missing: report nothing more
        let stands_for = EventName::parse(&name.value()).ok().map(|name| unknown(&name, &module, runtime));
        let stands_for = stands_for.map(|bound| Box::new((item.ident.clone(), item.generics.clone(), bound)));
        return Err(Rejected { problems: Problems::default(), item: item.to_token_stream(), stands_for });
    }
    let Some((all, contract)) = found.and_then(|(found, name)| {
        let contracts = problems.contracts(found, name.span())?;
        let index = find(name, &contracts, &mut problems)?;
        Some((contracts, index))
    }) else {
        return Err(refused(problems, item.to_token_stream()));
    };
    let Some(contract) = all.events.get(contract) else { return Err(refused(problems, item.to_token_stream())) };
    let bound = bound(contract, &all, &module, runtime);
    // fields without names can't be checked
    if !problems.is_empty() && matches!(item.fields, Fields::Unnamed(_)) {
        return Err(refused(problems, item.to_token_stream()));
    }
    let event = bind(&item, &written, contract, bound, direction, &module, &mut problems);
    if problems.is_empty() {
        Ok((item, event))
    } else {
        let stands_for = Some(Box::new((event.name, item.generics.clone(), event.contract)));
        Err(Rejected { problems, item: item.to_token_stream(), stands_for })
    }
}

fn what_it_is(item: &Item) -> &'static str {
    match item {
        Item::Enum(_) => "an enum",
        Item::Union(_) => "a union",
        Item::Fn(_) => "a function",
        _ => "another item",
    }
}

/// Returns the tokens that name the kind of an item.
fn head(item: &Item) -> TokenStream {
    match item {
        Item::Enum(item) => item.enum_token.to_token_stream(),
        Item::Union(item) => item.union_token.to_token_stream(),
        Item::Fn(item) => item.sig.fn_token.to_token_stream(),
        other => other.to_token_stream(),
    }
}

/// Returns the index of the event. An unknown name is reported, and the most similar event is used instead.
fn find(name: &syn::LitStr, contracts: &Contracts, problems: &mut Problems) -> Option<usize> {
    let value = name.value();
    let number = |wanted: &str| contracts.events.iter().position(|event| event.name.as_str() == wanted);
    if let Some(found) = number(&value) {
        return Some(found);
    }
    if let Err(error) = EventName::parse(&value) {
        problems.add(catalogue::bad_event_name(&error).at(name.span()));
        return None;
    }
    let meant = similar::nearest(&value, contracts.events.iter().map(|event| event.name.as_str())).and_then(number);
    let event = meant.and_then(|meant| contracts.events.get(meant));
    problems.add(catalogue::unknown_event(&value, contracts, event).at(name.span()));
    meant
}

fn path(module: &Path, relative: &str) -> Path {
    syn::parse_str::<Path>(relative).map_or_else(|_| module.clone(), |relative| syn::parse_quote!(#module::#relative))
}

fn bound(contract: &Contract, all: &Contracts, module: &Path, runtime: Runtime) -> BoundEvent {
    BoundEvent {
        runtime,
        event: contract.name.as_str().to_owned(),
        domain: contract.name.domain().to_owned(),
        event_type: contract.name.event_type().to_owned(),
        key: contract.name.key(),
        schema: catalogue::schema(contract),
        rust_name: contract.rust_name().to_owned(),
        content: path(module, &contract.rust_path),
        context: path(module, &all.context.rust_path),
    }
}

/// Creates the contract of an event that isn't declared, with the names that its generated types would have.
fn unknown(name: &EventName, module: &Path, runtime: Runtime) -> BoundEvent {
    let (domain, rust_name) = (rust::field_name(name.domain()), rust::type_name(name.event_type()));
    BoundEvent {
        runtime,
        event: name.as_str().to_owned(),
        domain: name.domain().to_owned(),
        event_type: name.event_type().to_owned(),
        key: name.key(),
        schema: String::new(),
        content: path(module, &format!("{domain}::{rust_name}")),
        context: path(module, "Context"),
        rust_name,
    }
}

fn bind(
    item: &ItemStruct,
    written: &[Written],
    contract: &Contract,
    bound: BoundEvent,
    direction: Option<Direction>,
    module: &Path,
    problems: &mut Problems,
) -> Event {
    let name = item.ident.to_string();
    // errors above (another event, a struct that can't be bound) don't concern the fields
    let fresh = problems.is_empty();
    let mut taken: Vec<&str> = Vec::new();
    let mut bind_fields = Vec::new();
    let known = |wire: &str| contract.property(wire);
    for field in written {
        let plain = field.plain_name();
        let property = match &field.rename {
            Some(rename) => known(&rename.value()),
            None => contract.properties.iter().find(|property| property.field == plain).or_else(|| known(&plain)),
        };
        match property {
            Some(property) if taken.contains(&property.wire.as_str()) => {
                problems.add(text::bound_twice(&property.wire, contract).at(field.name.span()));
            }
            Some(property) => {
                taken.push(&property.wire);
                bind_fields.push(bind_field(field, property, contract, &name, module));
            }
            None if field.unchecked && contract.open => bind_fields.push(Field {
                name: field.name.clone(),
                ty: field.ty.clone(),
                wire: field.rename.as_ref().map_or(plain, syn::LitStr::value),
                absence: absence(field),
                check: None,
                serde: field.serde.clone(),
                optional: true,
            }),
            None if fresh => {
                let wire = field.rename.as_ref().map_or(plain, syn::LitStr::value);
                let free = contract
                    .properties
                    .iter()
                    .filter(|property| written.iter().all(|field| field.plain_name() != property.field));
                let span = field.rename.as_ref().map_or(field.name.span(), syn::LitStr::span);
                problems.add(text::unknown_field(&wire, contract, &free.collect::<Vec<_>>()).at(span));
            }
            None => {}
        }
    }
    let lacking: Vec<_> = contract
        .properties
        .iter()
        .filter(|property| property.required && !taken.contains(&property.wire.as_str()))
        .collect();
    let lacks = (!lacking.is_empty()).then(|| text::lacks(&name, contract, &lacking));
    if let (Some(lacks), Some(Direction::Emit), true) = (&lacks, direction, problems.is_empty()) {
        problems.add(lacks.at(item.ident.span()));
    }
    Event {
        name: item.ident.clone(),
        declared: direction.map(|direction| text::declared(&name, contract, direction == Direction::Listen)),
        neither: text::neither(&name, contract),
        contract: bound,
        direction,
        fields: bind_fields,
        lacks,
    }
}

fn absence(field: &Written) -> Absence {
    match &field.absence {
        Absence::Plain => Absence::Plain,
        Absence::Default(span) => Absence::Default(*span),
        Absence::Function(path) => Absence::Function(path.clone()),
    }
}

fn bind_field(field: &Written, property: &Property, contract: &Contract, of: &str, module: &Path) -> Field {
    let defaults = !matches!(field.absence, Absence::Plain);
    let words = text::FieldWords {
        of,
        field: &field.plain_name(),
        property,
        contract,
        generated: &generated(property, module),
    };
    let generated = syn::parse_str::<Type>(&property.rust_type).ok();
    let check = (!field.unchecked).then(|| Check {
        kind: kind(&property.kind, generated.as_ref(), module, !property.required),
        absent_when_read: !property.required && !defaults,
        absent_when_written: !property.required,
        word: rust::type_name(&property.wire),
        wrong: words.wrong(),
        narrow: words.narrow(),
        absence: words.absence(),
        unwritable: words.unwritable(),
    });
    Field {
        name: field.name.clone(),
        ty: field.ty.clone(),
        wire: property.wire.clone(),
        absence: absence(field),
        check,
        serde: field.serde.clone(),
        optional: !property.required,
    }
}

/// Returns the kind of a present value, as a type of the runtime. An optional value may be null wherever it may be absent, because
/// an `Option` reads both.
fn kind(kind_: &Kind, generated: Option<&Type>, module: &Path, optional: bool) -> TokenStream {
    let inner = |kind_: &Kind| kind(kind_, generated, module, false);
    match kind_ {
        Kind::Any => quote!(Any),
        Kind::Null => quote!(Null),
        Kind::Boolean => quote!(Boolean),
        Kind::Integer { minimum, maximum } => {
            let (from, to) = (begins(*minimum), ends(*maximum));
            quote!(Integer<#from, #to>)
        }
        Kind::Number => quote!(Number),
        Kind::String => quote!(Text),
        Kind::Format(format) => match &**format {
            "date" => quote!(Word<__twyla::chrono::NaiveDate>),
            "date-time" => quote!(Word<__twyla::kind::DateTime>),
            "uuid" => quote!(Word<__twyla::uuid::Uuid>),
            "ipv4" => quote!(Word<::std::net::Ipv4Addr>),
            "ipv6" => quote!(Word<::std::net::Ipv6Addr>),
            _ => quote!(Text),
        },
        // a constant is a string without a generated type
        Kind::Enum(_) => match generated.and_then(innermost).filter(|path| !path.is_ident("String")) {
            Some(relative) => quote!(Word<#module::#relative>),
            None => quote!(Word<()>),
        },
        Kind::Array(item) => {
            let item = nested(inner(item));
            quote!(Array<#item>)
        }
        Kind::Map(value) => {
            let value = nested(inner(value));
            quote!(Map<#value>)
        }
        Kind::Object { rust_path } | Kind::Other { rust_path } => {
            let path = path(module, rust_path);
            quote!(Named<#path>)
        }
        Kind::Nullable(kind_) if optional => inner(kind_),
        Kind::Nullable(kind_) => {
            let kind_ = nested(inner(kind_));
            quote!(Nullable<#kind_>)
        }
    }
}

/// Returns the path of a kind that is a parameter of another kind.
fn nested(kind: TokenStream) -> TokenStream {
    quote!(__twyla::kind::#kind)
}

/// Returns the generated type within options, boxes and collections.
fn innermost(ty: &Type) -> Option<&Path> {
    let Type::Path(ty) = ty else { return None };
    match &ty.path.segments.last()?.arguments {
        PathArguments::None => Some(&ty.path),
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().rev().find_map(|argument| match argument {
            syn::GenericArgument::Type(ty) => innermost(ty),
            _ => None,
        }),
        PathArguments::Parenthesized(_) => None,
    }
}

/// Returns the generated field's type without the option, as the user would write it.
fn generated(property: &Property, module: &Path) -> String {
    let module = catalogue::display(module);
    let module = module.strip_prefix("crate::").unwrap_or(&module);
    let words = property.rust_type.split_inclusive(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':')));
    words
        .map(|word| {
            // a path that begins with `::` leads to another crate; users write only the type's name
            if let Some(outside) = word.strip_prefix("::") {
                return outside.to_owned();
            }
            if word.contains("::") { format!("{module}::{word}") } else { word.to_owned() }
        })
        .collect()
}

/// Returns the narrowest integer type whose range reaches down to `minimum`.
fn begins(minimum: Option<i128>) -> Ident {
    // without a bound, the generated type is an `i64`
    let name = match minimum {
        None => "i64",
        Some(0..) => "u8",
        Some(minimum) if minimum >= i8::MIN.into() => "i8",
        Some(minimum) if minimum >= i16::MIN.into() => "i16",
        Some(minimum) if minimum >= i32::MIN.into() => "i32",
        Some(minimum) if minimum >= i64::MIN.into() => "i64",
        Some(_) => "i128",
    };
    format_ident!("{name}", span = Span::call_site())
}

/// Returns the narrowest integer type whose range reaches up to `maximum`.
fn ends(maximum: Option<i128>) -> Ident {
    let name = match maximum {
        None => "i64",
        Some(maximum) => {
            let highest: [(&str, i128); 8] = [
                ("i8", i8::MAX.into()),
                ("u8", u8::MAX.into()),
                ("i16", i16::MAX.into()),
                ("u16", u16::MAX.into()),
                ("i32", i32::MAX.into()),
                ("u32", u32::MAX.into()),
                ("i64", i64::MAX.into()),
                ("u64", u64::MAX.into()),
            ];
            highest.iter().find(|(_, highest)| maximum <= *highest).map_or("i128", |(name, _)| name)
        }
    };
    format_ident!("{name}", span = Span::call_site())
}
