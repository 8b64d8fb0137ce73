//! Evaluates the keywords that apply further schemas to the same value, and `unevaluatedItems` and
//! `unevaluatedProperties`.

use serde_json::Value;
use twyla_contract::unknown_field;

use super::evaluated::Evaluated;
use super::evaluator::{CurrentSchema, Evaluator, Outcome, Position, Recorder, Subschema, Violation};
use crate::schema::evaluate::words;
use crate::schema::load::Json;

impl Evaluator<'_> {
    pub(super) fn references(
        &self,
        value: &Value,
        schema: &CurrentSchema<'_>,
        place: Position<'_>,
        out: &mut Recorder<'_>,
        seen: &mut Evaluated,
    ) -> Outcome {
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
        let Some(reference) = self.cache.scopes.dynamic(self.schemas, schema.loc) else { return Ok(holds) };
        let mut target = reference.first;
        if let Some(anchor) = reference.anchor {
            // the outermost resource of the dynamic scope with an anchor of that name
            let mut scope = place.scope;
            while let Some(here) = scope {
                let anchors = self.cache.scopes.of_resource(here.base);
                if let Some((_, loc)) = anchors.iter().find(|(name, _)| *name == anchor) {
                    target = loc.clone();
                }
                scope = here.outer;
            }
        }
        Ok(self.check(value, &self.below(&target), place, out, seen)? && holds)
    }

    /// Evaluates `allOf`, `anyOf`, `oneOf`, `not`, `if`, `then` and `else`. Stops at the first that fails, unless `out`
    /// records several broken rules.
    pub(super) fn combined(
        &self,
        value: &Value,
        schema: &CurrentSchema<'_>,
        place: Position<'_>,
        out: &mut Recorder<'_>,
        seen: &mut Evaluated,
    ) -> Outcome {
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
                let mut inner = Evaluated::default();
                if self.check(value, &at, place, &mut Recorder::Quick, &mut inner)? {
                    holding += 1;
                    seen.add(inner);
                }
            }
            if holding == 0 {
                holds = false;
                match self.nearest(value, &listed(keyword).collect::<Vec<_>>(), place, out)? {
                    Some(nearest) => out.note(|| nearest),
                    None => {
                        let rule = || format!("{} matches none of the schemas of `{keyword}`", words::shown(value));
                        self.tell(out, &schema.at(keyword), keyword, place, rule);
                    }
                }
            } else if one && holding > 1 {
                let rule =
                    || format!("{} matches {holding} schemas of `oneOf`; exactly one must match", words::shown(value));
                holds = self.tell(out, &schema.at(keyword), keyword, place, rule);
            }
            if out.is_done(holds) {
                return Ok(false);
            }
        }
        if schema.get("not").is_some()
            && self.check(value, &schema.below("not"), place, &mut Recorder::Quick, &mut Evaluated::default())?
        {
            let rule = || format!("{} matches the schema of `not`, which must not match", words::shown(value));
            holds = self.tell(out, &schema.at("not"), "not", place, rule);
            if out.is_done(holds) {
                return Ok(false);
            }
        }
        if schema.get("if").is_some() {
            let mut inner = Evaluated::default();
            let is_so = self.check(value, &schema.below("if"), place, &mut Recorder::Quick, &mut inner)?;
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

    /// Returns the broken rule of the intended alternative, if no alternative holds; `None` if that alternative can't
    /// be recognized, or if `out` records no further rule.
    fn nearest(
        &self,
        value: &Value,
        all: &[Subschema<'_>],
        place: Position<'_>,
        out: &Recorder<'_>,
    ) -> Result<Option<Violation>, super::Undecidable> {
        if matches!(out, Recorder::Quick | Recorder::First(Some(_))) {
            return Ok(None);
        }
        let here = place.pointer();
        let mut best: Option<((usize, bool), Option<Violation>)> = None;
        for at in all {
            let mut broken = None;
            self.check(value, at, place, &mut Recorder::First(&mut broken), &mut Evaluated::default())?;
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
        schema: &CurrentSchema<'_>,
        place: Position<'_>,
        out: &mut Recorder<'_>,
        seen: &mut Evaluated,
    ) -> Outcome {
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
                        return Ok(self.tell(out, &at, keyword, place, || unknown_field::unevaluated_item(index)));
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
                        self.tell(out, &at, keyword, place, || unknown_field::unevaluated(&words::text(key)))
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
