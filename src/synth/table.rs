//! The `table` format: `series.csv.gz`, workload by workload in the order of their starts, and `workloads.csv`.

use std::io;

use super::behaviour::{Use, Walk};
use super::chance::{Chance, Purpose, whole};
use super::decimal::Decimal;
use super::fleet::{Fleet, Plan, Run};
use super::output::{Fate, Output, TableFile};
use super::truth::{Need, TrueRun, Truth};

/// When the trace begins: 1 January 2025, 00:00 UTC, in seconds since 1970.
const ORIGIN: i64 = 1_735_689_600;
/// Seconds after a start during which samples are 5 s apart.
const FINE_SECONDS: i64 = 600;
const FINE_STEP: i64 = 5;
const STEP: i64 = 60;
/// Memory is written in steps of 64 KiB: 16 pages.
const MEMORY_STEP: f64 = 65_536.0;

const SERIES_HEADER: &[u8] =
    b"workload,time_s,interval_s,cpu_cores,memory_bytes,net_rx_bytes_per_s,net_tx_bytes_per_s\n";
const SERIES_SUMS: &[&str] = &["cpu_cores", "memory_bytes", "net_rx_bytes_per_s", "net_tx_bytes_per_s"];
const FACTS_HEADER: &[u8] = b"workload,application,user,priority,class,start_s,end_s,requested_cpu_cores,\
requested_memory_bytes,limit_cpu_cores,limit_memory_bytes,zone\n";
const FACTS_SUMS: &[&str] = &["requested_cpu_cores", "requested_memory_bytes", "limit_cpu_cores", "limit_memory_bytes"];

/// What is odd about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Oddity {
    None,
    /// It is missing.
    Gap,
    Negative,
    SlightlyNegative,
    NotFinite,
    NotNumber,
    Nothing,
    /// It is there twice, with different values.
    Twice,
}

fn oddity(chance: &mut Chance) -> Oddity {
    const RATES: [(f64, Oddity); 7] = [
        (0.002_0, Oddity::Gap),
        (0.000_4, Oddity::Negative),
        (0.000_4, Oddity::SlightlyNegative),
        (0.000_4, Oddity::NotFinite),
        (0.000_3, Oddity::NotNumber),
        (0.000_4, Oddity::Nothing),
        (0.000_6, Oddity::Twice),
    ];
    let mut drawn = chance.uniform();
    for (rate, oddity) in RATES {
        if drawn < rate {
            return oddity;
        }
        drawn -= rate;
    }
    Oddity::None
}

/// Writes both tables and the truth.
pub(super) fn write(fleet: &Fleet, output: &mut Output<'_>) -> io::Result<()> {
    let mut truth = Truth::create(output)?;
    let mut series = output.open("series.csv", "series", SERIES_SUMS)?;
    series.header(SERIES_HEADER)?;
    let mut facts = output.open_plain("workloads.csv", "workloads", FACTS_SUMS)?;
    facts.header(FACTS_HEADER)?;
    let mut line = Vec::new();
    for plan in (0..fleet.blocks()).flat_map(|block| fleet.block(block)) {
        let application = fleet.application(&plan);
        let name = format!("{}-{:04x}", application.name(), plan.number);
        let user = format!("team-{}", application.user + 1);
        fact(fleet, &plan, &name, &user, &mut line, &mut facts)?;
        output.workload("facts");
        for (number, run) in plan.runs.iter().enumerate() {
            let mut rows =
                Rows { name: &name, line: &mut line, file: &mut series, output: &mut *output, written: false };
            let mut need = rows.write(fleet, &plan, number, *run)?;
            if rows.written {
                output.workload("series");
            }
            truth.add(&TrueRun {
                workload: &name,
                run: number,
                application: &application.name(),
                user: &user,
                archetype: application.archetype.name(),
                life: (ORIGIN + run.start, ORIGIN + run.end),
                seen: (run.start >= 0, run.end <= fleet.span),
                memory_peak: bytes(need.memory_peak()),
                cpu_p95: cores(need.cpu_p95()),
            })?;
        }
    }
    output.close(series)?;
    output.close(facts)?;
    truth.finish()
}

fn cores(value: f64) -> Decimal {
    Decimal::fixed(value, 4)
}

fn bytes(value: f64) -> Decimal {
    Decimal::integer(whole(value / MEMORY_STEP) * 65_536)
}

/// Writes what is known of a workload.
fn fact(
    fleet: &Fleet,
    plan: &Plan,
    name: &str,
    user: &str,
    line: &mut Vec<u8>,
    file: &mut TableFile,
) -> io::Result<()> {
    let application = fleet.application(plan);
    let (class, priority) = if application.archetype.is_batch() { ("batch", 10) } else { ("service", 100) };
    line.clear();
    line.extend_from_slice(format!("{name},{},{user},{priority},{class},", application.name()).as_bytes());
    if plan.start() >= 0 {
        Decimal::integer(ORIGIN + plan.start()).push(line);
    }
    line.push(b',');
    if plan.end() <= fleet.span {
        Decimal::integer(ORIGIN + plan.end()).push(line);
    }
    let amounts = [
        Some(Decimal::fixed(application.request.cores, 2)),
        Some(Decimal::integer(whole(application.request.memory))),
        application.cpu_limit.map(|cores| Decimal::fixed(cores, 2)),
        application.memory_limit.map(|memory| Decimal::integer(whole(memory))),
    ];
    for amount in amounts {
        line.push(b',');
        if let Some(amount) = amount {
            amount.push(line);
        }
    }
    let zone = b'a' + u8::try_from(plan.number % 3).unwrap_or_default();
    line.extend_from_slice(&[b',', zone, b'\n']);
    file.row(line, Fate::Kept, &amounts)
}

/// The rows of one workload.
struct Rows<'a, 'b> {
    name: &'a str,
    line: &'a mut Vec<u8>,
    file: &'a mut TableFile,
    output: &'a mut Output<'b>,
    /// Whether one was kept.
    written: bool,
}

impl Rows<'_, '_> {
    /// Writes the samples of a run that lie inside the trace, and returns what all of them show.
    fn write(&mut self, fleet: &Fleet, plan: &Plan, number: usize, run: Run) -> io::Result<Need> {
        let mut walk =
            Walk::new(plan.behaviour, run.start, run.end - run.start, plan.series_chance(fleet.seed, number));
        let mut oddities = Chance::new(fleet.seed, Purpose::Rows, plan.number);
        let has_network = plan.behaviour.network > 0.0;
        let mut need = Need::default();
        let mut time = run.start;
        while time < run.end {
            let step = if time - run.start < FINE_SECONDS { FINE_STEP } else { STEP };
            let length = step.min(run.end - time);
            let used = walk.at(time as f64 + length as f64 / 2.0);
            need.add(used.cores, used.memory);
            if time >= 0 && time + length <= fleet.span {
                self.sample(oddity(&mut oddities), time, length, used, has_network)?;
            }
            time += length;
        }
        Ok(need)
    }

    fn sample(&mut self, oddity: Oddity, time: i64, length: i64, used: Use, has_network: bool) -> io::Result<()> {
        let cpu = cores(used.cores);
        let (fate, what) = match oddity {
            Oddity::None => (Fate::Kept, None),
            Oddity::Gap => {
                self.output.planted("missing samples");
                return Ok(());
            }
            Oddity::Negative => (Fate::Rejected("negative use"), Some("negative use")),
            Oddity::SlightlyNegative => (Fate::Kept, Some("slightly negative use")),
            Oddity::NotFinite => (Fate::Rejected("number is not finite"), Some("use of NaN")),
            Oddity::NotNumber => (Fate::Rejected("not a number"), Some("text for a number")),
            Oddity::Nothing => (Fate::Rejected("nothing was measured"), Some("rows without a measurement")),
            Oddity::Twice => (Fate::Kept, Some("second rows for a time")),
        };
        if let Some(what) = what {
            self.output.planted(what);
        }
        self.row(oddity, fate, time, length, cpu, used, has_network)?;
        if oddity == Oddity::Twice {
            self.row(oddity, fate, time, length, cores(1.1 * used.cores + 0.001), used, has_network)?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the cells of one row")]
    fn row(
        &mut self,
        oddity: Oddity,
        fate: Fate,
        time: i64,
        length: i64,
        cpu: Decimal,
        used: Use,
        has_network: bool,
    ) -> io::Result<()> {
        let is_measured = oddity != Oddity::Nothing;
        let memory = bytes(used.memory);
        let received = (has_network && is_measured).then(|| Decimal::fixed(used.received, 0));
        let transmitted = (has_network && is_measured).then(|| Decimal::fixed(used.transmitted, 0));
        let line = &mut *self.line;
        line.clear();
        line.extend_from_slice(self.name.as_bytes());
        line.push(b',');
        Decimal::integer(ORIGIN + time).push(line);
        line.push(b',');
        Decimal::integer(length).push(line);
        line.push(b',');
        match oddity {
            Oddity::Nothing => {}
            Oddity::Negative => line.extend_from_slice(b"-0.5"),
            Oddity::SlightlyNegative => line.extend_from_slice(b"-0.0001"),
            Oddity::NotFinite => line.extend_from_slice(b"NaN"),
            _ => cpu.push(line),
        }
        line.push(b',');
        match oddity {
            Oddity::Nothing => {}
            Oddity::NotNumber => line.extend_from_slice(b"n/a"),
            _ => memory.push(line),
        }
        for cell in [received, transmitted] {
            line.push(b',');
            if let Some(cell) = cell {
                cell.push(line);
            }
        }
        line.push(b'\n');
        // A slightly negative value is read as 0.
        let cpu = if oddity == Oddity::SlightlyNegative { Decimal::ZERO } else { cpu };
        self.written |= fate == Fate::Kept;
        self.output.tick();
        self.file.row(line, fate, &[Some(cpu), Some(memory), received, transmitted])
    }
}
