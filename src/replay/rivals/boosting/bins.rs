//! Features in bins: what trees are grown on. Looking at the borders of at most 63 bins instead of every value changes a cut by
//! less than a sixtieth of the rows and makes a tree cheap.

/// Most bins of values of one feature; they share 64 places with what is missing.
const MOST_BINS: usize = 63;
/// Places of a histogram: bins, and one for rows that lack the feature.
pub(super) const PLACES: usize = MOST_BINS + 1;
/// The place of rows that lack the feature.
pub(super) const LACKING: u8 = 63;

/// One feature that varies.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// Position of the feature in a row.
    pub(super) feature: usize,
    /// Upper border of each bin; the last is infinite.
    pub(super) borders: Vec<f64>,
    /// Place of each row.
    pub(super) places: Vec<u8>,
}

impl Column {
    /// Returns the columns of all features that vary, or that some rows lack, in the order of the features. Values are finite.
    pub(super) fn all(rows: &[Vec<Option<f64>>]) -> Vec<Self> {
        let width = rows.first().map_or(0, Vec::len);
        (0..width).filter_map(|feature| Self::of(rows, feature)).collect()
    }

    fn of(rows: &[Vec<Option<f64>>], feature: usize) -> Option<Self> {
        let value = |row: &Vec<Option<f64>>| row.get(feature).copied().flatten();
        let mut values: Vec<f64> = rows.iter().filter_map(value).collect();
        values.sort_by(f64::total_cmp);
        let borders = borders(&values);
        let is_lacking = !values.is_empty() && values.len() < rows.len();
        if borders.len() < 2 && !is_lacking {
            return None;
        }
        let place = |row: &Vec<Option<f64>>| match value(row) {
            Some(value) => narrow(borders.partition_point(|border| *border < value)),
            None => LACKING,
        };
        let places = rows.iter().map(place).collect();
        Some(Self { feature, borders, places })
    }
}

/// Returns the upper borders of bins that hold about equally many of the sorted `values`; borders lie half way between
/// neighbouring values.
fn borders(values: &[f64]) -> Vec<f64> {
    let steps = values.windows(2).filter(|pair| pair[0] < pair[1]).count();
    let mut borders = Vec::new();
    for (seen, pair) in (1_usize..).zip(values.windows(2)) {
        // A bin ends where its share of the values does; few different values have a bin each.
        let is_due = steps < MOST_BINS || seen * MOST_BINS >= (borders.len() + 1) * values.len();
        if pair[0] < pair[1] && is_due && borders.len() + 1 < MOST_BINS {
            let middle = f64::midpoint(pair[0], pair[1]);
            borders.push(if middle < pair[1] { middle } else { pair[0] });
        }
    }
    borders.push(f64::INFINITY);
    borders
}

#[expect(clippy::cast_possible_truncation, reason = "fewer bins than a byte counts")]
const fn narrow(bin: usize) -> u8 {
    bin as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[Option<f64>]) -> Option<Column> {
        let rows: Vec<Vec<Option<f64>>> = values.iter().map(|value| vec![*value]).collect();
        Column::all(&rows).into_iter().next()
    }

    #[test]
    fn few_values_have_a_bin_each_and_what_is_missing_its_own_place() {
        let found = column(&[Some(2.0), None, Some(1.0), Some(2.0)]).unwrap();
        assert_eq!((found.borders, found.places), (vec![1.5, f64::INFINITY], vec![1, LACKING, 0, 1]));
        assert_eq!(column(&[Some(2.0), None]).unwrap().places, [0, LACKING]);
    }

    #[test]
    fn a_feature_that_does_not_vary_is_no_column() {
        assert_eq!(column(&[Some(2.0), Some(2.0)]), None);
        assert_eq!(column(&[None, None]), None);
    }

    #[test]
    fn many_values_share_bins_of_about_one_size() {
        let values: Vec<Option<f64>> = (0..1000).map(|at| Some(f64::from(at * at))).collect();
        let found = column(&values).unwrap();
        assert_eq!(found.borders.len(), MOST_BINS);
        let mut sizes = [0; PLACES];
        found.places.iter().for_each(|place| sizes[usize::from(*place)] += 1);
        assert!(sizes[..MOST_BINS].iter().all(|size| (14..=18).contains(size)), "{sizes:?}");
        assert!(found.places.is_sorted());
    }

    #[test]
    fn neighbouring_doubles_are_told_apart() {
        let (a, b) = (1.0_f64, 1.0_f64.next_up());
        assert_eq!(column(&[Some(a), Some(b)]).unwrap().places, [0, 1]);
    }
}
