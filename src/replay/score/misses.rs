//! The answers of shadow that were farthest from the truth, with what they rested on.

use super::{Resource, Scorer};
use crate::replay::case::Case;
use crate::replay::results::{Miss, MissNeighbour, MissedBy};

/// Misses per resource and direction.
const SHOWN: usize = 10;

impl Scorer<'_> {
    /// Returns the answers of shadow's published setting that gave the most too little and the most too much, the worst
    /// first. A need that is only a lower bound counts where it was not met.
    pub(in crate::replay) fn misses(&self, cases: &[Case]) -> Vec<Miss> {
        let Some(shadow) = self.shadow() else { return Vec::new() };
        let published = self.contestants[shadow].rival.published();
        let mut all = Vec::new();
        for resource in Resource::ALL {
            // (how far off, query, allocation, need)
            let mut off: Vec<(f64, usize, f64, f64)> = (0..self.truths.len())
                .filter_map(|query| {
                    let answer = self.answers.get(shadow, query, 0, published, resource)?;
                    let judged = self.truths[query].judge(resource, answer, &self.units)?;
                    let is_known = !judged.censored || judged.too_small();
                    is_known.then_some((judged.allocation - judged.need, query, judged.allocation, judged.need))
                })
                .collect();
            off.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let small = off.iter().take_while(|one| one.0 < 0.0).take(SHOWN);
            let large = off.iter().rev().take_while(|one| one.0 > 0.0).take(SHOWN);
            let both = small.map(|one| (MissedBy::TooLittle, one)).chain(large.map(|one| (MissedBy::TooMuch, one)));
            all.extend(both.map(|(missed_by, (_, query, allocation, need))| {
                let known = &cases[self.truths[*query].case].known;
                Miss {
                    resource,
                    missed_by,
                    workload: named(&known.workload.id, known.workload.run),
                    application: known.workload.application.clone(),
                    need: *need,
                    allocation: *allocation,
                    rung: self.answers.rung(shadow, *query).unwrap_or_default(),
                    neighbours: self.neighbours(cases, (shadow, *query), resource),
                }
            }));
        }
        all
    }

    fn neighbours(&self, cases: &[Case], (rival, query): (usize, usize), resource: Resource) -> Vec<MissNeighbour> {
        let of = |(case, share): &(u32, f32)| {
            let known = &cases.get(*case as usize)?.known;
            let (need, factor) = match resource {
                Resource::Memory => (known.life.memory_peak, self.units.memory_factor),
                Resource::Cpu => (known.life.cpu_need, self.units.cpu_factor),
            };
            Some(MissNeighbour {
                workload: named(&known.workload.id, known.workload.run),
                application: known.workload.application.clone(),
                weight: f64::from(*share),
                need: need.map(|need| need * factor),
            })
        };
        self.answers.evidence(rival, query).iter().filter_map(of).collect()
    }
}

/// Returns the name of a run: `#` and its number follow the identifier of restarts.
fn named(id: &str, run: u32) -> String {
    if run == 0 { id.to_owned() } else { format!("{id}#{run}") }
}
