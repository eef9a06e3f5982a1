//! `table`: for people, on a terminal; never parsed, since `json` says the same.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table as Grid, presets};

use crate::fingerprint::Group;
use crate::predict::{Evidence, Prediction};
use crate::units::{Bytes, Cores};

use super::instances::{Architecture, Ranking};
use super::renting::rankings;
use super::sizing::{round_cpu, round_memory};
use super::{EmitError, EmitOptions, Emitted, Form};

/// The form.
pub(super) struct Table;

const UNKNOWN: &str = "-";

/// Most workloads that an explanation lists; the data forms list all.
const MOST_EXPLAINED: usize = 15;

impl Form for Table {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let mut summary = grid(options.width);
        summary.set_header(vec![
            Cell::new("workload"),
            right("CPU (cores)"),
            right("interval"),
            right("memory (MiB)"),
            right("interval"),
            right("confidence"),
            Cell::new("rests on"),
        ]);
        for prediction in predictions {
            let (allocation, interval) = (&prediction.allocation, &prediction.interval);
            let cpu_interval = interval.cpu.map(|(low, high)| format!("{}..{}", cores(low), cores(high)));
            let memory_interval =
                interval.memory.map(|(low, high)| format!("{}..{}", low.mebibytes_up(), high.mebibytes_up()));
            summary.add_row(vec![
                Cell::new(printable(&prediction.workload)),
                right(&or_unknown(allocation.cpu.map(|cpu| cores(round_cpu(cpu))))),
                right(&or_unknown(cpu_interval)),
                right(&or_unknown(allocation.memory.map(mebibytes))),
                right(&or_unknown(memory_interval)),
                right(&format!("{:.2}", prediction.confidence())),
                Cell::new(prediction.decision.name()),
            ]);
        }
        let mut text = summary.trim_fmt() + "\n";
        for (prediction, ranking) in predictions.iter().zip(&rankings(predictions, options)?) {
            if let Some(ranking) = ranking {
                let replicas = if ranking.demand.replicas == 1 { "" } else { "s" };
                let head = format!(
                    "\nmachines for `{}`, {} replica{replicas}:\n",
                    printable(&prediction.workload),
                    ranking.demand.replicas
                );
                text += &head;
                text += &ranking_table(ranking, options.shown(), options.width);
                text.push('\n');
            }
        }
        if options.explain {
            for prediction in predictions.iter().filter(|prediction| !prediction.neighbours.is_empty()) {
                text.extend(["\nwhat `", &printable(&prediction.workload), "` rests on:\n"]);
                // What counts most stands first; the data forms list the nearest first, and all.
                let mut neighbours: Vec<&Evidence> = prediction.neighbours.iter().collect();
                neighbours.sort_by(|left, right| right.weight.total_cmp(&left.weight));
                let rest = neighbours.split_off(MOST_EXPLAINED.min(neighbours.len()));
                text += &evidence(&neighbours, options.width).trim_fmt();
                if !rest.is_empty() {
                    let weight: f64 = rest.iter().map(|one| one.weight).sum();
                    let (others, weight) = (rest.len().to_string(), format!("{weight:.3}"));
                    text.extend(["\nand ", &others, " more, of a weight of ", &weight, " together"]);
                }
                if prediction.neighbours.iter().any(|one| !one.distance_by_resource.is_empty()) {
                    text += "\n\nwhere they differ from it:\n";
                    text += &differences(&neighbours, options.width).trim_fmt();
                }
                text.push('\n');
            }
        }
        Ok(Emitted::one("shadow.txt", text))
    }
}

/// Returns the first `shown` placements of `ranking` as a table that fits into `width` columns: the choice, then the
/// best of each other family.
pub fn ranking_table(ranking: &Ranking, shown: usize, width: u16) -> String {
    if ranking.placements.is_empty() {
        return format!("none of the {} types that the filters allow holds it", ranking.considered);
    }
    let mut grid = grid(width);
    grid.set_header(vec![
        Cell::new("instance"),
        Cell::new("provider"),
        Cell::new("arch"),
        right("count"),
        right("replicas on each"),
        Cell::new("bound by"),
        right("vCPU"),
        right("memory (GiB)"),
        right("USD/hour"),
    ]);
    for placement in ranking.placements.iter().take(shown.max(1)) {
        let instance = &placement.instance;
        grid.add_row(vec![
            Cell::new(printable(&instance.name)),
            Cell::new(instance.provider.name()),
            Cell::new(instance.architecture.map_or(UNKNOWN, Architecture::name)),
            right(&placement.count.to_string()),
            right(&placement.per_instance.to_string()),
            Cell::new(placement.bound.name()),
            right(&instance.vcpu.as_f64().to_string()),
            right(&format!("{:.0}", instance.memory.as_f64() / f64::from(1_u32 << 30))),
            right(&placement.price.to_string()),
        ]);
    }
    grid.trim_fmt()
}

/// Who the answer rests on, what they needed, and what it would be without each.
fn evidence(neighbours: &[&Evidence], width: u16) -> Grid {
    let mut grid = grid(width);
    grid.set_header(vec![
        Cell::new("workload"),
        Cell::new("application"),
        right("similarity"),
        right("weight"),
        right("memory peak (MiB)"),
        right("CPU p95 (cores)"),
        right("without it (MiB)"),
        right("(cores)"),
    ]);
    for neighbour in neighbours {
        let without = neighbour.without.unwrap_or_default();
        grid.add_row(vec![
            Cell::new(printable(&neighbour.workload)),
            Cell::new(neighbour.application.as_deref().map_or_else(|| UNKNOWN.to_owned(), printable)),
            right(&or_unknown(neighbour.similarity.map(|similarity| format!("{similarity:.2}")))),
            right(&format!("{:.3}", neighbour.weight)),
            right(&or_unknown(neighbour.memory_peak.map(|memory| memory.mebibytes_up().to_string()))),
            right(&or_unknown(neighbour.cpu_p95.map(cores))),
            right(&or_unknown(without.memory.map(mebibytes))),
            right(&or_unknown(without.cpu.map(|cpu| cores(round_cpu(cpu))))),
        ]);
    }
    grid
}

/// Where they differ from the newcomer, nearest first: the distance, and what each resource adds to its square.
fn differences(neighbours: &[&Evidence], width: u16) -> Grid {
    let mut neighbours = neighbours.to_vec();
    neighbours.sort_by(|left, right| left.distance.unwrap_or(0.0).total_cmp(&right.distance.unwrap_or(0.0)));
    let mut grid = grid(width);
    let has = |name: &&str| neighbours.iter().any(|one| one.distance_by_resource.contains_key(*name));
    let groups: Vec<&str> = Group::ALL.into_iter().map(Group::name).filter(has).collect();
    let mut header = vec![Cell::new("workload"), right("distance")];
    header.extend(groups.iter().map(|name| right(&format!("{name}²"))));
    grid.set_header(header);
    for neighbour in neighbours {
        let mut row = vec![
            Cell::new(printable(&neighbour.workload)),
            right(&or_unknown(neighbour.distance.map(|distance| format!("{distance:.3}")))),
        ];
        let part = |name: &&str| neighbour.distance_by_resource.get(*name).map(|part| format!("{part:.3}"));
        row.extend(groups.iter().map(|name| right(&or_unknown(part(name)))));
        grid.add_row(row);
    }
    grid
}

fn grid(width: u16) -> Grid {
    let mut grid = Grid::new();
    grid.load_style(presets::UTF8_HORIZONTAL_ONLY);
    grid.set_content_arrangement(ContentArrangement::Dynamic);
    grid.set_width(width);
    grid
}

fn right(text: &str) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn or_unknown(text: Option<String>) -> String {
    text.unwrap_or_else(|| UNKNOWN.to_owned())
}

fn cores(cpu: Cores) -> String {
    format!("{:.3}", Cores::from_millis(cpu.millis_up()).as_f64())
}

fn mebibytes(memory: Bytes) -> String {
    round_memory(memory).mebibytes_up().to_string()
}

/// Returns `text` without what a terminal would act on, and not longer than a line.
fn printable(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown = String::new();
    for (position, c) in text.chars().enumerate() {
        if position == LONGEST {
            shown.push('…');
            break;
        }
        if c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}
