//! Evaluation of the keywords of arrays.

use twyla_contract::unknown_field;

use super::super::rules;
use super::describe::counted;
use super::equal::twice;
use super::evaluate::{Collector, Evaluated, Evaluation, Position};
use super::{ArrayView, Rule, Schema};

impl Evaluation {
    pub(super) fn array(
        &self,
        items: &dyn ArrayView,
        rule: &'static Rule,
        position: Position<'_>,
        out: &mut Collector<'_>,
        evaluated: Option<&mut Evaluated>,
    ) -> bool {
        let count = items.count();
        match rule {
            Rule::PrefixItems(schemas) => {
                if let Some(evaluated) = evaluated {
                    (0..schemas.len().min(count)).for_each(|index| evaluated.mark(index));
                }
                let pairs = schemas.iter().take(count).enumerate();
                out.all(pairs, |(index, schema), out| self.item(items, index, schema, position, out))
            }
            Rule::Items { from, schema, keyword } => {
                if let Some(evaluated) = evaluated {
                    evaluated.all = true;
                }
                if schema.is_any() {
                    return true;
                }
                if schema.is_never() {
                    return count <= *from
                        || out.report(position.at, keyword, || {
                            let has = counted(count as u64, "item", "items");
                            match from {
                                0 => format!("the array has {has}, and none is allowed"),
                                1 => format!("the array has {has}, and at most 1 is allowed"),
                                most => format!("the array has {has}, and at most {most} are allowed"),
                            }
                        });
                }
                out.all(*from..count, |index, out| self.item(items, index, schema, position, out))
            }
            Rule::Contains { schema, min, max, evaluates } => {
                let found =
                    self.count_matching(items, schema, position, (*min, *max), evaluated.filter(|_| *evaluates));
                if found < *min {
                    let keyword = if *min == 1 { "contains" } else { "minContains" };
                    return out.report(position.at, keyword, || {
                        let matching = counted(found, "item matches", "items match");
                        let is = if *min == 1 { "is" } else { "are" };
                        format!("{matching} `contains`, and at least {min} {is} needed")
                    });
                }
                max.is_none_or(|max| {
                    found <= max
                        || out.report(position.at, "maxContains", || {
                            let is = if max == 1 { "is" } else { "are" };
                            format!("more than {max} items match `contains`, and at most {max} {is} allowed")
                        })
                })
            }
            Rule::MinItems(limit) => {
                count as u64 >= *limit || out.report_with(|out| rules::min_items(count, *limit, position.at, out))
            }
            Rule::MaxItems(limit) => {
                count as u64 <= *limit || out.report_with(|out| rules::max_items(count, *limit, position.at, out))
            }
            Rule::UniqueItems => twice(items, position.at.received()).is_none_or(|index| {
                out.report(position.at, "uniqueItems", || format!("item {index} equals an earlier item"))
            }),
            Rule::UnevaluatedItems(schema) => self.unevaluated_items(items, schema, position, out, evaluated),
            _ => true,
        }
    }

    fn item(
        &self,
        items: &dyn ArrayView,
        index: usize,
        schema: &'static Schema,
        position: Position<'_>,
        out: &mut Collector<'_>,
    ) -> bool {
        items
            .item(index)
            .is_none_or(|item| self.check(&item.view(), schema, position.to(&position.at.index(index)), out, None))
    }

    /// Counts the matching items, up to the number that decides the result.
    fn count_matching(
        &self,
        items: &dyn ArrayView,
        schema: &'static Schema,
        position: Position<'_>,
        (min, max): (u64, Option<u64>),
        mut evaluated: Option<&mut Evaluated>,
    ) -> u64 {
        let mut found = 0;
        for index in 0..items.count() {
            // from this count on, further items don't change the result
            let enough = max.map_or(min, |max| max.saturating_add(1).max(min));
            if found >= enough && evaluated.is_none() {
                break;
            }
            if self.item(items, index, schema, position.trial(), &mut Collector::quick()) {
                found += 1;
                if let Some(evaluated) = evaluated.as_deref_mut() {
                    evaluated.mark(index);
                }
            }
        }
        found
    }

    fn unevaluated_items(
        &self,
        items: &dyn ArrayView,
        schema: &'static Schema,
        position: Position<'_>,
        out: &mut Collector<'_>,
        evaluated: Option<&mut Evaluated>,
    ) -> bool {
        let Some(evaluated) = evaluated else { return true };
        let left = (0..items.count()).filter(|index| !evaluated.has(*index));
        let holds = out.all(left, |index, out| match schema.is_never() {
            true => out.report(position.at, "unevaluatedItems", || unknown_field::unevaluated_item(index)),
            false => self.item(items, index, schema, position, out),
        });
        evaluated.all = true;
        holds
    }
}
