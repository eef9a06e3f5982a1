//! The tables of both editions. Those of 2021 begin with an index column, which slices may lack.

use super::super::delimited::{ColumnSpec, Kind, Outcome, Row, optional, required};
use super::super::known::{Known, distinct, known, note, only_counted};
use super::super::{Context, TraceError};
use super::{Running, container, node};

/// Tables of 2021, each with and without the index.
pub(super) static TABLES_2021: [Known<Running>; 7] = [
    distinct(known("Node", &["node"], &NODE, "ddhnn", |row, _, context| node(row, [1, 2, 3, 4], 0, context))),
    distinct(known("Node", &["node"], &NODE_BARE, "dhnn", |row, _, context| node(row, [0, 1, 2, 3], 0, context))),
    distinct(known("MSResource", &["msresource"], &RESOURCE, "dhhhnnd", |row, running, context| {
        container(row, [6, 1, 2, 3, 4, 5], 0, running, context)
    })),
    distinct(known("MSResource", &["msresource"], &RESOURCE_BARE, "dhhhnn", |row, running, context| {
        container(row, [0, 1, 2, 3, 4, 5], 0, running, context)
    })),
    known("MSRTQps", &["msrtqps"], &RATES, "ddhhwn", rates),
    known("MSCallGraph", &["mscallgraph"], &CALLS, "dtdt*w**d", calls),
    known("MSCallGraph", &["mscallgraph"], &CALLS_BARE, "tdt*w**d", only_counted),
];

/// Tables of 2022, with a header and without an index. Files keep the name of their update.
pub(super) static TABLES_2022: [Known<Running>; 4] = [
    known("NodeMetrics", &["nodemetrics", "nodemetricsupdate"], &NODE_2022, "dwnn", |row, _, context| {
        node(row, [0, 1, 2, 3], 1, context)
    }),
    known(
        "MSMetrics",
        &["msmetrics", "msmetricsupdate", "msresource"],
        &METRICS_2022,
        "dwwwnn",
        |row, running, context| container(row, [0, 1, 2, 3, 4, 5], 1, running, context),
    ),
    known("MSRTMCR", &["msrtmcr", "mcrrtupdate"], &RATES_2022, "dwwwnnnnnnnnnnnnnnnnnn", only_counted),
    known("CallGraph", &["callgraph"], &CALLS_2022, "dwwtw******", only_counted),
];

const NODE: [ColumnSpec; 5] = [
    optional("index", Kind::Integer),
    required("timestamp", Kind::Integer),
    required("nodeid", Kind::Text),
    optional("node_cpu_usage", Kind::Number).also(&["cpu_utilization"]),
    optional("node_memory_usage", Kind::Number).also(&["memory_utilization"]),
];
const NODE_BARE: [ColumnSpec; 4] = [NODE[1], NODE[2], NODE[3], NODE[4]];

const RESOURCE: [ColumnSpec; 7] = [
    optional("index", Kind::Integer),
    optional("msname", Kind::Text),
    required("msinstanceid", Kind::Text),
    optional("nodeid", Kind::Text),
    optional("instance_cpu_usage", Kind::Number).also(&["cpu_utilization"]),
    optional("instance_memory_usage", Kind::Number).also(&["memory_utilization"]),
    required("timestamp", Kind::Integer),
];
const RESOURCE_BARE: [ColumnSpec; 6] = [RESOURCE[6], RESOURCE[1], RESOURCE[2], RESOURCE[3], RESOURCE[4], RESOURCE[5]];

const RATES: [ColumnSpec; 6] = [
    optional("index", Kind::Integer),
    required("timestamp", Kind::Integer),
    optional("msname", Kind::Text),
    required("msinstanceid", Kind::Text),
    required("metric", Kind::Category).also(&["metrics"]),
    optional("value", Kind::Number),
];

const CALLS: [ColumnSpec; 9] = [
    optional("index", Kind::Integer),
    required("traceid", Kind::Text),
    required("timestamp", Kind::Integer),
    required("rpcid", Kind::Text),
    optional("um", Kind::Text),
    optional("rpctype", Kind::Category),
    optional("dm", Kind::Text),
    optional("interface", Kind::Text),
    optional("rt", Kind::Number),
];
const CALLS_BARE: [ColumnSpec; 8] = [CALLS[1], CALLS[2], CALLS[3], CALLS[4], CALLS[5], CALLS[6], CALLS[7], CALLS[8]];

const NODE_2022: [ColumnSpec; 4] = [
    required("timestamp", Kind::Integer),
    required("nodeid", Kind::Text),
    optional("cpu_utilization", Kind::Number),
    optional("memory_utilization", Kind::Number),
];

const METRICS_2022: [ColumnSpec; 6] = [
    required("timestamp", Kind::Integer),
    optional("msname", Kind::Text),
    required("msinstanceid", Kind::Text),
    optional("nodeid", Kind::Text),
    optional("cpu_utilization", Kind::Number).also(&["instance_cpu_usage"]),
    optional("memory_utilization", Kind::Number).also(&["instance_memory_usage"]),
];

const RATES_2022: [ColumnSpec; 22] = [
    required("timestamp", Kind::Integer),
    optional("msname", Kind::Text),
    required("msinstanceid", Kind::Text),
    optional("nodeid", Kind::Text),
    optional("providerrpc_rt", Kind::Number),
    optional("providerrpc_mcr", Kind::Number),
    optional("consumerrpc_rt", Kind::Number),
    optional("consumerrpc_mcr", Kind::Number),
    optional("writemc_rt", Kind::Number),
    optional("writemc_mcr", Kind::Number),
    optional("readmc_rt", Kind::Number),
    optional("readmc_mcr", Kind::Number),
    optional("writedb_rt", Kind::Number),
    optional("writedb_mcr", Kind::Number),
    optional("readdb_rt", Kind::Number),
    optional("readdb_mcr", Kind::Number),
    optional("consumermq_rt", Kind::Number),
    optional("consumermq_mcr", Kind::Number),
    optional("providermq_rt", Kind::Number),
    optional("providermq_mcr", Kind::Number),
    optional("http_mcr", Kind::Number),
    optional("http_rt", Kind::Number),
];

const CALLS_2022: [ColumnSpec; 11] = [
    required("timestamp", Kind::Integer),
    required("traceid", Kind::Text),
    optional("service", Kind::Text),
    required("rpc_id", Kind::Text).also(&["rpcid"]),
    optional("rpctype", Kind::Category),
    optional("um", Kind::Text),
    optional("uminstanceid", Kind::Text),
    optional("interface", Kind::Text),
    optional("dm", Kind::Text),
    optional("dminstanceid", Kind::Text),
    // Times may read `None`.
    optional("rt", Kind::Text),
];

/// Counts what is odd about calls: a negative time was recorded at the callee, and both ends may be unknown.
fn calls(row: &Row<'_>, running: &mut Running, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    if row.number(8).is_some_and(|time| time < 0.0) {
        note("negative response times were recorded at the callee", context);
    }
    for (column, what) in [(4, "the caller is unknown"), (6, "the callee is unknown")] {
        if row.text(column).is_some_and(|name| matches!(name, "NAN" | "(?)")) {
            note(what, context);
        }
    }
    only_counted(row, running, context)
}

/// `HTTP_MCR` equals `HTTP_RT`: both come from one column.
fn rates(row: &Row<'_>, running: &mut Running, context: &mut Context<'_>) -> Result<Outcome, TraceError> {
    if row.text(4).is_some_and(|metric| metric.starts_with("HTTP_")) {
        note("HTTP_MCR and HTTP_RT are the same numbers: which of them is not known", context);
    }
    only_counted(row, running, context)
}
