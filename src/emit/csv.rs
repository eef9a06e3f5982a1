//! `csv`: a header, then one row per workload and container; an unknown value is an empty field.

use crate::predict::{Decision, Prediction};
use crate::units::{Bytes, Cores};

use super::instances::Ranking;
use super::record::finite;
use super::renting::rankings;
use super::sizing::{Sizing, round_cpu, round_memory};
use super::{EmitError, EmitOptions, Emitted, Form, names};

/// The form.
pub(super) struct Csv;

const HEADER: [&str; 17] = [
    "workload",
    "container",
    "cpu_request_cores",
    "memory_request_bytes",
    "cpu_limit_cores",
    "memory_limit_bytes",
    "network_bytes_per_s",
    "cpu_low_cores",
    "cpu_high_cores",
    "memory_low_bytes",
    "memory_high_bytes",
    "coverage",
    "window_s",
    "observed_seconds",
    "confidence",
    "decision",
    "novelty",
];

/// Added where whole machines were asked for.
const MACHINES: [&str; 5] = ["provider", "instance", "instances", "replicas_per_instance", "price_usd_hour"];

fn machine_fields(ranking: Option<&Ranking>) -> [String; 5] {
    let Some(best) = ranking.and_then(|ranking| ranking.placements.first()) else { return Default::default() };
    [
        best.instance.provider.name().to_owned(),
        guard(&best.instance.name),
        best.count.to_string(),
        best.per_instance.to_string(),
        best.price.as_dollars().to_string(),
    ]
}

/// Returns `text` so that a spreadsheet takes it for text: what begins like a formula gets an apostrophe in front, and
/// so does what begins with one, so that taking off a leading apostrophe always gives the original.
pub(super) fn guard(text: &str) -> String {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\'' | '＝' | '＋' | '－' | '＠') => format!("'{text}"),
        _ => text.to_owned(),
    }
}

impl Form for Csv {
    fn emit(&self, predictions: &[Prediction], options: &EmitOptions) -> Result<Emitted, EmitError> {
        let failed = |error: ::csv::Error| EmitError::Encode(error.to_string());
        let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::Any(b'\n')).from_writer(Vec::new());
        let rankings = rankings(predictions, options)?;
        let machines = if options.renting.is_some() { MACHINES.as_slice() } else { &[] };
        writer.write_record(HEADER.iter().chain(machines)).map_err(failed)?;
        for (prediction, ranking) in predictions.iter().zip(&rankings) {
            // The limits need both resources; a row without one still shows the other.
            let sizing = match Sizing::of(prediction, options) {
                Ok(sizing) => Some(sizing),
                Err(error) if error.is_abstention() => None,
                Err(error) => return Err(error),
            };
            let known = prediction.decision != Decision::Abstain;
            let container =
                options.container_of(prediction).cloned().unwrap_or_else(|| names::made(&prediction.workload, 63));
            let cores = |cpu: Option<Cores>| cpu.map(|cpu| cpu.as_f64().to_string()).unwrap_or_default();
            let bytes = |memory: Option<Bytes>| memory.map(|memory| memory.get().to_string()).unwrap_or_default();
            let number = |value: Option<f64>| value.and_then(finite).map(|value| value.to_string()).unwrap_or_default();
            let (allocation, interval) = (&prediction.allocation, &prediction.interval);
            let mut row = vec![
                guard(&prediction.workload),
                guard(&container),
                cores(allocation.cpu.filter(|_| known).map(round_cpu)),
                bytes(allocation.memory.filter(|_| known).map(round_memory)),
                cores(sizing.and_then(|sizing| sizing.cpu_limit)),
                bytes(sizing.map(|sizing| sizing.memory_limit)),
                allocation.network.map(|rate| rate.get().to_string()).unwrap_or_default(),
                cores(interval.cpu.map(|(low, _)| round_cpu(low))),
                cores(interval.cpu.map(|(_, high)| round_cpu(high))),
                bytes(interval.memory.map(|(low, _)| round_memory(low))),
                bytes(interval.memory.map(|(_, high)| round_memory(high))),
                number(Some(prediction.coverage)),
                number(Some(prediction.window_seconds)),
                number(Some(prediction.observed_seconds)),
                number(Some(prediction.confidence())),
                prediction.decision.name().to_owned(),
                number(prediction.novelty),
            ];
            if options.renting.is_some() {
                row.extend(machine_fields(ranking.as_ref()));
            }
            writer.write_record(&row).map_err(failed)?;
        }
        let bytes = writer.into_inner().map_err(|error| EmitError::Encode(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|error| EmitError::Encode(error.to_string()))?;
        Ok(Emitted::one("shadow.csv", text))
    }
}

#[cfg(test)]
mod tests {
    use super::guard;

    #[test]
    fn what_begins_like_a_formula_becomes_text() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'quoted"] {
            assert_eq!(guard(text), format!("'{text}"));
        }
        assert_eq!(guard("shop/checkout"), "shop/checkout");
        assert_eq!(guard(""), "");
    }
}
