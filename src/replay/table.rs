//! A report as one table: every row of every split, of the closed loop and of the curve against seconds observed.

use super::results::{Population, ReplayReport, Weighting};

/// The columns of [`ReplayReport::rows`], in order.
const COLUMNS: [&str; 58] = [
    "split",
    "window_seconds",
    "rival",
    "knob",
    "margin",
    "resource",
    "weighting",
    "population",
    "reading",
    "dimension",
    "group",
    "workloads",
    "under_provision_rate",
    "under_provision_low",
    "under_provision_high",
    "coverage",
    "mean_waste",
    "mean_waste_low",
    "mean_waste_high",
    "median_ratio",
    "over_allocation_mean",
    "over_allocation_median",
    "over_allocation_mean_of_fitting",
    "over_allocation_median_of_fitting",
    "relative_slack_mean",
    "relative_slack_median",
    "absolute_slack",
    "waste",
    "footprint_ratio",
    "time_above",
    "excess",
    "q_error_p50",
    "q_error_p90",
    "q_error_p99",
    "log_ratio_median",
    "within_quarter",
    "within_twice",
    "mean_absolute_error",
    "median_relative_error",
    "weighted_relative_error",
    "pinball",
    "pinball_log",
    "bucket_accuracy",
    "bucket_majority",
    "allocation_quality",
    "slack_machine_hours",
    "waste_machine_hours",
    "skill",
    "waste_at_target",
    "unanswered",
    "peak_slack_mean",
    "oom_free_task_days",
    "oom_free_job_days",
    "oom_kills_per_task_day",
    "serious_job_days",
    "changes_per_task_day",
    "unchanged_task_days",
    "never_fits",
];

impl ReplayReport {
    /// Returns the names of the columns of [`Self::rows`].
    pub fn columns() -> &'static [&'static str] {
        &COLUMNS
    }

    /// Returns every row of every split as text, one cell per column, then those of the closed loop (group `closed-loop`,
    /// model, lives), then those of the curve against seconds observed (group `at-every-window` or `at-this-window`); a figure that cannot be computed is empty.
    ///
    /// # Errors
    /// None in practice: the rows are plain structs.
    pub fn rows(&self) -> Result<Vec<Vec<String>>, serde_json::Error> {
        let of_splits = self.splits.iter().flat_map(|split| &split.rows).map(|row| {
            let mut value = serde_json::to_value(row)?;
            value["window_seconds"] = self.window_seconds.into();
            Ok(cells(&value))
        });
        let led = self.splits.iter().flat_map(|split| &split.closed_loop).map(|row| {
            let mut value = serde_json::to_value(row)?;
            let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            value["group"] = format!("closed-loop {} {}", word(&value["model"]), word(&value["lives"])).into();
            value["workloads"] = value["runs"].take();
            value["window_seconds"] = self.window_seconds.into();
            Ok(cells(&value))
        });
        let pairs =
            self.seconds_observed.iter().flat_map(|observed| observed.rows.iter().map(move |row| (observed, row)));
        let observed = pairs.map(|(observed, row)| {
            let mut value = serde_json::to_value(row)?;
            value["group"] = value["alive"].take();
            value["split"] = serde_json::to_value(observed.split)?;
            value["weighting"] = serde_json::to_value(Weighting::Workload)?;
            value["population"] = serde_json::to_value(Population::WithFallback)?;
            Ok(cells(&value))
        });
        of_splits.chain(led).chain(observed).collect()
    }
}

fn cells(row: &serde_json::Value) -> Vec<String> {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let cell = |column: &&str| {
        let (name, end) = match *column {
            "under_provision_low" => ("under_provision_interval", Some(0)),
            "under_provision_high" => ("under_provision_interval", Some(1)),
            "mean_waste_low" => ("mean_waste_interval", Some(0)),
            "mean_waste_high" => ("mean_waste_interval", Some(1)),
            name => (name, None),
        };
        match end {
            Some(end) => row[name].get(end).map(text).unwrap_or_default(),
            None => text(&row[name]),
        }
    };
    COLUMNS.iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::figures::{Figures, Reading};
    use crate::replay::params::Split;
    use crate::replay::results::{Resource, Row};

    #[test]
    fn every_figure_of_a_row_is_a_column() {
        let row = Row {
            split: Split::Recurring,
            rival: "owner",
            knob: 1.0,
            margin: 0.0,
            resource: Resource::Memory,
            weighting: Weighting::ResourceHour,
            population: Population::WithFallback,
            reading: Reading::UncensoredOnly,
            dimension: None,
            group: "all".to_owned(),
            figures: Figures { coverage: Some(0.5), ..Figures::default() },
            skill: None,
            under_provision_interval: Some((0.25, 0.75)),
            mean_waste_interval: None,
        };
        let value = serde_json::to_value(&row).unwrap();
        for name in value.as_object().unwrap().keys() {
            let known = COLUMNS.contains(&name.as_str()) || name.ends_with("_interval");
            assert!(known, "`{name}` is no column");
        }
        let cells = cells(&value);
        let cell = |name: &str| cells[COLUMNS.iter().position(|column| *column == name).unwrap()].as_str();
        assert_eq!((cell("weighting"), cell("coverage"), cell("mean_waste")), ("resource-hour", "0.5", ""));
        assert_eq!(
            (cell("under_provision_low"), cell("under_provision_high"), cell("mean_waste_low")),
            ("0.25", "0.75", "")
        );
    }
}
