//! Values that went to CSV as Python text: dictionaries of two numbers, and numpy arrays that wrap over lines.

/// CPU and memory of a nested record.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Resources {
    pub(super) cpus: Option<f64>,
    pub(super) memory: Option<f64>,
}

/// Reads `{'cpus': 0.0206, 'memory': None}`, with either kind of quotes; `None`, `null` and `nan` are no value.
/// Nothing if the text is anything else.
pub(super) fn resources(text: &str) -> Option<Resources> {
    let inside = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut resources = Resources::default();
    for entry in inside.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (key, value) = entry.split_once(':')?;
        let value = match value.trim() {
            "None" | "null" | "nan" | "NaN" => None,
            number => Some(number.parse::<f64>().ok().filter(|number| number.is_finite())?),
        };
        match key.trim().trim_matches(['\'', '"']) {
            "cpus" => resources.cpus = value,
            "memory" => resources.memory = value,
            _ => return None,
        }
    }
    Some(resources)
}

/// Reads `[0.003 0.004\n 0.005]` into `values`, separated by blanks, line breaks or commas. Nothing if the text is
/// anything else, as when numpy cut it with `...`.
pub(super) fn numbers(text: &str, values: &mut Vec<f64>) -> Option<()> {
    values.clear();
    let inside = text.trim().strip_prefix('[')?.strip_suffix(']')?;
    for item in inside.split(|c: char| c.is_ascii_whitespace() || c == ',').filter(|item| !item.is_empty()) {
        values.push(item.parse::<f64>().ok().filter(|number| number.is_finite())?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictionaries_are_read_in_either_notation() {
        let both = Resources { cpus: Some(0.020_660_400_390_625), memory: Some(0.5) };
        assert_eq!(resources("{'cpus': 0.020660400390625, 'memory': 0.5}"), Some(both));
        assert_eq!(resources("{\"memory\":0.5,\"cpus\":0.020660400390625}"), Some(both));
        assert_eq!(
            resources("{'cpus': 9.5e-07, 'memory': None}"),
            Some(Resources { cpus: Some(9.5e-07), memory: None })
        );
        assert_eq!(resources("{}"), Some(Resources::default()));
        for bad in ["", "0.5", "{'cpus' 1}", "{'cpus': x}", "{'cpus': inf}", "{'gpus': 1}", "{'cpus': 1"] {
            assert_eq!(resources(bad), None, "{bad}");
        }
    }

    #[test]
    fn arrays_that_wrap_are_read_whole() {
        let mut values = Vec::new();
        assert_eq!(numbers("[0.003 0.004\n 1.2e-05]", &mut values), Some(()));
        assert_eq!(values, [0.003, 0.004, 1.2e-05]);
        assert_eq!(numbers("[1, 2,3]", &mut values), Some(()));
        assert_eq!(values, [1.0, 2.0, 3.0]);
        assert_eq!(numbers("[]", &mut values), Some(()));
        assert!(values.is_empty());
        for bad in ["", "1 2", "[1 ... 3]", "[1 nan]", "[1 2"] {
            assert_eq!(numbers(bad, &mut values), None, "{bad}");
        }
    }
}
