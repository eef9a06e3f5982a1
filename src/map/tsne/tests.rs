//! The sums of the tree against sums over all pairs, and affinities against their definition.

use super::affinity::{Affinities, Neighbourhoods};
use super::quadtree::{Quadtree, Repulsion};

/// Places in two clumps with some far away and some equal: without a generator of random numbers, the same everywhere.
#[expect(clippy::cast_possible_truncation, reason = "small numbers")]
fn places(count: u32) -> Vec<[f32; 2]> {
    (0..count)
        .map(|number| {
            let (turn, step) = (f64::from(number) * 2.4, f64::from(number % 97));
            let shift = if number % 3 == 0 { 40.0 } else { -25.0 };
            let place = [shift + step.sqrt() * turn.cos(), 0.7 * shift + step.sqrt() * turn.sin()];
            if number % 50 == 0 { [500.0, -300.0] } else { place.map(|axis| axis as f32) }
        })
        .collect()
}

fn exact(places: &[[f32; 2]]) -> (Vec<[f64; 2]>, f64) {
    let mut forces = vec![[0.0; 2]; places.len()];
    let mut sum = 0.0;
    for (one, own) in places.iter().enumerate() {
        for (_, other) in places.iter().enumerate().filter(|(other, _)| *other != one) {
            let (dx, dy) = (f64::from(own[0]) - f64::from(other[0]), f64::from(own[1]) - f64::from(other[1]));
            let q = 1.0 / (1.0 + dx * dx + dy * dy);
            sum += q;
            forces[one][0] += q * q * dx;
            forces[one][1] += q * q * dy;
        }
    }
    (forces, sum)
}

#[test]
fn the_tree_sums_what_all_pairs_sum() {
    for count in [1, 2, 7, 8, 9, 64, 1000, 3001] {
        let places = places(count);
        let (forces, sum) = exact(&places);
        let size = forces.iter().flatten().fold(0.0_f64, |size, force| size.max(force.abs()));
        for (angle, tolerance) in [(0.5, 2e-2), (0.05, 2e-5)] {
            let mut found = Repulsion::default();
            Quadtree::default().repulsion(&places, angle, &mut found);
            assert!((found.sum - sum).abs() <= tolerance * sum.max(1.0), "{count}: {} for {sum}", found.sum);
            for (found, exact) in found.forces.iter().zip(&forces) {
                for axis in 0..2 {
                    let difference = (f64::from(found[axis]) - exact[axis]).abs();
                    assert!(difference <= tolerance * size + 1e-6, "{count} at {angle}: {difference} of {size}");
                }
            }
        }
    }
}

#[test]
fn a_tree_that_is_used_again_forgets_what_it_held() {
    let (many, few) = (places(500), places(20));
    let mut tree = Quadtree::default();
    let mut again = Repulsion::default();
    tree.repulsion(&many, 0.5, &mut again);
    tree.repulsion(&few, 0.5, &mut again);
    let mut fresh = Repulsion::default();
    Quadtree::default().repulsion(&few, 0.5, &mut fresh);
    assert_eq!((again.forces, again.sum.to_bits()), (fresh.forces, fresh.sum.to_bits()));
}

#[test]
fn affinities_sum_to_one_are_symmetric_and_have_the_perplexity() {
    // Five points on a line, each with all others as neighbours.
    let line = [0.0, 1.0, 2.5, 4.0, 9.0_f64];
    let (mut others, mut distances) = (Vec::new(), Vec::new());
    for (one, place) in line.iter().enumerate() {
        let mut near: Vec<(f64, u32)> = (0_u32..)
            .zip(&line)
            .filter(|(other, _)| *other as usize != one)
            .map(|(other, to)| ((to - place).abs(), other))
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        others.extend(near.iter().map(|(_, other)| *other));
        distances.extend(near.iter().map(|(distance, _)| *distance));
    }
    let near = Neighbourhoods { count: 4, others, distances };
    let affinities = Affinities::new(&near, 30.0);
    let dense: Vec<[f64; 5]> = (0..5)
        .map(|row| {
            let mut dense = [0.0; 5];
            for entry in affinities.starts[row]..affinities.starts[row + 1] {
                dense[affinities.others[entry] as usize] = f64::from(affinities.values[entry]);
            }
            dense
        })
        .collect();
    let total: f64 = dense.iter().flatten().sum();
    assert!((total - 1.0).abs() < 1e-6, "{total}");
    for (row, values) in dense.iter().enumerate() {
        assert!(values[row].abs() < 1e-12);
        for (column, value) in values.iter().enumerate() {
            assert!((value - dense[column][row]).abs() < 1e-9);
        }
    }
    // Four neighbours allow a perplexity of 4 / 3: nearly everything goes to the nearest.
    assert!((Affinities::perplexity(30.0, 4) - 4.0 / 3.0).abs() < 1e-12);
    let last = super::affinity::conditional(&[5.0, 6.5, 8.0, 9.0], (4.0_f64 / 3.0).ln());
    let entropy: f64 = last.iter().map(|p| -p * p.ln()).sum();
    assert!((entropy.exp() - 4.0 / 3.0).abs() < 1e-5, "{last:?}");
    assert_eq!(super::affinity::conditional(&[2.0; 4], 0.5), [0.25; 4], "nothing tells equal distances apart");
}
