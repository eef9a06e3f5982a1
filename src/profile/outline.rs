//! A run's use in few steps: what a person sees of it at a glance.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::store::{Store, StoreError, Workload};
use crate::trace::Sample;
use crate::trace::source::Progress;
use crate::units::Micros;

/// CPU and memory over a stretch of time, in equal steps; nothing where nothing was seen. In the samples' units.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outline {
    /// Mean of the means that fall into the step.
    pub cpu: Vec<Option<f64>>,
    /// Largest use inside the step.
    pub memory: Vec<Option<f64>>,
}

/// Returns the outline of `samples` between two times, in `steps` steps. A sample counts in each step that it overlaps, and in
/// the one of its start where its length is unknown.
pub fn outline(samples: &[Sample], from: Micros, to: Micros, steps: usize) -> Outline {
    let length = to.minus(from).as_seconds();
    let mut sums = vec![(0.0_f64, 0_u32); steps];
    let mut memory: Vec<Option<f64>> = vec![None; steps];
    if steps == 0 || length <= 0.0 {
        return Outline { cpu: vec![None; steps], memory };
    }
    let step_of = |time: Micros| -> f64 { time.minus(from).as_seconds() / length * steps as f64 };
    for sample in samples {
        let begin = step_of(sample.start);
        let end = step_of(sample.start.plus(sample.duration));
        if begin >= steps as f64 || end < 0.0 || (end <= 0.0 && begin < 0.0) {
            continue;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 0; a few steps")]
        let (first, last) = (begin.max(0.0) as usize, (end.ceil().max(1.0) as usize).min(steps));
        for step in first..last.max(first + 1) {
            if let Some(cpu) = sample.cpu.filter(|cpu| cpu.is_finite()) {
                sums[step].0 += cpu;
                sums[step].1 += 1;
            }
            let most = sample.memory_max.into_iter().chain(sample.memory).filter(|memory| memory.is_finite());
            memory[step] = most.chain(memory[step]).reduce(f64::max);
        }
    }
    let mean = |(sum, count): (f64, u32)| (count > 0).then(|| sum / f64::from(count));
    Outline { cpu: sums.into_iter().map(mean).collect(), memory }
}

/// A run as a store names it: format, workload, run.
pub type RunName<'a> = (&'a str, &'a str, u32);

/// Which stretch of a run is outlined: from and to.
pub type Span<'a> = &'a (dyn Fn(&Workload) -> (Micros, Micros) + Sync);

/// Reads the samples of the runs in `wanted` and returns the outline of each, in their order; an empty one for a run that the
/// store does not hold. Only buckets that hold one of them are read, in parallel; each run is told to `progress` as a row.
///
/// # Errors
/// The store is damaged.
pub fn read_outlines(
    store: &Store,
    wanted: &[RunName<'_>],
    span: Span<'_>,
    steps: usize,
    progress: &dyn Progress,
) -> Result<Vec<Outline>, StoreError> {
    let positions: BTreeMap<RunName<'_>, usize> = wanted.iter().copied().zip(0..).collect();
    let position = |run: &Workload| positions.get(&(run.format.as_str(), run.id.as_str(), run.run)).copied();
    let mut buckets: Vec<(u32, Vec<Workload>)> = store.sampled_runs()?.into_iter().collect();
    buckets.retain(|(_, runs)| runs.iter().any(|run| position(run).is_some()));
    let found: Vec<Vec<(usize, Outline)>> = buckets
        .par_iter()
        .map(|(bucket, runs)| {
            let mut outlines = Vec::new();
            store.for_each_run(*bucket, runs, &mut |run, samples| {
                if let Some(at) = position(run) {
                    let (from, to) = span(run);
                    outlines.push((at, outline(samples, from, to, steps)));
                    progress.rows(1);
                }
                Ok::<(), StoreError>(())
            })?;
            Ok(outlines)
        })
        .collect::<Result<_, StoreError>>()?;
    let mut outlines = vec![Outline::default(); wanted.len()];
    for (at, outline) in found.into_iter().flatten() {
        outlines[at] = outline;
    }
    Ok(outlines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(start: i64, duration: i64, cpu: f64, memory: f64) -> Sample {
        Sample {
            start: Micros::from_seconds(start),
            duration: Micros::from_seconds(duration),
            cpu: Some(cpu),
            memory: Some(memory),
            ..Sample::default()
        }
    }

    #[test]
    fn steps_hold_means_of_cpu_and_maxima_of_memory() {
        let samples =
            [sample(0, 10, 1.0, 5.0), sample(10, 10, 3.0, 4.0), sample(20, 20, 2.0, 9.0), sample(90, 10, 7.0, 1.0)];
        let found = outline(&samples, Micros::ZERO, Micros::from_seconds(60), 3);
        assert_eq!(found.cpu, [Some(2.0), Some(2.0), None]);
        assert_eq!(found.memory, [Some(5.0), Some(9.0), None]);
    }

    #[test]
    fn instants_and_edges_fall_into_one_step() {
        let samples =
            [sample(5, 0, 1.0, 1.0), sample(10, 0, 2.0, 2.0), sample(20, 0, 9.0, 9.0), sample(-5, 5, 8.0, 8.0)];
        let found = outline(&samples, Micros::ZERO, Micros::from_seconds(20), 2);
        assert_eq!(found.cpu, [Some(1.0), Some(2.0)]);
        assert_eq!(
            outline(&samples, Micros::ZERO, Micros::ZERO, 2),
            Outline { cpu: vec![None; 2], memory: vec![None; 2] }
        );
        assert_eq!(outline(&samples, Micros::ZERO, Micros::from_seconds(20), 0), Outline::default());
    }
}
