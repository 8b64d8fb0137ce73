//! Hides values in `Debug` that are sensitive by another schema than that of their type: a schema around it, a base beside
//! alternatives, a part of `allOf`, a condition. Values within a sensitive value are sensitive too.
//!
//! The type of a subschema is used in one place, unless a `$ref` leads to it. So this type hides such a value itself, also
//! if a program prints it without the value around it. A type that a `$ref` leads to hides only what its own schema calls
//! sensitive; if another schema makes a part of it sensitive, the field that holds it is hidden as a whole.

use std::collections::HashSet;

use super::shape::{Shape, TypeId};
use super::types::{Body, Others, Type};
use super::variant::Variant;
use crate::schema::evaluate::Matcher;
use crate::schema::load::Node;
use crate::schema::schemas::{Loc, Schemas};
use crate::schema::sensitive::{Sensitive, Step, Visit, pointer};

/// Hides in each type the values that its schema and the schemas around it make sensitive. Runs after it is known which
/// undeclared members types keep.
pub(super) fn settle(schemas: &Schemas, types: &mut [Type]) {
    if types.iter().all(|type_| type_.sensitive.is_empty()) {
        return;
    }
    let (sensitive, before) = (Sensitive::of(schemas), types.to_vec());
    let paths = |(id, type_): (TypeId, &Type)| sensitive.paths(&type_.loc).into_iter().map(move |path| (id, path));
    let mut hiding = Hiding {
        schemas,
        before: &before,
        shared: schemas.refs.values().chain(schemas.dynamic.values()).collect(),
        open: before.iter().enumerate().flat_map(paths).collect(),
        whole: HashSet::new(),
        types,
    };
    while let Some((id, path)) = hiding.open.pop() {
        hiding.hide(id, &path);
    }
    // independent of the order in which they were found
    for type_ in hiding.types.iter_mut() {
        type_.sensitive.sort();
        type_.sensitive.dedup();
    }
}

struct Hiding<'a> {
    schemas: &'a Schemas,
    types: &'a mut [Type],
    /// The types before this pass, so that the result doesn't depend on the order of the paths.
    before: &'a [Type],
    /// The schemas that a reference leads to.
    shared: HashSet<&'a Loc>,
    /// The paths that are still to hide, each with the type in whose values it begins.
    open: Vec<(TypeId, Vec<Visit>)>,
    /// The types that a schema around them makes sensitive as a whole.
    whole: HashSet<TypeId>,
}

impl Hiding<'_> {
    /// Hides the end of a path in a type, or in the types of its members. A path without a step ends at this value: all
    /// types within it are hidden.
    fn hide(&mut self, id: TypeId, path: &[Visit]) {
        let type_ = &self.types[id];
        let loc = type_.loc.clone();
        match (&type_.body, next(path)) {
            (Body::Struct { fields, others }, Some(step)) => {
                let leads = step.leading_to(self.schemas);
                let led: Vec<bool> = fields.iter().map(|field| leads(&field.wire)).collect();
                let shapes: Vec<Shape> = fields.iter().map(|field| field.held.shape.clone()).collect();
                let kept = match others {
                    Others::Kept { held, .. } if step.leads_to_others(led.contains(&true)) => Some(held.shape.clone()),
                    _ => None,
                };
                let shows = |(led, shape): (bool, &Shape)| led && !self.hides(&loc, shape, rest(path));
                let shown: Vec<bool> = led.into_iter().zip(&shapes).map(shows).collect();
                let hides_others = kept.is_some_and(|shape| {
                    self.hides(&loc, &shape, rest(path));
                    true
                });
                let Body::Struct { fields, others } = &mut self.types[id].body else { return };
                fields.iter_mut().zip(shown).for_each(|(field, shown)| field.hidden |= shown);
                if let Others::Kept { hidden, .. } = others {
                    *hidden |= hides_others;
                }
            }
            (Body::Struct { .. }, None) => {
                let shapes: Vec<Shape> = type_.body.holds().into_iter().map(|held| held.shape.clone()).collect();
                for shape in shapes {
                    self.hides(&loc, &shape, &[]);
                }
            }
            (Body::Union { variants, .. }, _) => {
                // `x-sensitive` in an alternative is only about the values of that alternative
                let says = |variant: &Variant| variant.schema.as_ref().is_some_and(|schema| is_by(path, schema));
                let all = !variants.iter().any(says);
                let asked = variants.iter().filter(|variant| all || variant.schema.is_none() || says(variant));
                let held = asked.filter_map(|variant| variant.held.as_ref());
                let shapes: Vec<Shape> = held.map(|held| held.shape.clone()).collect();
                self.hide_same(id, &loc, &shapes, path);
            }
            (Body::Map(held), _) => {
                let shape = held.shape.clone();
                self.hide_same(id, &loc, &[shape], path);
            }
            (Body::Enum { .. }, _) => {}
        }
    }

    /// Hides a type as a whole unless each value that it holds hides the end of the path.
    fn hide_same(&mut self, id: TypeId, loc: &Loc, shapes: &[Shape], path: &[Visit]) {
        // visit all shapes, because each has to hide the end of the path
        let shown = shapes.iter().filter(|shape| !self.hides(loc, shape, path)).count();
        self.types[id].hidden |= shown > 0;
    }

    /// Returns whether a value hides the end of the path. If its type is used only within `loc`, makes the type hide it.
    fn hides(&mut self, loc: &Loc, shape: &Shape, path: &[Visit]) -> bool {
        match shape {
            Shape::Named(id) if !matches!(self.types[*id].body, Body::Enum { .. }) => {
                let type_ = &mut self.types[*id];
                // the type hides the paths of its own schema anyway; a type without the path's member has nothing to hide
                if is_by(path, &type_.loc) || !type_.has(self.schemas, path) {
                    return true;
                }
                if type_.loc.file != loc.file || self.shared.contains(&type_.loc) {
                    return self.was_hiding(shape, path);
                }
                if next(path).is_some() || self.whole.insert(*id) {
                    type_.sensitive.push(pointer(path));
                    self.open.push((*id, path.to_vec()));
                }
                true
            }
            Shape::Nullable(inner) => self.hides(loc, &inner.shape, path),
            Shape::Array(inner) | Shape::Map(inner) => match next(path) {
                Some(step) if step.is_to_item() != matches!(shape, Shape::Array(_)) => true,
                Some(_) => self.hides(loc, &inner.shape, rest(path)),
                None => {
                    self.hides(loc, &inner.shape, &[]);
                    false
                }
            },
            Shape::Any | Shape::Replaced(_) => false,
            // values of other shapes have no members
            _ => next(path).is_some(),
        }
    }

    /// Returns whether a value hid the end of the path before this pass.
    fn was_hiding(&self, shape: &Shape, path: &[Visit]) -> bool {
        match (shape, next(path)) {
            (Shape::Named(id), step) => {
                let type_ = &self.before[*id];
                match (&type_.body, step) {
                    (Body::Enum { .. }, step) => step.is_some(),
                    _ if type_.is_hidden() => true,
                    (Body::Struct { .. }, None) => false,
                    (Body::Struct { fields, others }, Some(step)) => {
                        let leads = step.leading_to(self.schemas);
                        let mut led = fields.iter().filter(|field| leads(&field.wire)).peekable();
                        let shows_others = matches!(others, Others::Kept { hidden: false, .. })
                            && step.leads_to_others(led.peek().is_some());
                        !shows_others && led.all(|field| field.hidden || self.was_hiding(&field.held.shape, rest(path)))
                    }
                    (Body::Union { .. } | Body::Map(_), _) => {
                        type_.body.holds().into_iter().all(|held| self.was_hiding(&held.shape, path))
                    }
                }
            }
            (Shape::Nullable(inner), _) => self.was_hiding(&inner.shape, path),
            (Shape::Array(inner) | Shape::Map(inner), Some(step)) => {
                step.is_to_item() != matches!(shape, Shape::Array(_)) || self.was_hiding(&inner.shape, rest(path))
            }
            (Shape::Any | Shape::Replaced(_), _) | (Shape::Array(_) | Shape::Map(_), None) => false,
            (_, step) => step.is_some(),
        }
    }
}

impl Type {
    /// Returns whether `Debug` hides the whole value.
    pub(crate) fn is_hidden(&self) -> bool {
        let is_hidden = |pointer: &String| match &self.body {
            Body::Struct { .. } => pointer.is_empty(),
            Body::Map(_) => pointer.is_empty() || pointer.starts_with("/*"),
            // the types of the variants don't hide the value themselves
            Body::Union { .. } => {
                let is_typed = self.body.holds().into_iter().all(|held| held.shape.is_typed());
                !is_typed || pointer.split('/').skip(1).all(|step| step == "*")
            }
            Body::Enum { .. } => false,
        };
        self.hidden || self.sensitive.iter().any(is_hidden)
    }

    /// Returns whether the type has a member at the first step of the path.
    fn has(&self, schemas: &Schemas, path: &[Visit]) -> bool {
        let (Body::Struct { fields, others }, Some(step)) = (&self.body, next(path)) else { return true };
        let leads = step.leading_to(schemas);
        let is_led = fields.iter().any(|field| leads(&field.wire));
        is_led || matches!(others, Others::Kept { .. }) && step.leads_to_others(is_led)
    }
}

impl Step {
    /// Returns a predicate on names: whether the step may lead to the property with that name.
    fn leading_to(&self, schemas: &Schemas) -> impl Fn(&str) -> bool {
        let pattern = match self {
            Self::Members { pattern: Some(pattern), .. } => Some(Matcher::new(pattern)),
            _ => None,
        };
        move |name| match self {
            Self::Property(property) => property == name,
            Self::Item(_) | Self::Items => false,
            Self::Members { schema, keyword, .. } => match &pattern {
                Some(pattern) => pattern.is_match(name) != Some(false),
                None => !declares(schemas, schema, name, *keyword == "unevaluatedProperties", &mut Vec::new()),
            },
        }
    }

    /// Returns whether the step may lead to undeclared members. `is_declared` means that it leads to a declared one.
    fn leads_to_others(&self, is_declared: bool) -> bool {
        match self {
            Self::Property(_) => !is_declared,
            Self::Members { .. } => true,
            Self::Item(_) | Self::Items => false,
        }
    }

    fn is_to_item(&self) -> bool {
        matches!(self, Self::Item(_) | Self::Items)
    }
}

/// Returns whether a schema declares a property, in itself or, if `combined`, in a schema that always applies with it.
fn declares(schemas: &Schemas, loc: &Loc, name: &str, combined: bool, seen: &mut Vec<Loc>) -> bool {
    if seen.contains(loc) {
        return false;
    }
    seen.push(loc.clone());
    let get = |keyword| schemas.node(loc).and_then(|node| node.get(keyword));
    let (count, at) = (get("allOf").map_or(0, |node: &Node| node.items().len()), loc.step("allOf"));
    let mut parts = (0..count).map(|index| at.step(&index.to_string())).chain(schemas.refs.get(loc).cloned());
    get("properties").is_some_and(|node| node.get(name).is_some())
        || combined && parts.any(|part| declares(schemas, &part, name, combined, seen))
}

/// Returns the step from the first value of a path; `None` if that value is sensitive itself.
fn next(path: &[Visit]) -> Option<&Step> {
    path.first().and_then(|visit| visit.next.as_ref())
}

/// Returns the path from the next value on.
fn rest(path: &[Visit]) -> &[Visit] {
    path.get(1..).unwrap_or_default()
}

/// Returns whether this schema of the path's first value makes the end of the path sensitive.
fn is_by(path: &[Visit], schema: &Loc) -> bool {
    path.first().is_some_and(|visit| visit.schemas.contains(schema))
}
