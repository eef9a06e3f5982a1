//! Machines: the choice costs no more than any other, found by placing replicas one by one on every type; and the built-in
//! catalogue against a reference that is not part of the project.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use shadow::emit::instances::{
    Architecture, Catalogue, Category, Demand, Filter, Headroom, HourlyPrice, InstanceType, Provider, Reserve, Terms,
    allocatable, rank,
};
use shadow::units::{Bytes, BytesPerSecond, Cores};

/// Returns how many machines of one type it takes, by placing one replica after the other, or nothing if none fits.
fn machines_needed(instance: &InstanceType, demand: &Demand, terms: &Terms) -> Option<u32> {
    let room = allocatable(instance, terms.reserve);
    let keep = u128::from(terms.headroom.permille());
    let fits = |used: u128, room: u64| used * 1000 <= u128::from(room) * (1000 - keep);
    let mut machines = 0;
    let mut on_last = u32::MAX;
    for _replica in 0..demand.replicas {
        let holds = |replicas: u32| {
            let all = u128::from(replicas);
            replicas <= room.pods
                && fits(all * u128::from(demand.cpu.nanos()), room.cpu.nanos())
                && fits(all * u128::from(demand.memory.get()), room.memory.get())
                && instance
                    .network
                    .zip(demand.network)
                    .is_none_or(|(line, need)| fits(all * u128::from(need.get()), line.get()))
        };
        if on_last < u32::MAX && holds(on_last + 1) {
            on_last += 1;
        } else if holds(1) {
            machines += 1;
            on_last = 1;
        } else {
            return None;
        }
    }
    Some(machines)
}

fn terms() -> impl Strategy<Value = Terms> {
    let providers = prop::sample::subsequence(vec![Provider::Aws, Provider::Gcp, Provider::Azure], 0..=2);
    let categories = prop::sample::subsequence(vec![Category::General, Category::Compute, Category::Memory], 0..=2);
    let families =
        prop::sample::select(vec![vec![], vec![], vec!["M7i".to_owned(), "n4".to_owned(), "Dsv5".to_owned()]]);
    let architecture = prop::option::of(prop::sample::select(vec![Architecture::Amd64, Architecture::Arm64]));
    let reserve = prop::sample::select(vec![Reserve::Kubernetes, Reserve::Nothing]);
    (providers, categories, families, architecture, reserve, 0_u16..500).prop_map(
        |(providers, categories, families, architecture, reserve, permille)| Terms {
            filter: Filter { providers, families, categories, architecture },
            reserve,
            headroom: Headroom::from_permille(permille).unwrap(),
        },
    )
}

fn demand() -> impl Strategy<Value = Demand> {
    (1_u64..200_000, 1_u64..1_000_000, prop::option::of(1_u64..5_000_000_000), 1_u32..400).prop_map(
        |(millis, mebibytes, network, replicas)| Demand {
            cpu: Cores::from_millis(millis),
            memory: Bytes::from_mebibytes(mebibytes),
            network: network.map(BytesPerSecond::new),
            replicas,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_type_of_the_catalogue_is_cheaper_than_the_choice(terms in terms(), demand in demand()) {
        let catalogue = Catalogue::built_in().unwrap();
        let ranking = rank(&catalogue, &demand, &terms);
        let mut cheapest: Option<HourlyPrice> = None;
        let mut families = BTreeMap::new();
        for instance in catalogue.types().iter().filter(|instance| terms.filter.allows(instance)) {
            let Some(machines) = machines_needed(instance, &demand, &terms) else { continue };
            let price = instance.price.unwrap().times(machines);
            cheapest = Some(cheapest.map_or(price, |known| known.min(price)));
            let family = (instance.provider, instance.family.clone(), instance.category);
            families.entry(family).and_modify(|known: &mut HourlyPrice| *known = price.min(*known)).or_insert(price);
        }
        prop_assert_eq!(ranking.placements.first().map(|placement| placement.price), cheapest);
        // Every family that holds it is there with its own best, in the order of prices.
        prop_assert_eq!(ranking.placements.len(), families.len());
        for placement in &ranking.placements {
            let instance = &placement.instance;
            let family = (instance.provider, instance.family.clone(), instance.category);
            prop_assert_eq!(Some(&placement.price), families.get(&family));
            prop_assert_eq!(Some(placement.count), machines_needed(instance, &demand, &terms));
        }
        prop_assert!(ranking.placements.windows(2).all(|pair| pair[0].price <= pair[1].price));
    }
}

/// Returns the reference that lies beside the checkers, or prints why the test is skipped.
fn reference() -> Option<String> {
    let tools = std::env::var_os("SHADOW_TEST_TOOLS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/tools"), PathBuf::from);
    let path = tools.with_file_name("instances.csv");
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("skipped: no `{}` (set SHADOW_TEST_TOOLS)", path.display());
    }
    text
}

#[test]
fn the_built_in_catalogue_agrees_with_the_reference() {
    let Some(text) = reference() else { return };
    let reference = Catalogue::parse(&text).unwrap();
    let known: BTreeMap<_, _> =
        reference.types().iter().map(|instance| ((instance.provider, instance.name.as_str()), instance)).collect();
    let catalogue = Catalogue::built_in().unwrap();
    assert!(catalogue.types().len() > 500, "{} types", catalogue.types().len());
    for ours in catalogue.types() {
        let theirs = known.get(&(ours.provider, ours.name.as_str()));
        let theirs = theirs.unwrap_or_else(|| panic!("the reference does not know `{}`", ours.name));
        assert_eq!((ours.vcpu, ours.memory), (theirs.vcpu, theirs.memory), "{}", ours.name);
        assert_eq!((&ours.family, ours.category), (&theirs.family, theirs.category), "{}", ours.name);
        assert_eq!((ours.architecture, ours.network), (theirs.architecture, theirs.network), "{}", ours.name);
        // Ours is written per vCPU, theirs rounded to what a bill shows.
        let (ours_price, theirs_price) = (ours.price.unwrap().as_dollars(), theirs.price.unwrap().as_dollars());
        assert!((ours_price / theirs_price - 1.0).abs() < 0.0025, "{}: {ours_price} {theirs_price}", ours.name);
    }
}
