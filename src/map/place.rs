//! A newcomer on a finished map, approximately.

use super::Layout;

/// Steps towards the median; each halves the way that is left, or better.
const STEPS: usize = 100;

impl Layout {
    /// Returns a place among the nearest stored workloads: `near` holds rows of the index with their distances to the
    /// newcomer, at least one of them on the map. The place is the weighted geometric median of theirs (Weiszfeld 1937),
    /// weights falling with the squared distance: unlike the mean it lies inside the larger group when neighbours lie in
    /// two, and not in the empty space between. Nothing where none is on the map.
    ///
    /// It is an approximation: the map has no place of its own for who was not there when it was made.
    pub fn place(&self, near: &[(u32, f64)]) -> Option<[f64; 2]> {
        let farthest = near.iter().fold(0.0_f64, |farthest, (_, distance)| farthest.max(*distance));
        let known: Vec<([f64; 2], f64)> = near
            .iter()
            .filter_map(|&(row, distance)| {
                let position = self.rows.binary_search(&row).ok()?;
                let relative = if farthest > 0.0 { distance / farthest } else { 0.0 };
                Some((self.places[position], (-4.5 * relative * relative).exp()))
            })
            .collect();
        let total: f64 = known.iter().map(|(_, weight)| weight).sum();
        if known.is_empty() {
            return None;
        }
        let sum = |axis: usize| known.iter().map(|(place, weight)| place[axis] * weight).sum::<f64>() / total;
        let mut place = [sum(0), sum(1)];
        for _ in 0..STEPS {
            let mut weighted = [0.0; 2];
            let mut weights = 0.0;
            for (other, weight) in &known {
                let distance = (place[0] - other[0]).hypot(place[1] - other[1]);
                // On top of one of them the pull of that one has no direction; near it, it is bounded.
                let pull = weight / distance.max(1e-9);
                weighted[0] += pull * other[0];
                weighted[1] += pull * other[1];
                weights += pull;
            }
            place = weighted.map(|sum| sum / weights);
        }
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(places: &[[f64; 2]]) -> Layout {
        let count = u32::try_from(places.len()).unwrap();
        Layout {
            rows: (0..count).map(|row| row * 2).collect(),
            places: places.to_vec(),
            fingerprints: (0..count).collect(),
            distinct: places.len(),
            perplexity: 1.0,
            divergence: 0.0,
        }
    }

    #[test]
    fn a_newcomer_lands_inside_the_larger_group_and_not_between_two() {
        let layout = layout(&[[0.0, 0.0], [0.0, 2.0], [2.0, 0.0], [100.0, 100.0]]);
        let place = layout.place(&[(0, 1.0), (2, 1.0), (4, 1.0), (6, 1.0)]).unwrap();
        assert!((0.0..2.0).contains(&place[0]) && (0.0..2.0).contains(&place[1]), "{place:?}");
    }

    #[test]
    fn an_equal_fingerprint_gives_its_own_place() {
        let layout = layout(&[[5.0, -3.0], [0.0, 2.0], [2.0, 0.0]]);
        let place = layout.place(&[(0, 0.0), (2, 4.0), (4, 4.0)]).unwrap();
        assert!((place[0] - 5.0).abs() < 1e-6 && (place[1] + 3.0).abs() < 1e-6, "{place:?}");
        assert_eq!(layout.place(&[(1, 1.0)]), None, "row 1 is not on the map");
        assert_eq!(layout.place(&[(2, 0.0)]), Some([0.0, 2.0]));
    }
}
