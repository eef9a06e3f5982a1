//! Which colour and shape a point has, and what they say.

use super::chart::{Column, Values};

/// Words with a colour of their own; beyond these the eye does not tell colours apart, least of all colour-blind ones.
pub(super) const WORDS: usize = 8;

/// The class of words beyond.
pub(super) const OTHER: usize = WORDS;

/// The class of points without a value.
pub(super) const MISSING: usize = OTHER + 1;

/// The class of the lowest numbers.
pub(super) const LOWEST: usize = MISSING + 1;

/// Steps of a scale of numbers, each holding about as many points.
const STEPS: usize = 7;

/// All classes.
pub(super) const CLASSES: usize = LOWEST + STEPS;

/// The key to a map.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Legend {
    /// What there is to see, in the order in which it is listed.
    pub(super) entries: Vec<Entry>,
    /// The class of each point.
    pub(super) classes: Vec<usize>,
}

/// One line of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) class: usize,
    pub(super) label: String,
    pub(super) count: usize,
}

impl Legend {
    /// Returns the key of a column; with none, all `points` are alike.
    pub(super) fn of(column: Option<&Column>, points: usize) -> Self {
        let Some(column) = column else { return Self::new(vec![0; points], |_| "workloads".to_owned()) };
        match &column.values {
            Values::Words(names, of) => {
                let others = names.len().saturating_sub(WORDS);
                let class = |word: Option<u32>| word.map_or(MISSING, |word| (word as usize).min(OTHER));
                let classes = of.iter().map(|word| class(*word)).collect();
                Self::new(classes, |class| match class {
                    OTHER => format!("{others} other{}", if others == 1 { "" } else { "s" }),
                    MISSING => "not stated".to_owned(),
                    class => names[class].clone(),
                })
            }
            Values::Numbers(unit, values) => {
                let mut sorted: Vec<f64> = values.iter().copied().flatten().collect();
                sorted.sort_by(f64::total_cmp);
                let edges = edges(&sorted);
                let class = |value: f64| LOWEST + edges.partition_point(|edge| *edge <= value);
                let classes = values.iter().map(|value| value.map_or(MISSING, class)).collect();
                let bound = |edge: Option<&f64>, end: Option<&f64>| unit.shown(edge.or(end).copied().unwrap_or(0.0));
                Self::new(classes, |class| match class {
                    MISSING => "not stated".to_owned(),
                    class => {
                        let step = class - LOWEST;
                        let from = bound(step.checked_sub(1).and_then(|before| edges.get(before)), sorted.first());
                        let to = bound(edges.get(step), sorted.last());
                        if from == to { from } else { format!("{from} to {to}") }
                    }
                })
            }
        }
    }

    fn new(classes: Vec<usize>, label: impl Fn(usize) -> String) -> Self {
        let mut counts = [0_usize; CLASSES];
        for &class in &classes {
            counts[class] += 1;
        }
        // Numbers first, from low to high, then what has none.
        let order = (LOWEST..CLASSES).chain(0..LOWEST);
        let entries = order
            .filter(|&class| counts[class] > 0)
            .map(|class| Entry { class, label: label(class), count: counts[class] })
            .collect();
        Self { entries, classes }
    }

    /// Returns the entries in the order in which they are drawn: what there is most of first, so that the rare stays visible.
    pub(super) fn drawn(&self) -> Vec<&Entry> {
        let mut drawn: Vec<&Entry> = self.entries.iter().collect();
        drawn.sort_by_key(|entry| {
            let is_background = entry.class == OTHER || entry.class == MISSING;
            (!is_background, std::cmp::Reverse(entry.count), entry.class)
        });
        drawn
    }
}

/// Returns the values at which a new step begins: quantiles, without repetitions.
fn edges(sorted: &[f64]) -> Vec<f64> {
    let mut edges: Vec<f64> = (1..STEPS).filter_map(|step| sorted.get(step * sorted.len() / STEPS).copied()).collect();
    edges.dedup();
    edges.retain(|edge| sorted.first().is_some_and(|first| edge > first));
    edges
}

#[cfg(test)]
mod tests {
    use super::super::chart::Unit;
    use super::*;

    #[test]
    fn the_most_frequent_words_have_colours_and_the_rest_shares_one() {
        let names: Vec<String> = (0..11).map(|word| format!("w{word}")).collect();
        let of = (0..11).chain(0..2).map(Some).chain([None]).collect();
        let column = Column { name: "application".to_owned(), values: Values::Words(names, of) };
        let legend = Legend::of(Some(&column), 14);
        let shown: Vec<(&str, usize)> = legend.entries.iter().map(|one| (one.label.as_str(), one.count)).collect();
        assert_eq!(shown[..2], [("w0", 2), ("w1", 2)]);
        assert_eq!(shown[8..], [("3 others", 3), ("not stated", 1)]);
        assert_eq!(legend.drawn()[0].class, OTHER);
        assert_eq!(legend.classes[13], MISSING);
    }

    #[test]
    fn numbers_fall_into_steps_of_equal_size() {
        let values = (0..70).map(|value| Some(f64::from(value))).chain([None]).collect();
        let column = Column { name: "cpu".to_owned(), values: Values::Numbers(Unit::Cores, values) };
        let legend = Legend::of(Some(&column), 71);
        assert_eq!(legend.entries.iter().map(|entry| entry.count).collect::<Vec<_>>(), [10, 10, 10, 10, 10, 10, 10, 1]);
        assert_eq!(legend.entries[0].label, "0 cores to 10.0 cores");
        // One value alone has no steps.
        let column =
            Column { name: "cpu".to_owned(), values: Values::Numbers(Unit::Cores, vec![Some(2.0), Some(2.0)]) };
        let legend = Legend::of(Some(&column), 2);
        assert_eq!(legend.entries, [Entry { class: LOWEST, label: "2.00 cores".to_owned(), count: 2 }]);
        assert_eq!(Legend::of(None, 3).entries[0].count, 3);
    }
}
