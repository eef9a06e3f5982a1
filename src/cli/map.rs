//! Arguments of `shadow map`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::trace::table::Mapping;
use crate::units::Micros;

use super::complete;
use super::values::{FormatChoice, ValueError};

const EXAMPLES: &str = "\
Examples:
  A page to look around in:
    shadow map
    xdg-open map.html

  A picture and a table of the same map, coloured by owner:
    shadow map --color-by user -o map.svg -o map.parquet

  Where this newcomer would lie:
    shadow map --place first-minute.csv -o map.html";

/// Draws a map of the stored workloads: alike is near
///
/// Lays the fingerprints of an index out on a plane by t-SNE, so that workloads whose first minutes looked alike lie near each
/// other. The HTML page needs no network: pan, zoom, point at a workload to see what is known of it and its use in outline,
/// colour by anything that the trace says. The same store and seed give the same map, for any number of threads.
///
/// Near means alike; how far groups lie apart, and how large they are, means nothing. No prediction is ever made from a map.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Map {
    /// Learning window of the index to draw [default: the longest]
    #[arg(long, value_name = "W")]
    pub window: Option<Micros>,

    /// File to write, by its ending: `.html`, `.svg` or `.parquet`, or `-` for SVG on standard output; can be repeated
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "map.html",
        value_parser = map_file,
        value_hint = ValueHint::FilePath,
        add = complete::inputs()
    )]
    pub output: Vec<MapFile>,

    /// What colours the points: application, user, class, priority, ending, format, memory, cpu, memory-request,
    /// cpu-request, lifetime, or a label of the trace [default: the first that is known]
    #[arg(long, value_name = "WHAT")]
    pub color_by: Option<String>,

    /// A sample whose workloads are placed among their nearest, approximately, and marked so
    #[arg(long, value_name = "SAMPLE", value_hint = ValueHint::FilePath, add = complete::inputs())]
    pub place: Option<PathBuf>,

    /// Format of the sample
    #[arg(long, value_name = "NAME", default_value = "auto", requires = "place")]
    pub format: FormatChoice,

    /// Table of what was known of the sample's workloads at submission
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, add = complete::inputs(), requires = "place")]
    pub workloads: Vec<PathBuf>,

    /// Where a column of the `table` format comes from, as in `cpu_cores=cpu_pct/100`; can be repeated
    #[arg(long, value_name = "TARGET=COLUMN", requires = "place")]
    pub map: Vec<Mapping>,

    /// About how many neighbours a workload keeps near: fewer show small groups, more the large picture
    #[arg(long, value_name = "N", default_value = "30", value_parser = perplexity)]
    pub perplexity: f64,

    /// Workloads on the map at most; of more, a sample is drawn
    #[arg(long, value_name = "N", default_value = "100000")]
    pub points: NonZeroUsize,

    /// Seed
    #[arg(long, value_name = "S", default_value = "1")]
    pub seed: u64,
}

/// A file that a map is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapFile {
    /// A picture on standard output.
    Standard,
    /// A picture.
    Svg(PathBuf),
    /// A page.
    Html(PathBuf),
    /// A table.
    Parquet(PathBuf),
}

fn map_file(text: &str) -> Result<MapFile, ValueError> {
    let path = PathBuf::from(text);
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        _ if text == "-" => Ok(MapFile::Standard),
        Some("svg") => Ok(MapFile::Svg(path)),
        Some("html" | "htm") => Ok(MapFile::Html(path)),
        Some("parquet") => Ok(MapFile::Parquet(path)),
        _ => Err(ValueError::Form {
            text: text.to_owned(),
            what: "a file that a map can be written to",
            expected: "an ending of `.html`, `.svg` or `.parquet`, or `-`",
        }),
    }
}

fn perplexity(text: &str) -> Result<f64, ValueError> {
    let value: f64 = text.parse().map_err(|_not_a_number| ValueError::Form {
        text: text.to_owned(),
        what: "a perplexity",
        expected: "a number, as in `30`",
    })?;
    if (2.0..=1000.0).contains(&value) {
        Ok(value)
    } else {
        Err(ValueError::Range { text: text.to_owned(), what: "a perplexity", allowed: "2 to 1000" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_a_file_says_what_is_written() {
        assert_eq!(map_file("-"), Ok(MapFile::Standard));
        assert_eq!(map_file("a/b.SVG"), Ok(MapFile::Svg("a/b.SVG".into())));
        assert_eq!(map_file("map.html"), Ok(MapFile::Html("map.html".into())));
        assert_eq!(map_file("m.parquet"), Ok(MapFile::Parquet("m.parquet".into())));
        for wrong in ["map", "map.png", "", ".svg"] {
            assert!(matches!(map_file(wrong), Err(ValueError::Form { .. })), "{wrong}");
        }
        assert_eq!(perplexity("12.5"), Ok(12.5));
        for wrong in ["x", "1", "1001", "nan", ""] {
            assert!(perplexity(wrong).is_err(), "{wrong}");
        }
    }
}
