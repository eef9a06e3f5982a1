//! The `table` format: the user's own long series, one row per workload and time, and a second table of what is known
//! of each workload.
//!
//! Input: CSV, TSV or `;`-separated text, or Parquet; columns by name in any order, other names and units through
//! [`Mapping`]. Output: samples in cores and bytes from the table `series`, statements about workloads from the table
//! `workloads`; its further columns become labels. Cost: one pass, one row (Parquet: one slice) in memory.

mod mapping;
mod parquet;
mod plan;
mod rows;
#[cfg(test)]
mod tests;
mod text;
mod value;

use std::path::Path;

use super::source::Input;
use super::{
    Confidence, Context, CpuUnit, Format, Head, MemoryUnit, NetworkUnit, RequestRule, TraceError, UnitContract,
};

pub use mapping::{Mapping, MappingError, Step, Target};

/// The `table` format.
#[derive(Debug, Clone, Copy)]
pub struct Table;

impl Format for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn detect(&self, head: &Head<'_>) -> Option<(&'static str, Confidence)> {
        if head.bytes.starts_with(b"PAR1") {
            // One that cannot be opened, as inside an archive, is claimed too, so that reading it says why.
            let Ok(names) = parquet::names(Path::new(head.path)) else {
                return Some((plan::SERIES, Confidence::Cells));
            };
            return plan::recognise(&names, &head.options.map).map(|table| (table, Confidence::Header));
        }
        let header = text::header(&mut &*head.bytes, &head.options.map).ok()??;
        plan::recognise(&header.names, &head.options.map).map(|table| (table, Confidence::Header))
    }

    fn mismatch(&self, head: &Head<'_>) -> Option<String> {
        let names = if head.bytes.starts_with(b"PAR1") {
            parquet::names(Path::new(head.path)).ok()?
        } else {
            text::header(&mut &*head.bytes, &head.options.map).ok()??.names
        };
        let is_header = names.len() > 1 && names.iter().all(|name| name.parse::<f64>().is_err() && !name.contains('{'));
        let map = &head.options.map;
        if is_header && !map.is_empty() {
            return plan::plan(plan::SERIES, &names, map).err();
        }
        is_header.then(|| {
            format!(
                "its columns are {}; say which is which with `--map time_s=COLUMN --map cpu_cores=COLUMN`",
                plan::list(&names)
            )
        })
    }

    fn read(&self, table: &'static str, input: Input<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        match input {
            Input::Text(text) => text::read(table, text, context),
            Input::Parquet(path) => parquet::read(table, path, context),
        }
    }

    fn request_rule(&self) -> RequestRule {
        RequestRule::First
    }

    fn units(&self) -> UnitContract {
        UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::BytesPerSecond }
    }

    fn group_of<'a>(&self, _workload: &'a str) -> Option<&'a str> {
        None
    }

    fn duplicates(&self) -> super::Duplicates {
        super::Duplicates::First
    }

    fn has_starts_of_first_samples(&self) -> bool {
        true
    }

    fn sampling_seconds(&self) -> u32 {
        0
    }
}
