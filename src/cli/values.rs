//! Values that are typed: parsed here into what is always right.

use std::str::FromStr;

use clap::ValueEnum;

use crate::predict::ResourceWeights;
use crate::units::{Bytes, Cores, Micros};

/// Why a typed value is not what it should be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ValueError {
    /// The text has another form; `expected` shows a right one.
    #[error("`{text}` is not {what}: expected {expected}")]
    Form {
        /// What was typed.
        text: String,
        /// What it should have been, with its article.
        what: &'static str,
        /// The right form, with an example.
        expected: &'static str,
    },
    /// The number is outside its range.
    #[error("`{text}` is outside the range of {what}: allowed is {allowed}")]
    Range {
        /// What was typed.
        text: String,
        /// What it is, with its article.
        what: &'static str,
        /// The range in words.
        allowed: &'static str,
    },
    /// A weight for something that has none, or twice for the same.
    #[error("`{name}` {what}: resources are cpu, memory, network, disk and facts")]
    Resource {
        /// The name as typed.
        name: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Trace formats by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatChoice {
    /// Tell from names, headers and content, and say what it was taken for
    Auto,
    /// Google cluster data of 2011: `task_usage`, `task_events`, `job_events`, `machine_events`
    #[value(name = "google-2011")]
    Google2011,
    /// Google cluster data of 2019: `instance_usage`, `instance_events`, `collection_events` (JSON Lines or CSV)
    #[value(name = "google-2019")]
    Google2019,
    /// Alibaba cluster data of 2017: `container_usage`, `container_event`, `batch_task`, `batch_instance`, `server_event`
    #[value(name = "alibaba-2017")]
    Alibaba2017,
    /// Alibaba cluster data of 2018: `container_usage`, `container_meta`, `machine_meta`, `batch_task`, `batch_instance`
    #[value(name = "alibaba-2018")]
    Alibaba2018,
    /// Alibaba's PAI of 2020, tasks on GPUs: `pai_task_table`, `pai_sensor_table`, `pai_machine_spec` and the rest
    #[value(name = "alibaba-gpu-2020")]
    AlibabaGpu2020,
    /// Alibaba's microservices of 2021: `MSResource`, `Node`, `MSRTQps`, `MSCallGraph`
    #[value(name = "alibaba-microservices-2021")]
    AlibabaMicroservices2021,
    /// Alibaba's microservices of 2022: `MSMetrics`, `NodeMetrics`, `MSRTMCR`, `CallGraph`
    #[value(name = "alibaba-microservices-2022")]
    AlibabaMicroservices2022,
    /// Requests of Alibaba's GPU pods of 2023: `openb_pod_list`, `openb_node_list`
    #[value(name = "alibaba-gpu-2023")]
    AlibabaGpu2023,
    /// Pods of Alibaba that serve image generation, of 2026: `pod_memory_util_anon` and the other metrics
    #[value(name = "alibaba-genai-2026")]
    AlibabaGenai2026,
    /// Virtual machines of Bitbrains (GWA-T-12): `fastStorage/2013-8/1.csv`, `rnd/2013-8/1.csv`
    Bitbrains,
    /// Virtual machines of Azure, V1: `vmtable`, `vm_cpu_readings`
    #[value(name = "azure-2017")]
    Azure2017,
    /// Virtual machines of Azure, V2: `vmtable`, `vm_cpu_readings`
    #[value(name = "azure-2019")]
    Azure2019,
    /// Answers of Prometheus: `query_range` of metrics of containers, JSON
    Prometheus,
    /// Your own series: one row per workload and time, columns by name
    Table,
}

impl FormatChoice {
    /// Returns the format's name in the library; nothing for `auto`.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Auto => None,
            Self::Google2011 => Some("google-2011"),
            Self::Google2019 => Some("google-2019"),
            Self::Alibaba2017 => Some("alibaba-2017"),
            Self::Alibaba2018 => Some("alibaba-2018"),
            Self::AlibabaGpu2020 => Some("alibaba-gpu-2020"),
            Self::AlibabaMicroservices2021 => Some("alibaba-microservices-2021"),
            Self::AlibabaMicroservices2022 => Some("alibaba-microservices-2022"),
            Self::AlibabaGpu2023 => Some("alibaba-gpu-2023"),
            Self::AlibabaGenai2026 => Some("alibaba-genai-2026"),
            Self::Bitbrains => Some("bitbrains"),
            Self::Azure2017 => Some("azure-2017"),
            Self::Azure2019 => Some("azure-2019"),
            Self::Prometheus => Some("prometheus"),
            Self::Table => Some("table"),
        }
    }
}

/// How distance is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MetricChoice {
    /// Straight-line distance: level and shape count
    Euclidean,
    /// Angle between fingerprints: shape counts, level does not
    Cosine,
}

/// What decides how much a neighbour counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SimilarityChoice {
    /// What the store taught about which workloads need alike, among the nearest 200
    Learned,
    /// The distance of the fingerprints alone
    Distance,
}

/// How the needs of neighbours are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EstimatorChoice {
    /// Weighted upper quantile of relative needs, calibrated so that --coverage holds
    Quantile,
    /// Similarity-weighted mean of relative needs; about half of all workloads need more
    Mean,
}

/// What is on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On
    On,
    /// Off
    Off,
}

/// How many rejected rows are acceptable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxRejects {
    /// So many rows.
    Rows(u64),
    /// This share of the rows read, 0..1.
    Share(f64),
}

impl FromStr for MaxRejects {
    type Err = ValueError;

    /// Parses `1000` (rows) or `0.5%` (of the rows read).
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let form = || ValueError::Form {
            text: text.to_owned(),
            what: "a number of rows or a percentage",
            expected: "`1000` or `0.5%`",
        };
        let Some(percent) = text.strip_suffix('%') else {
            return text.parse().map(Self::Rows).map_err(|_not_an_integer| form());
        };
        let percent: f64 = percent.trim().parse().map_err(|_not_a_number| form())?;
        if (0.0..=100.0).contains(&percent) {
            return Ok(Self::Share(percent / 100.0));
        }
        Err(ValueError::Range { text: text.to_owned(), what: "a percentage", allowed: "0% to 100%" })
    }
}

/// How many principal components a fingerprint has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Components {
    /// As many as the data call for.
    Auto,
    /// So many, at least 1.
    Count(usize),
}

impl FromStr for Components {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => match text.parse() {
                Ok(count) if count >= 1 => Ok(Self::Count(count)),
                _ => Err(ValueError::Form {
                    text: text.to_owned(),
                    what: "a number of components",
                    expected: "`auto` or a whole number of at least 1, as in `12`",
                }),
            },
        }
    }
}

/// Parses a share in (0, 1).
///
/// # Errors
/// Anything else.
pub fn coverage(text: &str) -> Result<f64, ValueError> {
    let what = "a coverage";
    let value: f64 = text.parse().map_err(|_not_a_number| ValueError::Form {
        text: text.to_owned(),
        what,
        expected: "a number, as in `0.95`",
    })?;
    if value > 0.0 && value < 1.0 {
        return Ok(value);
    }
    Err(ValueError::Range { text: text.to_owned(), what, allowed: "more than 0 and less than 1" })
}

/// Parses a percentile as a share: more than 0, up to 100.
///
/// # Errors
/// Anything else.
pub fn percentile(text: &str) -> Result<f64, ValueError> {
    let what = "a percentile";
    let value: f64 = text.parse().map_err(|_not_a_number| ValueError::Form {
        text: text.to_owned(),
        what,
        expected: "a number, as in `99`",
    })?;
    if value > 0.0 && value <= 100.0 {
        return Ok(value / 100.0);
    }
    Err(ValueError::Range { text: text.to_owned(), what, allowed: "more than 0 and up to 100" })
}

/// Two shares of a trace's time, the first before the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cuts {
    /// Where the calibration period begins.
    pub calibration: f64,
    /// Where the test period begins.
    pub test: f64,
}

impl FromStr for Cuts {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let what = "a pair of cuts";
        let share = |text: &str| text.trim().parse::<f64>().ok();
        let cuts = text
            .split_once(',')
            .and_then(|(first, second)| Some(Self { calibration: share(first)?, test: share(second)? }))
            .ok_or_else(|| ValueError::Form {
                text: text.to_owned(),
                what,
                expected: "two numbers, as in `0.5,0.7`",
            })?;
        if cuts.calibration > 0.0 && cuts.calibration < cuts.test && cuts.test < 1.0 {
            return Ok(cuts);
        }
        Err(ValueError::Range { text: text.to_owned(), what, allowed: "between 0 and 1, the first below the second" })
    }
}

/// Parses a factor of at least 1.
///
/// # Errors
/// Anything else.
pub fn factor(text: &str) -> Result<f64, ValueError> {
    let what = "a factor";
    let value: f64 = text.parse().map_err(|_not_a_number| ValueError::Form {
        text: text.to_owned(),
        what,
        expected: "a number, as in `1.5`",
    })?;
    if value >= 1.0 && value.is_finite() {
        return Ok(value);
    }
    Err(ValueError::Range { text: text.to_owned(), what, allowed: "1 or more" })
}

/// Parses a positive number of cores, as in `64` or `0.5` or `500m`.
///
/// # Errors
/// Anything else.
pub fn cores(text: &str) -> Result<Cores, ValueError> {
    let what = "a number of cores";
    let form = || ValueError::Form { text: text.to_owned(), what, expected: "a number, as in `64`, `0.5` or `500m`" };
    let (number, scale) = text.strip_suffix('m').map_or((text, 1.0), |number| (number, 1e-3));
    let number: f64 = number.parse().map_err(|_not_a_number| form())?;
    match Cores::from_f64_up(number * scale) {
        Ok(cores) if cores.nanos() > 0 => Ok(cores),
        _ => Err(ValueError::Range { text: text.to_owned(), what, allowed: "more than 0" }),
    }
}

/// Parses a positive size, as in `256GiB`, `256Gi`, `64GB` or a bare number of bytes. Without `i` a unit is decimal.
///
/// # Errors
/// Anything else.
pub fn size(text: &str) -> Result<Bytes, ValueError> {
    let what = "a size";
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let scale: Option<f64> = match unit.strip_suffix('B').unwrap_or(unit) {
        "" => Some(1.0),
        "k" | "K" => Some(1e3),
        "M" => Some(1e6),
        "G" => Some(1e9),
        "T" => Some(1e12),
        "P" => Some(1e15),
        "Ki" => Some(1024.0),
        "Mi" => Some(1024.0 * 1024.0),
        "Gi" => Some(1024.0 * 1024.0 * 1024.0),
        "Ti" => Some(1024.0 * 1024.0 * 1024.0 * 1024.0),
        "Pi" => Some(1024.0 * 1024.0 * 1024.0 * 1024.0 * 1024.0),
        _ => None,
    };
    let (Some(scale), Ok(number)) = (scale, number.trim().parse::<f64>()) else {
        return Err(ValueError::Form {
            text: text.to_owned(),
            what,
            expected: "a number with KiB, MiB, GiB, TiB, kB, MB, GB or TB, as in `256GiB`",
        });
    };
    match Bytes::from_f64_up(number * scale) {
        Ok(bytes) if bytes.get() > 0 => Ok(bytes),
        _ => Err(ValueError::Range { text: text.to_owned(), what, allowed: "more than 0, less than 16 EiB" }),
    }
}

/// Parses a day, as in `2026-05-04`, into its midnight (UTC, since 1970).
///
/// # Errors
/// Anything else.
pub fn day(text: &str) -> Result<Micros, ValueError> {
    let form = || ValueError::Form { text: text.to_owned(), what: "a day", expected: "a date, as in `2026-05-04`" };
    if text.len() != 10 {
        return Err(form());
    }
    Micros::from_date(&format!("{text} 00:00:00")).map_err(|_no_date| form())
}

/// Parses a share that stays free, as in `10%` or `0.1`, into thousandths.
///
/// # Errors
/// Anything but a share of at least 0 and less than 1; what is finer than a thousandth is rounded up.
pub fn headroom(text: &str) -> Result<u16, ValueError> {
    let what = "a headroom";
    let (number, scale) = text.strip_suffix('%').map_or((text, 1000.0), |number| (number, 10.0));
    let number: f64 = number.trim().parse().map_err(|_not_a_number| ValueError::Form {
        text: text.to_owned(),
        what,
        expected: "a share, as in `10%` or `0.1`",
    })?;
    let range = || ValueError::Range { text: text.to_owned(), what, allowed: "0 or more, less than 100%" };
    // 0.1 * 1000 may be a hair above 100: a billionth is not a thousandth more.
    let permille = (number * scale - 1e-9).ceil();
    // Not a number would become 0 below.
    if number.is_nan() || number < 0.0 || permille >= 1000.0 {
        return Err(range());
    }
    let whole = Bytes::from_f64_up(permille.max(0.0)).map_err(|_out_of_range| range())?;
    u16::try_from(whole.get()).map_err(|_out_of_range| range())
}

/// Parses a point in time: a date, as in `2024-05-21T12:00:00Z`, or the time since the beginning of the trace's clock, as in `36h`.
///
/// # Errors
/// The text is neither.
pub fn moment(text: &str) -> Result<Micros, ValueError> {
    let found = Micros::from_date(text).ok().or_else(|| text.parse().ok());
    found.ok_or_else(|| ValueError::Form {
        text: text.to_owned(),
        what: "a point in time",
        expected: "a date with a time, as in `2024-05-21T12:00:00Z`, or a time of the trace, as in `36h`",
    })
}

/// Parses resource weights, as in `cpu=2,memory=1`; what is not named weighs 1.
///
/// # Errors
/// An unknown or repeated resource, or a weight that is negative or not finite; all weights 0.
pub fn weights(text: &str) -> Result<ResourceWeights, ValueError> {
    let form = || ValueError::Form {
        text: text.to_owned(),
        what: "a list of weights",
        expected: "resource=number, with commas, as in `cpu=2,memory=1`",
    };
    let mut weights = ResourceWeights::default();
    let mut seen: Vec<&str> = Vec::new();
    for pair in text.split(',') {
        let (name, number) = pair.split_once('=').ok_or_else(form)?;
        let name = name.trim();
        let slot = match name {
            "cpu" => &mut weights.cpu,
            "memory" => &mut weights.memory,
            "network" => &mut weights.network,
            "disk" => &mut weights.disk,
            "facts" => &mut weights.facts,
            _ => return Err(ValueError::Resource { name: name.to_owned(), what: "has no weight" }),
        };
        if seen.contains(&name) {
            return Err(ValueError::Resource { name: name.to_owned(), what: "is given twice" });
        }
        seen.push(name);
        *slot = number.trim().parse().map_err(|_not_a_number| form())?;
        if !slot.is_finite() || *slot < 0.0 {
            return Err(ValueError::Range { text: pair.to_owned(), what: "a weight", allowed: "0 or more" });
        }
    }
    let total = weights.cpu + weights.memory + weights.network + weights.disk + weights.facts;
    if total > 0.0 {
        return Ok(weights);
    }
    Err(ValueError::Range { text: text.to_owned(), what: "the weights", allowed: "at least one above 0" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bytes() {
        for (text, bytes) in [
            ("256GiB", 256 << 30),
            ("256Gi", 256 << 30),
            ("1.5 GiB", 3 << 29),
            ("64GB", 64_000_000_000),
            ("64G", 64_000_000_000),
            ("1000", 1000),
            ("1000B", 1000),
            ("2kB", 2000),
            ("4Ti", 4 << 40),
        ] {
            assert_eq!(size(text), Ok(Bytes::new(bytes)), "{text}");
        }
        for text in ["", "GiB", "12 apples", "-1GiB", "0", "1e30", "NaN", "1GIB", "512m"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn days_are_midnights() {
        assert_eq!(day("2024-05-21"), Ok(Micros::from_seconds(1_716_249_600)));
        for text in ["", "today", "2024-13-01", "2024-05-2", "21.05.2024", "2024-05-21Z"] {
            assert!(day(text).is_err(), "{text}");
        }
    }

    #[test]
    fn headroom_is_a_share_below_one() {
        for (text, permille) in [("10%", 100), ("0.1", 100), ("0", 0), ("12.5%", 125), ("99.9%", 999), ("0.0001", 1)] {
            assert_eq!(headroom(text).unwrap(), permille, "{text}");
        }
        for text in ["100%", "1", "-1%", "NaN", "inf", "", "x", "-0.5"] {
            assert!(headroom(text).is_err(), "{text}");
        }
    }

    #[test]
    fn cores_are_positive() {
        assert_eq!(cores("500m"), Ok(Cores::from_millis(500)));
        assert_eq!(cores("64"), Ok(Cores::from_millis(64_000)));
        for text in ["", "m", "-1", "0", "inf", "NaN", "many"] {
            assert!(cores(text).is_err(), "{text}");
        }
    }

    #[test]
    fn weights_name_resources_once() {
        let found = weights("cpu=2, memory=0.5").unwrap();
        assert_eq!((found.cpu, found.memory, found.network), (2.0, 0.5, 1.0));
        for text in ["", "cpu", "gpu=1", "cpu=1,cpu=2", "cpu=-1", "cpu=NaN", "cpu=0,memory=0,network=0,disk=0,facts=0"]
        {
            assert!(weights(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_and_counts_keep_their_range() {
        assert_eq!(coverage("0.95"), Ok(0.95));
        for text in ["0", "1", "1.5", "-0.1", "NaN", "95%"] {
            assert!(coverage(text).is_err(), "{text}");
        }
        assert_eq!((percentile("99"), percentile("100")), (Ok(0.99), Ok(1.0)));
        for text in ["0", "101", "-1", "NaN", "99%"] {
            assert!(percentile(text).is_err(), "{text}");
        }
        assert_eq!("0.05,0.1".parse(), Ok(Cuts { calibration: 0.05, test: 0.1 }));
        for text in ["", "0.5", "0.7,0.5", "0,0.5", "0.5,1", "NaN,0.5", "a,b", "0.1,0.2,0.3"] {
            assert!(text.parse::<Cuts>().is_err(), "{text}");
        }
        assert_eq!("0.5%".parse(), Ok(MaxRejects::Share(0.005)));
        assert_eq!("12".parse(), Ok(MaxRejects::Rows(12)));
        for text in ["-1", "1.5", "101%", "NaN%", "%"] {
            assert!(text.parse::<MaxRejects>().is_err(), "{text}");
        }
        assert_eq!("auto".parse(), Ok(Components::Auto));
        assert_eq!("12".parse(), Ok(Components::Count(12)));
        assert!("0".parse::<Components>().is_err());
        assert!(factor("0.9").is_err());
    }
}
