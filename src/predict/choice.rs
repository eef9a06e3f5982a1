//! Which rung is asked: of those that can answer, the one whose answers would have wasted least on the store's own workloads.

use super::calibrate::{Calibration, Scope};
use super::knowledge::Knowledge;
use super::need::{Anchor, Resource};
use super::{Estimator, Newcomer, PredictError, Question};

/// The coverage at which rungs are compared (ours), whatever is asked: so a higher coverage does not change the rung.
pub(super) const COMPARED_AT: f64 = 0.95;

/// A later rung is preferred if it wastes less than this share of what the earlier one does (ours): the earlier one knows more of
/// the newcomer, and the comparison rests on few workloads.
const CLEARLY: f64 = 0.9;

/// What is always allocated.
const COMPARED: [Resource; 2] = [Resource::Memory, Resource::Cpu];

/// Expected waste by rung, as a share of the mean need, the mean over memory and CPU; nothing where it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Expected {
    pub(super) same_application: Option<f64>,
    pub(super) neighbours: Option<f64>,
    pub(super) growth: Option<f64>,
    /// The rung that answers by growth.
    pub(super) growth_is_called: &'static str,
}

impl Expected {
    /// Returns why neighbours of the same application are not asked; nothing where they are.
    pub(super) fn against_same_application(&self) -> Option<String> {
        let (name, less) = [("neighbours", self.neighbours), (self.growth_is_called, self.growth)]
            .into_iter()
            .filter_map(|(name, waste)| Some((name, waste?)))
            .min_by(|left, right| left.1.total_cmp(&right.1))?;
        because("same-application", self.same_application?, name, less)
    }

    /// Returns why neighbours from the whole store are not asked; nothing where they are.
    pub(super) fn against_neighbours(&self) -> Option<String> {
        because("neighbours", self.neighbours?, self.growth_is_called, self.growth?)
    }
}

/// Says what is wasted of a resource, given its floor and whether there is a request.
type WasteOf<'a> = &'a dyn Fn(Resource, f64, bool) -> Result<Option<f64>, PredictError>;

fn because(own: &str, waste: f64, other: &str, less: f64) -> Option<String> {
    let percent = |share: f64| share * 100.0;
    (less < CLEARLY * waste).then(|| {
        format!(
            "{own}: on workloads of the store it wastes {:.0} % of what is needed, {other} {:.0} %",
            percent(waste),
            percent(less)
        )
    })
}

impl Knowledge {
    /// Returns what each rung is expected to waste on a newcomer; `recurs` says that the store holds enough instances of its
    /// application, so that the comparison is made on workloads of which this holds too.
    pub(super) fn expected(
        &self,
        newcomer: &Newcomer,
        question: &Question,
        calibration: &Calibration,
        recurs: bool,
    ) -> Result<Expected, PredictError> {
        // The classic estimator has no coverage, so nothing to compare at.
        if question.estimator == Estimator::Mean {
            return Ok(Expected::default());
        }
        let shown: Vec<Resource> =
            COMPARED.into_iter().filter(|resource| resource.level(&newcomer.window).is_some()).collect();
        let over = |of: WasteOf<'_>| -> Result<Option<f64>, PredictError> {
            let shares = shown.iter().map(|&resource| {
                let floor = resource.floor(self.floors());
                let request = resource.request(newcomer.facts.request);
                let has_request = Anchor::Request.reference(floor, request, floor).is_some();
                let need = self.mean_needs[resource as usize];
                Ok(of(resource, floor, has_request)?.map(|waste| waste / need.max(floor)))
            });
            let shares: Vec<Option<f64>> = shares.collect::<Result<_, PredictError>>()?;
            let shares: Option<Vec<f64>> = shares.into_iter().collect();
            let mean = |shares: Vec<f64>| shares.iter().sum::<f64>() / shares.len() as f64;
            Ok(shares.filter(|shares| !shares.is_empty()).map(mean))
        };
        let by_scope = |scope: Scope| {
            over(&|resource, floor, has_request| {
                calibration.waste(scope, resource, floor, COMPARED_AT, has_request, recurs)
            })
        };
        Ok(Expected {
            same_application: if recurs { by_scope(Scope::Application)? } else { None },
            neighbours: by_scope(Scope::Store)?,
            growth: over(&|resource, _, _| self.growth_waste(resource, COMPARED_AT, recurs))?,
            growth_is_called: if newcomer.window.is_empty() { "class-prior" } else { "persistence" },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rung_that_wastes_least_is_asked() {
        let expected = |same, neighbours, growth| Expected {
            same_application: Some(same),
            neighbours: Some(neighbours),
            growth: Some(growth),
            growth_is_called: "persistence",
        };
        let least = expected(0.1, 0.2, 0.3);
        assert_eq!((least.against_same_application(), least.against_neighbours()), (None, None));
        let said = expected(0.2, 0.1, 0.3).against_same_application().unwrap();
        assert_eq!(
            said,
            "same-application: on workloads of the store it wastes 20 % of what is needed, neighbours 10 %"
        );
        let growth = expected(0.3, 0.2, 0.1);
        assert!(growth.against_same_application().unwrap().ends_with("persistence 10 %"));
        assert!(growth.against_neighbours().unwrap().ends_with("persistence 10 %"));
    }

    #[test]
    fn a_little_less_waste_is_no_reason() {
        let nearly = Expected {
            same_application: Some(0.1),
            neighbours: Some(0.095),
            growth: Some(0.092),
            growth_is_called: "persistence",
        };
        assert_eq!((nearly.against_same_application(), nearly.against_neighbours()), (None, None));
    }

    #[test]
    fn what_is_not_known_is_no_reason() {
        let some = Expected { same_application: Some(0.5), ..Expected::default() };
        assert_eq!((some.against_same_application(), some.against_neighbours()), (None, None));
        let unknown = Expected { growth: Some(0.1), ..Expected::default() };
        assert_eq!((unknown.against_same_application(), unknown.against_neighbours()), (None, None));
    }
}
