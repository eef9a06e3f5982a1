//! What would have happened with an allocation that the trace never had.
//!
//! F0 conserves CPU work: a throttled run takes longer and holds its memory longer; a run whose memory exceeds the
//! allocation is killed, waits, and starts again with a larger one. F1 changes nothing and counts violations. F2 loses
//! what does not fit: CPU demand above the allocation disappears, and after a kill the run goes on where it stood.
//! Not modelled: added replicas, load moving to other tasks, a heap that adapts to its limit, contention on the node.

use serde::Serialize;

use super::series::Series;

/// How the run reacts to its allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum FeedbackModel {
    /// Work is conserved, kills restart.
    F0,
    /// The raw trace.
    F1,
    /// Load is lost.
    F2,
}

/// Settings of a simulation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeedbackParams {
    /// The model.
    pub model: FeedbackModel,
    /// Where on the run's own time the simulation begins, in seconds (the learning window).
    pub from: f64,
    /// Whether the CPU allocation is a limit and not only a request.
    pub cpu_limit: bool,
    /// Whether a restart goes on at the same place (service) instead of at the beginning (batch).
    pub service: bool,
    /// Largest memory a machine has; nothing if unknown.
    pub memory_cap: Option<f64>,
    /// Seconds between a kill and the restart (our value: 10).
    pub restart_delay: f64,
    /// Kills after which the run "never fits" (our value: 10).
    pub most_attempts: usize,
}

/// One attempt that ended in an OOM kill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attempt {
    /// Memory allocation that was in force.
    pub allocation: f64,
    /// Largest memory seen in this attempt before the kill.
    pub seen: f64,
    /// Real seconds since the simulation began, at the kill.
    pub at: f64,
}

/// What the simulation found. Amounts are in the store's units times seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FeedbackRun {
    /// Real time from the beginning of the simulation to the end of the run, with restarts.
    pub real_seconds: f64,
    /// OOM kills (F1: 1 if the allocation was ever too small).
    pub oom_kills: u32,
    /// Whether it was given up.
    pub never_fits: bool,
    /// Memory allocation times time of failed attempts.
    pub memory_lost: f64,
    /// Memory allocation above use over what ran to the end.
    pub memory_waste: f64,
    /// Memory allocation times time over everything.
    pub memory_allocated: f64,
    /// CPU allocation above use.
    pub cpu_waste: f64,
    /// CPU allocation times time over everything.
    pub cpu_allocated: f64,
    /// CPU demand that disappeared (F2).
    pub cpu_lost: f64,
}

impl FeedbackRun {
    /// Returns memory wasted with retries: the failed attempts, and allocation above use of the last.
    pub fn memory_wasted(&self) -> f64 {
        self.memory_lost + self.memory_waste
    }
}

/// Runs `series` with the given allocations. `bump` gives the memory allocation after the kills so far (oldest first);
/// nothing means that the run is given up.
pub fn simulate(
    series: &Series,
    cpu: Option<f64>,
    memory: Option<f64>,
    params: &FeedbackParams,
    bump: &dyn Fn(&[Attempt]) -> Option<f64>,
) -> FeedbackRun {
    let cap = params.memory_cap.unwrap_or(f64::INFINITY);
    let mut run = FeedbackRun::default();
    let mut kills: Vec<Attempt> = Vec::new();
    let mut allocation = memory.map(|memory| memory.min(cap));
    let mut from = params.from;
    'attempts: loop {
        // What this attempt adds; a batch attempt that is killed adds its allocation to the losses instead.
        let (mut seconds, mut seen, mut waste, mut allocated, mut cpu_waste) = (0.0, 0.0_f64, 0.0, 0.0, 0.0);
        let mut cpu_allocated = 0.0;
        for step in series.after(from) {
            let over = match (allocation, step.memory_peak) {
                (Some(allocation), Some(peak)) if peak > allocation => Some((allocation, peak)),
                _ => None,
            };
            if let Some((in_force, _)) = over {
                if params.model == FeedbackModel::F1 {
                    run.oom_kills = 1;
                } else {
                    run.oom_kills += 1;
                    run.real_seconds += seconds;
                    run.memory_allocated += allocated;
                    run.cpu_allocated += cpu_allocated;
                    run.cpu_waste += cpu_waste;
                    let keeps_progress = params.service || params.model == FeedbackModel::F2;
                    if keeps_progress {
                        run.memory_waste += waste;
                        from = step.from;
                    } else {
                        run.memory_lost += in_force * seconds;
                        from = 0.0;
                    }
                    kills.push(Attempt { allocation: in_force, seen, at: run.real_seconds });
                    let next = bump(&kills).map(|next| next.min(cap));
                    let grows = next.is_some_and(|next| next > in_force);
                    if kills.len() >= params.most_attempts || !grows {
                        run.never_fits = true;
                        return run;
                    }
                    allocation = next;
                    if params.model == FeedbackModel::F0 {
                        run.real_seconds += params.restart_delay;
                    }
                    continue 'attempts;
                }
            }
            let real = real_seconds(step.seconds, step.cpu, cpu, params);
            seconds += real;
            if let (Some(allocation), Some(used)) = (allocation, step.memory) {
                waste += (allocation - used).max(0.0) * real;
                allocated += allocation * real;
            }
            if let Some(peak) = step.memory_peak {
                seen = seen.max(peak);
            }
            if let (Some(allocation), Some(demand)) = (cpu, step.cpu) {
                cpu_allocated += allocation * real;
                // A throttled step uses all it has; its work is the same, spread over more time.
                let used = if params.cpu_limit { demand.min(allocation) } else { demand };
                cpu_waste += (allocation - used).max(0.0) * real;
                if params.model == FeedbackModel::F2 {
                    run.cpu_lost += (demand - allocation).max(0.0) * real;
                }
            }
        }
        run.real_seconds += seconds;
        run.memory_waste += waste;
        run.memory_allocated += allocated;
        run.cpu_allocated += cpu_allocated;
        run.cpu_waste += cpu_waste;
        return run;
    }
}

/// Returns how long a step takes: longer where a CPU limit throttles conserved work. A limit of 0 cannot be waited for;
/// it counts as 1 % of the demand, so that the time stays finite.
fn real_seconds(trace_seconds: f64, demand: Option<f64>, allocation: Option<f64>, params: &FeedbackParams) -> f64 {
    match (demand, allocation) {
        (Some(demand), Some(allocation))
            if params.cpu_limit && params.model == FeedbackModel::F0 && demand > allocation =>
        {
            trace_seconds * (demand / allocation.max(demand * 0.01))
        }
        _ => trace_seconds,
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use super::super::series::Step;
    use super::*;

    fn params(model: FeedbackModel) -> FeedbackParams {
        FeedbackParams {
            model,
            from: 0.0,
            cpu_limit: true,
            service: false,
            memory_cap: None,
            restart_delay: 10.0,
            most_attempts: 10,
        }
    }

    fn series(steps: &[(f64, f64, f64)]) -> Series {
        let mut from = 0.0;
        let steps = steps.iter().map(|(seconds, cpu, memory)| {
            let step =
                Step { from, seconds: *seconds, cpu: Some(*cpu), memory: Some(*memory), memory_peak: Some(*memory) };
            from += seconds;
            step
        });
        Series { steps: steps.collect() }
    }

    fn double(kills: &[Attempt]) -> Option<f64> {
        kills.last().map(|kill| kill.allocation * 2.0)
    }

    #[test]
    fn throttled_work_takes_longer_when_conserved_and_disappears_when_lost() {
        let demand = series(&[(60.0, 2.0, 1.0)]);
        let conserved = simulate(&demand, Some(1.0), Some(2.0), &params(FeedbackModel::F0), &double);
        assert_eq!((conserved.real_seconds, conserved.cpu_allocated), (120.0, 120.0));
        // Memory is held as long as the run takes.
        assert_eq!(conserved.memory_waste, 120.0);
        let lost = simulate(&demand, Some(1.0), Some(2.0), &params(FeedbackModel::F2), &double);
        assert_eq!((lost.real_seconds, lost.cpu_lost), (60.0, 60.0));
        let request = FeedbackParams { cpu_limit: false, ..params(FeedbackModel::F0) };
        assert_eq!(simulate(&demand, Some(1.0), Some(2.0), &request, &double).real_seconds, 60.0);
    }

    #[test]
    fn a_killed_batch_run_starts_again_and_a_service_goes_on() {
        let demand = series(&[(30.0, 0.0, 1.0), (30.0, 0.0, 3.0)]);
        let batch = simulate(&demand, None, Some(2.0), &params(FeedbackModel::F0), &double);
        assert_eq!((batch.oom_kills, batch.real_seconds), (1, 100.0));
        assert_eq!((batch.memory_lost, batch.memory_waste), (60.0, 120.0));
        let service = FeedbackParams { service: true, ..params(FeedbackModel::F0) };
        let service = simulate(&demand, None, Some(2.0), &service, &double);
        assert_eq!((service.real_seconds, service.memory_lost, service.memory_waste), (70.0, 0.0, 60.0));
    }

    #[test]
    fn the_raw_trace_only_counts() {
        let demand = series(&[(30.0, 0.0, 1.0), (30.0, 0.0, 3.0)]);
        let raw = simulate(&demand, None, Some(2.0), &params(FeedbackModel::F1), &double);
        assert_eq!((raw.oom_kills, raw.real_seconds, raw.memory_lost, raw.memory_waste), (1, 60.0, 0.0, 30.0));
    }

    #[test]
    fn what_does_not_fit_the_largest_machine_is_given_up() {
        let demand = series(&[(10.0, 0.0, 9.0)]);
        let capped = FeedbackParams { memory_cap: Some(8.0), ..params(FeedbackModel::F0) };
        let run = simulate(&demand, None, Some(1.0), &capped, &double);
        assert!(run.never_fits);
        assert_eq!(run.oom_kills, 4);
    }
}
