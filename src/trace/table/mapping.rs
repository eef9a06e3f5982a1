//! `--map target=expression`: which column of the user's table is which column of the `table` format, in what unit.

use std::fmt;
use std::str::FromStr;

/// In which table a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// The series.
    Series,
    /// The second table, of what is known of each workload.
    Workloads,
    /// Either.
    Both,
}

/// What the cells of a column measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// Text.
    Text,
    /// A point in time: seconds, or a date.
    Instant,
    /// A length of time in seconds.
    Length,
    /// Cores.
    Cpu,
    /// Bytes.
    Memory,
    /// Bytes per second.
    Rate,
    /// A share.
    Share,
    /// A whole number.
    Whole,
}

macro_rules! targets {
    ($($variant:ident $name:literal $home:ident $measure:ident $doc:literal,)*) => {
        /// A column of the `table` format.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Target {
            $(#[doc = $doc] $variant,)*
        }

        impl Target {
            /// Every column, in the order of the documentation.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// Returns its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub(super) const fn home(self) -> Home {
                match self { $(Self::$variant => Home::$home,)* }
            }

            pub(super) const fn measure(self) -> Measure {
                match self { $(Self::$variant => Measure::$measure,)* }
            }
        }
    };
}

targets! {
    Workload "workload" Both Text "Name of the workload.",
    Time "time_s" Series Instant "Start of the sample, in seconds since 1970 or any other origin, or a date (UTC).",
    Offset "offset_s" Series Length "Start of the sample, in seconds since the workload's own start.",
    Interval "interval_s" Series Length "Length of the sample in seconds.",
    Cpu "cpu_cores" Series Cpu "Mean CPU use in cores.",
    CpuMax "cpu_cores_max" Series Cpu "Largest CPU use inside the interval, in cores.",
    Memory "memory_bytes" Series Memory "Mean memory use in bytes.",
    MemoryMax "memory_bytes_max" Series Memory "Largest memory use inside the interval, in bytes.",
    NetworkReceived "net_rx_bytes_per_s" Series Rate "Network received.",
    NetworkTransmitted "net_tx_bytes_per_s" Series Rate "Network transmitted.",
    DiskRead "disk_read_bytes_per_s" Series Rate "Disk read.",
    DiskWritten "disk_write_bytes_per_s" Series Rate "Disk written.",
    CpuThrottled "cpu_throttled_ratio" Series Share "Share of the time in which CPU was throttled, 0..1.",
    CpuOfRequest "cpu_of_request" Series Share "Mean CPU use as a share of the workload's CPU request.",
    MemoryOfRequest "memory_of_request" Series Share "Mean memory use as a share of the workload's memory request.",
    RequestedCpu "requested_cpu_cores" Both Cpu "CPU request in cores (in a series: in force during the sample).",
    RequestedMemory "requested_memory_bytes" Both Memory "Memory request in bytes.",
    LimitCpu "limit_cpu_cores" Workloads Cpu "CPU limit in cores.",
    LimitMemory "limit_memory_bytes" Both Memory "Memory limit in bytes.",
    Application "application" Workloads Text "Application key: instances of one program share it.",
    User "user" Workloads Text "Owner.",
    Priority "priority" Workloads Whole "Priority.",
    Class "class" Workloads Text "Scheduling class.",
    Start "start_s" Workloads Instant "When the workload began, on the clock of `time_s`.",
    End "end_s" Workloads Instant "When it ended.",
    Duration "duration_s" Workloads Length "How long it ran, in seconds, where `end_s` is not given.",
    Ignore "ignore" Workloads Text "A column that must not become a label, as one that is known only at the end.",
}

/// One step of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Multiplies.
    Times(f64),
    /// Divides.
    Over(f64),
}

/// Applies the steps of an expression in order.
pub(super) fn apply(steps: &[Step], value: f64) -> f64 {
    steps.iter().fold(value, |value, step| match step {
        Step::Times(factor) => value * factor,
        Step::Over(divisor) => value / divisor,
    })
}

/// One entry of `--map`: a column of the `table` format and the expression that gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// Column of the `table` format.
    pub target: Target,
    /// Column of the user's file.
    pub source: String,
    /// What is done to its numbers, in order.
    pub steps: Vec<Step>,
}

/// Why an entry of `--map` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// There is no `=`, or nothing on one side of it.
    #[error("`{text}` is not a mapping: expected `target=column`, as in `cpu_cores=cpu_pct/100`")]
    Malformed {
        /// What was found.
        text: String,
    },
    /// The target is none.
    #[error("`{target}` is no column of the table format: expected one of {}", names())]
    UnknownTarget {
        /// What was found.
        target: String,
    },
    /// A number in the expression cannot be calculated with.
    #[error("`{text}`: `{number}` is no factor: expected a finite number other than 0")]
    BadFactor {
        /// The entry.
        text: String,
        /// The number in it.
        number: String,
    },
    /// Text is multiplied.
    #[error("`{text}`: `{target}` is text and cannot be multiplied or divided")]
    TextWithFactor {
        /// The entry.
        text: String,
        /// Its target.
        target: &'static str,
    },
}

fn names() -> String {
    Target::ALL.map(|target| format!("`{}`", target.name())).join(", ")
}

impl FromStr for Mapping {
    type Err = MappingError;

    /// Parses `target=column` with `*number` and `/number` behind it, which apply from left to right. A column whose
    /// own name ends in such a step stands in double quotes: `cpu_cores="load/5"*2`.
    fn from_str(text: &str) -> Result<Self, MappingError> {
        let malformed = || MappingError::Malformed { text: text.to_owned() };
        let (target, expression) = text.split_once('=').ok_or_else(malformed)?;
        let (target, expression) = (target.trim(), expression.trim());
        if target.is_empty() || expression.is_empty() {
            return Err(malformed());
        }
        let target = Target::ALL
            .into_iter()
            .find(|known| known.name() == target)
            .ok_or_else(|| MappingError::UnknownTarget { target: target.to_owned() })?;
        let (source, steps) = expression_parts(expression, text)?;
        if source.is_empty() {
            return Err(malformed());
        }
        if target.measure() == Measure::Text && !steps.is_empty() {
            return Err(MappingError::TextWithFactor { text: text.to_owned(), target: target.name() });
        }
        Ok(Self { target, source, steps })
    }
}

/// Splits an expression into the column and its steps. Steps are taken off the end, so a column may hold `*` and `/`.
fn expression_parts(expression: &str, text: &str) -> Result<(String, Vec<Step>), MappingError> {
    let (quoted, mut rest) = match expression.strip_prefix('"').and_then(|rest| rest.rsplit_once('"')) {
        Some((column, steps)) => (Some(column), steps.trim()),
        None => (None, expression),
    };
    let mut steps = Vec::new();
    while let Some(at) = rest.rfind(['*', '/']) {
        let number = rest[at + 1..].trim();
        let Ok(factor) = number.parse::<f64>() else { break };
        if !factor.is_finite() || factor.abs() == 0.0 {
            return Err(MappingError::BadFactor { text: text.to_owned(), number: number.to_owned() });
        }
        steps.push(if rest[at..].starts_with('*') { Step::Times(factor) } else { Step::Over(factor) });
        rest = rest[..at].trim_end();
    }
    steps.reverse();
    match quoted {
        Some(column) if rest.is_empty() => Ok((column.to_owned(), steps)),
        Some(_) => Err(MappingError::Malformed { text: text.to_owned() }),
        None => Ok((rest.to_owned(), steps)),
    }
}

impl fmt::Display for Mapping {
    /// Prints the entry as it can be typed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = !self.source.contains(['*', '/', '"']) && self.source.trim() == self.source;
        let quote = if is_plain { "" } else { "\"" };
        write!(formatter, "{}={quote}{}{quote}", self.target.name(), self.source)?;
        self.steps.iter().try_for_each(|step| match step {
            Step::Times(factor) => write!(formatter, "*{factor}"),
            Step::Over(divisor) => write!(formatter, "/{divisor}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Mapping, String> {
        text.parse::<Mapping>().map_err(|error| error.to_string())
    }

    #[test]
    fn expressions_apply_from_left_to_right() {
        let mapping = parse("memory_bytes = mem_mib*1048576/2").expect("a mapping");
        assert_eq!((mapping.target, mapping.source.as_str()), (Target::Memory, "mem_mib"));
        assert_eq!(mapping.steps, [Step::Times(1_048_576.0), Step::Over(2.0)]);
        assert_eq!(apply(&mapping.steps, 4.0).to_bits(), 2_097_152_f64.to_bits());
        assert_eq!(mapping.to_string(), "memory_bytes=mem_mib*1048576/2");
        assert_eq!(parse("workload=id").expect("a mapping").steps, []);
        assert_eq!(parse("time_s=ts/1e3").expect("a mapping").steps, [Step::Over(1000.0)]);
    }

    #[test]
    fn columns_may_hold_operators() {
        let mapping = parse("cpu_cores=used/total*4").expect("a mapping");
        assert_eq!((mapping.source.as_str(), mapping.steps), ("used/total", vec![Step::Times(4.0)]));
        let mapping = parse("cpu_cores=\"load/5\"*2").expect("a mapping");
        assert_eq!((mapping.source.as_str(), mapping.steps.clone()), ("load/5", vec![Step::Times(2.0)]));
        assert_eq!(mapping.to_string().parse(), Ok(mapping));
        assert_eq!(parse("workload=a=b").expect("a mapping").source, "a=b");
    }

    #[test]
    fn what_cannot_be_meant_is_explained() {
        for text in ["cpu_cores", "=x", "cpu_cores=", "cpu_cores=/100", "cpu_cores=\"a\"b"] {
            let error = parse(text).expect_err(text);
            assert_eq!(
                error,
                format!("`{text}` is not a mapping: expected `target=column`, as in `cpu_cores=cpu_pct/100`")
            );
        }
        let error = parse("cpu=x").expect_err("unknown");
        assert!(error.starts_with("`cpu` is no column of the table format: expected one of `workload`, `time_s`"));
        assert_eq!(
            parse("cpu_cores=x/0").expect_err("zero"),
            "`cpu_cores=x/0`: `0` is no factor: expected a finite number other than 0"
        );
        assert_eq!(
            parse("workload=id*2").expect_err("text"),
            "`workload=id*2`: `workload` is text and cannot be multiplied or divided"
        );
    }
}
