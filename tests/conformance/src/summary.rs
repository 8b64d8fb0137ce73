//! What the program of a draft tells: counts, and each disagreement.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::group::{Kind, Placement, Way};

/// What came of one draft.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    /// The draft, by the name of its folder.
    pub draft: String,
    /// The folder of the suite's draft; none where the suite hasn't it.
    pub suite: Option<String>,
    /// The counts of groups in their first place.
    pub tallies: BTreeMap<Kind, Tally>,
    /// The counts of groups in the other places.
    pub placements: BTreeMap<Placement, BTreeMap<Kind, Tally>>,
    /// How many groups have no such place, by the reason.
    pub unplaced: BTreeMap<String, usize>,
    /// How many contents `cargo twyla validate` was asked about.
    pub validated: usize,
    /// Every case that came out otherwise than it should.
    pub disagreements: Vec<Disagreement>,
    /// Every file of the suite that is no list of groups, with what is wrong.
    pub unreadable: BTreeMap<String, String>,
    /// Optional groups that need a document that the suite's folder hasn't, each with its URI.
    pub unserved: Vec<String>,
    /// The entries of the list of known disagreements that were looked at, and whether something disagrees.
    pub excused: BTreeMap<String, bool>,
}

impl Summary {
    /// Every entry of the list of known disagreements that nothing disagrees with.
    pub fn stale(&self) -> impl Iterator<Item = &str> {
        self.excused.iter().filter(|(_, used)| !**used).map(|(entry, _)| entry.as_str())
    }

    /// Adds what came of other groups of the draft.
    pub fn add(&mut self, other: Self) {
        for (kind, tally) in other.tallies {
            self.tallies.entry(kind).or_default().add(tally);
        }
        for (placement, tallies) in other.placements {
            let own = self.placements.entry(placement).or_default();
            tallies.into_iter().for_each(|(kind, tally)| own.entry(kind).or_default().add(tally));
        }
        other.unplaced.into_iter().for_each(|(why, count)| *self.unplaced.entry(why).or_default() += count);
        self.validated += other.validated;
        self.disagreements.extend(other.disagreements);
        other.excused.into_iter().for_each(|(entry, used)| *self.excused.entry(entry).or_default() |= used);
    }
}

/// The counts of groups of one kind.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// How many groups there are.
    pub groups: usize,
    /// How many cases they have.
    pub cases: usize,
    /// How many of these came out as they should.
    pub agree: usize,
    /// How many came out as they should, and are ones that the schema allows.
    pub accepted: usize,
    /// How many were refused although the schema allows them, for a number whose digits the type can't keep.
    pub digits: usize,
    /// How many groups are typed, and checked in place.
    pub typed: usize,
    /// How many have rules besides that a tree of them holds.
    pub trees: usize,
    /// How many the build refuses.
    pub refused: usize,
    /// Why groups have trees, each with how many groups say so.
    pub reasons: BTreeMap<String, usize>,
}

/// A case that came out otherwise than it should.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Disagreement {
    /// Where its group comes from.
    pub kind: Kind,
    /// Where its group's schema stands.
    pub placement: Placement,
    /// The file, the group and the case.
    pub case: [String; 3],
    /// The schema.
    pub schema: String,
    /// The value.
    pub data: String,
    /// What should have been, and what came out.
    pub said: String,
    /// How many cases of the group it stands for.
    pub cases: usize,
    /// Why it is known to be so, where it is.
    pub known: Option<String>,
}

impl Tally {
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

    /// Counts a group by its way.
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

/// The keyword that a reason is about: what it has between backticks, or all of it.
fn keyword(reason: &str) -> &str {
    reason.split('`').nth(1).unwrap_or(reason)
}
