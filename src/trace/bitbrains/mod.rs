//! The `bitbrains` format: virtual machines of a business data centre (GWA-T-12), one file a machine and month.
//!
//! Input: eleven columns separated by `;` and a tab, with a header, plain or gzipped. Output: one sample per row, and per
//! file one statement of what is provisioned. CPU is in cores, memory, network and disk in bytes (a KB of this trace is
//! 1024 bytes: machines are provisioned with 8388608 of them). Cost: one pass; the rows of one file are held until its
//! end, since only the whole file tells what is provisioned and whether two series stand in it (some 9,000 rows of a
//! month).
//!
//! A workload is `TRACE/MONTH/NUMBER` as the path says, because the same number is another machine in another month. A
//! month is a recording of its own: a machine that is there when the month begins was not seen starting.

mod provisioned;
mod recognise;
mod rows;
#[cfg(test)]
mod tests;

use super::delimited::{self, Kind, TableSpec, optional, required};
use super::source::Input;
use super::{
    Confidence, Context, CpuUnit, Format, Head, MemoryUnit, NetworkUnit, RequestRule, TraceError, UnitContract,
};

/// The `bitbrains` format.
#[derive(Debug, Clone, Copy)]
pub struct Bitbrains;

/// The columns. The header calls the time milliseconds; it is in seconds.
const VM: TableSpec = TableSpec {
    name: "vm",
    columns: &[
        required("timestamp", Kind::Time).also(&["Timestamp [ms]", "Timestamp [s]"]),
        optional("cpu_cores", Kind::Integer).also(&["CPU cores"]),
        optional("cpu_capacity_mhz", Kind::Number).also(&["CPU capacity provisioned [MHZ]"]),
        optional("cpu_usage_mhz", Kind::Number).also(&["CPU usage [MHZ]"]),
        optional("cpu_usage_percent", Kind::Number).also(&["CPU usage [%]"]),
        optional("memory_capacity_kb", Kind::Number).also(&["Memory capacity provisioned [KB]"]),
        optional("memory_usage_kb", Kind::Number).also(&["Memory usage [KB]"]),
        optional("disk_read_kb_s", Kind::Number).also(&["Disk read throughput [KB/s]"]),
        optional("disk_write_kb_s", Kind::Number).also(&["Disk write throughput [KB/s]"]),
        optional("net_received_kb_s", Kind::Number).also(&["Network received throughput [KB/s]"]),
        optional("net_transmitted_kb_s", Kind::Number).also(&["Network transmitted throughput [KB/s]"]),
    ],
    trailing_optional: 0,
    is_quoted: false,
    delimiter: b';',
};

impl Format for Bitbrains {
    fn name(&self) -> &'static str {
        "bitbrains"
    }

    fn detect(&self, head: &Head<'_>) -> Option<(&'static str, Confidence)> {
        recognise::recognise(head)
    }

    fn read(&self, _table: &'static str, input: Input<'_>, context: &mut Context<'_>) -> Result<(), TraceError> {
        let Input::Text(text) = input else {
            return Err(TraceError::Unrecognised {
                file: context.file.to_owned(),
                what: "the files of `bitbrains` are text, not Parquet".to_owned(),
            });
        };
        let mut rows = rows::Rows::default();
        delimited::read(&VM, text, context, &mut |row, _context| Ok(rows.take(row)))?;
        rows.hand_out(context)
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

    fn recording_of<'a>(&self, workload: &'a str) -> Option<&'a str> {
        workload.rsplit_once('/').map(|(month, _number)| month)
    }

    fn is_each_file_alone(&self) -> bool {
        true
    }

    fn has_starts_of_first_samples(&self) -> bool {
        true
    }

    fn sampling_seconds(&self) -> u32 {
        300
    }
}
