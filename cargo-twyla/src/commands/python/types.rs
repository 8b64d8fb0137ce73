//! The types of Python that models use.

use std::fmt;

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// `Any`
    Any,
    /// `None`
    None,
    /// A model, an alias, or one of `str`, `Boolean`, `Integer` and `Number`.
    Named(String),
    /// A list of items of one type.
    List(Box<Self>),
    /// A dictionary with values of one type.
    Dict(Box<Self>),
    /// Literals as Python writes them: strings and `None`.
    Literal(Vec<String>),
    /// Two types or more, none of them a union; `None` is the last.
    Union(Vec<Self>),
    /// A union of models with a discriminating field.
    Discriminated { models: Vec<Self>, field: String },
}

impl Type {
    pub(super) fn named(name: &str) -> Self {
        Self::Named(name.to_owned())
    }

    /// Returns the type of values of any of these types.
    pub(super) fn union(types: impl IntoIterator<Item = Self>) -> Self {
        let mut all: Vec<Self> = Vec::new();
        for one in types {
            let flat = if let Self::Union(inner) = one { inner } else { vec![one] };
            for one in flat {
                if one == Self::Any {
                    return Self::Any;
                }
                let literals = all.iter_mut().find(|it| matches!(it, Self::Literal(_)));
                if let (Self::Literal(more), Some(Self::Literal(known))) = (&one, literals) {
                    let new: Vec<String> = more.iter().filter(|it| !known.contains(it)).cloned().collect();
                    known.extend(new);
                } else if !all.contains(&one) {
                    all.push(one);
                }
            }
        }
        // `None` comes last, as is usual in Python
        all.sort_by_key(|it| *it == Self::None);
        match all.len() {
            0 => Self::Any,
            1 => all.remove(0),
            _ => Self::Union(all),
        }
    }

    /// Returns whether `None` is a value of the type.
    pub(super) fn has_none(&self) -> bool {
        match self {
            Self::Any | Self::None => true,
            Self::Union(all) => all.iter().any(Self::has_none),
            Self::Literal(all) => all.iter().any(|it| it == "None"),
            _ => false,
        }
    }

    /// Returns whether the type is a union of several types, not counting `None`.
    pub(super) fn is_choice(&self) -> bool {
        match self {
            Self::Discriminated { .. } => true,
            Self::Union(all) => {
                all.iter().filter(|it| **it != Self::None).count() > 1 || all.iter().any(Self::is_choice)
            }
            _ => false,
        }
    }

    /// Calls `visit` with each name in the type.
    pub(super) fn names<'a>(&'a self, visit: &mut impl FnMut(&'a str)) {
        match self {
            Self::Named(name) => visit(name),
            Self::List(inner) | Self::Dict(inner) => inner.names(visit),
            Self::Union(all) | Self::Discriminated { models: all, .. } => all.iter().for_each(|it| it.names(visit)),
            Self::Any | Self::None | Self::Literal(_) => {}
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |all: &[Self]| all.iter().map(Self::to_string).collect::<Vec<_>>().join(" | ");
        match self {
            Self::Any => f.write_str("Any"),
            Self::None => f.write_str("None"),
            Self::Named(name) => f.write_str(name),
            Self::List(inner) => write!(f, "list[{inner}]"),
            Self::Dict(inner) => write!(f, "dict[str, {inner}]"),
            Self::Literal(all) => write!(f, "Literal[{}]", all.join(", ")),
            Self::Union(all) => f.write_str(&joined(all)),
            Self::Discriminated { models, field } => {
                write!(f, "Annotated[{}, Field(discriminator=\"{field}\")]", joined(models))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_is_flat_and_has_each_type_once() {
        let (a, b) = (Type::named("A"), Type::named("B"));
        let inner = Type::union([Type::None, b.clone()]);
        assert_eq!(Type::union([a.clone(), inner, a.clone()]).to_string(), "A | B | None");
        let literals = ["x", "y"].map(|it| Type::Literal(vec![format!("\"{it}\"")]));
        assert_eq!(Type::union(literals).to_string(), "Literal[\"x\", \"y\"]");
        assert_eq!(Type::union([a.clone(), Type::Any, b]), Type::Any);
        assert_eq!(Type::union([a.clone()]), a);
    }
}
