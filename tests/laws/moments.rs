//! Moments of parts merge to the moments of the whole.

use proptest::prelude::*;
use shadow::fingerprint::Moments;

const WIDTH: usize = 3;

fn of(rows: &[f64]) -> Moments {
    let mut moments = Moments::empty(WIDTH);
    moments.add(rows);
    moments
}

fn rows() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-1e3..1e3_f64, 0..40).prop_map(|mut rows| {
        rows.truncate(rows.len() / WIDTH * WIDTH);
        rows
    })
}

fn close(left: &Moments, right: &Moments) -> bool {
    let pairs = |left: Vec<f64>, right: Vec<f64>, scale: f64| {
        left.iter().zip(&right).all(|(left, right)| (left - right).abs() <= 1e-12 * scale)
    };
    left.count() == right.count()
        && pairs(left.mean(), right.mean(), 1e3)
        && pairs(left.covariance(), right.covariance(), 1e6 * 10.0)
}

proptest! {
    #[test]
    fn merging_is_associative_and_commutative_with_an_identity(a in rows(), b in rows(), c in rows(), far in -1e3..1e3_f64) {
        let b: Vec<f64> = b.iter().map(|value| value + far).collect();
        let whole = of(&[a.clone(), b.clone(), c.clone()].concat());
        let (a, b, c) = (of(&a), of(&b), of(&c));
        let merged = |left: &Moments, right: &Moments| { let mut left = left.clone(); left.merge(right); left };
        prop_assert!(close(&merged(&merged(&a, &b), &c), &whole));
        prop_assert!(close(&merged(&a, &merged(&b, &c)), &whole));
        prop_assert!(close(&merged(&merged(&c, &b), &a), &whole));
        prop_assert_eq!(&merged(&a, &Moments::empty(WIDTH)), &a);
        prop_assert_eq!(&merged(&Moments::empty(WIDTH), &a), &a);
    }
}

#[test]
fn covariance_is_that_of_the_textbook_also_far_from_zero() {
    for offset in [0.0, 1e9] {
        let mut moments = Moments::empty(2);
        moments.add(&[1.0 + offset, 2.0, 3.0 + offset, 6.0]);
        moments.add(&[5.0 + offset, 1.0]);
        assert_eq!(moments.mean(), vec![3.0 + offset, 3.0]);
        assert_eq!(moments.covariance(), vec![4.0, -1.0, -1.0, 7.0]);
    }
}
