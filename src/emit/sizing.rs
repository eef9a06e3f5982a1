//! Requests and limits from a prediction: rounded up, checked against each other.

use crate::predict::{Decision, Prediction};
use crate::units::{Bytes, Cores};

use super::{EmitError, EmitOptions};

/// Whether CPU is limited.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum CpuLimit {
    /// No limit: a limit throttles even on an idle node, and the request already guards the share under contention.
    #[default]
    None,
    /// The request times this factor, at least 1.
    Factor(f64),
}

/// Requests and limits of one container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizing {
    /// CPU request, whole millicores.
    pub cpu_request: Cores,
    /// Memory request, whole MiB.
    pub memory_request: Bytes,
    /// CPU limit, whole millicores.
    pub cpu_limit: Option<Cores>,
    /// Memory limit, whole MiB.
    pub memory_limit: Bytes,
}

/// Returns `cpu` rounded up to a whole millicore, at least one.
pub(super) fn round_cpu(cpu: Cores) -> Cores {
    Cores::from_millis(cpu.millis_up().max(1))
}

/// Returns `memory` rounded up to a whole MiB, at least one.
pub(super) fn round_memory(memory: Bytes) -> Bytes {
    Bytes::from_mebibytes(memory.mebibytes_up().max(1))
}

impl Sizing {
    /// Returns the sizes that `prediction` stands for.
    ///
    /// # Errors
    /// [`EmitError::Abstained`], [`EmitError::MissingResource`], [`EmitError::TooLarge`] (2^63 bytes, or what an
    /// amount of CPU can hold), [`EmitError::BadOption`] for a factor below 1, [`EmitError::OverLimit`].
    pub fn of(prediction: &Prediction, options: &EmitOptions) -> Result<Self, EmitError> {
        let workload = || prediction.workload.clone();
        if prediction.decision == Decision::Abstain {
            return Err(EmitError::Abstained { workload: workload() });
        }
        let missing = |resource| EmitError::MissingResource { workload: workload(), resource };
        let too_large = |what| EmitError::TooLarge { workload: workload(), what };
        let cpu = prediction.allocation.cpu.ok_or_else(|| missing("CPU"))?;
        let memory = prediction.allocation.memory.ok_or_else(|| missing("memory"))?;
        let cpu_request = round_cpu(cpu);
        let memory_request = round_memory(memory);
        if cpu_request < cpu {
            return Err(too_large("the CPU request"));
        }
        let cpu_limit = match options.cpu_limit {
            CpuLimit::None => None,
            CpuLimit::Factor(factor) => {
                let factor = checked_factor("the CPU limit factor", factor)?;
                let limit = Cores::from_f64_up(cpu_request.as_f64() * factor);
                Some(round_cpu(limit.map_err(|_out_of_range| too_large("the CPU limit"))?).max(cpu_request))
            }
        };
        let factor = checked_factor("the memory limit factor", options.memory_limit_factor)?;
        let memory_limit = Bytes::from_f64_up(memory_request.as_f64() * factor);
        let memory_limit = round_memory(memory_limit.map_err(|_out_of_range| too_large("the memory limit"))?);
        let memory_limit = memory_limit.max(memory_request);
        if i64::try_from(memory_limit.get()).is_err() {
            return Err(too_large("the memory"));
        }
        let sizing = Self { cpu_request, memory_request, cpu_limit, memory_limit };
        if sizing.cpu_limit.is_some_and(|limit| limit < sizing.cpu_request) {
            return Err(EmitError::OverLimit { workload: workload(), what: "CPU" });
        }
        if sizing.memory_limit < sizing.memory_request {
            return Err(EmitError::OverLimit { workload: workload(), what: "memory" });
        }
        Ok(sizing)
    }
}

fn checked_factor(option: &'static str, factor: f64) -> Result<f64, EmitError> {
    if factor.is_finite() && factor >= 1.0 {
        return Ok(factor);
    }
    Err(EmitError::BadOption { option, value: factor.to_string(), expected: "a finite number of at least 1" })
}
