//! Alternatives: a union of types. It has a discriminating field if each model requires the field with other constants.

use std::collections::BTreeSet;

use serde_json::Value;

use super::documents::{Documents, Part, Place};
use super::keywords::{UNIONS, is_object_alone, name_of_branch, properties};
use super::shape::{Body, Field, Object, Shaper, WITHIN, shown};
use super::types::Type;

impl Shaper {
    /// Returns the union of the types of alternatives; the parts of `whole` apply to each of them, too. It is `Any` if an
    /// alternative has no type.
    pub(super) fn choice(
        &mut self,
        documents: &Documents<'_>,
        place: &Place,
        whole: &Object<'_>,
        (at, branches): (&Place, &[Value]),
        hint: &str,
        is_object: bool,
    ) -> Type {
        let declares = whole.is_open || whole.parts.iter().any(|part| !properties(part.schema).is_empty());
        let mut types = Vec::new();
        for (index, branch) in branches.iter().enumerate().filter(|(_, branch)| **branch != Value::Bool(false)) {
            let name = name_of_branch(branches, index).unwrap_or_else(|| (index + 1).to_string());
            let hint = format!("{hint} {name}");
            let inner = Part { place: (at.0.clone(), format!("{}/{index}", at.1)), schema: branch };
            let mut parts = documents.parts(&inner.place, branch);
            let is_object_alone = parts.iter().any(|part| is_object_alone(part.schema));
            if !declares && (is_object_alone || !is_object) {
                types.push(self.python_type(documents, &inner, &hint));
            } else if is_object {
                // alternatives within an alternative have no types: only the validation checks them
                let has_unions = parts.iter().any(|part| UNIONS.iter().any(|it| part.schema.get(it).is_some()));
                parts.extend(whole.parts.iter().cloned());
                let mut object = Object::new(documents, parts);
                object.is_open |= whole.is_open || has_unions;
                let place = (place.0.clone(), format!("{}{WITHIN}{}", place.1, shown(&inner.place)));
                types.push(self.object(documents, &place, &object, &hint));
            } else {
                return Type::Any;
            }
        }
        self.discriminated(Type::union(types))
    }

    /// Makes a union of models discriminated, if each model requires a field of the same name with other constants.
    fn discriminated(&self, choice: Type) -> Type {
        let Type::Union(all) = choice else { return choice };
        let fields = |one: &Type| match one {
            Type::Named(name) => self.package.classes.iter().find(|class| class.name == *name).map(|it| &it.body),
            _ => None,
        };
        let (none, models): (Vec<Type>, Vec<Type>) = all.iter().cloned().partition(|it| *it == Type::None);
        let Some(Body::Object { fields: first, .. }) = models.first().and_then(fields) else {
            return Type::Union(all);
        };
        let tag = first.iter().find(|tag| {
            let mut seen = BTreeSet::new();
            models.iter().all(|model| {
                let Some(Body::Object { fields, .. }) = fields(model) else { return false };
                let field = fields.iter().find(|it| it.property == tag.property && it.name == tag.name);
                let Some(Field { python_type: Type::Literal(words), is_required: true, .. }) = field else {
                    return false;
                };
                words.iter().all(|word| word != "None" && seen.insert(word))
            })
        });
        match tag {
            Some(tag) if models.len() > 1 => {
                let field = tag.name.clone();
                Type::union([Type::Discriminated { models, field }].into_iter().chain(none))
            }
            _ => Type::Union(all),
        }
    }
}
