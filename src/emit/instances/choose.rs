//! The cheapest machines that hold a workload's replicas, and what else would do.
//!
//! All machines of an answer are of one type, as in a node group or an instance group. Replicas are alike, so that as
//! many as fit on one machine decide how many machines it takes: cost is `ceil(replicas / fit) * price`, and the best
//! type is found by looking at each. Cost: one pass over the catalogue.

use crate::units::{Bytes, BytesPerSecond, Cores};

use super::reserve::Allocatable;
use super::{Catalogue, Filter, HourlyPrice, InstanceType, Reserve, allocatable};

/// What the replicas of a workload need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// CPU of each.
    pub cpu: Cores,
    /// Memory of each.
    pub memory: Bytes,
    /// Network of each, where it is known.
    pub network: Option<BytesPerSecond>,
    /// How many there are, at least 1.
    pub replicas: u32,
}

/// The share of what pods can use that stays free, in thousandths below 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headroom(u16);

impl Headroom {
    /// Returns a share in thousandths, if it is below 1000.
    pub const fn from_permille(permille: u16) -> Option<Self> {
        if permille < 1000 { Some(Self(permille)) } else { None }
    }

    /// Returns the thousandths.
    pub const fn permille(self) -> u16 {
        self.0
    }

    /// Returns what may be used of `amount`, rounded down.
    fn usable(self, amount: u64) -> u64 {
        let used = u128::from(amount) * u128::from(1000 - self.0) / 1000;
        u64::try_from(used).unwrap_or(amount)
    }
}

impl Default for Headroom {
    /// A tenth: the operating system's own memory (Karpenter counts 7.5 %) and small `DaemonSets`.
    fn default() -> Self {
        Self(100)
    }
}

/// Under which terms a machine is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// What it must be.
    pub filter: Filter,
    /// What else runs on it.
    pub reserve: Reserve,
    /// What stays free.
    pub headroom: Headroom,
}

/// What decides how many replicas fit on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// CPU.
    Cpu,
    /// Memory.
    Memory,
    /// Network.
    Network,
    /// The most pods of a node.
    Pods,
}

impl Bound {
    /// Returns the name of the resource.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Network => "network",
            Self::Pods => "pods",
        }
    }
}

/// The replicas on machines of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The type.
    pub instance: InstanceType,
    /// What pods can use of one, before headroom.
    pub allocatable: Allocatable,
    /// How many machines.
    pub count: u32,
    /// The most replicas on one of them.
    pub per_instance: u32,
    /// What would stop one more replica on a machine.
    pub bound: Bound,
    /// All machines together.
    pub price: HourlyPrice,
}

/// What holds the demand, the cheapest first: one placement per family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    /// What was asked for.
    pub demand: Demand,
    /// The best, then the best of each other family; equal prices: fewer machines, then fewer vCPUs, then by name.
    pub placements: Vec<Placement>,
    /// Types that the filter allowed.
    pub considered: usize,
    /// Types that would fit and have no price.
    pub without_price: usize,
}

/// Ranks the types of `catalogue` for `demand`.
pub fn rank(catalogue: &Catalogue, demand: &Demand, terms: &Terms) -> Ranking {
    let types = catalogue.filtered(&terms.filter);
    let considered = types.len();
    let mut without_price = 0;
    let mut all = Vec::new();
    for instance in types {
        let Some((per_instance, bound)) = fitting(instance, demand, terms) else { continue };
        let Some(price) = instance.price else {
            without_price += 1;
            continue;
        };
        let count = demand.replicas.max(1).div_ceil(per_instance);
        all.push(Placement {
            instance: instance.clone(),
            allocatable: allocatable(instance, terms.reserve),
            count,
            per_instance,
            bound,
            price: price.times(count),
        });
    }
    let key = |placement: &Placement| {
        (placement.price, placement.count, u128::from(placement.instance.vcpu.nanos()) * u128::from(placement.count))
    };
    all.sort_by(|left, right| {
        key(left).cmp(&key(right)).then_with(|| {
            (left.instance.provider, &left.instance.name).cmp(&(right.instance.provider, &right.instance.name))
        })
    });
    let mut placements: Vec<Placement> = Vec::new();
    for placement in all {
        let is_known = |seen: &Placement| {
            let (seen, new) = (&seen.instance, &placement.instance);
            (seen.provider, &seen.family, seen.category) == (new.provider, &new.family, new.category)
        };
        if !placements.iter().any(is_known) {
            placements.push(placement);
        }
    }
    Ranking { demand: *demand, placements, considered, without_price }
}

/// Returns how many replicas fit on one machine and what stops one more, or nothing if none fits.
fn fitting(instance: &InstanceType, demand: &Demand, terms: &Terms) -> Option<(u32, Bound)> {
    let room = allocatable(instance, terms.reserve);
    let fits = |room: u64, need: u64| terms.headroom.usable(room).checked_div(need).unwrap_or(u64::MAX);
    let mut bounds = vec![
        (fits(room.cpu.nanos(), demand.cpu.nanos()), Bound::Cpu),
        (fits(room.memory.get(), demand.memory.get()), Bound::Memory),
        (u64::from(room.pods), Bound::Pods),
    ];
    if let (Some(line), Some(need)) = (instance.network, demand.network) {
        bounds.push((fits(line.get(), need.get()), Bound::Network));
    }
    let (most, bound) = bounds.into_iter().min_by_key(|(most, _)| *most)?;
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    (most > 0).then_some((most, bound))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(millis: u64, mebibytes: u64, replicas: u32) -> Demand {
        Demand { cpu: Cores::from_millis(millis), memory: Bytes::from_mebibytes(mebibytes), network: None, replicas }
    }

    const TINY: &str = "provider,name,family,vcpu,memory_gib,network_gbps_baseline,price_usd_hour,arch\n\
        other,small,a,2,4,1,0.10,amd64\nother,large,a,4,8,2,0.19,amd64\nother,arm,b,4,8,2,0.15,arm64\n\
        other,free,c,8,16,,,amd64\n";

    #[test]
    fn the_cheapest_that_holds_all_replicas_comes_first() {
        let catalogue = Catalogue::parse(TINY).unwrap();
        let terms = Terms {
            reserve: Reserve::Nothing,
            headroom: Headroom::from_permille(0).unwrap(),
            filter: Filter { architecture: Some(super::super::Architecture::Amd64), ..Filter::default() },
        };
        let ranking = rank(&catalogue, &demand(1000, 1024, 4), &terms);
        let best = &ranking.placements[0];
        assert_eq!(
            (best.instance.name.as_str(), best.count, best.per_instance, best.bound),
            ("large", 1, 4, Bound::Cpu)
        );
        assert_eq!((ranking.considered, ranking.without_price), (3, 1));
        // A machine that just fits does; a tenth of headroom takes the next.
        let exact = rank(&catalogue, &demand(2000, 4096, 1), &terms);
        assert_eq!(exact.placements[0].instance.name, "small");
        let careful = Terms { headroom: Headroom::default(), ..terms.clone() };
        assert_eq!(rank(&catalogue, &demand(2000, 4096, 1), &careful).placements[0].instance.name, "large");
        // Another architecture is never taken unasked.
        let any = Terms { filter: Filter::default(), ..terms };
        assert_eq!(rank(&catalogue, &demand(1000, 1024, 4), &any).placements[0].instance.name, "arm");
    }

    #[test]
    fn a_known_network_is_checked_against_the_line() {
        let catalogue = Catalogue::parse(TINY).unwrap();
        let terms =
            Terms { reserve: Reserve::Nothing, headroom: Headroom::from_permille(0).unwrap(), ..Terms::default() };
        let busy = Demand { network: Some(BytesPerSecond::new(200_000_000)), ..demand(100, 100, 1) };
        let ranking = rank(&catalogue, &busy, &terms);
        assert_eq!(
            (ranking.placements[0].instance.name.as_str(), ranking.placements[0].bound),
            ("arm", Bound::Network)
        );
        let impossible = Demand { network: Some(BytesPerSecond::new(u64::MAX)), ..busy };
        assert!(rank(&catalogue, &impossible, &terms).placements.is_empty());
    }
}
