//! The rules about arrays.

use super::super::rules;
use super::equal::twice;
use super::evaluate::{Notes, Out, Place, Run};
use super::words::counted;
use super::{ArrayView, Rule, Schema};

impl Run {
    pub(super) fn array(
        &self,
        items: &dyn ArrayView,
        rule: &'static Rule,
        place: Place<'_>,
        out: &mut Out<'_>,
        notes: Option<&mut Notes>,
    ) -> bool {
        let count = items.count();
        match rule {
            Rule::PrefixItems(schemas) => {
                if let Some(notes) = notes {
                    (0..schemas.len().min(count)).for_each(|index| notes.mark(index));
                }
                let mut holds = true;
                for (index, schema) in schemas.iter().take(count).enumerate() {
                    holds &= self.item(items, index, schema, place, out);
                    if !holds && out.is_done() {
                        break;
                    }
                }
                holds
            }
            Rule::Items { from, schema, keyword } => {
                if let Some(notes) = notes {
                    notes.all = true;
                }
                if schema.is_any() {
                    return true;
                }
                if schema.is_never() {
                    return count <= *from
                        || out.tell(place.at, keyword, || {
                            let has = counted(count as u64, "item", "items");
                            match from {
                                0 => format!("has {has}, and none is allowed"),
                                1 => format!("has {has}, and at most 1 is allowed"),
                                most => format!("has {has}, and at most {most} are allowed"),
                            }
                        });
                }
                let mut holds = true;
                for index in *from..count {
                    holds &= self.item(items, index, schema, place, out);
                    if !holds && out.is_done() {
                        break;
                    }
                }
                holds
            }
            Rule::Contains { schema, min, max, evaluates } => {
                let found = self.found(items, schema, place, (*min, *max), notes.filter(|_| *evaluates));
                if found < *min {
                    let keyword = if *min == 1 { "contains" } else { "minContains" };
                    return out.tell(place.at, keyword, || {
                        let has = counted(found, "item that matches", "items that match");
                        let is = if *min == 1 { "is" } else { "are" };
                        format!("has {has} contains, and at least {min} {is} needed")
                    });
                }
                max.is_none_or(|max| {
                    found <= max
                        || out.tell(place.at, "maxContains", || {
                            let is = if max == 1 { "is" } else { "are" };
                            format!("has more items that match contains than the {max} that {is} allowed")
                        })
                })
            }
            Rule::MinItems(limit) => {
                count as u64 >= *limit || out.say(|out| rules::min_items(count, *limit, place.at, out))
            }
            Rule::MaxItems(limit) => {
                count as u64 <= *limit || out.say(|out| rules::max_items(count, *limit, place.at, out))
            }
            Rule::UniqueItems => twice(items)
                .is_none_or(|index| out.tell(place.at, "uniqueItems", || format!("item {index} is there twice"))),
            Rule::UnevaluatedItems(schema) => self.unevaluated_items(items, schema, place, out, notes),
            _ => true,
        }
    }

    fn item(
        &self,
        items: &dyn ArrayView,
        index: usize,
        schema: &'static Schema,
        place: Place<'_>,
        out: &mut Out<'_>,
    ) -> bool {
        items
            .item(index)
            .is_none_or(|item| self.check(&item.look(), schema, place.to(&place.at.index(index)), out, None))
    }

    /// How many items match, counted no further than needed.
    fn found(
        &self,
        items: &dyn ArrayView,
        schema: &'static Schema,
        place: Place<'_>,
        (min, max): (u64, Option<u64>),
        mut notes: Option<&mut Notes>,
    ) -> u64 {
        let mut found = 0;
        for index in 0..items.count() {
            // the last one that could still decide something
            let enough = max.map_or(min, |max| max.saturating_add(1).max(min));
            if found >= enough && notes.is_none() {
                break;
            }
            if self.item(items, index, schema, place.guess(), &mut Out::quick()) {
                found += 1;
                if let Some(notes) = notes.as_deref_mut() {
                    notes.mark(index);
                }
            }
        }
        found
    }

    fn unevaluated_items(
        &self,
        items: &dyn ArrayView,
        schema: &'static Schema,
        place: Place<'_>,
        out: &mut Out<'_>,
        notes: Option<&mut Notes>,
    ) -> bool {
        let Some(notes) = notes else { return true };
        let mut holds = true;
        for index in (0..items.count()).filter(|index| !notes.has(*index)) {
            holds &= if schema.is_never() {
                out.tell(place.at, "unevaluatedItems", || {
                    format!("has an item {index} that no schema speaks of, and none such is allowed")
                })
            } else {
                self.item(items, index, schema, place, out)
            };
            if !holds && out.is_done() {
                break;
            }
        }
        notes.all = true;
        holds
    }
}
