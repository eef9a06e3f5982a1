//! A chart for tests of its pictures.

use crate::profile::Outline;

use super::chart::{Chart, Column, PlacedNewcomer, Unit, Values};
use super::layout::Layout;

/// A name that tries to leave its place.
pub(super) const NASTY: &str = "</script><img src=x onerror=alert(1)>&\"'\u{202e}\u{1b}{{data}}";

/// Five workloads, two of them with one fingerprint, with names that try to leave their place.
pub(super) fn chart() -> Chart {
    let places = [[0.0, 0.0], [10.0, 0.0], [10.0, 0.0], [0.0, 5.0], [3.0, 4.0]];
    let words = vec![NASTY.to_owned(), "web".to_owned()];
    let outline =
        Outline { cpu: vec![Some(0.5), None, Some(1.0)], memory: vec![Some(0.0), Some(2048.0), Some(1024.0)] };
    Chart {
        window: "60s".to_owned(),
        stored: 9,
        layout: Layout {
            rows: vec![0, 1, 2, 3, 4],
            places: places.to_vec(),
            fingerprints: vec![0, 1, 1, 2, 3],
            distinct: 4,
            perplexity: 1.0,
            divergence: 0.125,
        },
        names: vec!["a".to_owned(), NASTY.to_owned(), "c".to_owned(), "d#1".to_owned(), "e".to_owned()],
        columns: vec![
            Column {
                name: "application".to_owned(),
                values: Values::Words(words, vec![Some(0), Some(0), Some(0), Some(1), None]),
            },
            Column {
                name: "memory".to_owned(),
                values: Values::Numbers(Unit::Bytes, vec![Some(1e6), Some(2e6), Some(3e6), Some(123_456_789.0), None]),
            },
        ],
        outlines: vec![outline.clone(); 5],
        newcomers: vec![PlacedNewcomer {
            name: NASTY.to_owned(),
            place: [5.0, 2.0],
            nearest: vec![NASTY.to_owned()],
            outline,
        }],
    }
}
