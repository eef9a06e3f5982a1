//! An answer in the store's units to a prediction in cores and bytes, with its evidence.

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
    /// store, `digest` names the index.
    ///
    /// # Errors
    /// The store is normalised and the size of its machine unknown, or the question cannot be answered.
    pub fn predict(
        &self,
        newcomer: &Newcomer,
        question: &Question,
        machine: MachineSize,
        digest: &str,
    ) -> Result<Prediction, PredictError> {
        let scale = Scale::new(self.params.units, machine);
        let (Some(cores), Some(bytes)) = (scale.cores_per_unit, scale.bytes_per_unit) else {
            return Err(PredictError::machine_unknown(&scale));
        };
        let mut answer = self.answer(newcomer, question, Selection::Nearest, &|_| true)?;
        cap(&mut answer, &scale);
        let range = |resource, value| PredictError::Range { workload: newcomer.name.clone(), resource, value };
        let cpu = |value: f64| Cores::from_f64_up(value * cores).map_err(|_out_of_range| range("CPU", value));
        let memory = |value: f64| Bytes::from_f64_up(value * bytes).map_err(|_out_of_range| range("memory", value));
        let network = match self.params.units.network {
            NetworkUnit::BytesPerSecond => answer.network,
            NetworkUnit::Normalised | NetworkUnit::None => None,
        };
        let features = self.features_of(&newcomer.window, &newcomer.facts);
        let evidence = self.evidence(&features, question, &answer.support, &scale)?;
        Ok(Prediction {
            workload: newcomer.name.clone(),
            window_seconds: self.params.window.length.as_seconds(),
            observed_seconds: newcomer.window.observed_seconds,
            decision: answer.decision,
            passed_over: answer.passed_over,
            allocation: Allocation {
                cpu: answer.cpu.map(cpu).transpose()?,
                memory: answer.memory.map(memory).transpose()?,
                network: network
                    .map(|value| {
                        BytesPerSecond::from_f64_up(value).map_err(|_out_of_range| range("network bandwidth", value))
                    })
                    .transpose()?,
            },
            interval: Interval {
                cpu: answer
                    .cpu_interval
                    .map(|(low, high)| Ok::<_, PredictError>((cpu(low)?, cpu(high)?)))
                    .transpose()?,
                memory: answer
                    .memory_interval
                    .map(|(low, high)| Ok::<_, PredictError>((memory(low)?, memory(high)?)))
                    .transpose()?,
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
        let supported: Vec<(&Support, &Remembered)> =
            support.iter().filter_map(|support| Some((support, self.rows.get(support.row)?))).collect();
        let distances = self.distances_by_group(features, supported.iter().map(|(_, row)| *row), question)?;
        let mut evidence = Vec::with_capacity(supported.len());
        for ((support, row), distance_by_resource) in supported.into_iter().zip(distances) {
            let need = |resource: Resource| row.needs[resource as usize];
            let ratio = |need: Option<Need>| need.map(|need| need.need / need.level);
            let amount = |need: Option<Need>, unit: Option<f64>| need.zip(unit).map(|(need, unit)| need.need * unit);
            evidence.push(Evidence {
                workload: row.name(),
                application: row.application.clone(),
                distance: support.distance,
                weight: support.weight,
                // What a stored workload used fits into the units that the store was read in.
                memory_peak: amount(need(Resource::Memory), scale.bytes_per_unit)
                    .and_then(|bytes| Bytes::from_f64_up(bytes).ok()),
                cpu_p95: amount(need(Resource::Cpu), scale.cores_per_unit)
                    .and_then(|cores| Cores::from_f64_up(cores).ok()),
                memory_ratio: ratio(need(Resource::Memory)),
                cpu_ratio: ratio(need(Resource::Cpu)),
                distance_by_resource,
            });
        }
        Ok(evidence)
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
