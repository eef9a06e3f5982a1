//! Instances of which the trace has one row over the whole life and no series: what can be asked about at submission only.

use rayon::prelude::*;
use serde::Serialize;

use crate::profile::{WindowProfile, profile_life};
use crate::store::{Store, StoreError, Workload};
use crate::trace::{Amounts, Sample};

use super::Known;

/// Receives a profiled instance with its row.
pub type TakeInstance<'a, E> = &'a mut dyn FnMut(Known, &Sample) -> Result<(), E>;

/// How many instances are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// Most tasks; nothing for all.
    pub tasks: Option<u64>,
    /// Most instances of one task.
    pub per_task: u64,
}

/// How many instances were drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Drawn {
    /// Instances that were drawn.
    pub instances: u64,
    /// Instances that the store has.
    pub of: u64,
    /// Tasks that they belong to.
    pub tasks: u64,
    /// Tasks that the store has.
    pub of_tasks: u64,
    /// Most of one task.
    pub most_per_task: u64,
}

/// One bucket's instances with their rows, and how many it has.
type Bucket = (Vec<(Known, Sample)>, Drawn);

/// Profiles instances of tasks and hands each out as a run of its own with its row, by bucket, then by task and instance.
/// Of more tasks, and of more instances of a task, than `draw` says, those whose names have the least hashes are drawn: the
/// same ones each time. `cpu_share` is of no effect on a single row, but for the reader of the result.
///
/// An instance begins with its row and ends with it. It has no first window. Its request is its task's plan, which bounds
/// nothing: use above plan is normal in the traces that have such rows. Tasks without a statement about them are passed over.
///
/// # Errors
/// The store is damaged, or `take` fails.
pub fn read_instances<E: From<StoreError>>(
    store: &Store,
    draw: Draw,
    cpu_share: f64,
    take: TakeInstance<'_, E>,
) -> Result<Drawn, E> {
    let most = draw.per_task;
    let mut all: Vec<Workload> = store.workloads()?.into_iter().filter(|workload| workload.samples == 0).collect();
    let mut drawn = Drawn { of_tasks: all.len() as u64, most_per_task: most, ..Drawn::default() };
    if let Some(tasks) = draw.tasks.and_then(|tasks| usize::try_from(tasks).ok())
        && tasks < all.len()
    {
        all.sort_by_cached_key(|task| name_hash(&task.id, task.run, 0));
        all.truncate(tasks);
        all.sort_by(|a, b| (&a.format, &a.id, a.run).cmp(&(&b.format, &b.id, b.run)));
    }
    let mut tasks: Vec<Vec<Workload>> = vec![Vec::new(); store.manifest().buckets as usize];
    for workload in all {
        if let Some(bucket) = tasks.get_mut(workload.bucket as usize) {
            bucket.push(workload);
        }
    }
    let buckets: Vec<(u32, Vec<Workload>)> = (0..).zip(tasks).collect();
    for group in buckets.chunks(rayon::current_num_threads().max(1)) {
        let read: Vec<Result<Bucket, StoreError>> =
            group.par_iter().map(|(bucket, tasks)| draw_bucket(store, *bucket, tasks, most, cpu_share)).collect();
        for bucket in read {
            let (found, counts) = bucket?;
            drawn.instances += counts.instances;
            drawn.of += counts.of;
            drawn.tasks += counts.tasks;
            for (known, row) in found {
                take(known, &row)?;
            }
        }
    }
    Ok(drawn)
}

fn draw_bucket(
    store: &Store,
    bucket: u32,
    tasks: &[Workload],
    most: u64,
    cpu_share: f64,
) -> Result<Bucket, StoreError> {
    let mut found = Vec::new();
    let mut counts = Drawn::default();
    let mut rest = tasks.iter().peekable();
    store.for_each_summary(bucket, &mut |id, run, rows| {
        while rest.next_if(|task| (task.id.as_str(), task.run) < (id, run)).is_some() {}
        counts.of += rows.len() as u64;
        let Some(task) = rest.peek().filter(|task| task.id == id && task.run == run) else { return Ok(()) };
        counts.tasks += 1;
        for number in least_hashes(id, run, rows.len(), most) {
            let row = rows[number];
            found.push((known(task, number, &row, cpu_share), row));
            counts.instances += 1;
        }
        Ok::<(), StoreError>(())
    })?;
    Ok((found, counts))
}

/// Returns up to `most` of the numbers below `count` whose names have the least hashes, ascending.
fn least_hashes(id: &str, run: u32, count: usize, most: u64) -> Vec<usize> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut numbers: Vec<usize> = (0..count).collect();
    if most < count {
        numbers.sort_by_cached_key(|number| name_hash(id, run, *number));
        numbers.truncate(most);
        numbers.sort_unstable();
    }
    numbers
}

/// Returns what draws are ordered by: portable, and a function of the name alone.
fn name_hash(id: &str, run: u32, number: usize) -> [u8; 32] {
    *blake3::hash(format!("{id}#{run}#{number}").as_bytes()).as_bytes()
}

/// Returns one instance as a run of its own, numbered within its task.
fn known(task: &Workload, number: usize, row: &Sample, cpu_share: f64) -> Known {
    let workload = Workload {
        run: u32::try_from(number).unwrap_or(u32::MAX),
        start: Some(row.start),
        end: Some(row.start.plus(row.duration)),
        largest_request: Amounts::default(),
        samples: 1,
        first_sample: Some(row.start),
        last_sample: Some(row.start.plus(row.duration)),
        ..task.clone()
    };
    let life = profile_life(std::slice::from_ref(row), &workload, cpu_share);
    Known { workload, window: WindowProfile::default(), life }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Micros;

    #[test]
    fn instances_are_drawn_by_their_names_alone() {
        assert_eq!(least_hashes("j_1/M1", 0, 3, 5), [0, 1, 2]);
        let few = least_hashes("j_1/M1", 0, 1000, 10);
        assert_eq!(few.len(), 10);
        assert!(few.is_sorted());
        // Who is drawn first stays drawn when more are.
        let more = least_hashes("j_1/M1", 0, 1000, 20);
        assert!(few.iter().all(|number| more.contains(number)));
        assert_ne!(few, least_hashes("j_1/M2", 0, 1000, 10));
    }

    #[test]
    fn an_instance_needs_its_maximum_and_is_bounded_by_no_plan() {
        let mut task = Workload::new("j_1/M1", "alibaba-2018", Some(Micros::from_seconds(5)), None);
        task.request = Amounts { cpu: Some(1.0), memory: Some(0.01), disk: None };
        task.largest_request = task.request;
        let row = Sample {
            start: Micros::from_seconds(10),
            duration: Micros::from_seconds(30),
            cpu: Some(1.5),
            memory: Some(0.01),
            memory_max: Some(0.02),
            ..Sample::default()
        };
        let one = known(&task, 7, &row, 0.95);
        assert_eq!((one.life.memory_peak, one.life.cpu_need, one.life.seconds), (Some(0.02), Some(1.5), 30.0));
        assert_eq!(one.life.censoring, crate::profile::Censoring::default());
        assert_eq!((one.workload.run, one.workload.request), (7, task.request));
        assert_eq!(one.window.samples, 0);
    }
}
