//! How workloads that were added to an index differ from those that it was fitted on, and when that is reason to fit it anew.

use serde::{Deserialize, Serialize};

use crate::index::{Metric, NearestNeighbours};

use super::PredictError;
use super::calibrate::MOST_CASES;
use super::draw::sample;
use super::knowledge::Space;
use super::need::Remembered;

/// Share of the fitted workloads that are farther from their nearest than what counts as far (ours).
const FAR: f64 = 0.02;

/// Many times as many of the added ones are reason for a new fit (ours).
const MANY: f64 = 3.0;

/// Fewer are chance (ours).
const FEWEST: f64 = 5.0;

/// So much less variance in the components is reason for a new fit (ours).
const LESS_VARIANCE: f64 = 0.1;

/// What was added to an index since it was fitted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Workloads that it was fitted on.
    pub fitted: u64,
    /// Workloads that were added.
    pub added: u64,
    /// How many of the added ones were looked at.
    pub looked_at: u64,
    /// Share of these that are farther from their nearest fitted workload than 98 % of the fitted ones are from theirs; 2 % are expected. Nothing where none
    /// were looked at.
    pub far: Option<f64>,
    /// Share of their variance around the fit's centre that the components show.
    pub shown: Option<f64>,
    /// The same of the fitted ones.
    pub shown_at_fit: f64,
}

impl Drift {
    /// Compares the added rows with the fitted ones, up to 2,000 drawn by their names. `far` is the distance that 98 % of the fitted ones have a
    /// nearest within.
    pub(super) fn measure(rows: &[Remembered], space: &Space, far: Option<f64>) -> Result<Self, PredictError> {
        let added: Vec<u32> = (0_u32..).zip(rows).filter(|(_, row)| !row.fitted).map(|(number, _)| number).collect();
        let count = added.len() as u64;
        let looked_at = sample(added, rows, MOST_CASES);
        let admits = |row: u32| rows.get(row as usize).is_some_and(|row| row.fitted);
        let (mut beyond, mut compared, mut shown) = (0_u32, 0_u32, [0.0, 0.0]);
        for row in looked_at.iter().filter_map(|&row| rows.get(row as usize)) {
            let place = space.model.project(&row.features)?;
            let nearest = space.index.nearest(&place, 1, &Metric::Euclidean, &admits)?;
            if let Some((far, nearest)) = far.zip(nearest.first()) {
                compared += 1;
                beyond += u32::from(nearest.distance > far);
            }
            let own = place.iter().fold(0.0, |sum: f64, value| value.mul_add(*value, sum));
            shown = [shown[0] + own, shown[1] + space.model.squared_length(&row.features)?];
        }
        Ok(Self {
            fitted: rows.len() as u64 - count,
            added: count,
            looked_at: looked_at.len() as u64,
            far: (compared > 0).then(|| f64::from(beyond) / f64::from(compared)),
            shown: (shown[1] > 0.0).then(|| shown[0] / shown[1]),
            shown_at_fit: space.model.explained_variance_ratio.iter().sum(),
        })
    }

    /// Returns why the index should be fitted anew; nothing where it need not.
    pub fn advice(&self) -> Option<String> {
        let percent = |share: f64| share * 100.0;
        if self.added > self.fitted {
            return Some(format!("{} workloads were added to {} that it was fitted on", self.added, self.fitted));
        }
        // Of few workloads a large share may be chance: two standard errors of the share that is expected.
        let chance = 2.0 * (FAR * (1.0 - FAR) / (self.looked_at.max(1) as f64)).sqrt();
        let is_reason = |far: &f64| *far > MANY * FAR + chance && far * self.looked_at as f64 >= FEWEST;
        if let Some(far) = self.far.filter(is_reason) {
            return Some(format!(
                "{:.0} % of the added workloads are far from all that it was fitted on, {:.0} % would be usual",
                percent(far),
                percent(FAR)
            ));
        }
        self.shown.filter(|&shown| shown < self.shown_at_fit - LESS_VARIANCE).map(|shown| {
            format!(
                "its components show {:.0} % of how the added workloads vary, and {:.0} % of those that it was fitted on",
                percent(shown),
                percent(self.shown_at_fit)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Drift =
        Drift { fitted: 1000, added: 100, looked_at: 100, far: Some(0.03), shown: Some(0.88), shown_at_fit: 0.9 };

    #[test]
    fn a_new_fit_is_advised_when_what_was_added_is_more_or_other_than_what_was_fitted() {
        assert_eq!(USUAL.advice(), None);
        let advised = |drift: Drift, word: &str| assert!(drift.advice().unwrap().contains(word), "{drift:?}");
        advised(Drift { added: 1001, ..USUAL }, "1001 workloads were added to 1000");
        advised(Drift { far: Some(0.10), ..USUAL }, "10 % of the added workloads are far");
        advised(Drift { shown: Some(0.79), ..USUAL }, "show 79 %");
        assert_eq!(Drift { far: None, shown: None, ..USUAL }.advice(), None);
    }

    #[test]
    fn a_few_strangers_among_few_are_no_reason() {
        // Two of twenty are chance, two hundred of two thousand are not.
        assert_eq!(Drift { looked_at: 20, far: Some(0.1), ..USUAL }.advice(), None);
        assert_eq!(Drift { looked_at: 3, far: Some(1.0), ..USUAL }.advice(), None);
        assert!(Drift { looked_at: 2000, far: Some(0.1), ..USUAL }.advice().is_some());
    }
}
