//! A series in one line of text.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Returns one block per value, from 0 at the bottom to `most` at the top; a blank where there is none.
pub fn sparkline(values: &[Option<f64>], most: f64) -> String {
    let block = |value: &Option<f64>| {
        let Some(value) = value else { return ' ' };
        let share = if most > 0.0 { (value / most).clamp(0.0, 1.0) } else { 0.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 7")]
        let level = (share * 7.0).round() as usize;
        BLOCKS[level.min(BLOCKS.len() - 1)]
    };
    values.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_drawn_from_nothing_to_its_most() {
        assert_eq!(sparkline(&[Some(0.0), Some(3.5), None, Some(7.0), Some(9.0), Some(-1.0)], 7.0), "▁▅ ██▁");
        assert_eq!(sparkline(&[Some(0.0)], 0.0), "▁", "nothing used is drawn at the bottom");
        assert_eq!(sparkline(&[], 1.0), "");
    }
}
