//! `shadow map`: the fingerprints of an index on a plane, as page, picture and table.

use std::path::Path;

use crate::artifact::write_atomic;
use crate::cli::map::{Map, MapFile};
use crate::error::{CommandError, Outcome};
use crate::map::tsne::TsneParams;
use crate::map::{
    Chart, Column, Layout, LayoutParams, OUTLINE_STEPS, PlacedNewcomer, Prepared, in_units, page, svg, write_table,
};
use crate::predict::{Knowledge, Question, Scale, observe};
use crate::profile::{Window, outline};
use crate::store::Store;
use crate::ui::{Ui, human};

use super::result_file::{self, unwritable};
use super::sample::{Indexes, read};

const OUTPUT: &str = "--output";

pub(crate) fn run(ui: &Ui, store: &Path, args: &Map) -> Result<Outcome, CommandError> {
    for file in &args.output {
        check(file)?;
    }
    let store = Store::open(store)?;
    let mut indexes = Indexes::of(ui, &store, args.window)?;
    let longest = indexes.longest();
    let knowledge = &indexes.open(longest)?.knowledge;
    let layout = lay_out(ui, knowledge, args)?;
    let newcomers = match &args.place {
        Some(sample) => placed(ui, sample, &store, knowledge, &layout, args)?,
        None => Vec::new(),
    };
    let has_page = args.output.iter().any(|file| matches!(file, MapFile::Html(_)));
    let chart = {
        let steps = ui.steps("reading what is shown", if has_page { layout.rows.len() as u64 } else { 0 });
        Chart { newcomers, ..Chart::read(&store, knowledge, layout, has_page, &steps)? }
    };
    let column = chart.coloured_by(args.color_by.as_deref())?;
    for file in &args.output {
        write(ui, file, &chart, column)?;
    }
    say(ui, &chart);
    Ok(Outcome::Done)
}

fn lay_out(ui: &Ui, knowledge: &Knowledge, args: &Map) -> Result<Layout, CommandError> {
    let tsne = TsneParams { perplexity: args.perplexity, seed: args.seed, ..TsneParams::default() };
    let params = LayoutParams { most: args.points.get(), tsne };
    let prepared = {
        let steps = ui.steps("finding neighbours", knowledge.rows().min(params.most) as u64);
        Prepared::of(knowledge, &params, &steps)?
    };
    let steps = ui.steps("laying out", tsne.steps());
    Ok(prepared.lay_out(&steps))
}

/// Reads newcomers and places each among its nearest on the map.
fn placed(
    ui: &Ui,
    sample: &Path,
    store: &Store,
    knowledge: &Knowledge,
    layout: &Layout,
    args: &Map,
) -> Result<Vec<PlacedNewcomer>, CommandError> {
    let sample = read(ui, sample, &args.workloads, args.format, &args.map)?;
    let window: Window = knowledge.params().window;
    let (units, machine) = (store.manifest().units, store.manifest().machine);
    let question = Question::default();
    let mut newcomers = Vec::new();
    for sighting in &sample.sightings {
        let newcomer = observe(sighting, sample.units, window, units, machine)?;
        let features = knowledge.features_of(&newcomer.window, &newcomer.facts);
        let nearest = knowledge.nearest_rows(&features, &question, &|row| layout.rows.binary_search(&row).is_ok())?;
        let Some(place) = layout.place(&nearest) else { continue };
        let end = sighting.start.plus(sighting.observed());
        let seen = outline(&sighting.samples, sighting.start, end, OUTLINE_STEPS);
        let mut names = Vec::with_capacity(nearest.len());
        for &(row, _) in &nearest {
            names.extend(knowledge.row(row as usize)?.map(|row| row.name()));
        }
        newcomers.push(PlacedNewcomer {
            name: newcomer.name,
            place,
            nearest: names,
            outline: in_units(seen, &Scale::new(sample.units, machine)),
        });
    }
    Ok(newcomers)
}

/// Refuses a file that could not be written, before the work begins.
fn check(file: &MapFile) -> Result<(), CommandError> {
    let (MapFile::Svg(path) | MapFile::Html(path) | MapFile::Parquet(path)) = file else { return Ok(()) };
    result_file::check(path, OUTPUT, "shadow map -o map.html")
}

fn write(ui: &Ui, file: &MapFile, chart: &Chart, column: Option<&Column>) -> Result<(), CommandError> {
    let path = match file {
        MapFile::Standard => return ui.data_text(&svg(chart, column)),
        MapFile::Svg(path) => {
            write_atomic(path, svg(chart, column).as_bytes()).map_err(unwritable(OUTPUT))?;
            path
        }
        MapFile::Html(path) => {
            write_atomic(path, page(chart, column).as_bytes()).map_err(unwritable(OUTPUT))?;
            path
        }
        MapFile::Parquet(path) => {
            write_table(chart, path)?;
            path
        }
    };
    let length = fs_err::metadata(path).map_or(0, |metadata| metadata.len());
    ui.say(&format!("wrote `{}`, {}", path.display(), human::bytes(length)));
    Ok(())
}

fn say(ui: &Ui, chart: &Chart) {
    let layout = &chart.layout;
    ui.say(&format!(
        "{} with {} over the first {}; perplexity {}, divergence {:.3}",
        human::counted(chart.names.len() as u64, "workload", "workloads"),
        human::counted(layout.distinct as u64, "different fingerprint", "different fingerprints"),
        chart.window,
        human::significant(layout.perplexity),
        layout.divergence
    ));
    if chart.names.len() < chart.stored {
        ui.say(&format!(
            "a sample of {} stored workloads; `--points {}` shows all",
            human::count(chart.stored as u64),
            chart.stored
        ));
    }
    for newcomer in &chart.newcomers {
        let nearest = newcomer.nearest.first().map_or_else(String::new, |name| format!(", nearest to `{name}`"));
        ui.say(&format!("`{}` is placed approximately{nearest}", newcomer.name));
    }
}
