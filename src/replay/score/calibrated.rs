//! Settings chosen on calibration outcomes, and what they did in the test.

use std::collections::BTreeMap;

use super::{Population, Resource, Scorer, Sums, View, Weighting, difference, point};
use crate::replay::bootstrap::{Resamples, interval};
use crate::replay::compare::{Point, cheapest_within};
use crate::replay::figures::quotient;
use crate::replay::results::Calibrated;

impl Scorer<'_> {
    /// Returns for each test block the setting that the calibration outcomes choose for a target rate, with the rate it
    /// had there.
    pub(in crate::replay) fn choose(
        &self,
        rival: usize,
        resource: Resource,
        target: f64,
        calibrated_by: &[Vec<usize>],
    ) -> Vec<Option<(usize, f64)>> {
        let reading = self.reading(resource);
        let view = View { resource, weighting: Weighting::Workload, population: Population::WithFallback, reading };
        let settings = self.contestants[rival].settings.len();
        let mut by_block: BTreeMap<usize, Vec<Sums>> = BTreeMap::new();
        for query in 0..self.truths.len() {
            let sums = by_block.entry(self.answers.blocks[query]).or_insert_with(|| vec![Sums::default(); settings]);
            for (setting, sums) in sums.iter_mut().enumerate() {
                sums.add(self.outcome(rival, query, setting, view));
            }
        }
        calibrated_by
            .iter()
            .map(|blocks| {
                let used: Vec<&Vec<Sums>> = blocks.iter().filter_map(|block| by_block.get(block)).collect();
                let points: Vec<Option<Point>> = (0..settings)
                    .map(|setting| point(&used.iter().map(|sums| sums[setting]).collect::<Vec<_>>(), None))
                    .collect();
                let chosen = cheapest_within(&points, target)?;
                Some((chosen, points[chosen]?.rate))
            })
            .collect()
    }

    /// Returns what settings chosen on the calibration answers (`calibration`) did in the test.
    pub(in crate::replay) fn calibrated(
        &self,
        calibration: &Scorer<'_>,
        calibrated_by: &[Vec<usize>],
        resamples: Option<&Resamples>,
    ) -> Vec<Calibrated> {
        let mut rows = Vec::new();
        for resource in Resource::ALL {
            for target in &self.params.targets {
                let families = self.families();
                let chosen: Vec<Vec<Option<(usize, f64)>>> =
                    families.iter().map(|rival| calibration.choose(*rival, resource, *target, calibrated_by)).collect();
                for weighting in Weighting::ALL {
                    let reading = self.reading(resource);
                    let view = View { resource, weighting, population: Population::WithFallback, reading };
                    let tables: Vec<Option<Vec<Sums>>> = families
                        .iter()
                        .zip(&chosen)
                        .map(|(rival, chosen)| self.chosen_sums(*rival, chosen, view))
                        .collect();
                    let drawn: Vec<Vec<Option<Point>>> = tables
                        .iter()
                        .map(|table| match (table, resamples) {
                            (Some(table), Some(resamples)) => resamples.map(|draw| point(table, Some(draw))),
                            _ => Vec::new(),
                        })
                        .collect();
                    let shadow = self.shadow().and_then(|shadow| families.iter().position(|rival| *rival == shadow));
                    for (position, rival) in families.iter().enumerate() {
                        let found = tables[position].as_ref().and_then(|table| point(table, None));
                        let other = shadow.filter(|shadow| *shadow != position);
                        let theirs = other
                            .and_then(|shadow| tables[shadow].as_ref())
                            .and_then(|table| point(table, None))
                            .map(|point| point.waste);
                        let above_shadow = difference(found.map(|point| point.waste), theirs);
                        rows.push(Calibrated {
                            rival: self.contestants[*rival].rival.family(),
                            resource,
                            weighting,
                            reading,
                            target: *target,
                            settings: self.chosen_settings(*rival, &chosen[position]),
                            calibration_rate: self.calibration_rate(&chosen[position]),
                            under_provision_rate: found.map(|point| point.rate),
                            under_provision_interval: interval(
                                drawn[position].iter().map(|point| point.map(|point| point.rate)),
                            ),
                            mean_waste: found.map(|point| point.waste),
                            mean_waste_interval: interval(
                                drawn[position].iter().map(|point| point.map(|point| point.waste)),
                            ),
                            above_shadow,
                            above_shadow_interval: above_shadow.zip(other).and_then(|(_, shadow)| {
                                let pairs = drawn[position].iter().zip(&drawn[shadow]);
                                interval(pairs.map(|(mine, theirs)| {
                                    difference(mine.map(|point| point.waste), theirs.map(|point| point.waste))
                                }))
                            }),
                        });
                    }
                }
            }
        }
        rows
    }

    /// Sums the test outcomes with each block's own setting; nothing if a block that is asked has none.
    fn chosen_sums(&self, rival: usize, chosen: &[Option<(usize, f64)>], view: View) -> Option<Vec<Sums>> {
        let settings: Vec<usize> = self
            .answers
            .blocks
            .iter()
            .map(|block| chosen.get(*block).copied().flatten().map(|(setting, _)| setting))
            .collect::<Option<_>>()?;
        Some(self.by_cluster(rival, view, |query| settings[query]))
    }

    fn chosen_settings(&self, rival: usize, chosen: &[Option<(usize, f64)>]) -> Vec<(f64, f64)> {
        let mut positions: Vec<usize> = chosen.iter().flatten().map(|(setting, _)| *setting).collect();
        positions.sort_unstable();
        positions.dedup();
        let settings = &self.contestants[rival].settings;
        positions.into_iter().map(|position| (settings[position].knob, settings[position].margin)).collect()
    }

    fn calibration_rate(&self, chosen: &[Option<(usize, f64)>]) -> Option<f64> {
        let rates: Vec<f64> = self
            .answers
            .blocks
            .iter()
            .map(|block| chosen.get(*block).copied().flatten().map(|(_, rate)| rate))
            .collect::<Option<_>>()?;
        quotient(rates.iter().sum(), rates.len() as f64)
    }
}
