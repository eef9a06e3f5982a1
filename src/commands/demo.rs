//! `shadow demo`: the main job on the bundled sample trace, each command said before it runs.
//!
//! One workload is kept out of the history; its first minute is the newcomer, and the rest of its life says how good
//! the answer was. The commands are parsed and run like typed ones.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::artifact::write_atomic;
use crate::cli::demo::Demo;
use crate::cli::{self};
use crate::error::{CommandError, Outcome};
use crate::ui::{Ui, human};

use super::dispatch;

const SERIES: &[u8] = include_bytes!("../../traces/table/series.csv.gz");
const WORKLOADS: &[u8] = include_bytes!("../../traces/table/workloads.csv");

/// What the newcomer shows.
const WINDOW_SECONDS: f64 = 60.0;
/// The newcomer lives at least so long, so that its first minute is not its whole life.
const LEAST_SECONDS: f64 = 1200.0;
/// Earlier instances of its application, so that similar work is in the history.
const LEAST_INSTANCES: usize = 3;

const NEXT: &str = "\
What to try next:
  your own data       shadow ingest usage.csv --workloads workloads.csv --map cpu_cores=cpu_pct/100
  a public trace      shadow ingest clusterdata-2011-2/ --machine-cores 32 --machine-memory 128GiB
  longer windows      shadow fingerprint --window 60s,5m,1h
  why this answer     shadow predict first-minute.csv --explain
  into a cluster      shadow predict first-minute.csv -o kubernetes --base deployment.yaml | kubectl apply -f -
  unseen work         shadow replay --split unseen";

pub(crate) fn run(ui: &Ui, args: &Demo) -> Result<Outcome, CommandError> {
    let temporary = tempfile::tempdir().map_err(crate::artifact::ArtifactError::from)?;
    let folder = args.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    refuse_used(&folder)?;
    let (series, workloads) = match &args.traces {
        None => (unzip(SERIES)?, String::from_utf8_lossy(WORKLOADS).into_owned()),
        Some(traces) => read_traces(traces)?,
    };
    let trace = Trace::of(&series, &workloads)?;
    let files = Files::write(&folder, &trace)?;
    ui.say(&format!(
        "The sample trace is synthetic: {}, made by shadow itself. `{}` is kept out of it: its first minute is the \
         newcomer.\n",
        human::counted(trace.names.len() as u64, "workload", "workloads"),
        trace.newcomer
    ));
    let store = folder.join("store").display().to_string();
    let path = |path: &Path| path.display().to_string();
    let (history, facts) = (path(&files.history), path(&files.history_facts));
    let (sample, known) = (path(&files.sample), path(&files.sample_facts));
    step(ui, "1. Read the history into a store.", &store, &["ingest", &history, "--workloads", &facts])?;
    step(ui, "2. Fingerprint every workload by its first minute.", &store, &["fingerprint", "--window", "60s"])?;
    let predict = ["predict", &sample, "--workloads", &known];
    let table = [predict.as_slice(), &["--explain", "-o", "table"]].concat();
    step(ui, "3. Size the newcomer from its first minute.", &store, &table)?;
    ui.say(&trace.outcome());
    let patch = [predict.as_slice(), &["-o", "kubernetes-patch", "--name", "checkout"]].concat();
    step(ui, "4. The same answer for kubectl.", &store, &patch)?;
    let replay = ["replay", "--rivals", "owner,persistence,history-ladder,vpa-cold,shadow,random,oracle"];
    step(ui, "5. How good would that have been for every workload of the history?", &store, &replay)?;
    ui.say(NEXT);
    if let Some(folder) = &args.keep {
        ui.say(&format!("The store of this demo is in `{}`.", folder.join("store").display()));
    }
    Ok(Outcome::Done)
}

/// Refuses a folder that holds something: nothing of the user's is overwritten.
fn refuse_used(folder: &Path) -> Result<(), CommandError> {
    let is_used = folder.exists() && fs_err::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if folder.is_file() || is_used {
        return Err(CommandError::user(format!("`{}` is not an empty folder", folder.display()))
            .hint("name another folder with `--keep`, or remove this one"));
    }
    Ok(())
}

/// Says a command and runs it.
fn step(ui: &Ui, what: &str, store: &str, words: &[&str]) -> Result<(), CommandError> {
    let line: Vec<&str> = ["shadow", "--store", store].into_iter().chain(words.iter().copied()).collect();
    ui.say(&format!("{what}\n$ {}", line.join(" ")));
    let arguments = cli::parse(line.iter().map(std::ffi::OsString::from).collect())
        .map_err(|error| CommandError::internal(format!("the demo's own command cannot be parsed: {error}")))?;
    dispatch(ui, &arguments)?;
    ui.say("");
    Ok(())
}

fn unzip(bytes: &[u8]) -> Result<String, CommandError> {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(bytes)
        .read_to_string(&mut text)
        .map_err(|error| CommandError::refused("the sample trace cannot be unpacked").caused_by(error))?;
    Ok(text)
}

fn read_traces(folder: &Path) -> Result<(String, String), CommandError> {
    let read = |name: &str| fs_err::read(folder.join(name)).map_err(|error| CommandError::user(error.to_string()));
    let hint = "make one with `shadow synth table --workloads 240 --days 1 -o DIR`";
    let series = read("series.csv.gz").map_err(|error| error.hint(hint))?;
    let workloads = read("workloads.csv").map_err(|error| error.hint(hint))?;
    Ok((unzip(&series)?, String::from_utf8_lossy(&workloads).into_owned()))
}

/// The sample trace, with its newcomer told apart.
struct Trace {
    names: Vec<String>,
    newcomer: String,
    history: String,
    history_facts: String,
    sample: String,
    sample_facts: String,
    memory_peak: f64,
    cpu_p95: f64,
    requested_cpu: String,
    requested_memory: String,
}

impl Trace {
    fn of(series: &str, workloads: &str) -> Result<Self, CommandError> {
        let broken = |what: &str| CommandError::refused(format!("the sample trace has no {what}"));
        let (header, rows) = series.split_once('\n').ok_or_else(|| broken("series"))?;
        let (facts_header, facts) = workloads.split_once('\n').ok_or_else(|| broken("workloads"))?;
        let column = |header: &str, name: &str| {
            header.split(',').position(|column| column == name).ok_or_else(|| broken(&format!("column `{name}`")))
        };
        let cell = |row: &'_ str, at: usize| row.split(',').nth(at).unwrap_or_default().to_owned();
        let (time, cpu, memory) =
            (column(header, "time_s")?, column(header, "cpu_cores")?, column(header, "memory_bytes")?);
        let (application, start) = (column(facts_header, "application")?, column(facts_header, "start_s")?);
        let number = |row: &str, at: usize| cell(row, at).parse::<f64>().ok();
        // The latest to start that lives long enough and whose application ran before.
        let mut candidates: Vec<(f64, &str)> =
            facts.lines().filter_map(|row| Some((number(row, start)?, row))).collect();
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
        let of = |name: &str| rows.lines().filter(|row| row.split(',').next() == Some(name)).collect::<Vec<&str>>();
        for (began, fact) in &candidates {
            let name = cell(fact, 0);
            let earlier = candidates
                .iter()
                .filter(|(start, row)| start < began && cell(row, application) == cell(fact, application))
                .count();
            let own = of(&name);
            let last = own.iter().filter_map(|row| number(row, time)).fold(0.0, f64::max);
            if earlier < LEAST_INSTANCES || last - began < LEAST_SECONDS {
                continue;
            }
            let shown: Vec<&str> = own
                .iter()
                .copied()
                .filter(|row| number(row, time).is_some_and(|time| time - began <= WINDOW_SECONDS))
                .collect();
            let others = |lines: &str| -> String {
                let kept = lines.lines().filter(|row| row.split(',').next() != Some(&name));
                kept.flat_map(|row| [row, "\n"]).collect()
            };
            let mut cpus: Vec<f64> = own.iter().filter_map(|row| number(row, cpu)).collect();
            cpus.sort_by(f64::total_cmp);
            return Ok(Self {
                names: facts.lines().map(|row| cell(row, 0)).collect(),
                history: format!("{header}\n{}", others(rows)),
                history_facts: format!("{facts_header}\n{}", others(facts)),
                sample: format!("{header}\n{}\n", shown.join("\n")),
                sample_facts: format!("{facts_header}\n{fact}\n"),
                memory_peak: own.iter().filter_map(|row| number(row, memory)).fold(0.0, f64::max),
                cpu_p95: crate::profile::quantile::nearest_rank(&cpus, 0.95).unwrap_or(0.0),
                requested_cpu: cell(fact, column(facts_header, "requested_cpu_cores")?),
                requested_memory: cell(fact, column(facts_header, "requested_memory_bytes")?),
                newcomer: name,
            });
        }
        Err(broken("workload that could be the newcomer"))
    }

    /// Says what the newcomer went on to need.
    fn outcome(&self) -> String {
        let requested = self.requested_memory.parse::<u64>().map_or_else(|_| "nothing".to_owned(), human::bytes);
        format!(
            "What `{}` went on to need, unseen by any of this: {:.2} cores (95th percentile) and a memory peak of {:.0} MiB; \
             its owner asked for {} cores and {requested}.\n",
            self.newcomer,
            self.cpu_p95,
            self.memory_peak / 1_048_576.0,
            self.requested_cpu
        )
    }
}

/// The files of the demo.
struct Files {
    history: PathBuf,
    history_facts: PathBuf,
    sample: PathBuf,
    sample_facts: PathBuf,
}

impl Files {
    fn write(folder: &Path, trace: &Trace) -> Result<Self, CommandError> {
        let files = Self {
            history: folder.join("history.csv"),
            history_facts: folder.join("history-workloads.csv"),
            sample: folder.join("first-minute.csv"),
            sample_facts: folder.join("submitted.csv"),
        };
        for (path, text) in [
            (&files.history, &trace.history),
            (&files.history_facts, &trace.history_facts),
            (&files.sample, &trace.sample),
            (&files.sample_facts, &trace.sample_facts),
        ] {
            write_atomic(path, text.as_bytes())?;
        }
        Ok(files)
    }
}
