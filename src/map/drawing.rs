//! What pictures share: colours, shapes, and where equal fingerprints are drawn.

use super::Layout;
use super::legend::CLASSES;

/// Colours in a light page: eight that colour-blind eyes tell apart (after Okabe and Ito 2008, with violet and olive for
/// black and yellow), two greys for others and for nothing, and seven steps of one hue.
pub(super) const LIGHT: [&str; CLASSES] = [
    "#0072b2", "#e08e00", "#009e73", "#cc6fa0", "#4aaee8", "#d04a00", "#5b3a8c", "#808000", "#8b929a", "#c3c8ce",
    "#bcd7ee", "#93c3e3", "#65a8d8", "#3f8cc4", "#2069ae", "#0d4a91", "#062a5e",
];

/// The same in a dark page.
pub(super) const DARK: [&str; CLASSES] = [
    "#4aa3df", "#f0b429", "#2dc79b", "#e59ac4", "#a5dcf7", "#ff7a33", "#a98bdc", "#cfcf4a", "#717a86", "#4a515b",
    "#35608f", "#3f76ab", "#4a8cc6", "#63a9da", "#8ccaea", "#b8e2f7", "#eaf8ff",
];

/// Shapes of points: colour does not tell alone which word a point has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Also of what has no word.
    Circle,
    Square,
    Triangle,
    Diamond,
}

impl Shape {
    /// Returns the shape of a class.
    pub(super) const fn of(class: usize) -> Self {
        match class {
            1 | 5 => Self::Square,
            2 | 6 => Self::Triangle,
            3 | 7 => Self::Diamond,
            _ => Self::Circle,
        }
    }
}

/// Returns, for each place, how many before it have the same fingerprint, and how many there are in all.
pub(super) fn twins(layout: &Layout) -> Vec<(u32, u32)> {
    let mut counts = vec![0_u32; layout.distinct];
    let before: Vec<u32> = layout
        .fingerprints
        .iter()
        .map(|&fingerprint| {
            counts[fingerprint as usize] += 1;
            counts[fingerprint as usize] - 1
        })
        .collect();
    before.into_iter().zip(&layout.fingerprints).map(|(before, &of)| (before, counts[of as usize])).collect()
}

/// The turn from each seed of a sunflower to the next, in radians: the golden angle.
const GOLDEN_ANGLE: f64 = 2.399_963_229_728_653;

/// Equal fingerprints lie inside a circle of at most this radius, in pixels.
const WIDEST: f64 = 22.0;

/// Returns how far from its place the point is drawn that comes after `before` of `count` equal ones: they lie beside each
/// other like seeds of a sunflower, so that their number is seen.
pub(super) fn aside((before, count): (u32, u32), radius: f64) -> [f64; 2] {
    let step = (1.7 * radius).min(WIDEST / f64::from(count.max(1)).sqrt());
    let (distance, angle) = (step * f64::from(before).sqrt(), GOLDEN_ANGLE * f64::from(before));
    [distance * angle.cos(), distance * angle.sin()]
}

/// Returns the radius of points, in pixels, such that a map of `points` is neither empty nor a blot.
pub(super) fn radius(points: usize) -> f64 {
    (110.0 / (points.max(1) as f64).sqrt()).clamp(0.9, 4.0)
}
