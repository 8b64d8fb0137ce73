//! The output of a draft's program: counts, and each disagreement.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::group::{Kind, Placement, Way};

/// The results of one draft.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    /// The draft, by the name of its folder.
    pub draft: String,
    /// The folder of the suite's draft; none if the suite lacks it.
    pub suite: Option<String>,
    /// The counts of groups in their first placement.
    pub tallies: BTreeMap<Kind, Counts>,
    /// The counts of groups in the other placements.
    pub placements: BTreeMap<Placement, BTreeMap<Kind, Counts>>,
    /// The number of groups without such a placement, by reason.
    pub unplaced: BTreeMap<String, usize>,
    /// The number of contents that `cargo twyla validate` checked.
    pub validated: usize,
    /// Every case with an unexpected result.
    pub disagreements: Vec<Disagreement>,
    /// Every file of the suite that isn't a list of groups, with the error.
    pub unreadable: BTreeMap<String, String>,
    /// Optional groups that need a document that the suite's folder lacks, with its URI.
    pub unserved: Vec<String>,
    /// The checked entries of the list of known disagreements, and whether something disagrees.
    pub excused: BTreeMap<String, bool>,
}

impl Summary {
    /// Every entry of the list of known disagreements without a disagreement.
    pub fn stale(&self) -> impl Iterator<Item = &str> {
        self.excused.iter().filter(|(_, used)| !**used).map(|(entry, _)| entry.as_str())
    }

    /// Adds the results of other groups of the draft.
    pub fn add(&mut self, other: Self) {
        for (kind, counts) in other.tallies {
            self.tallies.entry(kind).or_default().add(counts);
        }
        for (placement, tallies) in other.placements {
            let own = self.placements.entry(placement).or_default();
            tallies.into_iter().for_each(|(kind, counts)| own.entry(kind).or_default().add(counts));
        }
        other.unplaced.into_iter().for_each(|(why, count)| *self.unplaced.entry(why).or_default() += count);
        self.validated += other.validated;
        self.disagreements.extend(other.disagreements);
        other.excused.into_iter().for_each(|(entry, used)| *self.excused.entry(entry).or_default() |= used);
    }
}

/// The counts of groups of one kind.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// The number of groups.
    pub groups: usize,
    /// The number of cases.
    pub cases: usize,
    /// The number of passed cases.
    pub agree: usize,
    /// The number of passed cases that the schema allows.
    pub accepted: usize,
    /// The number of valid values refused for a number whose digits the type can't keep.
    pub digits: usize,
    /// The number of groups with all checks in generated code.
    pub typed: usize,
    /// The number of groups with a tree of rules.
    pub trees: usize,
    /// The number of groups that the build refuses.
    pub refused: usize,
    /// The reasons for trees, each with the number of groups.
    pub reasons: BTreeMap<String, usize>,
}

/// A case with an unexpected result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Disagreement {
    /// The source of its group.
    pub kind: Kind,
    /// The placement of its group's schema.
    pub placement: Placement,
    /// The file, the group and the case.
    pub case: [String; 3],
    /// The schema.
    pub schema: String,
    /// The value.
    pub data: String,
    /// The expected and the actual result.
    pub result: String,
    /// The number of cases of the group that it stands for.
    pub cases: usize,
    /// The reason, if it is known.
    pub known: Option<String>,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.groups += other.groups;
        self.cases += other.cases;
        self.agree += other.agree;
        self.accepted += other.accepted;
        self.digits += other.digits;
        self.typed += other.typed;
        self.trees += other.trees;
        self.refused += other.refused;
        other.reasons.into_iter().for_each(|(reason, groups)| *self.reasons.entry(reason).or_default() += groups);
    }

    /// Counts a group.
    pub fn count(&mut self, way: &Way) {
        self.groups += 1;
        let reasons = match way {
            Way::Typed => {
                self.typed += 1;
                return;
            }
            Way::Refused(_) => {
                self.refused += 1;
                return;
            }
            Way::Trees(reasons) => {
                self.trees += 1;
                reasons
            }
        };
        let mut keywords: Vec<&str> = reasons.iter().map(|reason| keyword(reason)).collect();
        keywords.sort_unstable();
        keywords.dedup();
        for keyword in keywords {
            *self.reasons.entry(keyword.to_owned()).or_default() += 1;
        }
    }
}

/// The keyword of a reason: the part between backticks, or all of it.
fn keyword(reason: &str) -> &str {
    reason.split('`').nth(1).unwrap_or(reason)
}
