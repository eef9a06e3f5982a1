//! What of a machine pods can use: nominal size less what the system and the kubelet keep for themselves.
//!
//! Google publishes tiers for CPU and memory ("Plan GKE Standard node sizes"); the start script of Amazon's EKS nodes
//! (`awslabs/amazon-eks-ami: files/bootstrap.sh`) takes the same CPU tiers and 255 MiB plus 11 MiB per pod; AKS has a table for
//! CPU and, since Kubernetes 1.29, the smaller of 20 MB per pod plus 50 MB and a quarter of the memory ("Node resource
//! reservations in AKS"). All three evict pods below 100 MiB of free memory. What `DaemonSets` take is the user's to add, as
//! headroom. `docs/integration.md` has the addresses.

use crate::units::{Bytes, Cores};

use super::{InstanceType, Provider};

/// What runs on the machine beside the workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reserve {
    /// A Kubernetes node of the provider's own service.
    #[default]
    Kubernetes,
    /// Nothing: a machine for the workload alone. Its operating system is covered by the headroom.
    Nothing,
}

/// What pods can use of one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocatable {
    /// CPU.
    pub cpu: Cores,
    /// Memory.
    pub memory: Bytes,
    /// The most pods.
    pub pods: u32,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The kubelet evicts pods when less than this is free (`memory.available`), on all three services.
const EVICTION: u64 = 100 * MIB;

/// Returns what is left of `instance` for pods.
pub fn allocatable(instance: &InstanceType, reserve: Reserve) -> Allocatable {
    let (cpu, memory) = (instance.vcpu, instance.memory);
    if reserve == Reserve::Nothing {
        return Allocatable { cpu, memory, pods: u32::MAX };
    }
    let pods = most_pods(instance);
    let reserved_cpu = match instance.provider {
        Provider::Azure => azure_cpu(cpu),
        _ => tiered_cpu(cpu),
    };
    let reserved_memory = match instance.provider {
        Provider::Aws => 255 * MIB + 11 * MIB * u64::from(pods),
        Provider::Azure => (20_000_000 * u64::from(pods) + 50_000_000).min(memory.get() / 4),
        Provider::Gcp | Provider::Other => tiered_memory(memory),
    };
    Allocatable {
        cpu: Cores::from_nanos(cpu.nanos().saturating_sub(reserved_cpu)),
        memory: Bytes::new(memory.get().saturating_sub(reserved_memory + EVICTION)),
        pods,
    }
}

/// Returns the most pods of a node: Kubernetes' own 110, and on AWS 250 from 30 vCPUs on (what Amazon's max-pods
/// calculator caps at; small nodes without prefix delegation take fewer).
fn most_pods(instance: &InstanceType) -> u32 {
    let is_large = instance.vcpu >= Cores::from_millis(30_000);
    if instance.provider == Provider::Aws && is_large { 250 } else { 110 }
}

/// Returns nanocores: 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest.
fn tiered_cpu(cpu: Cores) -> u64 {
    const CORE: u64 = 1_000_000_000;
    in_tiers(cpu.nanos(), &[(CORE, 600), (CORE, 100), (2 * CORE, 50), (u64::MAX, 25)])
}

/// Returns bytes: 255 MiB below 1 GiB; else 25 % of the first 4 GiB, 20 % of the next 4, 10 % of the next 8, 6 % of the
/// next 112, 2 % of the rest.
fn tiered_memory(memory: Bytes) -> u64 {
    if memory.get() < GIB {
        return 255 * MIB;
    }
    in_tiers(memory.get(), &[(4 * GIB, 2500), (4 * GIB, 2000), (8 * GIB, 1000), (112 * GIB, 600), (u64::MAX, 200)])
}

/// Returns the sum of shares (in ten-thousandths) of consecutive slices of `amount`, rounded up.
fn in_tiers(amount: u64, tiers: &[(u64, u64)]) -> u64 {
    let mut rest = amount;
    let mut sum: u128 = 0;
    for &(width, share) in tiers {
        let slice = rest.min(width);
        sum += u128::from(slice) * u128::from(share);
        rest -= slice;
    }
    u64::try_from(sum.div_ceil(10_000)).unwrap_or(u64::MAX)
}

/// Returns nanocores by the table of AKS; between its rows, the next larger machine's.
fn azure_cpu(cpu: Cores) -> u64 {
    const TABLE: [(u64, u64); 7] = [(1, 60), (2, 100), (4, 140), (8, 180), (16, 260), (32, 420), (64, 740)];
    let millis = |cores: u64| TABLE.iter().find(|(upto, _)| cores <= *upto).map(|(_, millis)| *millis);
    let cores = cpu.nanos().div_ceil(1_000_000_000);
    // Beyond the table: 10 millicores per core, the slope of its last rows.
    millis(cores).unwrap_or_else(|| 740 + (cores - 64) * 10) * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::instances::Catalogue;

    fn of(name: &str) -> Allocatable {
        let catalogue = Catalogue::built_in().unwrap();
        allocatable(catalogue.types().iter().find(|instance| instance.name == name).unwrap(), Reserve::Kubernetes)
    }

    #[test]
    fn the_published_examples_come_out() {
        // Google's own tables: e2-standard-4 (16 GiB) has 3.92 cores, and 25 % of 4 GiB + 20 % of 4 GiB + 10 % of 8 GiB
        // = 2.6 GiB reserved, then 100 MiB for eviction.
        let node = of("e2-standard-4");
        assert_eq!(node.cpu, Cores::from_millis(3920));
        assert_eq!(node.memory.get(), 16 * GIB - (26 * GIB).div_ceil(10) - 100 * MIB);
        // EKS, 2 vCPUs: 70 millicores and 255 + 11 * 110 MiB.
        let node = of("m7i.large");
        assert_eq!((node.cpu, node.pods), (Cores::from_millis(1930), 110));
        assert_eq!(node.memory.get(), 8 * GIB - 1565 * MIB);
        // AKS, 4 vCPUs: 140 millicores; 20 MB * 110 + 50 MB is less than a quarter of 16 GiB.
        let node = of("Standard_D4s_v5");
        assert_eq!(node.cpu, Cores::from_millis(3860));
        assert_eq!(node.memory.get(), 16 * GIB - 2_250_000_000 - 100 * MIB);
    }

    #[test]
    fn nothing_is_ever_larger_than_the_machine_or_below_zero() {
        for instance in Catalogue::built_in().unwrap().types() {
            let node = allocatable(instance, Reserve::Kubernetes);
            assert!(node.cpu < instance.vcpu && node.memory < instance.memory, "{}", instance.name);
            assert!(node.cpu.nanos() * 2 > instance.vcpu.nanos(), "{}", instance.name);
        }
        assert_eq!(in_tiers(0, &[(1, 1)]), 0);
    }
}
