//! `machine_meta` and `machine_usage`. The use of machines follows the day; it is not the sum of what runs on them.

use std::io;

use super::{GRID_SECONDS, end_line, lexicographic, push_cell};
use crate::synth::chance::{Chance, Purpose, exp, sine_of_turns, whole};
use crate::synth::decimal::Decimal;
use crate::synth::fleet::Fleet;
use crate::synth::output::{Fate, Output};

/// Points of the grid per point that is written: the published files hold a tenth in each shard.
const THINNING: u64 = 40;

const META_SUMS: &[&str] = &["cpu_num", "mem_size"];
const USAGE_SUMS: &[&str] = &["cpu_util_percent", "mem_util_percent"];

pub(super) fn write(fleet: &Fleet, machines: u64, output: &mut Output<'_>) -> io::Result<()> {
    let mut meta = output.open("machine_meta.csv", "machine_meta", META_SUMS)?;
    let capacity = [Some(Decimal::integer(96)), Some(Decimal::integer(100))];
    for machine in lexicographic(machines) {
        let mut chance = Chance::new(fleet.seed, Purpose::Machine, u64::MAX - machine);
        let (first, second) = (1 + chance.below(30), 1 + chance.below(40));
        let second = if chance.is(0.1) { String::new() } else { second.to_string() };
        let line = format!("m_{machine},0,{first},{second},96,100,USING\n");
        meta.row(line.as_bytes(), Fate::Kept, &capacity)?;
        output.workload("machines");
        if chance.is(0.15) {
            let time = 1 + chance.below(fleet.span.unsigned_abs());
            let line = format!("m_{machine},{time},{first},{second},96,100,IMPORT_INSTALLING\n");
            meta.row(line.as_bytes(), Fate::Kept, &capacity)?;
        }
    }
    output.close(meta)?;
    let mut usage = output.open("machine_usage.csv", "machine_usage", USAGE_SUMS)?;
    let mut line = Vec::new();
    for machine in lexicographic(machines) {
        let mut chance = Chance::new(fleet.seed, Purpose::Machine, (u64::MAX >> 1) - machine);
        let (load, held) = (chance.between(15.0, 45.0), chance.between(60.0, 92.0));
        let mut time = 0;
        loop {
            time += GRID_SECONDS * i64::try_from(1 + chance.below(2 * THINNING - 1)).unwrap_or(1);
            if time >= fleet.span {
                break;
            }
            let day = 0.7 + 0.3 * sine_of_turns(time as f64 / 86_400.0);
            let percent = |value: f64| Some(Decimal::integer(whole(value.clamp(0.0, 100.0))));
            let cpu = percent(load * day * exp(0.2 * chance.normal()));
            let memory = percent(held + chance.normal());
            let has_counters = chance.is(0.2);
            let counters = [chance.between(1.0, 20.0), chance.between(0.5, 5.0)]
                .map(|value| has_counters.then(|| Decimal::fixed(value, 2)));
            let network =
                [chance.between(30.0, 45.0), chance.between(25.0, 35.0)].map(|value| Decimal::fixed(value, 2));
            let disk = match chance.below(400) {
                0 => {
                    output.planted("values of -1 and 101");
                    Some(Decimal::integer(-1))
                }
                1 => {
                    output.planted("values of -1 and 101");
                    Some(Decimal::integer(101))
                }
                2 => None,
                _ => percent(5.0 * chance.uniform()),
            };
            line.clear();
            line.extend_from_slice(format!("m_{machine},{time},").as_bytes());
            let [cycles, misses] = counters;
            let [received, transmitted] = network.map(Some);
            for cell in [cpu, memory, cycles, misses, received, transmitted, disk] {
                push_cell(&mut line, cell);
            }
            end_line(&mut line);
            output.tick();
            usage.row(&line, Fate::Kept, &[cpu, memory])?;
        }
    }
    output.close(usage)
}
