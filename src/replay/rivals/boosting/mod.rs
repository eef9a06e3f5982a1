//! Quantile gradient boosting: what any good learner makes of the same features, store and cut in time as shadow. It is the
//! bar, and has no neighbours to show.
//!
//! Per store, resource and quantile one model of ln(need / level): need of memory is the whole-life peak, of CPU the 95th
//! percentile of the row means, and the level is the window's largest use. The allocation is level x exp(model) x (1 + margin), and
//! memory is never less than the window has used already. Needs that are only "at least" count as they are.

mod bins;
mod trees;

use rayon::prelude::*;

use super::{Prepared, Query, Recommendation, ReplayError, Rival, Setting, Store, Surroundings};
use crate::fingerprint::{FeatureSet, mixed};
use crate::predict::{Facts, Known, Need, Question, Resource as LearnedResource};
use crate::profile::Floors;
use crate::replay::results::Resource;
use bins::Column;
use trees::Boosted;

/// Quantiles of the protocol; the coverage that was asked for joins them.
const QUANTILES: [f64; 5] = [0.5, 0.8, 0.9, 0.95, 0.99];
/// Margins on each of them: whoever sweeps one quantile after another without margins sees little between two quantiles.
const MARGINS: [f64; 6] = [0.0, 0.05, 0.1, 0.2, 0.3, 0.5];
/// Further margins on the largest.
const LARGE_MARGINS: [f64; 4] = [1.0, 2.0, 4.0, 9.0];
/// Most stored workloads that are learned from, drawn by their names (our value): beyond that it takes time and learns little.
const MOST_LEARNED: usize = 20_000;

/// Quantile gradient boosting on shadow's features.
#[derive(Debug, Clone, PartialEq)]
pub struct Boosting {
    quantiles: Vec<f64>,
    /// Position of the coverage that was asked for.
    asked: usize,
}

impl Boosting {
    /// Returns the rival with the question's coverage as its marked quantile.
    pub fn new(question: &Question) -> Self {
        let mut quantiles = QUANTILES.to_vec();
        if !quantiles.contains(&question.coverage) {
            quantiles.push(question.coverage);
            quantiles.sort_by(f64::total_cmp);
        }
        let asked = quantiles.iter().position(|quantile| quantile.total_cmp(&question.coverage).is_eq());
        Self { asked: asked.unwrap_or(0), quantiles }
    }
}

impl Rival for Boosting {
    fn name(&self) -> &'static str {
        "boosting"
    }

    fn knob(&self) -> &'static str {
        "quantile, with a margin"
    }

    fn settings(&self) -> Vec<Setting> {
        let with_margins = |knob: &f64| MARGINS.map(|margin| Setting { knob: *knob, margin });
        let most = self.quantiles.last().copied().unwrap_or(1.0);
        let large = LARGE_MARGINS.map(|margin| Setting { knob: most, margin });
        self.quantiles.iter().flat_map(with_margins).chain(large).collect()
    }

    fn published(&self) -> usize {
        self.asked * MARGINS.len()
    }

    fn prepare<'a>(
        &self,
        store: &Store<'a>,
        surroundings: &Surroundings<'_>,
    ) -> Result<Box<dyn Prepared + 'a>, ReplayError> {
        Ok(Box::new(Learned::from(store, &self.quantiles, surroundings)))
    }
}

/// What a store has taught.
struct Learned {
    features: FeatureSet,
    floors: Floors,
    quantiles: Vec<f64>,
    /// By resource and quantile; nothing where no stored workload shows level and need.
    models: Vec<(Resource, Vec<Option<Boosted>>)>,
}

/// Returns the resource as shadow's estimator names it.
const fn learned(resource: Resource) -> LearnedResource {
    match resource {
        Resource::Memory => LearnedResource::Memory,
        Resource::Cpu => LearnedResource::Cpu,
    }
}

/// Returns ln(need / level), both at least the floor.
fn target(known: &Known, resource: Resource, floors: Floors) -> Option<f64> {
    let need = Need::of(learned(resource), known, floors)?;
    Some(need.log_ratio()).filter(|target| target.is_finite())
}

impl Learned {
    fn from(store: &Store<'_>, quantiles: &[f64], surroundings: &Surroundings<'_>) -> Self {
        let (floors, seed) = (surroundings.floors, surroundings.seed);
        let learnable = store.cases.iter().map(|case| &case.known).filter(|known| known.can_teach(surroundings.window));
        let mut known: Vec<(u64, &Known)> = learnable.map(|known| (key(known), known)).collect();
        known.sort_by_key(|(key, _)| mixed(*key ^ seed));
        known.truncate(MOST_LEARNED);
        let features = FeatureSet::of(floors, known.iter().map(|(_, known)| &known.workload.labels));
        let row = |known: &Known| features.row(&known.window, Facts::from(&known.workload).submission());
        let of_resource = |resource: Resource| {
            let mut rows = Vec::new();
            let (mut targets, mut keys) = (Vec::new(), Vec::new());
            for (key, known) in &known {
                if let Some(target) = target(known, resource, floors) {
                    rows.push(row(known));
                    targets.push(target);
                    keys.push(*key);
                }
            }
            let columns = Column::all(&rows);
            let fit = |quantile: &f64| Boosted::fit(&columns, &targets, &keys, *quantile, mixed(seed));
            (resource, quantiles.par_iter().map(fit).collect())
        };
        let models = Resource::ALL.par_iter().map(|resource| of_resource(*resource)).collect();
        Self { features, floors, quantiles: quantiles.to_vec(), models }
    }

    /// Returns the allocation without a margin, by quantile.
    fn amounts(&self, query: &Query<'_>, resource: Resource) -> Vec<Option<f64>> {
        let window = &query.newcomer.window;
        let row = self.features.row(window, query.newcomer.facts.submission());
        let models = self.models.iter().filter(|(of, _)| *of == resource).flat_map(|(_, models)| models);
        let resource = learned(resource);
        let level = resource.level(window).map(|level| level.max(resource.floor(self.floors)));
        models.map(|model| Some(level? * model.as_ref()?.predict(&row).exp())).collect()
    }
}

/// Returns what a stored run is drawn by: its name alone.
fn key(known: &Known) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(known.workload.id.as_bytes());
    hasher.update(&known.workload.run.to_le_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

impl Prepared for Learned {
    fn recommend(
        &self,
        query: &Query<'_>,
        settings: &[Setting],
        _: u32,
    ) -> Result<Vec<Option<Recommendation>>, ReplayError> {
        let (cpu, memory) = (self.amounts(query, Resource::Cpu), self.amounts(query, Resource::Memory));
        let used = query.newcomer.window.memory.map_or(0.0, |memory| memory.max);
        let answer = |setting: &Setting| {
            let at = self.quantiles.iter().position(|quantile| quantile.total_cmp(&setting.knob).is_eq())?;
            let of = |amounts: &[Option<f64>]| Some(amounts.get(at).copied().flatten()? * (1.0 + setting.margin));
            let (cpu, memory) = (of(&cpu), of(&memory).map(|memory| memory.max(used)));
            (cpu.is_some() || memory.is_some()).then_some(Recommendation { cpu, memory, rung: "model" })
        };
        Ok(settings.iter().map(answer).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Case;
    use crate::replay::test_cases::{Fake, case, newcomer, query, surroundings};

    fn memory(cases: &[Case], asked: &Case, setting: usize) -> Option<f64> {
        let rival = Boosting::new(&Question::default());
        let store = Store { cases: cases.iter().collect(), has_clock: true };
        let prepared = rival.prepare(&store, &surroundings(&Fake)).unwrap();
        let newcomer = newcomer(asked);
        prepared.recommend(&query(&newcomer), &[rival.settings()[setting]], 0).unwrap()[0]?.memory
    }

    /// Runs of one application need four times what their window shows, of another as much as it shows.
    fn stored() -> Vec<Case> {
        const GIB: f64 = 1_073_741_824.0;
        (0..60)
            .map(|at| {
                let mut case = case(&format!("s{at}"), "a", 0, 100, GIB);
                let is_grower = at % 2 == 0;
                case.known.workload.labels.insert("grows".to_owned(), f64::from(u8::from(is_grower)).to_string());
                let level = case.known.window.memory.unwrap().max;
                case.known.life.memory_peak = Some(if is_grower { level * 4.0 } else { level });
                case
            })
            .collect()
    }

    #[test]
    fn needs_relative_to_the_level_are_learned_and_scaled_to_the_newcomer() {
        let (cases, published) = (stored(), Boosting::new(&Question::default()).published());
        for (grows, ratio) in [("1", 4.0), ("0", 1.0)] {
            let mut new = cases[0].clone();
            new.known.workload.labels.insert("grows".to_owned(), grows.to_owned());
            new.known.window.memory.as_mut().unwrap().max *= 1.5;
            let level = new.known.window.memory.unwrap().max;
            let found = memory(&cases, &new, published).unwrap() / level;
            assert!((found / ratio - 1.0).abs() < 1e-5, "{found} instead of {ratio}");
        }
    }

    #[test]
    fn memory_is_never_less_than_the_window_has_used() {
        let mut cases = stored();
        for case in &mut cases {
            case.known.life.memory_peak = case.known.window.memory.map(|memory| memory.max / 2.0);
        }
        assert_eq!(memory(&cases, &cases[0], 0), cases[0].known.window.memory.map(|memory| memory.max));
    }

    #[test]
    fn the_order_of_the_store_changes_nothing() {
        let cases = stored();
        let turned: Vec<Case> = cases.iter().rev().cloned().collect();
        for setting in 0..34 {
            assert_eq!(memory(&cases, &cases[1], setting), memory(&turned, &cases[1], setting));
        }
    }

    #[test]
    fn an_empty_store_has_no_answer() {
        assert_eq!(memory(&[], &stored()[0], 0), None);
    }
}
