//! The rows of a report: each rival at its published setting.

use std::collections::{BTreeMap, BTreeSet};

use super::groups::{Dimension, Part, parts};
use super::over_time::Wanted;
use super::{Population, Reading, Resource, Scorer, View, Weighting, point, weight};
use crate::predict::Scale;
use crate::replay::ReplayError;
use crate::replay::bootstrap::{Resamples, interval};
use crate::replay::case::Case;
use crate::replay::figures::{Figures, Judged, figures};
use crate::replay::params::Split;
use crate::replay::results::{RivalSummary, Row};
use crate::replay::truth::{OverTime, factor};

/// The name of a row over all queries.
const EVERYTHING: &str = "all";

/// Of the rate and of the waste.
type Intervals = (Option<(f64, f64)>, Option<(f64, f64)>);

/// One rival's answers beside the truth, and the parts that each query belongs to.
#[derive(Clone, Copy)]
struct Judgements<'a> {
    rival: usize,
    judged: &'a [(usize, Judged)],
    parts: &'a [Vec<Part>],
}

impl Scorer<'_> {
    /// Returns the summaries of all rivals.
    pub(in crate::replay) fn summaries(&self) -> Vec<RivalSummary> {
        (0..self.contestants.len()).map(|rival| self.summary(rival)).collect()
    }

    fn summary(&self, rival: usize) -> RivalSummary {
        let contestant = &self.contestants[rival];
        let published = contestant.rival.published();
        let setting = contestant.settings[published];
        let queries = 0..self.truths.len();
        let resource = Resource::Memory;
        let answered = queries.clone().filter(|query| self.answered(rival, *query, resource)).count() as u64;
        let answered_cpu = queries.clone().filter(|query| self.answered(rival, *query, Resource::Cpu)).count() as u64;
        let without = queries.clone().filter(|query| {
            self.allocation(rival, *query, (0, published), resource, Population::WithFallback).is_none()
        });
        let mut rungs = BTreeMap::new();
        for rung in queries.clone().filter_map(|query| self.answers.rung(rival, query)) {
            *rungs.entry(rung).or_insert(0) += 1;
        }
        let draws = self.answers.draws(rival);
        let reading = self.reading(resource);
        let by_draw: Vec<Figures> = (0..draws)
            .map(|draw| {
                let judge = |query: usize| {
                    let allocation =
                        self.allocation(rival, query, (draw, published), resource, Population::WithFallback)?;
                    self.truths[query].judge(resource, allocation, &self.units)
                };
                figures(&queries.clone().filter_map(judge).collect::<Vec<_>>(), reading)
            })
            .collect();
        let range = |value: fn(&Figures) -> Option<f64>| {
            let values: Vec<f64> = by_draw.iter().filter_map(value).collect();
            let low = values.iter().copied().min_by(f64::total_cmp)?;
            Some((low, values.iter().copied().max_by(f64::total_cmp)?))
        };
        RivalSummary {
            name: contestant.rival.name(),
            family: contestant.rival.family(),
            knob: contestant.rival.knob(),
            published_knob: setting.knob,
            published_margin: setting.margin,
            answered,
            answered_cpu,
            unanswered: self.truths.len() as u64 - answered,
            without_allocation: without.count() as u64,
            rungs,
            draws: contestant.rival.draws(),
            draw_rates: if draws > 1 { range(|figures| figures.under_provision_rate) } else { None },
            draw_wastes: if draws > 1 { range(|figures| figures.mean_waste) } else { None },
        }
    }

    /// Returns the rows of all rivals at their published settings.
    ///
    /// # Errors
    /// [`ReplayError::Scratch`] if samples cannot be read.
    pub(in crate::replay) fn rows(
        &self,
        cases: &[Case],
        split: Split,
        resamples: Option<&Resamples>,
    ) -> Result<Vec<Row>, ReplayError> {
        let mut rows = Vec::new();
        let over_time = self.over_time(cases, |query| self.published_answers(query))?;
        let shadow = self.shadow();
        let rung = |query| shadow.and_then(|shadow| self.answers.rung(shadow, query));
        let parts = parts(&self.truths, &(0..self.truths.len()).map(rung).collect::<Vec<_>>());
        for rival in 0..self.contestants.len() {
            for resource in Resource::ALL {
                for population in [Population::WithFallback, Population::Common, Population::Answered] {
                    let judged = self.judged(rival, resource, population, &over_time);
                    for weighting in Weighting::ALL {
                        self.add_rows(
                            &mut rows,
                            split,
                            Judgements { rival, judged: &judged, parts: &parts },
                            (resource, weighting, population),
                            resamples,
                        );
                    }
                }
            }
        }
        super::skill::fill(&mut rows);
        Ok(rows)
    }

    /// Returns the size of the largest machine, in the report's unit, where it is known.
    fn machine(&self, resource: Resource) -> Option<f64> {
        let scale = Scale::new(self.params.units, self.params.machine);
        let size = match resource {
            Resource::Memory => scale.machine_memory,
            Resource::Cpu => scale.machine_cpu,
        };
        size.map(|size| size * factor(resource, &self.units)).filter(|size| *size > 0.0)
    }

    /// Returns (query, judged) at the published setting, one per draw.
    fn judged(
        &self,
        rival: usize,
        resource: Resource,
        population: Population,
        over_time: &[Vec<OverTime>],
    ) -> Vec<(usize, Judged)> {
        let contestant = &self.contestants[rival];
        let published = contestant.rival.published();
        let draws = self.answers.draws(rival);
        let mut all = Vec::new();
        for query in 0..self.truths.len() {
            for draw in 0..draws {
                let allocation = self.allocation(rival, query, (draw, published), resource, population);
                let over_time = &over_time[query][self.position(rival, draw, resource)];
                let judged = self.judge_fully(query, (resource, allocation), over_time);
                // Rivals that aim at no coverage are scored at the one that shadow was asked for.
                let coverage = self.params.question.coverage;
                all.extend(judged.map(|judged| (query, Judged { coverage, ..judged })));
            }
        }
        all
    }

    /// Returns where a rival's draw stands in [`Self::published_answers`].
    fn position(&self, rival: usize, draw: usize, resource: Resource) -> usize {
        let before: usize = (0..rival).map(|other| self.answers.draws(other)).sum();
        (before + draw) * 2 + usize::from(resource == Resource::Cpu)
    }

    /// Returns the published answers of every rival to a query. An answer is the same in every population that it counts in.
    fn published_answers(&self, query: usize) -> Vec<Wanted> {
        let draws = (0..self.contestants.len()).flat_map(|rival| {
            let published = self.contestants[rival].rival.published();
            (0..self.answers.draws(rival)).map(move |draw| (rival, (draw, published)))
        });
        let both = |(rival, answer)| {
            Resource::ALL
                .map(|resource| (resource, self.allocation(rival, query, answer, resource, Population::WithFallback)))
        };
        draws.flat_map(both).collect()
    }

    fn add_rows(
        &self,
        rows: &mut Vec<Row>,
        split: Split,
        Judgements { rival, judged, parts }: Judgements<'_>,
        (resource, weighting, population): (Resource, Weighting, Population),
        resamples: Option<&Resamples>,
    ) {
        let contestant = &self.contestants[rival];
        let published = contestant.rival.published();
        let setting = contestant.settings[published];
        let draws_of_query = self.answers.draws(rival) as u64;
        let draws = draws_of_query as f64;
        let headline = self.reading(resource);
        let machine = self.machine(resource);
        let row = |part: Option<&Part>, reading: Reading, intervals: Intervals| {
            let of_group: Vec<Judged> = judged
                .iter()
                .filter(|(query, _)| part.is_none_or(|part| parts[*query].contains(part)))
                .map(|(_, one)| Judged { weight: weight(one, weighting), ..*one })
                .collect();
            let mut figures = figures(&of_group, reading);
            // Several draws of one query are one workload, and their sums are means.
            figures.workloads /= draws_of_query;
            figures.absolute_slack = figures.absolute_slack.map(|sum| sum / draws);
            figures.waste = figures.waste.map(|sum| sum / draws);
            figures.slack_machine_hours = figures.absolute_slack.zip(machine).map(|(slack, machine)| slack / machine);
            figures.waste_machine_hours = figures.waste.zip(machine).map(|(waste, machine)| waste / machine);
            Row {
                split,
                rival: contestant.rival.name(),
                knob: setting.knob,
                margin: setting.margin,
                resource,
                weighting,
                population,
                reading,
                dimension: part.map(|part| part.dimension),
                group: part.map_or(EVERYTHING, |part| part.name.as_str()).to_owned(),
                figures,
                skill: None,
                under_provision_interval: intervals.0,
                mean_waste_interval: intervals.1,
            }
        };
        for reading in [Reading::UncensoredOnly, Reading::UndecidedFits, Reading::UndecidedFails] {
            let view = View { resource, weighting, population, reading };
            let intervals = resamples.map_or((None, None), |resamples| {
                let clusters = self.by_cluster(rival, view, |_| published);
                let drawn = resamples.map(|draw| point(&clusters, Some(draw)));
                (
                    interval(drawn.iter().map(|point| point.map(|point| point.rate))),
                    interval(drawn.iter().map(|point| point.map(|point| point.waste))),
                )
            });
            rows.push(row(None, reading, intervals));
        }
        if population == Population::WithFallback {
            let all: BTreeSet<&Part> = parts.iter().flatten().collect();
            rows.extend(all.into_iter().map(|part| {
                // Left out, censored needs would leave nothing of the parts that are about them.
                let is_about_censoring = part.dimension == Dimension::Censoring;
                row(Some(part), if is_about_censoring { Reading::UndecidedFits } else { headline }, (None, None))
            }));
        }
    }
}
