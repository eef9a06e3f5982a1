//! The features: what is compared between workloads, from a first window and what was known at submission.
//!
//! `docs/features.md` lists each with its formula. Amounts are taken on ln(1 + amount/floor), so that differences count
//! as ratios and differences below the floor do not count. Nothing here looks beyond the window.

use std::collections::{BTreeMap, BTreeSet};

use crate::profile::{Floors, ResourceProfile, WindowProfile};
use crate::trace::Amounts;

/// What a feature speaks of: the resource that its weight follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// CPU use.
    Cpu,
    /// Memory use.
    Memory,
    /// Network use.
    Network,
    /// Disk use.
    Disk,
    /// What was known at submission.
    Facts,
}

impl Group {
    /// All, in the order of the features.
    pub const ALL: [Self; 5] = [Self::Cpu, Self::Memory, Self::Network, Self::Disk, Self::Facts];

    /// Returns the name used in outputs and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Network => "network",
            Self::Disk => "disk",
            Self::Facts => "facts",
        }
    }
}

/// How much one feature of a kind counts in squared distances before the user's weights. Sizes come in families of
/// similar features (ten for memory alone), facts come alone; shapes over a short window are noisy. Values chosen on one
/// half of the real containers, see `docs/evaluation.md`.
const SIZE: f64 = 1.0;
const SHAPE: f64 = 0.3;
const FACT: f64 = 4.0;

/// Most numeric labels that become features.
const MOST_LABELS: usize = 16;

/// Start of the name of a feature that is a label.
const LABEL: &str = "label.";

/// How a feature is computed from the profile of its resource.
type OfProfile = fn(&ResourceProfile, f64) -> f64;

/// Amounts over the window; the floor is that of the resource.
const SIZES: [(&str, OfProfile); 10] = [
    ("level", |profile, floor| log(profile.max, floor)),
    ("mean", |profile, floor| log(profile.mean, floor)),
    ("p10", |profile, floor| log(profile.percentiles[0], floor)),
    ("p25", |profile, floor| log(profile.percentiles[1], floor)),
    ("p50", |profile, floor| log(profile.percentiles[2], floor)),
    ("p75", |profile, floor| log(profile.percentiles[3], floor)),
    ("p90", |profile, floor| log(profile.percentiles[4], floor)),
    ("first", |profile, floor| log(profile.first, floor)),
    ("last", |profile, floor| log(profile.last, floor)),
    ("deviation", |profile, floor| log(profile.deviation, floor)),
];

/// Movement over the window.
const SHAPES: [(&str, OfProfile); 5] = [
    ("slope", |profile, _| profile.slope),
    ("late_slope", |profile, _| profile.late_slope),
    ("peak_position", |profile, _| profile.peak_position),
    ("roughness", |profile, _| profile.roughness),
    ("autocorrelation", |profile, _| profile.autocorrelation),
];

const RESOURCES: [Group; 4] = [Group::Cpu, Group::Memory, Group::Network, Group::Disk];

/// Facts known at submission, beside labels.
const FACTS: [&str; 5] =
    ["fact.cpu_request", "fact.memory_request", "fact.cpu_limit", "fact.memory_limit", "fact.priority"];

/// Returns ln(1 + amount/floor); negative amounts count as 0.
fn log(amount: f64, floor: f64) -> f64 {
    (amount.max(0.0) / floor).ln_1p()
}

/// One feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Its name, as in `docs/features.md`.
    pub name: String,
    /// What it speaks of.
    pub group: Group,
    /// Its built-in weight in squared distances.
    pub weight: f64,
}

/// What was known of a workload when it was submitted.
#[derive(Debug, Clone, Copy)]
pub struct Submission<'a> {
    /// Request.
    pub request: Amounts,
    /// Limit.
    pub limit: Amounts,
    /// Priority.
    pub priority: Option<i32>,
    /// Further columns of the user's table.
    pub labels: &'a BTreeMap<String, String>,
}

/// The features of one store: the built-in ones and its numeric labels.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureSet {
    labels: Vec<String>,
    floors: Floors,
    /// In the order of a row: every answer looks at them.
    features: Vec<Feature>,
}

impl FeatureSet {
    /// Returns the set for workloads with these labels. A label becomes a feature when at least half of the workloads
    /// have it and all values are numbers; of more than 16 the first by name are taken.
    pub fn of<'a>(floors: Floors, workloads: impl Iterator<Item = &'a BTreeMap<String, String>>) -> Self {
        let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
        let mut texts: BTreeSet<&str> = BTreeSet::new();
        let mut count = 0_u64;
        for labels in workloads {
            count += 1;
            for (name, value) in labels {
                if number(value).is_some() {
                    *numbers.entry(name).or_default() += 1;
                } else {
                    texts.insert(name);
                }
            }
        }
        let is_usable = |(name, seen): &(&str, u64)| seen * 2 >= count && !texts.contains(name);
        let labels = numbers.into_iter().filter(is_usable).take(MOST_LABELS).map(|(name, _)| name.to_owned());
        Self::with(labels.collect(), floors)
    }

    /// Returns the set that has features of these names; labels are told by their prefix.
    pub fn named<'a>(floors: Floors, names: impl Iterator<Item = &'a str>) -> Self {
        Self::with(names.filter_map(|name| name.strip_prefix(LABEL)).map(str::to_owned).collect(), floors)
    }

    fn with(labels: Vec<String>, floors: Floors) -> Self {
        let of = |name: String, group, weight| Feature { name, group, weight };
        let mut features = Vec::new();
        for group in RESOURCES {
            let named = |name: &str| format!("{}.{name}", group.name());
            features.extend(SIZES.map(|(name, _)| of(named(name), group, SIZE)));
            features.extend(SHAPES.map(|(name, _)| of(named(name), group, SHAPE)));
        }
        features.push(of("cpu.memory_correlation".to_owned(), Group::Cpu, SHAPE));
        features.extend(FACTS.map(|name| of(name.to_owned(), Group::Facts, FACT)));
        features.extend(labels.iter().map(|label| of(format!("{LABEL}{label}"), Group::Facts, FACT)));
        Self { labels, floors, features }
    }

    /// Returns the features, in the order of a row.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// Returns the row of features of one workload; what it does not have is missing.
    pub fn row(&self, window: &WindowProfile, submission: Submission<'_>) -> Vec<Option<f64>> {
        let floors = self.floors;
        let mut row = Vec::with_capacity(RESOURCES.len() * (SIZES.len() + SHAPES.len()) + FACTS.len() + 1);
        for (profile, floor) in [
            (&window.cpu, floors.cpu),
            (&window.memory, floors.memory),
            (&window.network, floors.rate),
            (&window.disk, floors.rate),
        ] {
            let of = |(_, compute): &(&str, OfProfile)| profile.as_ref().map(|profile| compute(profile, floor));
            row.extend(SIZES.iter().map(of));
            row.extend(SHAPES.iter().map(of));
        }
        row.push(window.cpu_memory_correlation);
        let amount = |amount: Option<f64>, floor| amount.map(|amount| log(amount, floor));
        row.extend([
            amount(submission.request.cpu, floors.cpu),
            amount(submission.request.memory, floors.memory),
            amount(submission.limit.cpu, floors.cpu),
            amount(submission.limit.memory, floors.memory),
            submission.priority.map(f64::from),
        ]);
        let label = |name: &String| submission.labels.get(name).and_then(|text| number(text));
        row.extend(self.labels.iter().map(label).map(|value| value.map(|value| value.abs().ln_1p().copysign(value))));
        row
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOORS: Floors =
        Floors { cpu: Floors::PHYSICAL_CPU, memory: Floors::PHYSICAL_MEMORY, rate: Floors::PHYSICAL_RATE };

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_label_is_a_feature_when_all_its_values_are_numbers_and_half_have_it() {
        let workloads = [
            labels(&[("input_bytes", "100"), ("team", "a"), ("rare", "1"), ("mixed", "1")]),
            labels(&[("input_bytes", "1e3"), ("team", "b"), ("mixed", "x")]),
            labels(&[("input_bytes", "-3")]),
        ];
        let set = FeatureSet::of(FLOORS, workloads.iter());
        assert_eq!(set.labels, ["input_bytes"]);
        let names: Vec<String> = set.features().iter().map(|feature| feature.name.clone()).collect();
        assert_eq!(FeatureSet::named(FLOORS, names.iter().map(String::as_str)), set);
    }

    #[test]
    fn a_row_has_a_value_for_each_feature_and_none_for_what_is_missing() {
        let set = FeatureSet::of(FLOORS, [labels(&[("input_bytes", "100")])].iter());
        let profile = ResourceProfile { max: 16.0 * 1_048_576.0, slope: 0.5, ..ResourceProfile::default() };
        let window = WindowProfile { memory: Some(profile), ..WindowProfile::default() };
        let none = labels(&[]);
        let mut submission = Submission {
            request: Amounts { cpu: Some(0.01), ..Amounts::default() },
            limit: Amounts::default(),
            priority: Some(3),
            labels: &none,
        };
        let names: Vec<String> = set.features().iter().map(|feature| feature.name.clone()).collect();
        let get = |row: &[Option<f64>], name: &str| row[names.iter().position(|found| found == name).unwrap()];
        let row = set.row(&window, submission);
        assert_eq!(row.len(), names.len());
        // At the floor, ln(1 + 1).
        assert_eq!(get(&row, "memory.level"), Some(2.0_f64.ln()));
        assert_eq!(get(&row, "fact.cpu_request"), Some(2.0_f64.ln()));
        assert_eq!(get(&row, "memory.slope"), Some(0.5));
        assert_eq!(get(&row, "fact.priority"), Some(3.0));
        for missing in ["cpu.level", "disk.slope", "fact.memory_limit", "label.input_bytes", "cpu.memory_correlation"] {
            assert_eq!(get(&row, missing), None, "{missing}");
        }
        let some = labels(&[("input_bytes", "-1")]);
        submission.labels = &some;
        assert_eq!(get(&set.row(&window, submission), "label.input_bytes"), Some(-(2.0_f64.ln())));
    }
}
