//! Parquet as other tools write it. Files come from two writers: arrow for types, polars for codecs.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow::array::{
    Array, ArrayRef, Decimal128Array, DictionaryArray, Float64Array, Int64Array, StringArray, StructArray,
    TimestampNanosecondArray, UInt32Array,
};
use arrow::datatypes::{DataType, Field, Int32Type};
use arrow::record_batch::RecordBatch;
use polars::prelude::{DataFrame, NamedFrom, ParquetCompression, ParquetWriter, Series};

use super::*;

fn write(folder: &Path, columns: Vec<(&str, ArrayRef)>) -> std::path::PathBuf {
    let path = folder.join("series.parquet");
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut writer =
        ArrowWriter::try_new(fs_err::File::create(&path).expect("created"), batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    path
}

fn read(table: &'static str, path: &Path, map: &[&str]) -> Reading {
    testing::read_input(&Table, table, "series.parquet", 0, &options(map), Input::Parquet(path))
}

fn detect(path: &Path, map: &[&str]) -> Option<(&'static str, Confidence)> {
    Table.detect(&Head { path: &path.to_string_lossy(), bytes: b"PAR1", options: &options(map) })
}

#[test]
fn anomaly_7_dictionaries_timestamps_decimals_and_nested_columns_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let names: DictionaryArray<Int32Type> = ["a", "b"].into_iter().collect();
    let times = TimestampNanosecondArray::from(vec![1_716_292_800_250_001_000, 0]).with_timezone("UTC");
    let memory = Decimal128Array::from(vec![12_345, 100]).with_precision_and_scale(10, 2).expect("a decimal");
    let cpu: ArrayRef = Arc::new(Float64Array::from(vec![Some(150.0), None]));
    let usage = StructArray::from(vec![(Arc::new(Field::new("cpu", DataType::Float64, true)), cpu)]);
    let path = write(
        folder.path(),
        vec![
            ("pod", Arc::new(names) as ArrayRef),
            ("ts", Arc::new(times)),
            ("mem", Arc::new(memory)),
            ("usage", Arc::new(usage)),
        ],
    );
    let map = ["workload=pod", "time_s=ts", "memory_bytes=mem*100", "cpu_cores=usage.cpu/100"];
    assert_eq!(detect(&path, &map), Some(("series", Confidence::Header)));
    let reading = read("series", &path, &map);
    let [(one, first), (other, second)] = samples(&reading)[..] else { panic!("two samples") };
    assert_eq!((one, other), ("a", "b"));
    assert_eq!((first.start, first.cpu, first.memory), (Micros(1_716_292_800_250_001), Some(1.5), Some(12_345.0)));
    assert_eq!((second.start, second.cpu, second.memory), (Micros::ZERO, None, Some(100.0)));
    assert_eq!(reading.summary.columns["usage.cpu"].empty, 1);
}

#[test]
fn numbers_of_every_type_and_missing_values_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write(
        folder.path(),
        vec![
            ("workload", Arc::new(Int64Array::from(vec![330_587_238_433, 2, 3, 4])) as ArrayRef),
            ("time_s", Arc::new(Int64Array::from(vec![Some(1_716_292_800_250), Some(0), Some(0), None]))),
            ("cpu_cores", Arc::new(Float64Array::from(vec![0.5, f64::NAN, -1.0, 1.0]))),
            ("memory_bytes", Arc::new(UInt32Array::from(vec![Some(7), Some(7), None, None]))),
        ],
    );
    let reading = read("series", &path, &["time_s=time_s/1000"]);
    assert_eq!(reading.rejected(), [("mandatory cell is empty", 1), ("negative use", 1), ("number is not finite", 1)]);
    let (_, name, sample) = &reading.kept.samples[0];
    assert_eq!((name.as_str(), sample.start), ("330587238433", Micros(1_716_292_800_250_000)));
    assert_eq!((sample.cpu, sample.memory), (Some(0.5), Some(7.0)));
    assert_eq!(reading.summary.columns["memory_bytes"].empty, 2);
}

#[test]
fn facts_and_labels_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write(
        folder.path(),
        vec![
            ("workload", Arc::new(StringArray::from(vec!["a\n\"b\""])) as ArrayRef),
            ("requested_cpu_cores", Arc::new(Float64Array::from(vec![2.0]))),
            ("files", Arc::new(Int64Array::from(vec![9]))),
        ],
    );
    assert_eq!(detect(&path, &[]), Some(("workloads", Confidence::Header)));
    let reading = read("workloads", &path, &[]);
    let event = &reading.kept.events[0];
    assert_eq!((event.workload.as_str(), event.request.cpu), ("a\n\"b\"", Some(2.0)));
    assert_eq!(event.labels, [("files".to_owned(), "9".to_owned())]);
    assert_eq!(reading.summary.columns["files"].max, Some(9.0));
}

#[test]
fn columns_of_unusable_types_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write(
        folder.path(),
        vec![
            ("workload", Arc::new(Float64Array::from(vec![330_587_238_433.0])) as ArrayRef),
            ("time_s", Arc::new(Int64Array::from(vec![0]))),
            ("cpu_cores", Arc::new(Float64Array::from(vec![0.5]))),
        ],
    );
    let error = read("series", &path, &[]).error();
    assert!(
        error.starts_with("`series.parquet`: column `workload` holds identifiers as floating-point numbers"),
        "{error}"
    );
    let inner: ArrayRef = Arc::new(Decimal128Array::from(vec![1]).with_precision_and_scale(5, 1).expect("a decimal"));
    let usage = StructArray::from(vec![(Arc::new(Field::new("cpu", inner.data_type().clone(), true)), inner)]);
    let path = write(
        folder.path(),
        vec![("time_s", Arc::new(Int64Array::from(vec![0])) as ArrayRef), ("usage", Arc::new(usage))],
    );
    assert_eq!(
        read("series", &path, &["cpu_cores=usage.cpu"]).error(),
        "`series.parquet`: column `usage.cpu` lies in `usage`, which holds decimals; cast them to double"
    );
}

#[test]
fn every_codec_and_more_rows_than_a_slice_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let seconds: Vec<f64> = (0..300_000).map(f64::from).collect();
    for compression in [ParquetCompression::Lz4Raw, ParquetCompression::Gzip(None), ParquetCompression::Snappy] {
        let path = folder.path().join("series.parquet");
        let columns = ["time_s", "cpu_cores"].map(|name| Series::new(name.into(), &seconds).into());
        let mut frame = DataFrame::new(seconds.len(), columns.to_vec()).expect("a frame");
        let file = fs_err::File::create(&path).expect("created");
        ParquetWriter::new(file).with_compression(compression).finish(&mut frame).expect("written");
        let reading = read("series", &path, &["cpu_cores=cpu_cores/100000"]);
        assert_eq!((reading.summary.rows, reading.summary.kept), (300_000, 300_000), "{compression:?}");
        let is_right = |(second, (_, _, sample)): (&f64, &(Dataset, String, Sample))| {
            Micros::from_seconds_f64(*second) == Ok(sample.start) && sample.cpu == Some(second / 1e5)
        };
        assert!(seconds.iter().zip(&reading.kept.samples).all(is_right), "{compression:?}");
    }
}

#[test]
fn damaged_files_are_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let times: Vec<i64> = (0..5000).map(|row| row * row % 9973).collect();
    let columns =
        |times: &[i64]| -> ArrayRef { Arc::new(Float64Array::from_iter_values(times.iter().map(|&time| time as f64))) };
    let path = write(
        folder.path(),
        vec![("time_s", Arc::new(Int64Array::from(times.clone())) as ArrayRef), ("cpu_cores", columns(&times))],
    );
    let whole = fs_err::read(&path).expect("read");
    let cut = folder.path().join("cut.parquet");
    for length in [4, 8, whole.len() / 2, whole.len() - 1] {
        fs_err::write(&cut, &whole[..length]).expect("written");
        let error = read("series", &cut, &[]).error();
        assert!(error.starts_with("cannot read `"), "{error}");
    }
    // Parquet has no checksums, so a flipped byte may go unnoticed, but it must never end the process.
    for at in (4..whole.len()).step_by(whole.len() / 97) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        fs_err::write(&cut, &damaged).expect("written");
        let _outcome = read("series", &cut, &[]).outcome.is_ok();
    }
    assert!(read("series", &folder.path().join("none.parquet"), &[]).error().starts_with("cannot read `"));
}

#[test]
fn parquet_inside_an_archive_is_refused_with_a_way_out() {
    let mut bytes = b"PAR1\x15\x04".as_slice();
    let head = Head { path: "x.tar!series.parquet", bytes, options: &ReadOptions::default() };
    assert_eq!(Table.detect(&head), Some(("series", Confidence::Cells)));
    let reading = testing::read_input(&Table, "series", "x", 0, &ReadOptions::default(), Input::Text(&mut bytes));
    assert_eq!(reading.error(), "`x`: Parquet inside an archive or a gzip cannot be read; unpack it first");
}
