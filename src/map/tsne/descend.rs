//! Gradient descent with momentum and a step length per coordinate.

use rayon::prelude::*;

use super::TsneParams;
use super::affinity::Affinities;
use super::quadtree::{Quadtree, Repulsion};

/// Share of the last step that is taken again (openTSNE's value for both stages).
const MOMENTUM: f64 = 0.8;

/// What a coordinate's step length grows by while its steps go on, shrinks to when they turn, and is at least (Jacobs 1988,
/// with van der Maaten's values).
const GROWN: f64 = 0.2;
const SHRUNK: f64 = 0.8;
const LEAST_GAIN: f64 = 0.01;

/// No point moves farther in one step: it would leave the map (openTSNE's value).
const LONGEST_STEP: f64 = 5.0;

/// Neighbours that pull together.
const LANES: usize = 8;

/// Points that one task of a thread moves.
const TASK: usize = 256;

/// Where the points ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// Places, centred on the origin.
    pub places: Vec<[f64; 2]>,
    /// Kullback-Leibler divergence of the places from the affinities, in nats; the sum over all pairs is that of the tree.
    pub divergence: f64,
}

/// One point on its way.
#[derive(Debug, Clone, Copy)]
struct Mover {
    place: [f64; 2],
    step: [f64; 2],
    gain: [f64; 2],
}

/// Moves points from `initial` places (finite, one per point) to where their affinities want them. `step` is told each time
/// that all have moved.
pub fn embed(affinities: &Affinities, initial: &[[f64; 2]], params: &TsneParams, step: &dyn Fn()) -> Embedding {
    let points = initial.len();
    let mut movers: Vec<Mover> = initial.iter().map(|&place| Mover { place, step: [0.0; 2], gain: [1.0; 2] }).collect();
    let mut tree = Quadtree::default();
    let mut repulsion = Repulsion::default();
    let mut places: Vec<[f32; 2]> = rounded(&movers);
    #[expect(clippy::cast_possible_truncation, reason = "a share near 0.5")]
    let angle = params.angle as f32;
    for number in 0..params.early_steps + params.late_steps {
        if points < 2 {
            break;
        }
        let exaggeration = if number < params.early_steps { params.early_exaggeration } else { 1.0 };
        // Belkina et al. 2019: as many as there are points, over the exaggeration.
        let rate = points as f64 / exaggeration;
        tree.repulsion(&places, angle, &mut repulsion);
        let normalised = if repulsion.sum > 0.0 { repulsion.sum.recip() } else { 0.0 };
        movers.par_chunks_mut(TASK).enumerate().for_each(|(task, movers)| {
            for (offset, mover) in movers.iter_mut().enumerate() {
                let point = task * TASK + offset;
                let pulled = affinities.pull(point, &places);
                let pushed = repulsion.forces[point];
                let gradient =
                    [0, 1].map(|axis| f64::from(pulled[axis]) * exaggeration - f64::from(pushed[axis]) * normalised);
                mover.follow(gradient, rate);
            }
        });
        centre(&mut movers);
        places.clear();
        places.extend(rounded(&movers));
        step();
    }
    let divergence = divergence(affinities, &places, angle, &mut tree, &mut repulsion);
    Embedding { places: movers.iter().map(|mover| mover.place).collect(), divergence }
}

impl Mover {
    fn follow(&mut self, gradient: [f64; 2], rate: f64) {
        for ((step, gain), gradient) in self.step.iter_mut().zip(&mut self.gain).zip(gradient) {
            // Steps point down the gradient.
            let has_turned = *step * gradient > 0.0;
            *gain = if has_turned { *gain * SHRUNK + LEAST_GAIN } else { *gain + GROWN };
            *step = MOMENTUM * *step - rate * *gain * gradient;
        }
        let length = (self.step[0] * self.step[0] + self.step[1] * self.step[1]).sqrt();
        if length > LONGEST_STEP {
            self.step = self.step.map(|step| step / length * LONGEST_STEP);
        }
        for axis in 0..2 {
            self.place[axis] += self.step[axis];
        }
    }
}

impl Affinities {
    /// Returns the sum over the neighbours of a point of p q (y - y'), in [`LANES`] sums that run in vector registers.
    fn pull(&self, point: usize, places: &[[f32; 2]]) -> [f32; 2] {
        let row = self.starts[point]..self.starts[point + 1];
        let [own_x, own_y] = places[point];
        let (mut pulled_x, mut pulled_y) = ([0.0_f32; LANES], [0.0_f32; LANES]);
        let others = self.others[row.clone()].chunks(LANES);
        for (others, values) in others.zip(self.values[row].chunks(LANES)) {
            // What a last chunk lacks has no affinity.
            let (mut dx, mut dy, mut weights) = ([0.0_f32; LANES], [0.0_f32; LANES], [0.0_f32; LANES]);
            for (lane, (&other, &value)) in others.iter().zip(values).enumerate() {
                let [x, y] = places[other as usize];
                (dx[lane], dy[lane], weights[lane]) = (own_x - x, own_y - y, value);
            }
            for lane in 0..LANES {
                weights[lane] /= 1.0 + dx[lane] * dx[lane] + dy[lane] * dy[lane];
            }
            for lane in 0..LANES {
                pulled_x[lane] += weights[lane] * dx[lane];
            }
            for lane in 0..LANES {
                pulled_y[lane] += weights[lane] * dy[lane];
            }
        }
        [pulled_x.iter().sum(), pulled_y.iter().sum()]
    }
}

/// Returns places for the sums of forces, which need no more digits.
#[expect(clippy::cast_possible_truncation, reason = "rounding is meant")]
fn rounded(movers: &[Mover]) -> Vec<[f32; 2]> {
    movers.iter().map(|mover| mover.place.map(|place| place as f32)).collect()
}

/// Moves the mean of all places to the origin.
fn centre(movers: &mut [Mover]) {
    let mut mean = [0.0; 2];
    for mover in movers.iter() {
        mean[0] += mover.place[0];
        mean[1] += mover.place[1];
    }
    let mean = mean.map(|sum| sum / movers.len() as f64);
    for mover in movers {
        mover.place = [mover.place[0] - mean[0], mover.place[1] - mean[1]];
    }
}

/// Returns the sum over pairs of p ln(p / q), with q normalised by the tree's sum.
fn divergence(
    affinities: &Affinities,
    places: &[[f32; 2]],
    angle: f32,
    tree: &mut Quadtree,
    repulsion: &mut Repulsion,
) -> f64 {
    if places.len() < 2 {
        return 0.0;
    }
    tree.repulsion(places, angle, repulsion);
    let total = repulsion.sum;
    let mut sum = 0.0;
    for point in 0..places.len() {
        let row = affinities.starts[point]..affinities.starts[point + 1];
        for (&other, &affinity) in affinities.others[row.clone()].iter().zip(&affinities.values[row]) {
            let other = places[other as usize];
            let (dx, dy) = (f64::from(places[point][0] - other[0]), f64::from(places[point][1] - other[1]));
            let affinity = f64::from(affinity);
            if affinity > 0.0 {
                sum += affinity * (affinity * total * (1.0 + dx * dx + dy * dy)).ln();
            }
        }
    }
    sum
}
