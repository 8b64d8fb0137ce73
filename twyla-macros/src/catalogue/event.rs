//! The errors of `#[event]`.

use twyla_contract::{Event, Kind, Property, similar};

use super::{THE_TYPE, Text, schema};

pub(crate) fn no_event() -> Text {
    Text::new("`#[event]` names no event").help("name the struct's event: `#[event(\"domain.event_type\")]`")
}

pub(crate) fn both_directions() -> Text {
    Text::new("`#[event]` has both `emit` and `listen`")
        .help("remove both: a struct whose fields fit both ways can be emitted and listened to")
}

pub(crate) fn no_struct(what: &str) -> Text {
    Text::new(format!("`#[event]` belongs on a struct, not on {what}"))
        .note("an event's content is an object, and each field is one of its properties")
}

pub(crate) fn unnamed_fields() -> Text {
    Text::new("`#[event]` needs a struct with named fields")
        .note("an event's content is an object; each field is matched to a property by its name")
}

pub(crate) fn generic(name: &str) -> Text {
    Text::new(format!("`{name}` is bound to an event, so it cannot be generic"))
        .note("each field's type is checked against the schema when the program compiles")
        .help("remove the parameters: give the fields concrete types without references, for example `String`")
}

pub(crate) fn serde_on_struct() -> Text {
    Text::new("serde's attributes on the struct would change the JSON of the event")
        .help("remove the attribute; `#[serde(rename = \"..\")]` and `#[serde(default)]` belong on the fields")
}

pub(crate) fn serde_changes(key: &str) -> Text {
    let text = Text::new(format!("`#[serde({key})]` would change the JSON of the event"))
        .note("a field of an event may only have `rename = \"..\"` and `default`");
    match key {
        "with" | "serialize_with" | "deserialize_with" => {
            text.help("add `#[event(unchecked)]` to the field to skip its check")
        }
        _ => text,
    }
}

pub(crate) fn derives_serde(name: &str) -> Text {
    Text::new(format!("a struct with `#[event]` cannot derive `{name}`"))
        .note("`#[event]` writes and reads the struct, and checks it against the contract; serde would not check it")
        .help(format!("remove `{name}` from the derives"))
}

pub(crate) fn bound_twice(wire: &str, event: &Event) -> Text {
    Text::new(format!("two fields are bound to the property `{wire}` of `{}`", event.name)).help("keep one of them")
}

pub(crate) fn unknown_field(wire: &str, event: &Event, free: &[&Property]) -> Text {
    let text = Text::new(format!("`{}` declares no property `{wire}`", event.name));
    if let Some(meant) = similar::nearest(wire, free.iter().map(|property| property.wire.as_str()))
        && let Some(property) = event.property(meant)
    {
        let text = text.help(format!("did you mean `{}`?", property.field));
        return text.note(format!("`{meant}` is declared at {}", at(property)));
    }
    let names: Vec<_> = event.properties.iter().take(12).map(|property| format!("`{}`", property.wire)).collect();
    let text = text.note(format!("`{}` is declared in {}", event.name, schema(event)));
    if names.is_empty() { text } else { text.note(format!("its properties are {}", names.join(", "))) }
}

fn at(property: &Property) -> String {
    format!("{}:{}", property.place.file, property.place.line)
}

fn listed(properties: &[&Property]) -> String {
    properties.iter().map(|property| format!("`{}`", property.wire)).collect::<Vec<_>>().join(", ")
}

/// Returns the error for required properties that the struct has no fields for.
pub(crate) fn lacks(name: &str, event: &Event, lacking: &[&Property]) -> Text {
    let what = listed(lacking);
    let text = Text::new(format!("`{name}` cannot be emitted: it has no {what}, which `{}` requires", event.name))
        .label(format!("has no {what}"));
    let text = lacking
        .iter()
        .fold(text, |text, property| text.note(format!("`{}` is declared at {}", property.wire, at(property))));
    text.help(format!("add the missing field to `{name}`, or emit a `contracts::{}`", event.rust_path))
}

/// Returns the error for a use in the direction that isn't declared.
pub(crate) fn declared(name: &str, event: &Event, listen: bool) -> Text {
    let (declared, used, key) =
        if listen { ("listening", "emitted", "listen") } else { ("emitting", "listened to", "emit") };
    Text::new(format!("`{name}` is declared for {declared}, so it cannot be {used}"))
        .label(format!("is for {declared} only"))
        .note(format!("`{}` is declared in {}", event.name, schema(event)))
        .help(format!("remove `{key}` from its `#[event(..)]`, or use `contracts::{}`", event.rust_path))
}

pub(crate) fn neither(name: &str, event: &Event) -> Text {
    Text::new(format!("`{name}` can neither be listened to nor emitted as `{}`", event.name))
        .label("some fields fit only listening, and others only emitting")
        .note(format!("`{}` is declared in {}", event.name, schema(event)))
        .help(format!(
            "write `#[event(\"{0}\", listen)]` or `#[event(\"{0}\", emit)]` to see the fields that don't fit",
            event.name
        ))
}

/// The errors of one field.
pub(crate) struct FieldWords<'a> {
    /// The struct's name.
    pub(crate) of: &'a str,
    pub(crate) field: &'a str,
    pub(crate) property: &'a Property,
    pub(crate) contract: &'a Event,
    /// The generated field's type, without the option.
    pub(crate) generated: &'a str,
}

impl FieldWords<'_> {
    fn declared(&self, text: Text) -> Text {
        text.note(format!("`{}` is declared at {}", self.property.wire, at(self.property)))
    }

    /// Returns the type that the user should write.
    fn ty(&self) -> String {
        // an `Option` reads both null and the absence of a value
        let is_option = self.property.required || matches!(self.property.kind, Kind::Nullable(_));
        if is_option { self.generated.to_owned() } else { format!("Option<{}>", self.generated) }
    }

    /// Returns the error for a type that can neither be read nor emitted.
    pub(crate) fn wrong(&self) -> Text {
        let Self { of, field, property, contract, .. } = self;
        let text = Text::new(format!(
            "field `{field}` of `{of}` is `{THE_TYPE}`, but `{}` of `{}` is {}",
            property.wire, contract.name, property.kind
        ))
        .label(format!("expected `{}`", self.ty()));
        self.declared(text).help(format!(
            "write `{field}: {}`, or put `#[event(unchecked)]` above the field to use a type of your own without a check",
            self.ty()
        ))
    }

    /// Returns the error for a type that can't hold every value of the property.
    pub(crate) fn narrow(&self) -> Text {
        let Self { of, field, property, contract, .. } = self;
        let text = Text::new(format!(
            "`{of}` cannot be listened to: its field `{field}` is `{THE_TYPE}`, which cannot hold every value of `{}` of `{}`",
            property.wire, contract.name
        ))
        .label(format!("`{field}` may be {}", property.kind));
        self.declared(text).help(format!("write `{field}: {}`", self.ty()))
    }

    /// Returns the error for a type that can't hold an absent property.
    pub(crate) fn absence(&self) -> Text {
        let Self { of, field, property, contract, .. } = self;
        let text = Text::new(format!(
            "`{of}` cannot be listened to: its field `{field}` is `{THE_TYPE}`, but `{}` of `{}` may be absent",
            property.wire, contract.name
        ))
        .label(format!("`{field}` may be absent"));
        self.declared(text)
            .help(format!("write `{field}: Option<{THE_TYPE}>`, or put `#[serde(default)]` above the field"))
    }

    /// Returns the error for a type that may have no value to write.
    pub(crate) fn unwritable(&self) -> Text {
        let Self { of, field, property, contract, .. } = self;
        let text = Text::new(format!(
            "`{of}` cannot be emitted: its field `{field}` is `{THE_TYPE}`, which may have no value, but `{}` requires one",
            contract.name
        ))
        .label(format!("`{}` may be missing", property.wire));
        self.declared(text).help(format!(
            "write `{field}: {}`, or emit a `contracts::{}`",
            self.ty(),
            contract.rust_path
        ))
    }
}

/// Returns the error for a field that borrows.
pub(crate) fn borrowed(field: &str, owned: &str) -> Text {
    Text::new(format!("field `{field}` cannot be a reference: an event owns its values"))
        .help(format!("write `{field}: {owned}`"))
}
