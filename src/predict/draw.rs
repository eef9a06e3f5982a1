//! Draws that depend on names alone: the same store gives the same draws in any order.

use crate::fingerprint::mixed;

use super::need::Remembered;

/// Returns at most `most` of `rows`, drawn by a hash of their names, in the order of `rows`.
pub(super) fn sample(rows: Vec<u32>, all: &[Remembered], most: usize) -> Vec<u32> {
    if rows.len() <= most {
        return rows;
    }
    let name = |row: u32| all.get(row as usize).map(Remembered::name).unwrap_or_default();
    let mut order: Vec<(u64, u32)> = rows.into_iter().map(|row| (hashed(0, &name(row)), row)).collect();
    order.sort_unstable();
    order.truncate(most);
    let mut rows: Vec<u32> = order.into_iter().map(|(_, row)| row).collect();
    rows.sort_unstable();
    rows
}

/// Draws `k` of the eligible rows uniformly without replacement: the same seed and name give the same rows.
pub(super) fn drawn(seed: u64, name: &str, eligible: impl Iterator<Item = u32>, k: usize) -> Vec<(u32, f64)> {
    let start = hashed(seed, name);
    let mut order: Vec<(u64, u32)> = eligible.map(|row| (mixed(start ^ mixed(u64::from(row))), row)).collect();
    // A replay draws millions of times: only the k smallest need an order.
    if k > 0 && k < order.len() {
        order.select_nth_unstable(k - 1);
    }
    order.truncate(k);
    order.sort_unstable();
    order.into_iter().map(|(_, row)| (row, 0.0)).collect()
}

/// FNV-1a of a name, mixed with a seed.
pub(super) fn hashed(seed: u64, name: &str) -> u64 {
    let hash = name
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
    mixed(hash ^ mixed(seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_seed_and_name_alone() {
        let draw = |seed, name| drawn(seed, name, 0..1000, 15);
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
        // Every row is drawn about equally often.
        let mut counts = vec![0_u32; 20];
        for seed in 0..2000 {
            for (row, _) in drawn(seed, "x", 0..20, 5) {
                counts[row as usize] += 1;
            }
        }
        assert!(counts.iter().all(|count| (400..600).contains(count)), "{counts:?}");
    }
}
