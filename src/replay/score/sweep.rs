//! Sweeps over the knobs, and the waste read off them at equal failure rates.

use super::{Population, Resource, Scorer, Table, View, Weighting, curve, difference, point};
use crate::replay::bootstrap::{Resamples, interval};
use crate::replay::compare::at_rate;
use crate::replay::results::{CurvePoint, EqualCoverage};

impl Scorer<'_> {
    /// Returns every sweep, and the waste read off it at the target rates with paired intervals.
    pub(in crate::replay) fn sweeps(&self, resamples: Option<&Resamples>) -> (Vec<CurvePoint>, Vec<EqualCoverage>) {
        let (mut points, mut compared) = (Vec::new(), Vec::new());
        for resource in Resource::ALL {
            for weighting in Weighting::ALL {
                for population in [Population::WithFallback, Population::Common] {
                    let view = View { resource, weighting, population, reading: self.reading(resource) };
                    let tables: Vec<(usize, Table)> =
                        self.families().into_iter().map(|rival| (rival, self.table(rival, view))).collect();
                    for (rival, table) in &tables {
                        points.extend(self.curve_points(*rival, table, view));
                    }
                    self.compare(&mut compared, &tables, view, resamples);
                }
            }
        }
        (points, compared)
    }

    fn curve_points(&self, rival: usize, table: &Table, view: View) -> Vec<CurvePoint> {
        let family = self.contestants[rival].rival.family();
        let marked: Vec<usize> = self
            .contestants
            .iter()
            .filter(|contestant| contestant.rival.family() == family)
            .map(|contestant| contestant.rival.published())
            .collect();
        let settings = self.contestants[rival].settings.iter().enumerate();
        settings
            .map(|(position, setting)| {
                let found = point(&table[position], None);
                CurvePoint {
                    rival: family,
                    resource: view.resource,
                    weighting: view.weighting,
                    population: view.population,
                    knob: setting.knob,
                    margin: setting.margin,
                    published: marked.contains(&position),
                    under_provision_rate: found.map(|point| point.rate),
                    mean_waste: found.map(|point| point.waste),
                }
            })
            .collect()
    }

    fn compare(
        &self,
        compared: &mut Vec<EqualCoverage>,
        tables: &[(usize, Table)],
        view: View,
        resamples: Option<&Resamples>,
    ) {
        let targets = &self.params.targets;
        let read = |table: &Table, draw: Option<&[u32]>| -> Vec<Option<f64>> {
            let points = curve(table, draw);
            targets.iter().map(|target| at_rate(&points, *target)).collect()
        };
        // Per family: what was found, and the same in every resample.
        let found: Vec<Vec<Option<f64>>> = tables.iter().map(|(_, table)| read(table, None)).collect();
        let drawn: Vec<Vec<Vec<Option<f64>>>> = tables
            .iter()
            .map(|(_, table)| {
                resamples.map_or_else(Vec::new, |resamples| resamples.map(|draw| read(table, Some(draw))))
            })
            .collect();
        let shadow = self.shadow().and_then(|shadow| tables.iter().position(|(rival, _)| *rival == shadow));
        for (position, (rival, _)) in tables.iter().enumerate() {
            for (at, target) in targets.iter().enumerate() {
                let other = shadow.filter(|shadow| *shadow != position);
                compared.push(EqualCoverage {
                    rival: self.contestants[*rival].rival.family(),
                    resource: view.resource,
                    weighting: view.weighting,
                    population: view.population,
                    reading: view.reading,
                    target: *target,
                    mean_waste: found[position][at],
                    interval: found[position][at]
                        .and_then(|_| interval(drawn[position].iter().map(|values| values[at]))),
                    above_shadow: other.and_then(|shadow| difference(found[position][at], found[shadow][at])),
                    above_shadow_interval: other.and_then(|shadow| {
                        difference(found[position][at], found[shadow][at])?;
                        let pairs = drawn[position].iter().zip(&drawn[shadow]);
                        interval(pairs.map(|(mine, theirs)| difference(mine[at], theirs[at])))
                    }),
                });
            }
        }
    }
}
