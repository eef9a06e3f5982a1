//! Machines and rankings as data.

use serde::Serialize;

use super::{InstanceType, Placement, Ranking};
use crate::emit::record::finite;

/// One type; unknown values are `null`.
#[derive(Debug, Serialize)]
pub struct InstanceRecord<'a> {
    provider: &'static str,
    name: &'a str,
    family: &'a str,
    category: Option<&'static str>,
    arch: Option<&'static str>,
    vcpu: f64,
    memory_bytes: u64,
    network_bytes_per_s: Option<u64>,
    network_is_sustained: bool,
    price_usd_hour: Option<f64>,
    price_source: &'a str,
}

impl<'a> InstanceRecord<'a> {
    /// Returns the object of `instance`.
    pub fn of(instance: &'a InstanceType) -> Self {
        Self {
            provider: instance.provider.name(),
            name: &instance.name,
            family: &instance.family,
            category: instance.category.map(super::Category::name),
            arch: instance.architecture.map(super::Architecture::name),
            vcpu: instance.vcpu.as_f64(),
            memory_bytes: instance.memory.get(),
            network_bytes_per_s: instance.network.map(crate::units::BytesPerSecond::get),
            network_is_sustained: instance.provider.promises_network(),
            price_usd_hour: instance.price.map(super::HourlyPrice::as_dollars).and_then(finite),
            price_source: &instance.price_source,
        }
    }
}

/// Machines of one type that hold all replicas.
#[derive(Debug, Serialize)]
struct PlacementRecord<'a> {
    count: u32,
    replicas_per_instance: u32,
    bound_by: &'static str,
    price_usd_hour: Option<f64>,
    allocatable_cpu_cores: f64,
    allocatable_memory_bytes: u64,
    instance: InstanceRecord<'a>,
}

impl<'a> PlacementRecord<'a> {
    fn of(placement: &'a Placement) -> Self {
        Self {
            count: placement.count,
            replicas_per_instance: placement.per_instance,
            bound_by: placement.bound.name(),
            price_usd_hour: finite(placement.price.as_dollars()),
            allocatable_cpu_cores: placement.allocatable.cpu.as_f64(),
            allocatable_memory_bytes: placement.allocatable.memory.get(),
            instance: InstanceRecord::of(&placement.instance),
        }
    }
}

/// The choice and what else would do.
#[derive(Debug, Serialize)]
pub struct RankingRecord<'a> {
    replicas: u32,
    cpu_cores: f64,
    memory_bytes: u64,
    network_bytes_per_s: Option<u64>,
    choice: Option<PlacementRecord<'a>>,
    runners_up: Vec<PlacementRecord<'a>>,
}

impl<'a> RankingRecord<'a> {
    /// Returns the object of `ranking` with at most `most` placements.
    pub fn of(ranking: &'a Ranking, most: usize) -> Self {
        let mut placements = ranking.placements.iter().take(most.max(1)).map(PlacementRecord::of);
        Self {
            replicas: ranking.demand.replicas,
            cpu_cores: ranking.demand.cpu.as_f64(),
            memory_bytes: ranking.demand.memory.get(),
            network_bytes_per_s: ranking.demand.network.map(crate::units::BytesPerSecond::get),
            choice: placements.next(),
            runners_up: placements.collect(),
        }
    }
}
