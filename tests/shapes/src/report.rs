//! The report of a measurement, with the bars.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::measure::{Measurement, Untyped};

/// At most this share of fields may be `Value`, in tenths of a percent.
const MOST_VALUES: usize = 12;

/// A type's name may have at most this many characters.
const LONGEST_NAME: usize = 60;

/// Whether the bars are kept.
pub(crate) fn holds(it: &Measurement) -> bool {
    values_hold(it) && it.repeated.is_empty() && it.twins.is_empty() && name_holds(it)
}

fn values_hold(it: &Measurement) -> bool {
    it.values.len() * 1_000 <= it.fields * MOST_VALUES
}

fn name_holds(it: &Measurement) -> bool {
    it.longest.chars().count() <= LONGEST_NAME
}

/// The report as text; with every untyped and repeated one if `all`.
pub(crate) fn text(it: &Measurement, all: bool) -> String {
    let mut out = String::new();
    let ok = |kept: bool| if kept { "ok" } else { "MISSED" };
    let share = |count: usize| 100.0 * count as f64 / it.fields.max(1) as f64;
    let _ = writeln!(out, "events           {}", it.events);
    let _ = writeln!(out, "generated code   {:.1} kB", it.bytes as f64 / 1e3);
    let _ = writeln!(
        out,
        "types            {}: {} structs, {} enums of words, {} tagged unions, {} untagged unions, {} maps",
        it.types(),
        it.structs,
        it.words,
        it.tagged,
        it.untagged,
        it.maps
    );
    let _ = writeln!(out, "fields           {}", it.fields);
    let (values, maps) = (it.values.len(), it.bare_maps.len());
    let kept = ok(values_hold(it));
    let _ = writeln!(
        out,
        "  Value          {values} ({:.2} %; bar: <= {} %: {kept})",
        share(values),
        MOST_VALUES as f64 / 10.0
    );
    let _ = writeln!(out, "  bare maps      {maps} ({:.2} %)", share(maps));
    let _ = writeln!(out, "  Option<Option> {} ({:.2} %)", it.doubled, share(it.doubled));
    let repeated = it.repeated.len();
    let _ = writeln!(out, "schemas with several types    {repeated} (bar: 0: {})", ok(repeated == 0));
    let twins: usize = it.twins.iter().map(|group| group.len() - 1).sum();
    let _ = writeln!(out, "structs that copy another     {twins} (bar: 0: {})", ok(twins == 0));
    let length = it.longest.chars().count();
    let _ = writeln!(
        out,
        "longest type name             {} ({length} characters; bar: <= {LONGEST_NAME}: {})",
        it.longest,
        ok(name_holds(it))
    );
    for (what, untyped) in [("Value", &it.values), ("bare maps", &it.bare_maps)] {
        causes(&mut out, what, untyped, all);
    }
    if all {
        for (what, groups) in [("types of one schema", &it.repeated), ("copies", &it.twins)] {
            for group in groups {
                let _ = writeln!(out, "{what}: {}", group.join(", "));
            }
        }
    }
    out
}

fn causes(out: &mut String, what: &str, untyped: &[Untyped], all: bool) {
    let mut causes: BTreeMap<&str, Vec<&Untyped>> = BTreeMap::new();
    untyped.iter().for_each(|it| causes.entry(&it.cause).or_default().push(it));
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(_, fields)| std::cmp::Reverse(fields.len()));
    if !causes.is_empty() {
        let _ = writeln!(out, "{what} by cause:");
    }
    for (cause, fields) in causes {
        let _ = writeln!(out, "{:>6}  {cause}", fields.len());
        for it in fields.iter().filter(|_| all) {
            let _ = writeln!(out, "          {}: {} ({})", it.field, it.rust_type, it.place);
        }
    }
}
