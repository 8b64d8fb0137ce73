//! The keywords that lead to further schemas of the same value, and what is left over by all of them.

use serde_json::Value;

use super::{Broken, Evaluator, Held, Out, Place, Schema, Seen};
use crate::compare::words;
use crate::load::Json;
use crate::resolve::Loc;

impl Evaluator<'_> {
    pub(super) fn references(
        &self,
        value: &Value,
        schema: &Schema<'_>,
        place: Place<'_>,
        out: &mut Out<'_>,
        seen: &mut Seen,
    ) -> Held {
        if let Some(target) = self.schemas.refs.get(schema.loc)
            && !self.check(value, target, place, out, seen)?
        {
            return Ok(false);
        }
        let Some(reference) = self.kept.scopes.dynamic(self.schemas, schema.loc) else { return Ok(true) };
        let mut target = reference.first;
        if let Some(anchor) = reference.anchor {
            // the outermost resource on the way that has an anchor of that name
            let mut scope = place.scope;
            while let Some(here) = scope {
                let anchors = self.kept.scopes.of_resource(here.base);
                if let Some((_, loc)) = anchors.iter().find(|(name, _)| *name == anchor) {
                    target = loc.clone();
                }
                scope = here.outer;
            }
        }
        self.check(value, &target, place, out, seen)
    }

    pub(super) fn combined(
        &self,
        value: &Value,
        schema: &Schema<'_>,
        place: Place<'_>,
        out: &mut Out<'_>,
        seen: &mut Seen,
    ) -> Held {
        let listed = |keyword: &str| {
            let at = schema.at(keyword);
            let count = schema.get(keyword).map_or(0, |node| node.items().len());
            (0..count).map(move |index| at.step(&index.to_string()))
        };
        for at in listed("allOf") {
            if !self.check(value, &at, place, out, seen)? {
                return Ok(false);
            }
        }
        for (keyword, one) in [("anyOf", false), ("oneOf", true)] {
            if schema.get(keyword).is_none() {
                continue;
            }
            let mut holding = 0;
            for at in listed(keyword) {
                let mut inner = Seen::default();
                if self.check(value, &at, place, &mut Out::quick(), &mut inner)? {
                    holding += 1;
                    seen.add(inner);
                }
            }
            if holding == 0 {
                let nearest = self.nearest(value, &listed(keyword).collect::<Vec<_>>(), place, out)?;
                if let (Some(noted), Some(nearest)) = (out.0.as_deref_mut(), nearest)
                    && noted.is_none()
                {
                    *noted = Some(nearest);
                }
                let rule = || format!("{} is of none of the schemas of `{keyword}`", words::shown(value));
                return Ok(self.tell(out, &schema.at(keyword), keyword, place, rule));
            }
            if one && holding > 1 {
                let rule = || format!("{} is of {holding} of the schemas of `oneOf`, not of one", words::shown(value));
                return Ok(self.tell(out, &schema.at(keyword), keyword, place, rule));
            }
        }
        if schema.get("not").is_some()
            && self.check(value, &schema.at("not"), place, &mut Out::quick(), &mut Seen::default())?
        {
            let rule = || format!("{} is of a schema that is not allowed", words::shown(value));
            return Ok(self.tell(out, &schema.at("not"), "not", place, rule));
        }
        if schema.get("if").is_some() {
            let mut inner = Seen::default();
            let holds = self.check(value, &schema.at("if"), place, &mut Out::quick(), &mut inner)?;
            if holds {
                seen.add(inner);
            }
            let branch = if holds { "then" } else { "else" };
            if schema.get(branch).is_some() && !self.check(value, &schema.at(branch), place, out, seen)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What is said where none of some schemas holds: the broken rule of the one that was meant, where that can be told.
    fn nearest(
        &self,
        value: &Value,
        all: &[Loc],
        place: Place<'_>,
        out: &Out<'_>,
    ) -> Result<Option<Broken>, super::Unknown> {
        if out.0.is_none() {
            return Ok(None);
        }
        let here = place.pointer();
        let mut best: Option<((usize, bool), Option<Broken>)> = None;
        for at in all {
            let mut broken = None;
            self.check(value, at, place, &mut Out(Some(&mut broken)), &mut Seen::default())?;
            let Some(broken) = broken else { continue };
            let deep = broken.pointer.matches('/').count() - here.matches('/').count();
            let other = matches!(&*broken.keyword, "type" | "const" | "enum");
            let rank = (if deep > 1 || !other { deep } else { 0 }, !other);
            best = Some(match best {
                Some((known, _)) if known == rank => (rank, None),
                Some(known) if known.0 > rank => known,
                _ => (rank, Some(broken)),
            });
        }
        Ok(best.filter(|(rank, _)| *rank > (0, false)).and_then(|(_, broken)| broken))
    }

    pub(super) fn unevaluated(
        &self,
        value: &Value,
        schema: &Schema<'_>,
        place: Place<'_>,
        out: &mut Out<'_>,
        seen: &mut Seen,
    ) -> Held {
        let (keyword, all) = match value {
            Value::Array(_) => ("unevaluatedItems", seen.all),
            Value::Object(_) => ("unevaluatedProperties", seen.all),
            _ => return Ok(true),
        };
        let Some(node) = schema.get(keyword) else { return Ok(true) };
        let at = schema.at(keyword);
        let never = matches!(node.json, Json::Bool(false));
        match value {
            Value::Array(items) if !all => {
                for (index, item) in items.iter().enumerate().filter(|(index, _)| !seen.indexes.contains(index)) {
                    if never {
                        let rule = || format!("item {index} is looked at by no other rule, and is not allowed");
                        return Ok(self.tell(out, &at, keyword, place, rule));
                    }
                    if !self.item(item, index, &at, place, out)? {
                        return Ok(false);
                    }
                }
            }
            Value::Object(members) if !all => {
                for (key, value) in members.iter().filter(|(key, _)| !seen.names.contains(*key)) {
                    if never {
                        let rule =
                            || format!("has the member {}, and no others than declared are allowed", words::text(key));
                        return Ok(self.tell(out, &at, keyword, place, rule));
                    }
                    if !self.member(value, key, &at, place, out)? {
                        return Ok(false);
                    }
                }
            }
            _ => {}
        }
        seen.all = true;
        Ok(true)
    }
}
