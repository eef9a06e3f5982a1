//! An answer in the store's units to a prediction in cores and bytes, with its evidence.

use std::borrow::Cow;

use crate::store::MachineSize;
use crate::trace::NetworkUnit;
use crate::units::{Bytes, BytesPerSecond, Cores};

use super::knowledge::Knowledge;
use super::need::{Need, Remembered, Resource};
use super::{
    Allocation, Answer, Evidence, Interval, Newcomer, PredictError, Prediction, Question, Scale, Selection, Support,
};

impl Knowledge {
    /// Predicts what `newcomer` (in the store's units) needs, in cores and bytes. `machine` is the largest machine of the
    /// store, `digest` names the index. To `explain`, it is asked once more per neighbour, without it.
    ///
    /// # Errors
    /// The store is normalised and the size of its machine unknown, or the question cannot be answered.
    pub fn predict(
        &self,
        newcomer: &Newcomer,
        question: &Question,
        machine: MachineSize,
        digest: &str,
        explain: bool,
    ) -> Result<Prediction, PredictError> {
        let scale = Scale::new(self.params.units, machine);
        let (Some(cores), Some(bytes)) = (scale.cores_per_unit, scale.bytes_per_unit) else {
            return Err(PredictError::machine_unknown(&scale));
        };
        let mut answer = self.answer(newcomer, question, Selection::Nearest, &|_| true)?;
        cap(&mut answer, &scale);
        let amounts = Amounts { cores, bytes, network: self.params.units.network, workload: &newcomer.name };
        let features = self.features_of(&newcomer.window, &newcomer.facts);
        let mut evidence = self.evidence(&features, question, &answer.support, &scale)?;
        if explain {
            for (one, support) in evidence.iter_mut().zip(&answer.support) {
                let admits = |row: usize| row != support.row;
                let mut other = self.answer(newcomer, question, Selection::Nearest, &admits)?;
                cap(&mut other, &scale);
                one.without = Some(amounts.allocation(&other)?);
            }
        }
        let allocation = amounts.allocation(&answer)?;
        Ok(Prediction {
            workload: newcomer.name.clone(),
            window_seconds: self.params.window.length.as_seconds(),
            observed_seconds: newcomer.window.observed_seconds,
            decision: answer.decision,
            passed_over: answer.passed_over,
            allocation,
            interval: Interval {
                cpu: answer.cpu_interval.map(|ends| amounts.both(ends, Amounts::cpu)).transpose()?,
                memory: answer.memory_interval.map(|ends| amounts.both(ends, Amounts::memory)).transpose()?,
            },
            coverage: question.coverage,
            novelty: answer.novelty,
            neighbours: evidence,
            store_workloads: self.rows.len() as u64,
            store_digest: digest.to_owned(),
            warnings: answer.warnings,
        })
    }

    /// Returns the workloads of `support` with what sets each apart from a row of features. Amounts are missing where
    /// the store's unit is not known.
    pub(super) fn evidence(
        &self,
        features: &[Option<f64>],
        question: &Question,
        support: &[Support],
        scale: &Scale,
    ) -> Result<Vec<Evidence>, PredictError> {
        let mut supported: Vec<(&Support, Cow<'_, Remembered>)> = Vec::with_capacity(support.len());
        for one in support {
            supported.extend(self.row(one.row)?.map(|row| (one, row)));
        }
        let distances = self.distances_by_group(features, supported.iter().map(|(_, row)| &**row), question)?;
        let mut evidence = Vec::with_capacity(supported.len());
        for ((support, row), distance_by_resource) in supported.into_iter().zip(distances) {
            let need = |resource: Resource| row.needs[resource as usize];
            let ratio = |need: Option<Need>| need.map(|need| need.need / need.level);
            let amount = |need: Option<Need>, unit: Option<f64>| need.zip(unit).map(|(need, unit)| need.need * unit);
            evidence.push(Evidence {
                workload: row.name(),
                application: row.application.clone(),
                distance: support.distance,
                similarity: support.similarity,
                weight: support.weight,
                memory_share: support.shares[Resource::Memory as usize],
                cpu_share: support.shares[Resource::Cpu as usize],
                // What a stored workload used fits into the units that the store was read in.
                memory_peak: amount(need(Resource::Memory), scale.bytes_per_unit)
                    .and_then(|bytes| Bytes::from_f64_up(bytes).ok()),
                cpu_p95: amount(need(Resource::Cpu), scale.cores_per_unit)
                    .and_then(|cores| Cores::from_f64_up(cores).ok()),
                memory_ratio: ratio(need(Resource::Memory)),
                cpu_ratio: ratio(need(Resource::Cpu)),
                distance_by_resource,
                without: None,
            });
        }
        Ok(evidence)
    }
}

/// How amounts in the store's units become cores and bytes.
struct Amounts<'a> {
    cores: f64,
    bytes: f64,
    network: NetworkUnit,
    workload: &'a str,
}

impl Amounts<'_> {
    fn range(&self, resource: &'static str, value: f64) -> PredictError {
        PredictError::Range { workload: self.workload.to_owned(), resource, value }
    }

    fn cpu(&self, value: f64) -> Result<Cores, PredictError> {
        Cores::from_f64_up(value * self.cores).map_err(|_out_of_range| self.range("CPU", value))
    }

    fn memory(&self, value: f64) -> Result<Bytes, PredictError> {
        Bytes::from_f64_up(value * self.bytes).map_err(|_out_of_range| self.range("memory", value))
    }

    fn network(&self, value: f64) -> Result<BytesPerSecond, PredictError> {
        BytesPerSecond::from_f64_up(value).map_err(|_out_of_range| self.range("network bandwidth", value))
    }

    fn both<T>(
        &self,
        (low, high): (f64, f64),
        of: fn(&Self, f64) -> Result<T, PredictError>,
    ) -> Result<(T, T), PredictError> {
        Ok((of(self, low)?, of(self, high)?))
    }

    fn allocation(&self, answer: &Answer) -> Result<Allocation, PredictError> {
        let network = answer.network.filter(|_| self.network == NetworkUnit::BytesPerSecond);
        Ok(Allocation {
            cpu: answer.cpu.map(|value| self.cpu(value)).transpose()?,
            memory: answer.memory.map(|value| self.memory(value)).transpose()?,
            network: network.map(|value| self.network(value)).transpose()?,
        })
    }
}

/// Bounds what is asked for by the largest machine, where it is known, and says so.
fn cap(answer: &mut Answer, scale: &Scale) {
    let mut capped = Vec::new();
    let mut bound = |amount: &mut Option<f64>, interval: &mut Option<(f64, f64)>, most: Option<f64>, name| {
        let Some(most) = most else { return };
        if amount.is_some_and(|amount| amount > most) {
            *amount = Some(most);
            capped.push(name);
        }
        if let Some((low, high)) = interval {
            *low = low.min(most);
            *high = high.min(most);
        }
    };
    bound(&mut answer.cpu, &mut answer.cpu_interval, scale.machine_cpu, "CPU");
    bound(&mut answer.memory, &mut answer.memory_interval, scale.machine_memory, "memory");
    for name in capped {
        answer.warnings.push(format!("the {name} answer is larger than the largest machine and was cut to it"));
    }
}
