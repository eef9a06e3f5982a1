//! The searched rows.

use super::SearchError;

/// Rows of equal length with finite coordinates.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    dimensions: usize,
    rows: usize,
    coordinates: Vec<f64>,
    largest: f64,
}

impl Points {
    /// Takes row-major coordinates.
    ///
    /// # Errors
    /// [`SearchError::Dimensions`] when the last row is incomplete, [`SearchError::NotFinite`] with the position of
    /// the first infinite or undefined coordinate, [`SearchError::Rows`] beyond 2^32 - 1 rows.
    pub fn new(dimensions: usize, coordinates: Vec<f64>) -> Result<Self, SearchError> {
        let rest = if dimensions == 0 { coordinates.len() } else { coordinates.len() % dimensions };
        if rest != 0 {
            return Err(SearchError::Dimensions { found: rest, expected: dimensions });
        }
        let rows = coordinates.len().checked_div(dimensions).unwrap_or(0);
        if u32::try_from(rows).is_err() {
            return Err(SearchError::Rows { found: rows });
        }
        if let Some(position) = coordinates.iter().position(|coordinate| !coordinate.is_finite()) {
            return Err(SearchError::NotFinite { position });
        }
        let largest = coordinates.iter().fold(0.0_f64, |largest, coordinate| largest.max(coordinate.abs()));
        Ok(Self { dimensions, rows, coordinates, largest })
    }

    /// Returns how many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the length of a row.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Returns a row; nothing beyond the last.
    pub fn row(&self, row: u32) -> Option<&[f64]> {
        let from = usize::try_from(row).ok()?.checked_mul(self.dimensions)?;
        self.coordinates.get(from..from + self.dimensions)
    }

    /// Returns all rows with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[f64])> {
        (0_u32..).zip(self.coordinates.chunks_exact(self.dimensions.max(1)))
    }

    /// Returns the largest absolute coordinate.
    pub fn largest(&self) -> f64 {
        self.largest
    }
}
