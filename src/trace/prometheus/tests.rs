use std::fmt::Write;

use super::Prometheus;
use super::labels::owner;
use super::metric::Metric;
use crate::trace::testing::{self, Reading, read};
use crate::trace::{Confidence, EventKind};
use crate::units::Micros;

const CPU: &str = "container_cpu_usage_seconds_total.json";
const LABELS: &str = r#""namespace":"shop","pod":"cart-7c9d6b5f4-x2x8k","container":"cart""#;
const CART: &str = "shop/cart-7c9d6b5f4-x2x8k/cart";

/// An answer with one series of `labels` and `values`.
fn matrix(labels: &str, values: &str) -> String {
    format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{{labels}}},"values":[{values}]}}]}}}}"#
    )
}

fn answer(path: &str, text: &str) -> Reading {
    read(&Prometheus, "query_range", path, 0, text)
}

#[test]
fn an_answer_is_recognised_by_its_fields_and_becomes_samples() {
    let text = matrix(LABELS, r#"[1716292800,"0.0413"],[1716292830.5,"1e-3"]"#);
    assert_eq!(testing::detect(&Prometheus, "x.json", &text), Some(("query_range", Confidence::Header)));
    assert_eq!(testing::detect(&Prometheus, "x.json", "{\"time\":\"0\",\"type\":\"1\"}\n"), None);
    let reading = answer(CPU, &text);
    let [first, second] = reading.kept.samples.as_slice() else { panic!("two samples") };
    assert_eq!((first.1.as_str(), first.2.cpu), (CART, Some(0.0413)));
    assert_eq!((second.2.start, second.2.cpu), (Micros(1_716_292_830_500_000), Some(0.001)));
    assert_eq!(first.2.duration, Micros(30_500_000), "the step");
    let event = &reading.kept.events[0];
    assert_eq!((event.application.as_deref(), event.user.as_deref()), (Some("shop/cart/cart"), Some("shop")));
    assert_eq!((reading.summary.rows, reading.summary.kept), (2, 2));
    assert_eq!(reading.summary.columns["cpu"].max, Some(0.0413));
}

#[test]
fn answers_may_follow_each_other_and_repeat_their_edge() {
    let text = format!("{}\n{}\n", matrix(LABELS, r#"[0,"1"],[30,"2"]"#), matrix(LABELS, r#"[30,"2"],[60,"3"]"#));
    let reading = answer("container_memory_working_set_bytes.json", &text);
    let memory: Vec<Option<f64>> = reading.kept.samples.iter().map(|sample| sample.2.memory).collect();
    assert_eq!(memory, [Some(1.0), Some(2.0), Some(3.0)]);
    assert_eq!(reading.rejected(), [("repeated point: another scrape, or the edge of two ranges", 1)]);
}

#[test]
fn anomaly_1_sums_and_pause_containers_are_left_out_and_counted() {
    for labels in [
        r#""namespace":"shop","pod":"a","container":"""#,
        r#""namespace":"shop","pod":"a","container":"POD""#,
        r#""namespace":"shop","pod":"a","container":"x","image":"registry.k8s.io/pause:3.9""#,
        r#""id":"/kubepods""#,
    ] {
        let reading = answer(CPU, &matrix(labels, r#"[0,"1"],[30,"2"]"#));
        assert_eq!(reading.rejected(), [("sum over containers, or pause container", 2)], "{labels}");
        assert_eq!((reading.kept.samples.len(), reading.summary.rows), (0, 2));
    }
}

#[test]
fn anomaly_2_a_counter_becomes_a_rate_and_resets_are_seen() {
    let labels = format!(r#""__name__":"container_cpu_usage_seconds_total",{LABELS}"#);
    let reading = answer("any.json", &matrix(&labels, r#"[0,"100"],[30,"115"],[60,"130"],[90,"6"],[120,"12"]"#));
    let found: Vec<(i64, Option<f64>)> =
        reading.kept.samples.iter().map(|sample| (sample.2.start.0 / 1_000_000, sample.2.cpu)).collect();
    assert_eq!(found, [(0, Some(0.5)), (30, Some(0.5)), (60, Some(0.2)), (90, Some(0.2))]);
    let mut rising = String::new();
    for step in 0..40 {
        write!(rising, "{}[{},\"{}\"]", if step > 0 { "," } else { "" }, step * 30, step * 7).unwrap();
    }
    let reading = answer(CPU, &matrix(LABELS, &rising));
    assert!(reading.error().contains("it is a counter, not a rate"), "{}", reading.error());
}

#[test]
fn anomaly_3_a_second_scrape_of_a_container_is_counted_and_left_out() {
    let text = format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[
        {{"metric":{{{LABELS},"prometheus_replica":"a"}},"values":[[0,"1"],[30,"1"]]}},
        {{"metric":{{{LABELS},"prometheus_replica":"b"}},"values":[[0,"1.5"],[30,"1.5"]]}}]}}}}"#
    );
    let reading = answer(CPU, &text);
    assert_eq!(reading.kept.samples.len(), 2);
    assert_eq!(reading.rejected(), [("repeated point: another scrape, or the edge of two ranges", 2)]);
}

#[test]
fn anomaly_4_values_that_are_not_finite_are_missing_and_counted() {
    let reading = answer(CPU, &matrix(LABELS, r#"[0,"NaN"],[30,"+Inf"],[60,"-Inf"],[90,"0.5"]"#));
    assert_eq!((reading.kept.samples.len(), reading.rejected()), (1, vec![("number is not finite", 3)]));
}

#[test]
fn anomaly_5_an_instant_states_requests_and_nothing_else() {
    let labels = format!(r#"{LABELS},"resource":"cpu","unit":"core""#);
    let vector = |labels: &str| {
        format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{{labels}}},"value":[50,"0.25"]}}]}}}}"#
        )
    };
    let reading = answer("kube_pod_container_resource_requests.json", &vector(&labels));
    let event = &reading.kept.events[0];
    assert_eq!(
        (event.workload.as_str(), event.request.cpu, event.time),
        (CART, Some(0.25), Some(Micros::from_seconds(50)))
    );
    let limit = answer("kube_pod_container_resource_limits.json", &vector(&labels));
    assert_eq!((limit.kept.events[0].limit.cpu, limit.kept.events[0].request.cpu), (Some(0.25), None));
    assert!(answer(CPU, &vector(LABELS)).error().contains("one instant"), "use needs a series");
    let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[50,"1"]}}"#;
    assert!(answer(CPU, scalar).error().contains("a single value"));
}

#[test]
fn anomaly_6_errors_and_web_pages_are_refused_with_their_text() {
    let text = r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\""}"#;
    assert!(testing::detect(&Prometheus, "x.json", text).is_some());
    let reading = answer(CPU, text);
    let error = reading.error();
    assert!(error.contains("Prometheus answered with an error") && error.contains("invalid parameter"), "{error}");
    assert_eq!(testing::detect(&Prometheus, "x.json", "<html><body>503</body></html>"), None);
    let cut = matrix(LABELS, r#"[0,"1"],[30,"1"]"#);
    let reading = answer(CPU, &cut[..cut.len() - 20]);
    assert!(reading.error().contains("is cut"), "{}", reading.error());
}

#[test]
fn anomaly_7_a_metric_without_a_name_is_told_by_the_file_or_refused() {
    let text = matrix(LABELS, r#"[0,"1"],[30,"2"]"#);
    let reading = answer("answer.json", &text);
    let error = reading.error();
    assert!(error.contains("which metric it is cannot be told"), "{error}");
    assert_eq!(answer("week/rate-container_fs_reads_bytes_total.json", &text).kept.samples[0].2.disk_read, Some(1.0));
    assert_eq!(Metric::named_in("container_network_transmit_bytes_total.json.gz"), Some(Metric::NetworkTransmitted));
    assert_eq!(Metric::named_in("container_memory_rss-container_cpu_usage_seconds_total"), None, "two");
}

#[test]
fn anomaly_8_gaps_and_restarts_begin_another_run() {
    let values = r#"[0,"1"],[30,"1"],[60,"1"],[90,"1"],[900,"1"],[930,"1"]"#;
    let starts = |reading: &Reading| -> Vec<i64> {
        let begun = reading.kept.events.iter().filter(|event| event.kind == EventKind::Schedule);
        begun.filter_map(|event| event.time).map(|time| time.0 / 1_000_000).collect()
    };
    assert_eq!(starts(&answer(CPU, &matrix(LABELS, values)))[1..], [900], "after one that began unseen");
    let restarts = matrix(LABELS, r#"[0,"3"],[30,"3"],[60,"4"],[90,"4"]"#);
    assert_eq!(starts(&answer("kube_pod_container_status_restarts_total.json", &restarts))[1..], [60]);
}

#[test]
fn anomaly_9_warnings_are_passed_on() {
    let text = matrix(LABELS, r#"[0,"1"]"#).replace(r#""status""#, r#""warnings":["results truncated"],"status""#);
    let reading = answer(CPU, &text);
    assert!(reading.summary.notes.contains_key("Prometheus warned: results truncated"), "{:?}", reading.summary.notes);
}

#[test]
fn what_is_the_pods_alone_is_counted_and_left_out() {
    let labels = r#""namespace":"shop","pod":"cart-7c9d6b5f4-x2x8k","interface":"eth0""#;
    let reading = answer("container_network_receive_bytes_total.json", &matrix(labels, r#"[0,"1"]"#));
    assert_eq!(reading.rejected(), [("the metric is the pod's, not a container's", 1)]);
}

#[test]
fn owners_are_told_from_the_names_of_pods() {
    for (pod, expected) in [
        ("cart-7c9d6b5f4-x2x8k", "cart"),
        ("web-frontend-6b474476c4-bx9dz", "web-frontend"),
        ("postgres-0", "postgres"),
        ("fluentd-x2x8k", "fluentd"),
        ("plain", "plain"),
        ("my-database", "my-database"),
    ] {
        assert_eq!(owner(pod), expected, "{pod}");
    }
}
