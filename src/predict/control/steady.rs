//! Hysteresis: small and short-lived wishes change nothing, decreases wait and are bounded.

/// What holds an allocation still.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steadying {
    /// An increase of less than this share is left out.
    pub least_rise: f64,
    /// A decrease of less than this share is left out.
    pub least_fall: f64,
    /// A decrease waits until it has been wished for without a break for so long.
    pub patience_seconds: f64,
    /// A decrease takes away at most this share at once.
    pub most_fall: f64,
    /// Nothing is taken away from a run younger than this.
    pub no_fall_before_seconds: f64,
}

/// A wish for one resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proposal {
    /// When, in seconds.
    pub at: f64,
    /// What is in force.
    pub in_force: f64,
    /// What would be right.
    pub target: f64,
    /// What is used now: memory never falls below it, and a wish above it is granted at once.
    pub in_use: f64,
}

/// The state of one resource: since when a decrease has been wished for, and the largest wish since.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Steady {
    waiting: Option<(f64, f64)>,
}

impl Steady {
    /// Returns the new amount, or nothing if it stays. At most `most_fall` is taken away at once, never less than is used is
    /// left, and a decrease starts waiting anew after every change.
    pub fn decide(&mut self, rules: &Steadying, wish: &Proposal) -> Option<f64> {
        let target = wish.target.max(wish.in_use);
        if target >= wish.in_force {
            self.waiting = None;
            let is_short = wish.in_use > wish.in_force;
            return (is_short || target >= wish.in_force * (1.0 + rules.least_rise)).then_some(target);
        }
        if target > wish.in_force * (1.0 - rules.least_fall) || wish.at < rules.no_fall_before_seconds {
            self.waiting = None;
            return None;
        }
        let (since, largest) = self.waiting.unwrap_or((wish.at, target));
        let largest = largest.max(target);
        if wish.at - since < rules.patience_seconds {
            self.waiting = Some((since, largest));
            return None;
        }
        self.waiting = None;
        Some(largest.max(wish.in_force * (1.0 - rules.most_fall)).max(wish.in_use))
    }

    /// Forgets a wish for less.
    pub const fn start_anew(&mut self) {
        self.waiting = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Steadying = Steadying {
        least_rise: 0.05,
        least_fall: 0.1,
        patience_seconds: 3600.0,
        most_fall: 0.25,
        no_fall_before_seconds: 0.0,
    };

    fn wish(at: f64, in_force: f64, target: f64) -> Proposal {
        Proposal { at, in_force, target, in_use: 0.0 }
    }

    #[test]
    fn increases_come_at_once_unless_they_are_small() {
        let mut steady = Steady::default();
        assert_eq!(steady.decide(&RULES, &wish(0.0, 100.0, 104.0)), None);
        assert_eq!(steady.decide(&RULES, &wish(0.0, 100.0, 105.0)), Some(105.0));
        let used = Proposal { in_use: 101.0, ..wish(0.0, 100.0, 50.0) };
        assert_eq!(steady.decide(&RULES, &used), Some(101.0));
    }

    #[test]
    fn nothing_is_taken_from_the_young() {
        let mut steady = Steady::default();
        let rules = Steadying { no_fall_before_seconds: 86_400.0, ..RULES };
        assert_eq!(steady.decide(&rules, &wish(86_399.0, 100.0, 50.0)), None);
        // The hour of patience begins at that age.
        assert_eq!(steady.decide(&rules, &wish(86_400.0, 100.0, 50.0)), None);
        assert_eq!(steady.decide(&rules, &wish(90_000.0, 100.0, 50.0)), Some(75.0));
    }

    #[test]
    fn decreases_wait_for_an_hour_take_the_largest_wish_and_a_quarter_at_most() {
        let mut steady = Steady::default();
        assert_eq!(steady.decide(&RULES, &wish(0.0, 100.0, 91.0)), None);
        for (at, target) in [(0.0, 80.0), (300.0, 85.0), (3300.0, 40.0)] {
            assert_eq!(steady.decide(&RULES, &wish(at, 100.0, target)), None);
        }
        assert_eq!(steady.decide(&RULES, &wish(3600.0, 100.0, 40.0)), Some(85.0));
        // The wait begins anew, and one wish for what is in force ends it.
        for (at, target) in [(3900.0, 10.0), (7000.0, 85.0), (7300.0, 10.0), (10_000.0, 10.0)] {
            assert_eq!(steady.decide(&RULES, &wish(at, 85.0, target)), None, "{at}");
        }
        assert_eq!(steady.decide(&RULES, &wish(10_900.0, 85.0, 10.0)), Some(63.75));
    }
}
