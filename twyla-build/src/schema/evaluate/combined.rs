//! The keywords that lead to further schemas of the same value, and what is left over by all of them.

use serde_json::Value;

use super::evaluator::{Below, Broken, Evaluator, Held, Out, Place, Schema, Seen};
use crate::schema::evaluate::words;
use crate::schema::load::Json;

impl Evaluator<'_> {
    pub(super) fn references(
        &self,
        value: &Value,
        schema: &Schema<'_>,
        place: Place<'_>,
        out: &mut Out<'_>,
        seen: &mut Seen,
    ) -> Held {
        let mut holds = true;
        if schema.node.get("$ref").is_some()
            && let Some(target) = self.schemas.refs.get(schema.loc)
        {
            holds = self.check(value, &self.below(target), place, out, seen)?;
            if out.is_done(holds) {
                return Ok(false);
            }
        }
        if ["$dynamicRef", "$recursiveRef"].iter().all(|keyword| schema.node.get(keyword).is_none()) {
            return Ok(holds);
        }
        let Some(reference) = self.kept.scopes.dynamic(self.schemas, schema.loc) else { return Ok(holds) };
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
        Ok(self.check(value, &self.below(&target), place, out, seen)? && holds)
    }

    /// Whether these hold. Where schemas of `allOf`, `then` and `else` don't, others are looked at too.
    pub(super) fn combined(
        &self,
        value: &Value,
        schema: &Schema<'_>,
        place: Place<'_>,
        out: &mut Out<'_>,
        seen: &mut Seen,
    ) -> Held {
        let listed = |keyword: &str| {
            let at = schema.below(keyword);
            let count = schema.get(keyword).map_or(0, |node| node.items().len());
            (0..count).map(move |index| at.step(&index.to_string()))
        };
        let mut holds = true;
        for at in listed("allOf") {
            holds &= self.check(value, &at, place, out, seen)?;
            if out.is_done(holds) {
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
                if self.check(value, &at, place, &mut Out::Quick, &mut inner)? {
                    holding += 1;
                    seen.add(inner);
                }
            }
            if holding == 0 {
                holds = false;
                match self.nearest(value, &listed(keyword).collect::<Vec<_>>(), place, out)? {
                    Some(nearest) => out.note(|| nearest),
                    None => {
                        let rule = || format!("{} is of none of the schemas of `{keyword}`", words::shown(value));
                        self.tell(out, &schema.at(keyword), keyword, place, rule);
                    }
                }
            } else if one && holding > 1 {
                let rule = || format!("{} is of {holding} of the schemas of `oneOf`, not of one", words::shown(value));
                holds = self.tell(out, &schema.at(keyword), keyword, place, rule);
            }
            if out.is_done(holds) {
                return Ok(false);
            }
        }
        if schema.get("not").is_some()
            && self.check(value, &schema.below("not"), place, &mut Out::Quick, &mut Seen::default())?
        {
            let rule = || format!("{} is of a schema that is not allowed", words::shown(value));
            holds = self.tell(out, &schema.at("not"), "not", place, rule);
            if out.is_done(holds) {
                return Ok(false);
            }
        }
        if schema.get("if").is_some() {
            let mut inner = Seen::default();
            let is_so = self.check(value, &schema.below("if"), place, &mut Out::Quick, &mut inner)?;
            if is_so {
                seen.add(inner);
            }
            let branch = if is_so { "then" } else { "else" };
            if schema.get(branch).is_some() {
                holds &= self.check(value, &schema.below(branch), place, out, seen)?;
            }
        }
        Ok(holds)
    }

    /// What is said where none of some schemas holds: the broken rule of the one that was meant, where that can be told.
    fn nearest(
        &self,
        value: &Value,
        all: &[Below<'_>],
        place: Place<'_>,
        out: &Out<'_>,
    ) -> Result<Option<Broken>, super::Unknown> {
        if matches!(out, Out::Quick | Out::First(Some(_))) {
            return Ok(None);
        }
        let here = place.pointer();
        let mut best: Option<((usize, bool), Option<Broken>)> = None;
        for at in all {
            let mut broken = None;
            self.check(value, at, place, &mut Out::First(&mut broken), &mut Seen::default())?;
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
        let (at, below) = (schema.at(keyword), schema.below(keyword));
        let never = matches!(node.json, Json::Bool(false));
        let mut holds = true;
        match value {
            Value::Array(items) if !all => {
                for (index, item) in items.iter().enumerate().filter(|(index, _)| !seen.indexes.contains(index)) {
                    if never {
                        let rule = || format!("item {index} is looked at by no other rule, and is not allowed");
                        return Ok(self.tell(out, &at, keyword, place, rule));
                    }
                    holds &= self.item(item, index, &below, place, out)?;
                    if out.is_done(holds) {
                        return Ok(false);
                    }
                }
            }
            Value::Object(members) if !all => {
                for (key, value) in members.iter().filter(|(key, _)| !seen.names.contains(*key)) {
                    holds &= if never {
                        let rule =
                            || format!("has the member {}, and no others than declared are allowed", words::text(key));
                        self.tell(out, &at, keyword, place, rule)
                    } else {
                        self.member(value, key, &below, place, out)?
                    };
                    if out.is_done(holds) {
                        return Ok(false);
                    }
                }
            }
            _ => {}
        }
        seen.all = true;
        Ok(holds)
    }
}
