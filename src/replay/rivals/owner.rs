//! What the owner asked for at submission: the request, or the limit where there is no request.

use crate::trace::Amounts;

use super::{Prepared, Query, Recommendation, ReplayError, Rival, Setting, Store, Surroundings};

/// The owner's request; its knob is a factor on it.
#[derive(Debug, Clone, Copy)]
pub struct Owner;

impl Owner {
    /// Returns the owner's (CPU, memory), each the request, else the limit, else nothing.
    pub fn asked(request: &Amounts, limit: &Amounts) -> (Option<f64>, Option<f64>) {
        let positive = |amount: Option<f64>| amount.filter(|amount| *amount > 0.0);
        (positive(request.cpu).or(positive(limit.cpu)), positive(request.memory).or(positive(limit.memory)))
    }
}

impl Rival for Owner {
    fn name(&self) -> &'static str {
        "owner"
    }

    fn knob(&self) -> &'static str {
        "factor on the request"
    }

    fn settings(&self) -> Vec<Setting> {
        const FACTORS: [f64; 24] = [
            0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8, 0.85, 0.9,
            0.95, 1.0, 1.2, 1.5, 2.0,
        ];
        FACTORS.map(Setting::knob).to_vec()
    }

    fn published(&self) -> usize {
        20
    }

    fn prepare<'a>(&self, _: &Store<'a>, _: &Surroundings<'_>) -> Result<Box<dyn Prepared + 'a>, ReplayError> {
        Ok(Box::new(Self))
    }
}

impl Prepared for Owner {
    fn recommend(
        &self,
        query: &Query<'_>,
        settings: &[Setting],
        _: u32,
    ) -> Result<Vec<Option<Recommendation>>, ReplayError> {
        let facts = &query.newcomer.facts;
        let (cpu, memory) = Self::asked(&facts.request, &facts.limit);
        let scaled = |setting: &Setting| {
            let times = |amount: Option<f64>| amount.map(|amount| amount * setting.knob);
            let answer = Recommendation { cpu: times(cpu), memory: times(memory), rung: "request" };
            (cpu.is_some() || memory.is_some()).then_some(answer)
        };
        Ok(settings.iter().map(scaled).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: f64 = 1_073_741_824.0;

    fn memory(request: Option<f64>, limit: Option<f64>) -> Option<f64> {
        let amounts = |memory| Amounts { memory, ..Amounts::default() };
        Owner::asked(&amounts(request), &amounts(limit)).1
    }

    #[test]
    fn request_goes_before_limit_and_nothing_stays_nothing() {
        assert_eq!(memory(Some(2.0 * GIB), Some(4.0 * GIB)), Some(2.0 * GIB));
        assert_eq!(memory(None, Some(4.0 * GIB)), Some(4.0 * GIB));
        assert_eq!(memory(None, None), None);
    }
}
