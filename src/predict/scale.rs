//! What the store's numbers mean: conversion to cores and bytes for constants of rivals, and to the report's units.

use serde::Serialize;

use crate::store::MachineSize;
use crate::trace::{CpuUnit, MemoryUnit, UnitContract};

/// 2^30.
const GIBI: f64 = 1_073_741_824.0;

/// How many cores and bytes one unit of the store is; nothing for a fraction of a machine whose size was not given.
///
/// Rivals have absolute constants (floors, first buckets, steps of 100 MiB). Where the unit is unknown they are
/// switched off, and the report says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Cores per unit of CPU.
    pub cores_per_unit: Option<f64>,
    /// Bytes per unit of memory.
    pub bytes_per_unit: Option<f64>,
    /// The largest machine's CPU, in the store's unit, where it is known: no allocation exceeds it.
    pub machine_cpu: Option<f64>,
    /// The largest machine's memory, in the store's unit, where it is known.
    pub machine_memory: Option<f64>,
}

impl Scale {
    /// Returns the scale of a store.
    pub fn new(units: UnitContract, machine: MachineSize) -> Self {
        let cores = machine.cores().map(crate::units::Cores::as_f64).filter(|cores| *cores > 0.0);
        let bytes = machine.memory().map(crate::units::Bytes::as_f64).filter(|bytes| *bytes > 0.0);
        let (cores_per_unit, machine_cpu) = match units.cpu {
            CpuUnit::Cores => (Some(1.0), cores),
            CpuUnit::MachineFraction => (cores, Some(1.0)),
        };
        let (bytes_per_unit, machine_memory) = match units.memory {
            MemoryUnit::Bytes => (Some(1.0), bytes),
            MemoryUnit::MachineFraction => (bytes, Some(1.0)),
        };
        Self { cores_per_unit, bytes_per_unit, machine_cpu, machine_memory }
    }

    /// Returns what the report's numbers are.
    pub fn output(&self) -> OutputUnits {
        let fraction = "fraction of the largest machine";
        OutputUnits {
            cpu: if self.cores_per_unit.is_some() { "cores" } else { fraction },
            memory: if self.bytes_per_unit.is_some() { "GiB" } else { fraction },
            cpu_factor: self.cores_per_unit.unwrap_or(1.0),
            memory_factor: self.bytes_per_unit.map_or(1.0, |bytes| bytes / GIBI),
        }
    }
}

/// The units of a report, and what the store's numbers are multiplied by to get there. Integrals over time are per
/// hour: core-hours and GiB-hours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OutputUnits {
    /// Unit of CPU figures.
    pub cpu: &'static str,
    /// Unit of memory figures.
    pub memory: &'static str,
    /// Report's CPU per store's CPU.
    pub cpu_factor: f64,
    /// Report's memory per store's memory.
    pub memory_factor: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::NetworkUnit;

    const NORMALISED: UnitContract =
        UnitContract { cpu: CpuUnit::MachineFraction, memory: MemoryUnit::MachineFraction, network: NetworkUnit::None };

    #[test]
    fn normalised_store_without_machine_size_stays_in_fractions() {
        let scale = Scale::new(NORMALISED, MachineSize { nanocores: None, memory_bytes: None });
        assert_eq!((scale.cores_per_unit, scale.machine_memory), (None, Some(1.0)));
        assert_eq!(scale.output().memory, "fraction of the largest machine");
    }

    #[test]
    fn normalised_store_with_machine_size_reports_cores_and_gibibytes() {
        let machine = MachineSize { nanocores: Some(64_000_000_000), memory_bytes: Some(1 << 38) };
        let output = Scale::new(NORMALISED, machine).output();
        assert_eq!((output.cpu, output.memory), ("cores", "GiB"));
        assert_eq!((output.cpu_factor, output.memory_factor), (64.0, 256.0));
    }
}
