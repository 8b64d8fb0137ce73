//! typify's types and Twyla's write what both have read.

use twyla_bench::{peer, ways};

#[test]
fn what_both_read_both_write_as_the_same_json() {
    let report = peer::compared();
    assert_eq!(report.events, 4 * ways::EVENTS, "typify's types or Twyla's refuse an event");
    // typify fills in absent defaults and drops nulls; Twyla does neither
    assert!(report.filled_in > 0 && report.left_out > 0, "{report:?}");
    assert!(report.differences.is_empty(), "{:#?}", report.differences);
}

#[test]
fn each_way_takes_every_event() {
    assert_eq!(ways::all().len(), 4);
}
