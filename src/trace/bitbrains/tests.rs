//! One test per anomaly of the trace document that a reader can see, and of what a file is taken for.

use super::provisioned::Stated;
use super::recognise::machine;
use super::*;
use crate::trace::testing::{self, Reading};
use crate::trace::{Amounts, EventKind, Sample, SampleFlags};
use crate::units::Micros;

const HEADER: &str = "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];\t\
                      Memory capacity provisioned [KB];\tMemory usage [KB];\tDisk read throughput [KB/s];\t\
                      Disk write throughput [KB/s];\tNetwork received throughput [KB/s];\t\
                      Network transmitted throughput [KB/s]\n";
const FIRST: i64 = 1_375_308_176;

/// Reads rows below the header as the file of machine 7 of August.
fn read(rows: &str) -> Reading {
    testing::read(&Bitbrains, "vm", "gwa/rnd/2013-8/7.csv.gz", 0, &format!("{HEADER}{rows}"))
}

/// A row of two cores of 2,600 MHz and 8 GiB, of which a quarter and 1 GiB are in use.
fn row(stamp: i64) -> String {
    format!("{stamp};\t2;\t5200.0;\t1300.0;\t25.0;\t8388608.0;\t1048576.0;\t1.0;\t2.0;\t3.0;\t4.0\n")
}

fn samples(reading: &Reading) -> Vec<Sample> {
    reading.kept.samples.iter().map(|(_, _, sample)| *sample).collect()
}

fn detect(path: &str, text: &str) -> Option<(&'static str, Confidence)> {
    testing::detect(&Bitbrains, path, text)
}

#[test]
fn a_row_is_cores_and_bytes_of_a_machine_named_by_its_path() {
    let reading = read(&row(FIRST));
    let (dataset, workload, sample) = &reading.kept.samples[0];
    assert_eq!((*dataset, workload.as_str()), (crate::trace::Dataset::Usage, "rnd/2013-8/7"));
    assert_eq!((sample.start, sample.duration), (Micros::from_seconds(FIRST), Micros::from_seconds(300)));
    assert_eq!((sample.cpu, sample.memory), (Some(0.5), Some(1_073_741_824.0)));
    assert_eq!((sample.disk_read, sample.disk_written), (Some(1024.0), Some(2048.0)));
    assert_eq!((sample.network_received, sample.network_transmitted), (Some(3072.0), Some(4096.0)));
    assert_eq!((sample.cpu_request, sample.memory_request), (Some(2.0), Some(8_589_934_592.0)));
    let [event] = reading.kept.events.as_slice() else { panic!("one statement") };
    assert_eq!((event.workload.as_str(), event.kind), ("rnd/2013-8/7", EventKind::Exists));
    let provisioned = Amounts { cpu: Some(2.0), memory: Some(8_589_934_592.0), disk: None };
    assert_eq!((event.request, event.limit), (provisioned, provisioned));
}

#[test]
fn anomaly_1_the_time_is_in_seconds_though_the_header_says_milliseconds() {
    let starts = |stamp| samples(&read(&row(stamp)))[0].start;
    assert_eq!(starts(FIRST), Micros::from_seconds(FIRST));
    // A copy that keeps its promise.
    assert_eq!(starts(FIRST * 1000 + 5), Micros(FIRST * 1_000_000 + 5000));
}

#[test]
fn anomaly_2_memory_is_flagged_as_active_memory() {
    let reading = read(&row(FIRST));
    assert_eq!(samples(&reading)[0].flags, SampleFlags::MEMORY_ACTIVE);
    assert!(reading.summary.notes.keys().any(|note| note.contains("do not size memory by it")));
}

#[test]
fn anomaly_3_cpu_above_100_percent_is_kept() {
    let turbo = row(FIRST).replace("1300.0;\t25.0", "5460.0;\t105.0");
    assert_eq!(samples(&read(&turbo))[0].cpu, Some(2.1));
}

#[test]
fn anomaly_4_wandering_provision_is_settled_by_the_mode_or_the_maximum() {
    let memory = |amounts: &[&str]| {
        let rows: String =
            (0..).zip(amounts).map(|(at, amount)| row(FIRST + 300 * at).replace("8388608.0", amount)).collect();
        read(&rows).kept.events[0].request.memory.map(|bytes| bytes / 1024.0)
    };
    assert_eq!(memory(&["800.0", "700.0", "700.0", "700.0"]), Some(700.0));
    // A balloon: no amount was stated by half of the rows.
    assert_eq!(memory(&["800.0", "700.0", "700.0", "600.0", "500.0"]), Some(800.0));
    assert_eq!(Stated::default().mode_or_most(), None);
}

#[test]
fn anomaly_5_a_machine_that_is_switched_off_uses_nothing_that_is_known() {
    let off = format!("{FIRST};\t0;\t0.0;\t0.0;\t0.0;\t0.0;\t0.0;\t0.0;\t0.0;\t0.0;\t0.0\n");
    let reading = read(&format!("{off}{}", row(FIRST + 300)));
    let found = samples(&reading);
    assert_eq!(found[0].flags, SampleFlags::OFF);
    assert_eq!((found[0].cpu, found[0].memory, found[0].network_received), (None, None, None));
    assert_eq!((found[0].start, found[1].cpu), (Micros::from_seconds(FIRST), Some(0.5)));
    assert_eq!(reading.kept.events[0].request.cpu, Some(2.0), "zeros say nothing of what is provisioned");
}

#[test]
fn anomaly_6_a_file_of_two_series_is_refused_and_hands_out_nothing() {
    let both: String = (0..60).map(|at| row(FIRST + 300 * at) + &row(FIRST + 300 * at - 7)).collect();
    let reading = read(&both);
    let error = reading.error();
    assert!(error.contains("do not go forward") && error.contains("at row 2"), "{error}");
    assert!(reading.kept.samples.is_empty() && reading.kept.events.is_empty());
    // One step of 199 is below one in a hundred, and repeated rows are no steps back: the store drops them.
    let mut rows: Vec<String> = (0..200).map(|at| row(FIRST + 300 * at)).collect();
    rows.push(row(FIRST));
    assert_eq!(read(&rows.concat()).kept.samples.len(), 201);
    let twice: String = (0..10).map(|at| row(FIRST + 300 * at).repeat(2)).collect();
    assert_eq!(read(&twice).kept.samples.len(), 20);
}

#[test]
fn anomaly_7_other_steps_than_300_s_are_kept_as_they_are() {
    let reading = read(&(row(FIRST) + &row(FIRST + 299) + &row(FIRST + 299 + 3979)));
    let starts: Vec<i64> = samples(&reading).iter().map(|sample| sample.start.0 / 1_000_000 - FIRST).collect();
    assert_eq!(starts, [0, 299, 4278]);
}

#[test]
fn anomaly_8_memory_above_the_provision_is_kept() {
    let above = row(FIRST).replace("1048576.0", "9388608.0");
    assert_eq!(samples(&read(&above))[0].memory, Some(9_388_608.0 * 1024.0));
}

#[test]
fn anomaly_9_a_number_is_another_machine_in_another_month() {
    assert_eq!(machine("fastStorage/2013-8/12.csv").name, "fastStorage/2013-8/12");
    assert_eq!(machine("rnd.tar.gz!rnd/2013-07/12.csv").name, "rnd/2013-07/12");
    assert_eq!(machine("./2013-8/12.csv").name, "2013-8/12");
    let unknown = machine("traces/12.csv.gz");
    assert_eq!((unknown.name.as_str(), unknown.has_month), ("12", false));
    assert_eq!(Bitbrains.recording_of("rnd/2013-8/12"), Some("rnd/2013-8"));
    let reading = testing::read(&Bitbrains, "vm", "12.csv", 0, &format!("{HEADER}{}", row(FIRST)));
    assert!(reading.summary.notes.keys().any(|note| note.contains("names no month")));
}

#[test]
fn odd_rows_are_rejected_by_reason_or_lose_a_value() {
    let negative = row(FIRST).replace("1300.0", "-1300.0");
    let text = row(FIRST).replace("1048576.0", "much");
    let short = format!("{FIRST};\t2;\t5200.0\n");
    let timeless = row(FIRST).replace(&FIRST.to_string(), "");
    let reading = read(&(negative + &text + &short + &timeless));
    let reasons =
        [("mandatory cell is empty", 1), ("not a number", 1), ("value is negative", 1), ("wrong number of fields", 1)];
    assert_eq!(reading.rejected(), reasons);
    // Use without a capacity cannot be turned into cores.
    let sample = samples(&read(&row(FIRST).replace("5200.0", "")))[0];
    assert_eq!(sample.cpu, None);
    assert!(sample.flags.contains(SampleFlags::VALUE_DROPPED));
}

#[test]
fn a_file_is_known_by_its_header_or_by_eleven_numbers() {
    let text = format!("{HEADER}{}", row(FIRST));
    assert_eq!(detect("rnd/2013-8/1.csv.gz", &text), Some(("vm", Confidence::Name)));
    assert_eq!(detect("1.csv", &text), Some(("vm", Confidence::Header)));
    assert_eq!(detect("1.csv", &row(FIRST)), Some(("vm", Confidence::Cells)));
    assert_eq!(detect("2013-8/1.csv", "workload;time_s;cpu_cores\na;0;1\n"), None);
    assert_eq!(detect("1.csv", &row(FIRST).replace(';', ",")), None);
    assert_eq!(detect("1.csv", &row(17)), None, "the first number is no time");
}
