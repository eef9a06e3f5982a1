//! What a container asks for now, beside what it is predicted to need.

use serde_yaml::{Mapping, Value};

use crate::predict::Prediction;
use crate::units::{Bytes, Cores, Quantity};

use super::super::sizing::{round_cpu, round_memory};

/// Where a request stands beside the interval of the prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// There is no interval to judge by.
    Unknown,
    /// Nothing is asked for.
    Unset,
    /// Less than its lower end.
    Below,
    /// Inside, both ends included.
    Inside,
    /// More than its upper end.
    Above,
}

impl Standing {
    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Unset => "unset",
            Self::Below => "below",
            Self::Inside => "inside",
            Self::Above => "above",
        }
    }

    /// Returns whether a gate has to stop: something is known, and the request is not inside.
    pub const fn is_off(self) -> bool {
        matches!(self, Self::Unset | Self::Below | Self::Above)
    }

    fn of<T: PartialOrd>(request: Option<T>, interval: Option<(T, T)>) -> Self {
        match (request, interval) {
            (_, None) => Self::Unknown,
            (None, Some(_)) => Self::Unset,
            (Some(request), Some((low, _))) if request < low => Self::Below,
            (Some(request), Some((_, high))) if request > high => Self::Above,
            _ => Self::Inside,
        }
    }
}

/// What a container asks for; a limit without a request counts as the request, as the server takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Requests {
    /// CPU.
    pub cpu: Option<Cores>,
    /// Memory.
    pub memory: Option<Bytes>,
}

impl Requests {
    /// Returns what `container` asks for.
    ///
    /// # Errors
    /// The text that is no quantity.
    pub(super) fn of(container: &Mapping) -> Result<Self, String> {
        let amount = |resource: &str| -> Result<Option<Quantity>, String> {
            let resources = container.get("resources");
            let group = |group: &str| resources.and_then(|resources| resources.get(group)?.get(resource));
            let text = match group("requests").or_else(|| group("limits")) {
                None | Some(Value::Null) => return Ok(None),
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                Some(_) => return Err(format!("the {resource} of `resources` is no quantity")),
            };
            text.parse().map(Some).map_err(|error: crate::units::QuantityError| error.to_string())
        };
        let text = |error: crate::units::QuantityError| error.to_string();
        Ok(Self {
            cpu: amount("cpu")?.map(Quantity::to_cores).transpose().map_err(text)?,
            memory: amount("memory")?.map(Quantity::to_bytes_up).transpose().map_err(text)?,
        })
    }

    /// Returns where CPU and memory stand. The upper ends are rounded up as what is written is, so that a size that was
    /// just written is inside.
    pub fn standing(&self, prediction: &Prediction) -> (Standing, Standing) {
        let interval = &prediction.interval;
        let cpu = interval.cpu.map(|(low, high)| (low, round_cpu(high)));
        let memory = interval.memory.map(|(low, high)| (low, round_memory(high)));
        (Standing::of(self.cpu, cpu), Standing::of(self.memory, memory))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_inside_and_nothing_asked_is_off() {
        let interval = Some((2, 4));
        let names = [1, 2, 4, 5].map(|request| Standing::of(Some(request), interval).name());
        assert_eq!(names, ["below", "inside", "inside", "above"]);
        assert!(Standing::of(None, interval).is_off() && !Standing::of(Some(9), None).is_off());
    }

    #[test]
    fn a_limit_counts_where_nothing_is_requested() {
        let container: Mapping =
            serde_yaml::from_str("resources: {requests: {cpu: 0.5}, limits: {cpu: 2, memory: 64Mi}}").unwrap();
        let expected = Requests { cpu: Some(Cores::from_millis(500)), memory: Some(Bytes::from_mebibytes(64)) };
        assert_eq!(Requests::of(&container), Ok(expected));
        let bad: Mapping = serde_yaml::from_str("resources: {requests: {cpu: 250mm}}").unwrap();
        assert!(Requests::of(&bad).unwrap_err().contains("`250mm` is not a quantity"));
    }
}
