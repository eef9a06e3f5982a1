//! A store of the sample trace with an index, and newcomers cut out of the same trace.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::World;

/// The sample trace in a user's own table.
pub(crate) const TRACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/traces/table");

/// Columns of the sample trace behind `workload`.
const COLUMNS: [&str; 6] =
    ["time_s", "interval_s", "cpu_cores", "memory_bytes", "net_rx_bytes_per_s", "net_tx_bytes_per_s"];

/// Position of CPU in a row.
pub(crate) const CPU: usize = 2;

/// Position of memory in a row.
pub(crate) const MEMORY: usize = 3;

/// One row of a series, without its workload.
pub(crate) type Row = [String; COLUMNS.len()];

/// Usable rows of the sample trace by workload, by time.
static SERIES: LazyLock<BTreeMap<String, Vec<Row>>> = LazyLock::new(|| {
    let file = std::fs::File::open(format!("{TRACE}/series.csv.gz")).unwrap();
    let mut series: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for record in csv::Reader::from_reader(flate2::read::MultiGzDecoder::new(file)).records() {
        let record = record.unwrap();
        let row: Row = std::array::from_fn(|column| record[column + 1].to_owned());
        if row.iter().all(|cell| cell.parse::<f64>().is_ok_and(|value| value >= 0.0 && value.is_finite())) {
            series.entry(record[0].to_owned()).or_default().push(row);
        }
    }
    for rows in series.values_mut() {
        rows.sort_by(|a, b| seconds(a).total_cmp(&seconds(b)));
        rows.dedup_by(|later, kept| later[0] == kept[0]);
    }
    series
});

fn seconds(row: &Row) -> f64 {
    row[0].parse().unwrap()
}

/// What was seen of a newcomer.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) rows: Vec<Row>,
}

impl Seen {
    /// Returns the first `window` seconds of a stored workload under the name `name`.
    pub(crate) fn like(stored: &str, window: f64, name: &str) -> Self {
        let rows = &SERIES[stored];
        let end = seconds(&rows[0]) + window;
        Self { name: name.to_owned(), rows: rows.iter().filter(|row| seconds(row) < end).cloned().collect() }
    }

    /// Returns it with every value of a column changed.
    pub(crate) fn changed(mut self, column: usize, change: impl Fn(f64) -> f64) -> Self {
        for row in &mut self.rows {
            row[column] = change(row[column].parse().unwrap()).to_string();
        }
        self
    }

    /// Returns the largest value of a column.
    pub(crate) fn largest(&self, column: usize) -> f64 {
        self.rows.iter().map(|row| row[column].parse().unwrap()).fold(0.0, f64::max)
    }

    /// Returns it as a table without a column of workloads.
    pub(crate) fn alone(&self) -> String {
        std::iter::once(COLUMNS.join(","))
            .chain(self.rows.iter().map(|row| row.join(",")))
            .fold(String::new(), |text, line| text + &line + "\n")
    }
}

/// Returns the table of several newcomers, rows of one after those of another.
pub(crate) fn table(seen: &[Seen]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(std::iter::once("workload").chain(COLUMNS)).unwrap();
    for one in seen {
        for row in &one.rows {
            writer.write_record(std::iter::once(one.name.as_str()).chain(row.iter().map(String::as_str))).unwrap();
        }
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// Two services and two batch jobs whose starts the trace shows, under names of newcomers.
pub(crate) fn newcomers() -> Vec<Seen> {
    [("checkout-api-0015", "a"), ("checkout-api-001d", "b"), ("billing-batch-001f", "c"), ("billing-batch-0020", "d")]
        .map(|(stored, name)| Seen::like(stored, 60.0, name).changed(MEMORY, |bytes| (bytes * 1.07).round()))
        .to_vec()
}

/// Returns one of [`newcomers`], alone.
pub(crate) fn newcomer() -> Seen {
    newcomers().swap_remove(0)
}

/// Returns a world whose store holds the sample trace.
pub(crate) fn stored() -> World {
    let world = World::new();
    world.run(["-q", "ingest", TRACE]).expect_code(0);
    world
}

/// Returns a world whose store holds the sample trace and an index for 60 s, with `sample.csv`, the first minute of
/// [`newcomer`].
pub(crate) fn indexed() -> World {
    let world = stored();
    world.run(["-q", "fingerprint"]).expect_code(0);
    world.write("sample.csv", table(&[newcomer()]));
    world
}

/// Returns the answer to `arguments` as JSON.
#[track_caller]
pub(crate) fn json_of(world: &World, arguments: &[&str]) -> Value {
    let answer = world.run(arguments).expect_code(0);
    serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("{error}: {}", answer.shown()))
}
